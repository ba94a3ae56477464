//! `Child`: Tokio's, and the place where it was made.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::process::Output;

use crate::capture::event::{Family, NoteText};
use crate::capture::registry::{self, Made};

/// A child process, as [`tokio::process::Child`] is; its methods and streams are Tokio's, by `Deref`.
///
/// Dropped while the process runs and nobody waited for it, it is reported as `resource_leak`: the process goes on, and
/// nobody learns how it ends. Not with [`kill_on_drop`](super::Command::kill_on_drop), and not after
/// [`leave`](Self::leave).
pub struct Child {
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
        inner: tokio::process::Child,
        command: &tokio::process::Command,
        at: &'static Location<'static>,
    ) -> Self {
        let program = command.as_std().get_program();
        let watched = (!command.get_kill_on_drop()).then(|| Watched {
            made: registry::made::<tokio::process::Child>(at),
            program: program.to_string_lossy().into_owned(),
        });
        Self {
            inner: Some(inner),
            watched,
        }
    }

    /// Drops the handle and lets the process run: how it ends is nobody's business.
    pub fn leave(mut self) {
        self.watched = None;
    }

    /// Waits for the end and collects what the process writes: see [`tokio::process::Child::wait_with_output`].
    ///
    /// # Errors
    /// The end could not be learnt, or the output not be read.
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        match self.inner.take() {
            Some(inner) => inner.wait_with_output().await,
            None => Err(io::Error::other("the child was taken")),
        }
    }

    /// Tokio's child, for an interface that asks for one. It is not watched any more.
    pub fn into_inner(mut self) -> Option<tokio::process::Child> {
        self.inner.take()
    }
}

const TAKEN: &str = "only methods that consume the handle take the child out";

impl Deref for Child {
    type Target = tokio::process::Child;

    fn deref(&self) -> &Self::Target {
        self.inner.as_ref().expect(TAKEN)
    }
}

impl DerefMut for Child {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.inner.as_mut().expect(TAKEN)
    }
}

impl Drop for Child {
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
        self.inner.fmt(f)
    }
}
