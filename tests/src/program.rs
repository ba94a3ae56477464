//! Programs under test: started in a room of their own, and ended with the test.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::inspector;

/// A runtime directory of its own, so that tests side by side do not see each other's programs.
#[derive(Debug)]
pub struct Room {
    dir: tempfile::TempDir,
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

impl Room {
    /// An empty room.
    ///
    /// # Panics
    /// There is no temporary directory.
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// Its path: the `XDG_RUNTIME_DIR` of all that runs in it.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command in this room, with nothing of our own environment that speaks to pollscope, and panics without
    /// backtraces: to print one takes a debug build a tenth of a second, which is a slow poll wherever a panic is in one.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("POLLSCOPE") {
                command.env_remove(key);
            }
        }
        command
            .env("XDG_RUNTIME_DIR", self.path())
            .env("RUST_BACKTRACE", "0")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    /// Runs the inspector to its end, at most a minute.
    pub fn pollscope<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        let mut command = self.command(inspector());
        command.args(args);
        Output::of(command, Duration::from_secs(60))
    }

    /// Runs the inspector and reads its JSON.
    ///
    /// # Panics
    /// It fails, or prints something else.
    pub fn json<S: AsRef<OsStr>>(&self, args: &[S]) -> Value {
        let output = self.pollscope(args);
        assert!(
            output.status.success(),
            "{:?}: {output:?}",
            args.iter().map(AsRef::as_ref).collect::<Vec<_>>()
        );
        serde_json::from_str(&output.stdout).expect("JSON on standard output")
    }

    /// Starts a program in this room and waits until it prints a line with `ready` in it.
    ///
    /// # Panics
    /// It does not start, or is not ready within half a minute.
    pub fn start(&self, mut command: Command, ready: &str) -> Program {
        let mut child = command
            .env("XDG_RUNTIME_DIR", self.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (send, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        let errors = send.clone();
        thread::spawn(move || forward(stdout, &send));
        thread::spawn(move || forward(stderr, &errors));
        let mut program = Program {
            child,
            lines,
            seen: Vec::new(),
        };
        program.line(ready, Duration::from_secs(30));
        program
    }
}

fn forward(from: impl Read, to: &mpsc::Sender<String>) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        if to.send(line).is_err() {
            return;
        }
    }
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its process id, as an argument.
    pub fn target(&self) -> String {
        self.pid().to_string()
    }

    /// The next line of its output (or errors) with this text in it.
    ///
    /// # Panics
    /// It does not come in time.
    pub fn line(&mut self, text: &str, limit: Duration) -> String {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => self.seen.push(line),
                Err(why) => panic!(
                    "no line with {text:?} within {limit:?} ({why}); seen: {:#?}",
                    self.seen
                ),
            }
        }
    }

    /// The lines that it has printed so far, errors among them, but for those that `line` gave.
    pub fn printed(&mut self) -> &[String] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    /// Writes a line to its standard input, which is a pipe.
    ///
    /// # Panics
    /// It is none, or the program does not read it any more.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{line}").expect("the program reads");
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        send(self.pid(), signal);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        wait(&mut self.child, limit).expect("the program ends in time")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(unsafe_code, reason = "sending a signal")]
fn send(pid: u32, signal: i32) {
    // SAFETY: kill has no preconditions; the process is our child, not yet waited for.
    unsafe { libc::kill(pid as i32, signal) };
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().expect("our own child") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its output.
    pub stdout: String,
    /// Its errors.
    pub stderr: String,
}

impl Output {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// It does not start, or does not end within `limit`.
    pub fn of(mut command: Command, limit: Duration) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        let out = thread::spawn(move || read(stdout));
        let err = thread::spawn(move || read(stderr));
        let Some(status) = wait(&mut child, limit) else {
            let _ = child.kill();
            panic!("{command:?} did not end within {limit:?}");
        };
        let text = |thread: thread::JoinHandle<String>| thread.join().expect("the reader ends");
        Self {
            status,
            stdout: text(out),
            stderr: text(err),
        }
    }

    /// The exit code; -1 where a signal ended it.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

fn read(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Asks until the answer is there.
///
/// # Panics
/// It does not come in time.
pub fn wait_until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
