//! The run of one worker: how long it has not parked, and not stayed in one place either.

use pollscope_capture::stack::Sample;

/// One worker that is busy, from one round of the watchdog to the next.
#[derive(Debug)]
pub(crate) struct Run {
    parks: u64,
    seq: u64,
    /// When `seq` was last seen to change, in monotonic nanoseconds, as all times here.
    moved_ns: u64,
    /// Since when nothing is known that speaks against it.
    since_ns: u64,
    held_before: bool,
    /// Its scheduler state, soon after that.
    pub(crate) sample: Option<Sample>,
}

impl Run {
    /// A round meets a worker that is not parked, after so many parks and edges of polls.
    pub(crate) fn new(parks: u64, seq: u64, now_ns: u64) -> Self {
        Self {
            parks,
            seq,
            moved_ns: now_ns,
            since_ns: now_ns,
            held_before: false,
            sample: None,
        }
    }

    /// The next round meets it. A worker that stayed in one poll, or in what is no task of ours, for `held_ns` or more
    /// was held: its run begins anew. So it is where nobody came by for as long.
    pub(crate) fn meet(&mut self, parks: u64, seq: u64, now_ns: u64, held_ns: u64) {
        if parks != self.parks {
            *self = Self::new(parks, seq, now_ns);
            return;
        }
        let stayed_ns = now_ns.saturating_sub(self.moved_ns);
        if stayed_ns >= held_ns {
            *self = Self {
                held_before: true,
                ..Self::new(parks, seq, now_ns)
            };
        } else if seq != self.seq {
            (self.seq, self.moved_ns) = (seq, now_ns);
        }
    }

    /// How often the worker had parked before it.
    pub(crate) fn parks(&self) -> u64 {
        self.parks
    }

    /// How long it lasts.
    pub(crate) fn lasts_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.since_ns)
    }

    /// Since when it lasts.
    pub(crate) fn since_ns(&self) -> u64 {
        self.since_ns
    }

    /// Whether the worker was held just before.
    pub(crate) fn was_held_before(&self) -> bool {
        self.held_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const HELD: u64 = 50 * MS;

    /// A run that was met each 10 ms, with the number of parks and of edges at each.
    fn met(rounds: &[(u64, u64)]) -> Run {
        let mut run = Run::new(rounds[0].0, rounds[0].1, 0);
        for (round, (parks, seq)) in (0_u64..).zip(rounds) {
            run.meet(*parks, *seq, round * 10 * MS, HELD);
        }
        run
    }

    #[test]
    fn polls_that_come_and_go_are_one_run() {
        let run = met(&[(4, 1), (4, 9), (4, 9), (4, 11), (4, 12), (4, 20)]);
        assert_eq!((run.since_ns(), run.was_held_before()), (0, false));
        assert_eq!(run.lasts_ns(50 * MS), 50 * MS);
    }

    #[test]
    fn a_park_ends_it() {
        let run = met(&[(4, 1), (4, 9), (6, 11), (6, 12)]);
        assert_eq!((run.since_ns(), run.was_held_before()), (20 * MS, false));
    }

    #[test]
    fn a_poll_that_holds_it_ends_it_and_is_not_forgotten() {
        let run = met(&[(4, 1), (4, 9), (4, 9), (4, 9), (4, 9), (4, 9), (4, 9)]);
        assert_eq!((run.since_ns(), run.was_held_before()), (60 * MS, true));
        // The round that sees it go on may be the first that is late enough.
        let run = met(&[(4, 1), (4, 9), (4, 9), (4, 9), (4, 9), (4, 9), (4, 10)]);
        assert_eq!((run.since_ns(), run.was_held_before()), (60 * MS, true));
    }

    #[test]
    fn where_nobody_came_by_nothing_is_known() {
        let mut run = Run::new(4, 1, 0);
        run.meet(4, 5, 50 * MS, HELD);
        assert_eq!((run.since_ns(), run.was_held_before()), (50 * MS, true));
        run.meet(4, 6, 99 * MS, HELD);
        assert_eq!(run.lasts_ns(99 * MS), 49 * MS);
    }
}
