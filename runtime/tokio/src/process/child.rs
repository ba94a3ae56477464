//! `Child`: Tokio's, and the place where it was made.
//!
//! Its streams are fields, as Tokio's are: they can be moved out of it, and borrowed side by side. So the type itself has no
//! `Drop`; what watches it, has.

use std::fmt;
use std::io;
use std::panic::Location;
use std::process::{ExitStatus, Output};

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::capture::event::{Family, NoteText};
use crate::capture::registry::{self, Made};

/// A child process, as [`tokio::process::Child`] is.
///
/// Dropped while the process runs and nobody waited for it, it is reported as `resource_leak`: the process goes on, and
/// nobody learns how it ends. Not with [`kill_on_drop`](super::Command::kill_on_drop), and not after
/// [`leave`](Self::leave).
pub struct Child {
    handle: Handle,
    /// What writes to its standard input, where that is piped.
    pub stdin: Option<ChildStdin>,
    /// What reads its standard output, where that is piped.
    pub stdout: Option<ChildStdout>,
    /// What reads its standard error, where that is piped.
    pub stderr: Option<ChildStderr>,
}

/// Tokio's handle, without its streams.
struct Handle {
    /// Taken by whoever consumes the handle.
    inner: Option<tokio::process::Child>,
    /// `None`: it is killed when dropped, or left on purpose.
    watched: Option<Watched>,
}

struct Watched {
    made: Made,
    program: String,
}

impl Child {
    pub(super) fn new(
        mut inner: tokio::process::Child,
        command: &tokio::process::Command,
        at: &'static Location<'static>,
    ) -> Self {
        let program = command.as_std().get_program();
        let watched = (!command.get_kill_on_drop()).then(|| Watched {
            made: registry::made::<tokio::process::Child>(at),
            program: program.to_string_lossy().into_owned(),
        });
        Self {
            stdin: inner.stdin.take(),
            stdout: inner.stdout.take(),
            stderr: inner.stderr.take(),
            handle: Handle {
                inner: Some(inner),
                watched,
            },
        }
    }

    /// The process's id, until its end was learnt.
    pub fn id(&self) -> Option<u32> {
        self.handle.inner.as_ref()?.id()
    }

    /// Sends the process a `SIGKILL`, and does not wait for its end.
    ///
    /// # Errors
    /// It has ended, and that was learnt; or the signal could not be sent.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.handle.inner()?.start_kill()
    }

    /// Sends the process a `SIGKILL` and waits for its end.
    ///
    /// # Errors
    /// As [`start_kill`](Self::start_kill) and [`wait`](Self::wait).
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await?;
        Ok(())
    }

    /// Closes its standard input and waits for the end: see [`tokio::process::Child::wait`]. Safe to cancel.
    ///
    /// # Errors
    /// The end could not be learnt.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.handle.inner()?.wait().await
    }

    /// How the process ended, if it has.
    ///
    /// # Errors
    /// That could not be learnt.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.handle.inner()?.try_wait()
    }

    /// Waits for the end and collects what the process writes: see [`tokio::process::Child::wait_with_output`].
    ///
    /// # Errors
    /// The end could not be learnt, or the output not be read.
    pub async fn wait_with_output(self) -> io::Result<Output> {
        match self.into_inner() {
            Some(inner) => inner.wait_with_output().await,
            None => Err(taken()),
        }
    }

    /// Drops the handle and lets the process run: how it ends is nobody's business.
    pub fn leave(mut self) {
        self.handle.watched = None;
    }

    /// Tokio's child, for an interface that asks for one. It is not watched any more.
    pub fn into_inner(mut self) -> Option<tokio::process::Child> {
        let mut inner = self.handle.inner.take()?;
        inner.stdin = self.stdin;
        inner.stdout = self.stdout;
        inner.stderr = self.stderr;
        Some(inner)
    }
}

impl Handle {
    fn inner(&mut self) -> io::Result<&mut tokio::process::Child> {
        self.inner.as_mut().ok_or_else(taken)
    }
}

/// Only what consumes the child takes the handle out, so nobody sees this.
fn taken() -> io::Error {
    io::Error::other("the child was taken")
}

impl Drop for Handle {
    fn drop(&mut self) {
        let (Some(inner), Some(watched)) = (&mut self.inner, &self.watched) else {
            return;
        };
        // A process that was waited for has no id any more; one that has ended left nothing running. What unwinds has
        // worse to tell.
        let Some(pid) = inner.id().filter(|_| !std::thread::panicking()) else {
            return;
        };
        if matches!(inner.try_wait(), Ok(None)) {
            registry::note(Family::ResourceLeak, watched.made, None, || NoteText {
                what: format!("process {pid} ({})", watched.program),
                did: "dropped while it runs, and nobody waited for it",
                ..NoteText::default()
            });
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("child", &self.handle.inner)
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .finish()
    }
}
