//! The signals that a terminal program has to answer.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// To be ended by; its number.
    End(u8),
    Stop,
    Continue,
}

pub(super) struct Signals {
    ends: [(u8, Signal); 3],
    stop: Signal,
    resume: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        let end = |kind: SignalKind| Ok::<_, io::Error>((kind.as_raw_value() as u8, signal(kind)?));
        Ok(Self {
            ends: [
                end(SignalKind::terminate())?,
                end(SignalKind::hangup())?,
                end(SignalKind::interrupt())?,
            ],
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            resume: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    /// The next of them. Cancel safe.
    pub(super) async fn next(&mut self) -> Caught {
        let [(term, terminate), (hup, hangup), (int, interrupt)] = &mut self.ends;
        tokio::select! {
            _ = terminate.recv() => Caught::End(*term),
            _ = hangup.recv() => Caught::End(*hup),
            _ = interrupt.recv() => Caught::End(*int),
            _ = self.stop.recv() => Caught::Stop,
            _ = self.resume.recv() => Caught::Continue,
        }
    }

    /// One that has come already.
    pub(super) async fn waiting(&mut self) -> Option<Caught> {
        tokio::select! {
            biased;
            caught = self.next() => Some(caught),
            () = std::future::ready(()) => None,
        }
    }
}
