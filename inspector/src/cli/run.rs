//! `run`: starts a program and attaches to it. The program's status is ours.

mod output;
mod screen;
mod typed;

use std::ffi::OsString;
use std::future::pending;
use std::io::{self, IsTerminal};
use std::process::ExitStatus;

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
        return screen::run(command, symbols, paint);
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

    /// The next of them, and whether a keyboard may have sent it. Cancel safe.
    async fn next(&mut self) -> (Signal, bool) {
        tokio::select! {
            _ = self.interrupt.recv() => (Signal::INT, true),
            _ = self.quit.recv() => (Signal::QUIT, true),
            _ = self.terminate.recv() => (Signal::TERM, false),
            _ = self.hangup.recv() => (Signal::HUP, false),
            _ = self.user1.recv() => (Signal::USR1, false),
            _ = self.user2.recv() => (Signal::USR2, false),
        }
    }

    /// Waits for the program, and passes on to it what arrives meanwhile.
    async fn pass_to(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        loop {
            let (signal, by_keyboard) = tokio::select! {
                status = child.wait() => return status,
                signal = self.next() => signal,
            };
            let doubled = by_keyboard && self.from_terminal;
            if let Some(pid) = targets::pid(child).filter(|_| !doubled) {
                // It may have ended just now: the next round sees that.
                let _ = rustix::process::kill_process(pid, signal);
            }
        }
    }
}
