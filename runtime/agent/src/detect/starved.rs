//! Whether a poll that waits for a lock waits for a thread that gets no CPU.
//!
//! Who holds a lock is not known from outside. Where some other thread of the process could have run for most of the
//! time, and the machine had no CPU for it, that one may hold it, and would have given it back: the poll is excused.
//! A thread that sleeps with the lock in hand, or computes, excuses nobody; one that waited for a CPU and yet used it
//! for as long as the threshold does not either, so that a lock that is never given back is found on any machine.

use pollscope_capture::stack::{Sample, is_starved, kept_ns};

/// The scheduler state of the threads at one moment.
#[derive(Debug, Default)]
pub(crate) struct Census(Vec<(u32, Sample)>);

impl Census {
    /// Of threads by their ids.
    pub(crate) fn of(threads: Vec<(u32, Sample)>) -> Self {
        Self(threads)
    }

    /// Whether, until `now`, a thread other than `own` was kept from giving back what `own` waits for. `busy_ns`: who
    /// ran for so long was not. `spare_ns`: who was kept for longer than that was, though it be for less than most of
    /// the time.
    pub(crate) fn is_any_starved(&self, now: &Self, own: u32, busy_ns: u64, spare_ns: u64) -> bool {
        let sample = |tid: u32| now.0.iter().find(|(other, _)| *other == tid);
        let ran_ns = |before: &Sample, after: &Sample| after.run_ns.saturating_sub(before.run_ns);
        self.0
            .iter()
            .filter(|(tid, _)| *tid != own)
            .filter_map(|(tid, before)| Some((before, &sample(*tid)?.1)))
            .any(|(before, after)| {
                is_starved(before, after, busy_ns)
                    || ran_ns(before, after) < busy_ns && kept_ns(before, after) > spare_ns
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pollscope_capture::stack::State;

    const MS: u64 = 1_000_000;
    const OWN: u32 = 7;

    fn sample(at_ms: u64, state: State, run_ms: u64, delay_ms: u64) -> Sample {
        Sample {
            at_ns: at_ms * MS,
            state,
            run_ns: run_ms * MS,
            delay_ns: delay_ms * MS,
            slices: run_ms + 1,
            ..Sample::default()
        }
    }

    /// Of 300 ms, in which thread 8 did this.
    fn starved(tid: u32, state: State, run_ms: u64, delay_ms: u64) -> bool {
        let others = [(9, sample(0, State::Sleeping, 4, 4))];
        let census = |tid, sample| Census::of([vec![(tid, sample)], others.to_vec()].concat());
        let before = census(tid, sample(0, State::Runnable, 0, 0));
        let now = census(tid, sample(300, state, run_ms, delay_ms));
        before.is_any_starved(&now, OWN, 100 * MS, u64::MAX)
    }

    #[test]
    fn a_holder_that_gets_no_cpu_excuses_and_one_that_sleeps_or_computes_does_not() {
        assert!(starved(8, State::Runnable, 30, 260));
        assert!(!starved(8, State::Sleeping, 5, 3), "it sleeps with it");
        assert!(!starved(8, State::Runnable, 290, 5), "it computes");
        assert!(!starved(8, State::Runnable, 100, 200), "for long enough");
        assert!(!starved(OWN, State::Runnable, 0, 299), "nobody else");
    }

    #[test]
    fn a_holder_that_was_kept_for_longer_than_the_poll_is_too_long_excuses() {
        let before = Census::of(vec![(8, sample(0, State::Runnable, 0, 0))]);
        let now = Census::of(vec![(8, sample(60, State::Sleeping, 5, 20))]);
        assert!(before.is_any_starved(&now, OWN, 100 * MS, 19 * MS));
        assert!(!before.is_any_starved(&now, OWN, 100 * MS, 20 * MS));
        assert!(!before.is_any_starved(&now, OWN, 5 * MS, 19 * MS), "busy");
    }

    #[test]
    fn a_thread_that_was_not_there_before_tells_nothing() {
        let now = Census::of(vec![(8, sample(300, State::Runnable, 1, 290))]);
        assert!(!Census::default().is_any_starved(&now, OWN, 100 * MS, 0));
        assert!(!now.is_any_starved(&Census::default(), OWN, 100 * MS, 0));
    }
}
