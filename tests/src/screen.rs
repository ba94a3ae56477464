//! A terminal with the inspector in it: keys go in, the screen comes out.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::{Room, inspector, wait_until};

/// How long a screen may take to show what is waited for.
const LIMIT: Duration = Duration::from_secs(20);

/// The inspector in a terminal of its own.
pub struct Screen {
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("text", &self.text())
            .finish_non_exhaustive()
    }
}

impl Screen {
    /// Runs `pollscope ARGS` in a terminal of this size.
    ///
    /// # Panics
    /// There is no pseudo-terminal, or the inspector does not start.
    pub fn open(room: &Room, args: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(inspector());
        command.args(args);
        Self::run(room, command, columns, rows)
    }

    /// Runs any command in a terminal of this size.
    ///
    /// # Panics
    /// There is no pseudo-terminal, or the command does not start.
    pub fn run(room: &Room, mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        command.env("XDG_RUNTIME_DIR", room.path());
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the command starts");
        drop(pair.slave);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(
            cells(rows),
            cells(columns),
            0,
        )));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut from = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let (screen, log) = (Arc::clone(&parser), Arc::clone(&raw));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut bytes) {
                screen
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .process(&bytes[..n]);
                log.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&bytes[..n]);
            }
        });
        Self {
            parser,
            raw,
            keys,
            child,
            master: pair.master,
        }
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.parser
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .screen()
            .contents()
    }

    /// Everything that was written to the terminal.
    pub fn raw(&self) -> Vec<u8> {
        self.raw
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the terminal is as a shell wants it: no alternate screen, cursor shown, no mouse, no paste mode.
    pub fn is_sane(&self) -> bool {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        let screen = parser.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            && !screen.bracketed_paste()
    }

    /// Whether the terminal is in cooked mode: it echoes what is typed, by the line, and Ctrl-C is a signal.
    ///
    /// # Panics
    /// The terminal has no settings.
    pub fn is_cooked(&self) -> bool {
        let fd = self
            .master
            .as_raw_fd()
            .expect("a terminal has a descriptor");
        let settings = terminal_settings(fd);
        let all = libc::ICANON | libc::ECHO | libc::ISIG;
        settings.c_lflag & all == all && settings.c_oflag & libc::OPOST != 0
    }

    /// Whether a shell has the terminal: as above, but for the paste mode, which shells switch on for themselves.
    pub fn is_a_shells(&self) -> bool {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
    }

    /// Waits until a shell has the terminal.
    ///
    /// # Panics
    /// It stays as it is.
    pub fn wait_for_shell(&self) {
        wait_until("the shell's terminal", LIMIT, || {
            self.is_a_shells().then_some(())
        });
    }

    /// Presses keys.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal is there");
        self.keys.flush().expect("the terminal is there");
    }

    /// Waits until the screen shows this text, and gives the screen.
    ///
    /// # Panics
    /// It does not come.
    pub fn wait_for(&self, text: &str) -> String {
        let mut last = String::new();
        wait_until_or(
            LIMIT,
            || {
                last = self.text();
                last.contains(text).then(|| last.clone())
            },
            || format!("the screen never showed {text:?}:\n{}", self.text()),
        )
    }

    /// Waits until the terminal is sane again, and in cooked mode.
    ///
    /// # Panics
    /// It stays as it is.
    pub fn wait_sane(&self) {
        wait_until("a sane terminal", LIMIT, || {
            (self.is_sane() && self.is_cooked()).then_some(())
        });
    }

    /// Resizes the terminal.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).expect("the terminal is there");
    }

    /// The inspector's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap_or(0)
    }

    /// Sends the inspector a signal.
    #[expect(unsafe_code, reason = "sending a signal")]
    pub fn signal(&self, signal: i32) {
        // SAFETY: kill has no preconditions; the process is our child.
        unsafe { libc::kill(self.pid() as i32, signal) };
    }

    /// Waits for the inspector's end and gives its exit code.
    ///
    /// # Panics
    /// It does not end.
    pub fn exit_code(&mut self) -> u32 {
        let child = &mut self.child;
        wait_until("the inspector's end", LIMIT, || {
            child.try_wait().ok().flatten()
        })
        .exit_code()
    }
}

#[expect(unsafe_code, reason = "asking a terminal for its settings")]
fn terminal_settings(fd: i32) -> libc::termios {
    let mut settings = std::mem::MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: all-zero bytes are a valid `termios`, and the pointer is to a live one.
    let (result, settings) = unsafe {
        (
            libc::tcgetattr(fd, settings.as_mut_ptr()),
            settings.assume_init(),
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    settings
}

/// A terminal has at least one cell each way.
fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap_or(NonZero::<u16>::MIN)
}

fn wait_until_or<T>(
    limit: Duration,
    mut ask: impl FnMut() -> Option<T>,
    why: impl Fn() -> String,
) -> T {
    let end = std::time::Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(std::time::Instant::now() < end, "{}", why());
        thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
