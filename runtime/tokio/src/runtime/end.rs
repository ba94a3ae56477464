//! The end of a runtime: said before its tasks are dropped, so that their end is told from an abort.

use std::panic::Location;

use crate::capture::runtimes::closing::{self, Way};
use crate::capture::task::still_polled;

/// Says that a runtime goes away when it is dropped, unless more was said before. The first field of the runtime; the
/// last one takes the runtime off the list.
#[derive(Debug)]
pub(super) struct End {
    number: u16,
    is_expected: bool,
}

impl End {
    pub(super) fn of(number: u16) -> Self {
        Self {
            number,
            is_expected: false,
        }
    }

    /// What is left at this runtime's end is left on purpose.
    pub(super) fn is_expected(&mut self) {
        self.is_expected = true;
    }

    /// The caller shuts the runtime down, by `shut_down`, and waits for it.
    #[track_caller]
    pub(super) fn shut_down(mut self, shut_down: impl FnOnce()) {
        let way = Way {
            how: "as its runtime was shut down",
            at: Some(Location::caller()),
            is_expected: self.is_expected,
        };
        // Everything is said: nothing is left for the drop.
        let number = std::mem::take(&mut self.number);
        closing::begin(number, way);
        shut_down();
        still_polled(number, way);
    }

    /// The caller does not wait for the runtime's end: whatever is not done is not wanted.
    pub(super) fn abandon(&self) {
        closing::begin(
            self.number,
            Way {
                how: "as its runtime was left",
                at: None,
                is_expected: true,
            },
        );
    }
}

impl Drop for End {
    fn drop(&mut self) {
        closing::begin(
            self.number,
            Way {
                how: "as its runtime was dropped",
                at: None,
                is_expected: self.is_expected,
            },
        );
    }
}
