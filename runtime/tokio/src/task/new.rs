//! The one way every spawn of this crate goes: what is known of the task, its future under our eyes, Tokio's spawn.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;

use crate::capture::TaskKind;
use crate::capture::instrumented::{
    Describe, Instrumented, Observed, instrument, instrument_blocking, instrument_boxed, unwatched,
};
use crate::capture::registry;
use crate::capture::task::{Asks, HandleShare, Meta};

use crate::describe::Known;
use crate::runtime::known;
use crate::setup;
#[cfg(feature = "capture")]
use crate::setup::{aborts, ids};

/// A task that is about to be spawned: what is known of it, whoever spawns it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewTask<'a> {
    kind: TaskKind,
    pub(crate) location: &'static Location<'static>,
    name: Option<&'a str>,
    /// The runtime's number; 0: the one that this thread works for.
    runtime: u16,
}

impl<'a> NewTask<'a> {
    /// A task spawned by the caller.
    #[track_caller]
    #[inline]
    pub(crate) fn here(kind: TaskKind) -> Self {
        Self::at(kind, Location::caller())
    }

    #[inline]
    pub(crate) fn at(kind: TaskKind, location: &'static Location<'static>) -> Self {
        Self {
            kind,
            location,
            name: None,
            runtime: 0,
        }
    }

    pub(crate) fn named(self, name: Option<&'a str>) -> Self {
        Self { name, ..self }
    }

    /// On the runtime with this number.
    #[inline]
    pub(crate) fn on(self, runtime: u16) -> Self {
        Self { runtime, ..self }
    }

    /// Puts the future under our eyes. What comes out must be spawned, and the share joined to its handle.
    #[inline]
    pub(crate) fn of<F: Future, D: Describe<F::Output>>(
        self,
        future: F,
        describe: D,
    ) -> (Instrumented<F, D>, HandleShare) {
        if registry::is_off() {
            return unwatched(future, describe);
        }
        setup::ensure_started();
        instrument(future, describe, &self.meta(Asks::Handle))
    }

    /// The same, of a future that was boxed because it is large.
    #[inline]
    pub(crate) fn of_boxed<F: Future, D: Describe<F::Output>>(
        self,
        future: Pin<Box<F>>,
        describe: D,
    ) -> (Instrumented<Pin<Box<F>>, D>, HandleShare) {
        if registry::is_off() {
            return unwatched(future, describe);
        }
        setup::ensure_started();
        instrument_boxed(future, describe, &self.meta(Asks::Handle))
    }

    #[inline]
    pub(crate) fn of_closure<F, R>(
        self,
        work: F,
    ) -> (impl FnOnce() -> Observed<R> + use<F, R>, HandleShare)
    where
        F: FnOnce() -> R,
        R: 'static,
    {
        setup::ensure_started();
        instrument_blocking(work, Known, &self.meta(Asks::Handle))
    }

    /// What is known of a root future: its caller gets the output, whatever it is.
    #[inline]
    pub(crate) fn root(self) -> Meta<'a> {
        setup::ensure_started();
        self.meta(Asks::Caller)
    }

    #[inline]
    fn meta(&self, asks: Asks) -> Meta<'a> {
        let runtime = if self.runtime == 0 {
            known::of_this_thread()
        } else {
            self.runtime
        };
        Meta {
            location: self.location,
            kind: self.kind,
            name: self.name,
            runtime,
            asks,
        }
    }
}

/// Whether a future is large: from here on Tokio boxes it, and so do we, before it is moved any further. Unoptimised
/// code copies a future on the stack with every call it goes through, and ours must not overflow where Tokio's did not.
pub(crate) const fn is_large<F>() -> bool {
    size_of::<F>() > if cfg!(debug_assertions) { 2048 } else { 16384 }
}

/// Puts a future under our eyes, boxed if it is large, and spawns it: `spawn` is written out for both.
macro_rules! watched {
    ($task:expr, $future:ident => |$inner:ident, $share:ident| $spawn:expr) => {
        $crate::task::watched!($task, $future, $crate::describe::Known => |$inner, $share| $spawn)
    };
    ($task:expr, $future:ident, $describe:expr => |$inner:ident, $share:ident| $spawn:expr) => {
        if const { $crate::task::is_large::<F>() } {
            let ($inner, $share) = $task.of_boxed(Box::pin($future), $describe);
            #[cfg(all(tokio_unstable, feature = "capture"))]
            let _by_us = $crate::runtime::ByUs::begin();
            $spawn
        } else {
            let ($inner, $share) = $task.of($future, $describe);
            #[cfg(all(tokio_unstable, feature = "capture"))]
            let _by_us = $crate::runtime::ByUs::begin();
            $spawn
        }
    };
}
pub(crate) use watched;

/// Puts the root future of a `block_on` under our eyes, boxed if it is large, and blocks on it.
macro_rules! blocked_on {
    ($runtime:expr, $future:ident => |$inner:ident| $block_on:expr) => {{
        let task = $crate::task::NewTask::here($crate::capture::TaskKind::BlockOn).on($runtime);
        let meta = task.root();
        if const { $crate::task::is_large::<F>() } {
            let boxed = Box::pin($future);
            let ($inner, _) = $crate::capture::instrumented::instrument_boxed(
                boxed,
                $crate::capture::instrumented::Untold,
                &meta,
            );
            $block_on
        } else {
            let ($inner, _) = $crate::capture::instrumented::instrument(
                $future,
                $crate::capture::instrumented::Untold,
                &meta,
            );
            $block_on
        }
        .into_inner()
    }};
}
pub(crate) use blocked_on;

/// Completes a spawn: tells the record Tokio's id, and keeps what can abort the task where that was allowed.
#[cfg(feature = "capture")]
#[inline]
pub(crate) fn spawned(
    share: &HandleShare,
    id: tokio::task::Id,
    abort: impl FnOnce() -> tokio::task::AbortHandle,
) {
    share.set_tokio_id(ids::of_task(id));
    if aborts::wanted() {
        aborts::keep(share, abort());
    }
}

/// Completes a spawn: there is no record to tell.
#[cfg(not(feature = "capture"))]
#[inline]
pub(crate) fn spawned(
    _: &HandleShare,
    _: tokio::task::Id,
    _: impl FnOnce() -> tokio::task::AbortHandle,
) {
}
