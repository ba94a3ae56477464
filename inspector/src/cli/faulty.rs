//! `demo`: the faulty program, in a process of its own.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::Command;

use super::exit::say;
use super::{Exit, Failure, ask, live, runtime, targets};
use crate::net::SymbolsFrom;
use crate::report::Paint;

/// What the program gets to start listening.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long to look at it where there is no screen.
const LOOK: Duration = Duration::from_secs(5);

pub(super) fn demo(serve: bool, healthy: bool, paint: Paint) -> Result<Exit, Failure> {
    let mut command = command(healthy)?;
    if serve {
        // Its own process: started in ours it could not be told its level.
        return Err(command.into_std().exec().into());
    }
    let own = std::process::id().to_string();
    command
        .args(["--parent", &own])
        .kill_on_drop(true)
        .process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let runtime = runtime()?;
    let (mut child, address) = runtime.block_on(async {
        let child = command.spawn()?;
        let pid = child.id().unwrap_or_default();
        let address = tokio::time::timeout(START_LIMIT, targets::listening(pid)).await;
        Ok::<_, io::Error>((child, address))
    })?;
    let Ok(address) = address else {
        let limit = START_LIMIT.as_secs();
        let why =
            format!("the demo did not listen within {limit} s: `pollscope demo --serve` shows why");
        return Err(Failure::Message(Exit::OurFault, why));
    };
    let exit = if live::has_terminal() {
        live::screen(address, SymbolsFrom::default(), paint)
    } else {
        say(&format!("no terminal: a report after {} s", LOOK.as_secs()));
        let asked = ask::Report {
            format: super::Format::Text,
            time: Some(LOOK),
            limit: 20,
            fail_on: Vec::new(),
        };
        ask::report(&address.to_string(), SymbolsFrom::default(), &asked, paint)
    };
    runtime.block_on(targets::end(&mut child))?;
    exit
}

/// The program itself: this binary under a hidden name, with everything that there is to show switched on.
fn command(healthy: bool) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("__demo");
    if healthy {
        command.arg("--healthy");
    }
    targets::grant(&mut command);
    for (variable, value) in [("POLLSCOPE", "debug"), ("POLLSCOPE_BIND", "127.0.0.1:0")] {
        // Empty says nothing, as in the runtime.
        if std::env::var_os(variable).is_none_or(|value| value.is_empty()) {
            command.env(variable, value);
        }
    }
    Ok(command)
}

/// What the hidden command does. With a parent it dies when that does, however that ends.
pub(super) fn child(healthy: bool, parent: Option<u32>) -> ExitCode {
    if let Some(parent) = parent {
        let set = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        let ours = rustix::process::getppid().map(Pid::as_raw_nonzero);
        // It may have died before we asked to be told.
        if set.is_err() || ours.is_none_or(|ours| ours.get().unsigned_abs() != parent) {
            return ExitCode::FAILURE;
        }
    }
    crate::demo::serve(healthy)
}
