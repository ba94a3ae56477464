//! `run`: starts a program and attaches to it. The program's status is ours.

use std::ffi::OsString;
use std::fs::File;
use std::future::pending;
use std::io::{self, IsTerminal, Read, Seek};
use std::process::{ExitStatus, Stdio};

use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::exit::say;
use super::{Exit, Failure, ask, live, runtime, targets};
use crate::net::{Session, SymbolsFrom};
use crate::report::Paint;

pub(super) fn run(
    command: &[OsString],
    debug: bool,
    symbols: SymbolsFrom,
    paint: Paint,
) -> Result<Exit, Failure> {
    let Some((program, args)) = command.split_first() else {
        return Err(Failure::Message(Exit::Usage, "no program given".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(args);
    targets::grant(&mut command);
    if debug {
        command.env("POLLSCOPE", "debug");
    }
    if live::has_terminal() {
        return on_screen(command, symbols, paint);
    }
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let mut child = start(&mut command)?;
        let pid = child.id().unwrap_or_default();
        let status = tokio::select! {
            status = signals.pass_to(&mut child) => status?,
            () = follow(pid, symbols) => child.wait().await?,
        };
        Ok(Exit::Status(targets::code(status)))
    })
}

fn start(command: &mut Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| {
        let program = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        let code = if error.kind() == io::ErrorKind::NotFound {
            127
        } else {
            126
        };
        let why = format!("cannot start {program}: {error}");
        Failure::Message(Exit::Status(code.into()), why)
    })
}

/// Prints the warnings of the program on stderr, as long as there is one to attach to. Never returns.
async fn follow(pid: u32, symbols: SymbolsFrom) {
    let address = targets::listening(pid).await;
    let mut out = io::stderr();
    let paint = Paint::new(out.is_terminal() && std::env::var_os("NO_COLOR").is_none());
    match Session::open_with(&address, symbols).await {
        Ok(session) => {
            say(&format!(
                "attached to {} ({address})",
                session.hello().target.name
            ));
            // It ends with the program, whose status says how; or with our stderr.
            let _ = ask::follow(&session, &mut out, false, paint).await;
        }
        Err(error) => say(&error.to_string()),
    }
    pending::<()>().await;
}

/// What others send us to end or reload the program: it is meant for the program.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    user1: tokio::signal::unix::Signal,
    user2: tokio::signal::unix::Signal,
    /// A terminal sends its interrupts to the program as well: passing them on would double them.
    from_terminal: bool,
}

impl Signals {
    /// Before the program starts: from then on none may end us and leave it alone.
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
            from_terminal: io::stdin().is_terminal(),
        })
    }

    /// Waits for the program, and passes on to it what arrives meanwhile.
    async fn pass_to(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        loop {
            let (signal, by_keyboard) = tokio::select! {
                status = child.wait() => return status,
                _ = self.interrupt.recv() => (Signal::INT, true),
                _ = self.quit.recv() => (Signal::QUIT, true),
                _ = self.terminate.recv() => (Signal::TERM, false),
                _ = self.hangup.recv() => (Signal::HUP, false),
                _ = self.user1.recv() => (Signal::USR1, false),
                _ = self.user2.recv() => (Signal::USR2, false),
            };
            let doubled = by_keyboard && self.from_terminal;
            if let Some(pid) = targets::pid(child).filter(|_| !doubled) {
                // It may have ended just now: the next round sees that.
                let _ = rustix::process::kill_process(pid, signal);
            }
        }
    }
}

/// The screen is ours: the program's output goes to a file, and is printed when the screen is gone.
fn on_screen(mut command: Command, symbols: SymbolsFrom, paint: Paint) -> Result<Exit, Failure> {
    let mut output = tempfile()?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .process_group(0)
        .kill_on_drop(true);
    let runtime = runtime()?;
    let (mut child, address) = runtime.block_on(async {
        let mut child = start(&mut command)?;
        let pid = child.id().unwrap_or_default();
        say("waiting for the program to listen; Ctrl-C ends both");
        let mut interrupt = signal(SignalKind::interrupt())?;
        let address = tokio::select! {
            address = targets::listening(pid) => Some(address),
            _ = child.wait() => None,
            _ = interrupt.recv() => None,
        };
        Ok::<_, Failure>((child, address))
    })?;
    let shown = address.map(|address| live::screen(address, symbols, paint));
    let status = runtime.block_on(targets::end(&mut child))?;
    output.rewind()?;
    io::copy(&mut output.by_ref(), &mut io::stdout())?;
    shown.transpose()?;
    Ok(Exit::Status(targets::code(status)))
}

/// A file that nobody else sees and that is gone when we are.
fn tempfile() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("pollscope-run-{}.log", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
