//! `run` on a terminal: the terminal is the program's until it listens, then the screen's, then what the program said
//! meanwhile is printed.
//!
//! The program leads a process group of its own, so that whatever it started ends with it, and so that the keys of the
//! screen reach it by no way: what a user types before, and Ctrl-C, is passed on by us.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::super::exit::say;
use super::super::{Exit, Failure, live, runtime, targets};
use super::output::Output;
use super::typed::Typed;
use super::{Signals, start};
use crate::net::{Address, SymbolsFrom};
use crate::report::Paint;

/// What the program gets to end by itself once it was told to.
const GRACE: Duration = Duration::from_secs(10);
/// An end that takes longer is told about.
const QUICK: Duration = Duration::from_millis(500);

/// How the wait for the program to listen ended.
enum Came {
    Listens(Address),
    Ended(ExitStatus),
    /// Somebody wants an end of it, and of us.
    Told(Signal),
}

pub(super) fn run(
    mut command: Command,
    symbols: SymbolsFrom,
    paint: Paint,
) -> Result<Exit, Failure> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let runtime = runtime()?;
    let (mut signals, mut child, output, typed, came) = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut child = start(&mut command)?;
        let output = Output::of(&mut child)?;
        let mut typed = Typed::new(child.stdin.take())?;
        say("waiting for the program to listen; Ctrl-C ends both");
        let came = wait(&mut child, &mut signals).await?;
        typed.stop();
        Ok::<_, Failure>((signals, child, output, typed, came))
    })?;
    let (status, shown) = match came {
        Came::Ended(status) => (status, Ok(())),
        Came::Told(signal) => {
            let ended = runtime.block_on(end(&mut child, &mut signals, signal))?;
            (ended, Ok(()))
        }
        Came::Listens(address) => {
            output.hold();
            let shown = live::screen(address, symbols, paint).map(drop);
            output.release();
            let ended = runtime.block_on(end(&mut child, &mut signals, Signal::TERM))?;
            (ended, shown)
        }
    };
    // Only now: a program must not meet the end of its input because a screen was opened.
    drop(typed);
    output.finish();
    shown?;
    Ok(Exit::Status(targets::code(status)))
}

async fn wait(child: &mut Child, signals: &mut Signals) -> Result<Came, Failure> {
    let listening = targets::listening(child.id().unwrap_or_default());
    tokio::pin!(listening);
    loop {
        tokio::select! {
            // What ended is not attached to.
            biased;
            status = child.wait() => return Ok(Came::Ended(status?)),
            (signal, _) = signals.next() => match signal {
                Signal::USR1 | Signal::USR2 => targets::signal_group(child, signal),
                end => return Ok(Came::Told(end)),
            },
            address = &mut listening => return Ok(Came::Listens(address)),
        }
    }
}

/// Ends the program by that signal, and by SIGKILL after a while, or at once if somebody insists.
async fn end(child: &mut Child, signals: &mut Signals, by: Signal) -> std::io::Result<ExitStatus> {
    targets::signal_group(child, by);
    let grace = tokio::time::sleep(GRACE);
    let quick = tokio::time::sleep(QUICK);
    tokio::pin!(grace, quick);
    let mut told = false;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            () = &mut quick, if !told => {
                told = true;
                let limit = GRACE.as_secs();
                say(&format!("the program was told to end; killed in {limit} s, or by Ctrl-C"));
            }
            (signal, _) = signals.next() => match signal {
                Signal::USR1 | Signal::USR2 => targets::signal_group(child, signal),
                _ => break,
            },
            () = &mut grace => break,
        }
    }
    targets::signal_group(child, Signal::KILL);
    child.wait().await
}
