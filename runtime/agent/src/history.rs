//! Ten minutes of one-second values per site and thread, in fixed rings: what a viewer that attaches late can
//! still see.
//!
//! Bounded to 8 MiB: 1024 sites of 8 bytes a second, 2048 threads of 2. Sites and threads past that have no history.

use pollscope_proto::limits::HISTORY_SECONDS;

/// Sites with a history.
const MAX_SITES: usize = 1024;
/// Thread slots with a history.
const MAX_THREADS: usize = 2048;

const _: () = assert!(
    HISTORY_SECONDS * (8 * MAX_SITES + 2 * MAX_THREADS) <= 8 << 20,
    "8 MiB in all"
);

/// One value a second. The ring knows since when it is kept, so that what came before is absent and not zero.
#[derive(Clone, Debug)]
struct Ring<T> {
    values: Box<[T]>,
    /// The second of the first value.
    since: u64,
}

impl<T: Copy + Default> Ring<T> {
    fn new(since: u64) -> Self {
        Self {
            values: vec![T::default(); HISTORY_SECONDS].into(),
            since,
        }
    }

    fn set(&mut self, second: u64, value: T) {
        self.values[second as usize % HISTORY_SECONDS] = value;
    }

    /// The values up to `last`, oldest first.
    fn until(&self, last: u64) -> impl Iterator<Item = T> {
        let first = self
            .since
            .max((last + 1).saturating_sub(HISTORY_SECONDS as u64));
        (first..=last).map(|second| self.values[second as usize % HISTORY_SECONDS])
    }
}

/// A second of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteSecond {
    pub(crate) live: u32,
    pub(crate) busy_us: u32,
}

/// The history of everything.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The last whole second, counted from the start; `None`: not one yet.
    last: Option<u64>,
    sites: Vec<Option<Ring<SiteSecond>>>,
    threads: Vec<Option<Ring<u16>>>,
}

impl History {
    /// Begins the seconds up to `second`, which are filled by `site` and `thread`. Seconds that were skipped repeat
    /// what was last known of sites and say nothing of threads.
    pub(crate) fn advance(&mut self, second: u64) {
        let from = self.last.map_or(second, |last| last + 1);
        for missed in from.max(second.saturating_sub(HISTORY_SECONDS as u64))..=second {
            for ring in self.sites.iter_mut().flatten() {
                let before = ring.values[(missed as usize + HISTORY_SECONDS - 1) % HISTORY_SECONDS];
                ring.set(
                    missed,
                    SiteSecond {
                        busy_us: 0,
                        ..before
                    },
                );
            }
            for ring in self.threads.iter_mut().flatten() {
                ring.set(missed, 0);
            }
        }
        self.last = Some(self.last.map_or(second, |last| last.max(second)));
    }

    /// Says how it stood with a site in each of the last `seconds` seconds.
    pub(crate) fn site(&mut self, number: usize, value: SiteSecond, seconds: u64) {
        let Some(last) = self.last else { return };
        let Some(ring) = entry(
            &mut self.sites,
            number,
            MAX_SITES,
            value == SiteSecond::default(),
            last,
        ) else {
            return;
        };
        for second in (last + 1).saturating_sub(seconds.min(HISTORY_SECONDS as u64))..=last {
            ring.set(second, value);
        }
    }

    /// Says how busy a thread was in each of the last `seconds` seconds, in thousandths.
    pub(crate) fn thread(&mut self, slot: usize, permille: u16, seconds: u64) {
        let Some(last) = self.last else { return };
        let Some(ring) = entry(&mut self.threads, slot, MAX_THREADS, permille == 0, last) else {
            return;
        };
        for second in (last + 1).saturating_sub(seconds.min(HISTORY_SECONDS as u64))..=last {
            ring.set(second, permille);
        }
    }

    /// How many more tasks of a site live than a minute ago.
    pub(crate) fn change_in_a_minute(&self, number: usize) -> f64 {
        let (Some(Some(ring)), Some(last)) = (self.sites.get(number), self.last) else {
            return 0.0;
        };
        let now = ring.values[last as usize % HISTORY_SECONDS].live;
        // Before the ring was begun there was nothing.
        let then = match last.checked_sub(60) {
            Some(then) if then >= ring.since => ring.values[then as usize % HISTORY_SECONDS].live,
            _ => 0,
        };
        f64::from(now) - f64::from(then)
    }

    /// A thread's slot went to another thread: what was there is not its history.
    pub(crate) fn forget_thread(&mut self, slot: usize) {
        if let Some(ring) = self.threads.get_mut(slot) {
            *ring = None;
        }
    }

    /// Ten minutes of a site, oldest first; empty where there is none.
    pub(crate) fn of_site(&self, number: usize) -> Vec<SiteSecond> {
        self.read(self.sites.get(number))
    }

    /// Ten minutes of a thread slot, oldest first, in thousandths; empty where there is none.
    pub(crate) fn of_thread(&self, slot: usize) -> Vec<u16> {
        self.read(self.threads.get(slot))
    }

    fn read<T: Copy + Default>(&self, ring: Option<&Option<Ring<T>>>) -> Vec<T> {
        match (ring, self.last) {
            (Some(Some(ring)), Some(last)) => ring.until(last).collect(),
            _ => Vec::new(),
        }
    }

    /// Bytes of the rings.
    pub(crate) fn bytes(&self) -> u64 {
        let sites = self.sites.iter().flatten().count() * HISTORY_SECONDS * size_of::<SiteSecond>();
        let threads = self.threads.iter().flatten().count() * HISTORY_SECONDS * size_of::<u16>();
        (sites + threads) as u64
    }
}

/// The ring of this number, made at its first value that says something.
fn entry<T: Copy + Default>(
    rings: &mut Vec<Option<Ring<T>>>,
    number: usize,
    most: usize,
    says_nothing: bool,
    now: u64,
) -> Option<&mut Ring<T>> {
    if number >= most {
        return None;
    }
    if rings.len() <= number {
        if says_nothing {
            return None;
        }
        rings.resize_with(number + 1, || None);
    }
    let ring = &mut rings[number];
    if ring.is_none() && !says_nothing {
        *ring = Some(Ring::new(now));
    }
    ring.as_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(live: u32) -> SiteSecond {
        SiteSecond {
            live,
            busy_us: live * 10,
        }
    }

    #[test]
    fn values_come_back_oldest_first_and_ten_minutes_are_kept() {
        let mut history = History::default();
        assert!(history.of_site(3).is_empty());
        for second in 0..700 {
            history.advance(second);
            history.site(3, live(second as u32 + 1), 1);
        }
        let seen = history.of_site(3);
        assert_eq!(seen.len(), HISTORY_SECONDS);
        assert_eq!((seen[0], seen[599]), (live(101), live(700)));
    }

    #[test]
    fn a_site_that_did_nothing_costs_nothing_and_one_that_came_late_begins_late() {
        let mut history = History::default();
        history.advance(0);
        history.site(1, SiteSecond::default(), 1);
        assert_eq!(history.bytes(), 0);
        history.advance(9);
        history.site(1, live(4), 1);
        assert_eq!(history.of_site(1), [live(4)]);
    }

    #[test]
    fn a_span_of_seconds_is_filled_and_skipped_ones_repeat_what_was_known() {
        let mut history = History::default();
        history.advance(0);
        history.site(0, live(7), 1);
        history.thread(0, 500, 1);
        history.advance(2);
        history.site(0, live(9), 2);
        assert_eq!(history.of_site(0), [live(7), live(9), live(9)]);
        history.advance(4);
        assert_eq!(
            history.of_site(0)[3..],
            [SiteSecond {
                live: 9,
                busy_us: 0
            }; 2]
        );
        assert_eq!(history.of_thread(0), [500, 0, 0, 0, 0]);
        history.forget_thread(0);
        assert!(history.of_thread(0).is_empty());
    }

    #[test]
    fn the_change_of_a_minute_is_not_extrapolated() {
        let mut history = History::default();
        for second in 0..200 {
            history.advance(second);
            history.site(0, live(second as u32 + 5), 1);
            let expected = if second < 60 {
                second as f64 + 5.0
            } else {
                60.0
            };
            assert!(
                (history.change_in_a_minute(0) - expected).abs() < f64::EPSILON,
                "after {second} s"
            );
        }
    }

    #[test]
    fn it_stays_within_its_bound() {
        let mut history = History::default();
        history.advance(0);
        for number in 0..5000 {
            history.site(number, live(1), 1);
            history.thread(number, 1, 1);
        }
        assert!(history.bytes() <= 8 << 20);
        assert!(history.of_site(4999).is_empty());
    }
}
