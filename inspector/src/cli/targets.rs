//! Programs that we start ourselves: their environment, their socket, their end.

use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::net::{self, Address, Reach};

/// How often to look for the socket: it appears a few milliseconds after the start, or much later.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(200)];
/// Looks at the shorter pause.
const EAGER: u32 = 100;
/// Of so many eager looks one goes into containers as well; all later ones do.
const FAR: u32 = 10;
/// What the demo gets to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Whoever starts a program with pollscope may also abort its tasks.
pub(super) fn grant(command: &mut Command) {
    command.env("POLLSCOPE_RIGHTS", "abort");
}

/// Waits until the process, or one that it started, listens.
pub(super) async fn listening(pid: u32) -> Address {
    let mut looks = 0;
    loop {
        let reach = if looks > EAGER || looks % FAR == FAR - 1 {
            Reach::Far
        } else {
            Reach::Near
        };
        // Not on this thread: a look through all processes takes its time, and keys and signals do not wait for it.
        let look = tokio::task::spawn_blocking(move || net::find_under(pid, reach));
        if let Ok(Some(address)) = look.await {
            return address;
        }
        looks += 1;
        sleep(PAUSES[usize::from(looks > EAGER)]).await;
    }
}

/// Ends a program that leads a process group, and the group with it.
pub(super) async fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    signal_group(child, Signal::TERM);
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return status;
    }
    signal_group(child, Signal::KILL);
    child.wait().await
}

/// To the program and whatever it started.
pub(super) fn signal_group(child: &Child, signal: Signal) {
    if let Some(pid) = pid(child) {
        // It may have ended by now, which is what we want.
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// `None` once it was waited for.
pub(super) fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// The status as a shell gives it: the code, or 128 and the signal.
pub(super) fn code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
