//! What the other threads of the program do, asked where a poll may wait for one of them.
//!
//! It is asked twice for a poll that hangs: halfway, and when it is reported; what happened between tells. Each costs
//! some 10 µs a thread, and on a busy service some poll gets so far in every round. So one serves many polls: what
//! was known a moment before a poll was halfway tells of it as well. At the end it must be newer than at the beginning.

use std::sync::Arc;

use pollscope_capture::clock;
use pollscope_capture::stack;
use pollscope_capture::thread::{self, Role};

use crate::detect::starved::Census;

use super::budget::Budget;

/// Threads that are looked at: some 10 µs each.
const MOST_THREADS: usize = 256;

/// The last census.
#[derive(Debug, Default)]
pub(super) struct Others {
    last: Option<Arc<Census>>,
    budget: Budget,
}

impl Others {
    /// What they do about now.
    pub(super) fn census(&mut self) -> Arc<Census> {
        self.taken(None, clock::mono_ns, take)
    }

    /// The same, later than `before` was.
    pub(super) fn after(&mut self, before: &Arc<Census>) -> Arc<Census> {
        self.taken(Some(before), clock::mono_ns, take)
    }

    fn taken(
        &mut self,
        before: Option<&Arc<Census>>,
        now_ns: impl Fn() -> u64,
        take: impl FnOnce() -> Census,
    ) -> Arc<Census> {
        let begun_ns = now_ns();
        if let Some(last) = &self.last {
            let is_new = before.is_none_or(|before| !Arc::ptr_eq(before, last));
            if is_new && !self.budget.is_due(begun_ns) {
                return Arc::clone(last);
            }
        }
        let census = Arc::new(take());
        self.budget.spend(begun_ns, now_ns());
        self.last = Some(Arc::clone(&census));
        census
    }
}

/// Ours hold none of the program's locks.
fn take() -> Census {
    let ours: Vec<i32> = thread::all()
        .filter(|thread| thread.role() == Role::Ours)
        .map(|thread| thread.tid() as i32)
        .collect();
    let threads = stack::census(MOST_THREADS, &ours).into_iter();
    Census::of(threads.map(|(tid, sample)| (tid as u32, sample)).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn one_serves_many_polls_and_the_end_of_one_has_a_newer_one() {
        let (clock, takes) = (Cell::new(MS), Cell::new(0));
        let mut others = Others::default();
        let mut ask = |before: Option<&Arc<Census>>, at_ms: u64| {
            clock.set(clock.get().max(at_ms * MS));
            others.taken(
                before,
                || clock.get(),
                || {
                    takes.set(takes.get() + 1);
                    clock.set(clock.get() + 2 * MS);
                    Census::default()
                },
            )
        };
        let first = ask(None, 10);
        for at_ms in 13..40 {
            assert!(Arc::ptr_eq(&first, &ask(None, at_ms)), "at {at_ms} ms");
        }
        assert_eq!(takes.get(), 1, "all of these polls are halfway");
        let second = ask(Some(&first), 40);
        assert!(!Arc::ptr_eq(&first, &second), "one of them is to be judged");
        assert!(Arc::ptr_eq(&second, &ask(Some(&first), 45)), "and others");
        assert_eq!(takes.get(), 2);
        ask(None, 90);
        assert_eq!(takes.get(), 3, "it was long ago");
    }
}
