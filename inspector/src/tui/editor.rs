//! `o`: the user's editor, who has the terminal until it ends.
//!
//! It is in our process group, as a child of a shell is: Ctrl-C and Ctrl-Z of its terminal come to both. An interrupt is
//! the editor's alone. A stop is a stop of both: the shell that started us sees the job stopped when we are, and
//! continues the group.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::excerpt;
use super::signals::{Caught, Signals};
use crate::model::Target;
use crate::terminal;

/// What signals that came before the editor's end may take to be seen.
const SETTLE: Duration = Duration::from_millis(20);

/// Runs the user's editor on the line and waits for its end. Returns the signal that we were told to end by meanwhile.
pub(super) async fn edit(
    file: &str,
    line: u32,
    target: &Target,
    signals: &mut Signals,
) -> anyhow::Result<Option<u8>> {
    let path = excerpt::find(file, target)
        .ok_or_else(|| anyhow::anyhow!("{file} is not on this machine, or not near its program"))?;
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|editor| !editor.is_empty())
        .unwrap_or_else(|| "vi".into());
    // `EDITOR="code --wait"` is a command with arguments.
    let text = editor.to_string_lossy();
    let mut words = text.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let mut command = Command::new(program);
    command.args(words).args(position(program, &path, line));
    let (status, ended) = run(&mut command, signals)
        .await
        .map_err(|error| anyhow::anyhow!("cannot run {program}: {error}"))?;
    if ended.is_none() && !status.success() {
        anyhow::bail!("{program} ended with {status}");
    }
    Ok(ended)
}

async fn run(
    command: &mut Command,
    signals: &mut Signals,
) -> std::io::Result<(ExitStatus, Option<u8>)> {
    // Also of a stop: `Child::wait` tells of ends alone.
    let mut changed = signal(SignalKind::child())?;
    let mut child = command.spawn()?;
    let mut ended = None;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = changed.recv() => if is_stopped(&child) {
                terminal::stop()?;
                // A shell has continued both. Where there is none, nothing stopped us, and nobody else would do it.
                send(&child, Signal::CONT);
            },
            caught = signals.next() => if let Some(number) = end_of(caught) {
                // An editor with unsaved work may ask back; who insists is obeyed.
                let how = if ended.is_some() { Signal::KILL } else { Signal::TERM };
                send(&child, Signal::CONT);
                send(&child, how);
                ended = Some(number);
            },
        }
    };
    // What came last and was the editor's is not for us. The runtime has to look for it first: of the editor's end it may
    // know without.
    tokio::time::sleep(SETTLE).await;
    while let Some(caught) = signals.waiting().await {
        ended = ended.or(end_of(caught));
    }
    Ok((status, ended))
}

/// Whether it is an end of ours: an interrupt is the editor's.
fn end_of(caught: Caught) -> Option<u8> {
    match caught {
        Caught::End(number) if i32::from(number) != libc::SIGINT => Some(number),
        _ => None,
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// Asks without waiting, and takes no end from `Child::wait`.
fn is_stopped(child: &Child) -> bool {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
    let told = pid(child).map(|pid| rustix::process::waitid(WaitId::Pid(pid), options));
    matches!(told, Some(Ok(Some(_))))
}

fn send(child: &Child, signal: Signal) {
    if let Some(pid) = pid(child) {
        // It may have ended by now.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// How that editor is told a line.
fn position(editor: &str, path: &Path, line: u32) -> Vec<OsString> {
    let with_line = || {
        let mut text = path.as_os_str().to_owned();
        text.push(format!(":{line}"));
        text
    };
    match Path::new(editor).file_name().and_then(|name| name.to_str()) {
        Some("code" | "codium" | "code-insiders") => vec!["--goto".into(), with_line()],
        Some("hx" | "helix" | "subl" | "zed") => vec![with_line()],
        _ => vec![format!("+{line}").into(), path.as_os_str().to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_are_told_the_line_their_own_way() {
        let path = Path::new("/a/b.rs");
        assert_eq!(position("/usr/bin/vim", path, 7), ["+7", "/a/b.rs"]);
        assert_eq!(position("hx", path, 7), ["/a/b.rs:7"]);
        assert_eq!(position("code", path, 7), ["--goto", "/a/b.rs:7"]);
    }
}
