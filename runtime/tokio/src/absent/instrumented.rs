//! Futures, closures and outputs, passed through.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::event::ErrorText;
use super::task::{HandleShare, Meta};

/// Reads the text out of an error.
pub type Read<T> = fn(&T) -> ErrorText;

/// What the spawner knows of reading an error: nobody asks it.
pub trait Describe<T>: Copy + Send + Sync + 'static {
    fn reader(self) -> Option<Read<T>>;
}

#[derive(Clone, Copy, Debug)]
pub struct Untold;

impl<T> Describe<T> for Untold {
    fn reader(self) -> Option<Read<T>> {
        None
    }
}

impl<T: 'static> Describe<T> for Read<T> {
    fn reader(self) -> Option<Self> {
        Some(self)
    }
}

pin_project! {
    /// The user's future, and no more.
    #[derive(Debug)]
    pub struct Instrumented<F, D> {
        #[pin]
        future: F,
        describe: PhantomData<fn(D)>,
    }
}

impl<F: Future, D> Future for Instrumented<F, D> {
    type Output = Observed<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map(Observed)
    }
}

#[inline]
pub fn instrument<F: Future, D: Describe<F::Output>>(
    future: F,
    describe: D,
    _: &Meta<'_>,
) -> (Instrumented<F, D>, HandleShare) {
    unwatched(future, describe)
}

#[inline]
pub fn instrument_boxed<F: Future, D: Describe<F::Output>>(
    future: Pin<Box<F>>,
    describe: D,
    _: &Meta<'_>,
) -> (Instrumented<Pin<Box<F>>, D>, HandleShare) {
    unwatched(future, describe)
}

#[inline]
pub fn unwatched<F: Future, D: Describe<F::Output>>(
    future: F,
    _: D,
) -> (Instrumented<F, D>, HandleShare) {
    let instrumented = Instrumented {
        future,
        describe: PhantomData,
    };
    (instrumented, HandleShare)
}

#[inline]
pub fn instrument_blocking<F, R, D: Describe<R>>(
    work: F,
    _: D,
    _: &Meta<'_>,
) -> (impl FnOnce() -> Observed<R> + use<F, R, D>, HandleShare)
where
    F: FnOnce() -> R,
{
    (move || Observed(work()), HandleShare)
}

/// The output of a task, and no more.
#[derive(Debug)]
pub struct Observed<T>(T);

impl<T> Observed<T> {
    #[inline]
    pub fn into_inner(self) -> T {
        self.0
    }

    #[inline]
    pub fn join(self, _: &mut HandleShare) -> T {
        self.0
    }
}
