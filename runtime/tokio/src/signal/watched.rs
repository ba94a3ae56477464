//! Listeners for Unix signals that tell when nobody listened. Their type is not Tokio's.

use std::io;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

use crate::capture::event::{Family, NoteText};
use crate::capture::registry::{self, Made};
use crate::setup::ensure_started;
use tokio::signal::unix::SignalKind;

/// Listens for a signal, as [`tokio::signal::unix::signal`] does.
///
/// # Errors
/// The signal cannot be listened for.
///
/// # Panics
/// Outside a runtime, with Tokio's words.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// use std::time::Duration;
/// use pollscope_tokio::signal::unix::SignalKind;
/// use pollscope_tokio::signal::watched::signal;
///
/// let mut hangups = signal(SignalKind::hangup())?;
/// let waited = pollscope_tokio::time::timeout(Duration::from_millis(1), hangups.recv()).await;
/// assert!(waited.is_err(), "nobody hung up");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    let location = Location::caller();
    ensure_started();
    let inner = tokio::signal::unix::signal(kind)?;
    Ok(Signal {
        unheard: Some((
            kind,
            registry::made::<tokio::signal::unix::Signal>(location),
        )),
        inner: Some(inner),
    })
}

/// A listener for a signal, as [`tokio::signal::unix::Signal`] is.
///
/// Dropped without having been polled once, it is reported as `resource_leak`: what it leaves behind is a process that
/// does not react to the signal. Where the signal came while it listened, that is a warning, for it was lost; where
/// none came it is a note, for the program may have ended before it got to listen. Not while a panic unwinds.
#[must_use = "a listener that is not polled hears nothing, and the signal does nothing else any more"]
#[derive(Debug)]
pub struct Signal {
    /// Taken by `into_inner`.
    inner: Option<tokio::signal::unix::Signal>,
    /// Until its first poll.
    unheard: Option<(SignalKind, Made)>,
}

impl Signal {
    /// Waits for the next signal: see [`tokio::signal::unix::Signal::recv`]. `None` is never given.
    pub async fn recv(&mut self) -> Option<()> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Asks for the next signal: see [`tokio::signal::unix::Signal::poll_recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.unheard = None;
        self.inner
            .as_mut()
            .map_or(Poll::Ready(None), |inner| inner.poll_recv(cx))
    }

    /// Tokio's listener, for an interface that asks for one. It is not watched any more; `None` is never given.
    pub fn into_inner(mut self) -> Option<tokio::signal::unix::Signal> {
        self.inner.take()
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        let (Some(inner), Some((kind, made))) = (&mut self.inner, self.unheard) else {
            return;
        };
        if std::thread::panicking() {
            return;
        }
        let asks = &mut Context::from_waker(Waker::noop());
        let (family, did) = if inner.poll_recv(asks).is_ready() {
            let lost = "dropped before it was ever polled, and a signal that came was lost";
            (Family::ResourceLeak, lost)
        } else {
            (
                Family::IdleResource,
                "dropped before it was ever polled, and the process ignores the signal now",
            )
        };
        registry::note(family, made, None, || NoteText {
            what: format!("the listener for {}", name(kind)),
            did,
            ..NoteText::default()
        });
    }
}

/// As people call it.
fn name(kind: SignalKind) -> String {
    let known = [
        (SignalKind::alarm(), "SIGALRM"),
        (SignalKind::child(), "SIGCHLD"),
        (SignalKind::hangup(), "SIGHUP"),
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::pipe(), "SIGPIPE"),
        (SignalKind::quit(), "SIGQUIT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::user_defined1(), "SIGUSR1"),
        (SignalKind::user_defined2(), "SIGUSR2"),
        (SignalKind::window_change(), "SIGWINCH"),
    ];
    match known.iter().find(|(known, _)| *known == kind) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("signal {}", kind.as_raw_value()),
    }
}
