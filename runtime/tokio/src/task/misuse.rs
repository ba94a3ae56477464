//! `spawn_local` where nothing can take the task.

use std::panic::Location;

use crate::capture::event::ThreadText;
use crate::capture::registry::{self, Made};

/// Watches a `spawn_local` for Tokio's panic: the only sign there is that no `LocalSet` runs here, and it must stay
/// Tokio's own.
pub(crate) struct Misuse<F> {
    location: &'static Location<'static>,
    panicking: bool,
    future: std::marker::PhantomData<fn(F)>,
}

impl<F> Misuse<F> {
    #[inline]
    pub(crate) fn at(location: &'static Location<'static>) -> Self {
        Self {
            location,
            panicking: std::thread::panicking(),
            future: std::marker::PhantomData,
        }
    }

    #[inline]
    pub(crate) fn did_not_happen(self) {
        std::mem::forget(self);
    }
}

impl<F> Drop for Misuse<F> {
    #[cold]
    fn drop(&mut self) {
        if self.panicking {
            return;
        }
        let Made { site, stack, .. } = registry::made::<F>(self.location);
        let text = ThreadText {
            what: "spawn_local".to_owned(),
            did: "spawned",
            ..ThreadText::default()
        };
        registry::wrong_thread(site, stack, Some(self.location), text);
    }
}
