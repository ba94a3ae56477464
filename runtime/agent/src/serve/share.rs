//! How much of the CPU all clients of one door may take together: a tenth of a core, however many they are and however
//! often they come anew.
//!
//! What is done for a client takes time from the program. Each stream rests after its update for as long as makes the
//! tenth with all others that look; and all work is booked here, so that who opens streams, asks and goes is held to it
//! as well: past some credit nothing is begun until all of it is paid off.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pollscope_capture::clock;
use tokio::time::Instant;

/// Of the time of a core this part: one in ten.
pub(super) const ONE_IN: u32 = 10;
/// How far ahead of what is paid off work may be begun: who comes first waits for nothing.
const CREDIT: Duration = Duration::from_secs(1);

/// The time that the clients of one door share.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// When all work so far is paid off.
    paid: Mutex<Option<Instant>>,
    /// Streams that show something.
    viewers: AtomicU32,
    /// Pieces of work.
    #[cfg(test)]
    pub(super) booked: AtomicU32,
}

impl Share {
    /// Whether work may begin.
    ///
    /// # Errors
    /// When to ask again.
    pub(super) fn admits(&self, now: Instant) -> Result<(), Instant> {
        let paid = *self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        match paid {
            Some(paid) if paid > now + CREDIT => Err(paid),
            _ => Ok(()),
        }
    }

    /// Does a piece of work and books the time it took of the CPU, which is returned, too.
    pub(super) fn book<R>(&self, work: impl FnOnce() -> R) -> (R, Duration) {
        let from = cpu_ns();
        let done = work();
        let spent = Duration::from_nanos(cpu_ns().saturating_sub(from));
        self.charge(Instant::now(), spent);
        (done, spent)
    }

    /// Does a piece of work as soon as there is time for it, and books it.
    pub(super) async fn admitted<R>(&self, work: impl FnOnce() -> R) -> R {
        while let Err(at) = self.admits(Instant::now()) {
            tokio::time::sleep_until(at).await;
        }
        self.book(work).0
    }

    pub(super) fn charge(&self, now: Instant, spent: Duration) {
        #[cfg(test)]
        self.booked.fetch_add(1, Ordering::Relaxed);
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        *paid = Some(paid.map_or(now, |paid| paid.max(now)) + spent * ONE_IN);
    }

    /// How long a stream rests after an update that took so long.
    pub(super) fn rest(&self, spent: Duration) -> Duration {
        spent * (ONE_IN - 1) * self.viewers().max(1)
    }

    pub(super) fn viewers(&self) -> u32 {
        self.viewers.load(Ordering::Relaxed)
    }

    /// A stream begins to show something, until the answer is dropped.
    pub(super) fn view(self: &Arc<Self>) -> Viewer {
        self.viewers.fetch_add(1, Ordering::Relaxed);
        Viewer(Arc::clone(self))
    }
}

/// Counts a stream.
#[derive(Debug)]
pub(super) struct Viewer(Arc<Share>);

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What this thread had of the CPU: on a busy machine much less than what went by.
fn cpu_ns() -> u64 {
    const OWN: u32 = 0;
    clock::thread_cpu_ns(OWN).unwrap_or_else(clock::mono_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// What is begun within `time` by clients that ask each millisecond, and take `each`.
    fn worked(time: Duration, each: Duration) -> Duration {
        let share = Share::default();
        let start = Instant::now();
        let mut worked = Duration::ZERO;
        let mut now = start;
        while now < start + time {
            if share.admits(now).is_ok() {
                share.charge(now, each);
                worked += each;
            }
            now += MS;
        }
        worked
    }

    #[test]
    fn who_comes_anew_each_time_gets_a_tenth_of_a_core_as_well() {
        for each in [MS / 10, MS, 20 * MS, 300 * MS] {
            let worked = worked(100 * Duration::from_secs(1), each);
            assert!(worked <= Duration::from_millis(10_100) + each, "{worked:?}");
        }
        // Asked each millisecond for a twentieth of one, none waits.
        assert_eq!(worked(1000 * MS, MS / 20), 50 * MS);
    }

    #[test]
    fn who_comes_first_waits_for_nothing_and_the_next_until_it_is_paid() {
        let (share, now) = (Share::default(), Instant::now());
        assert_eq!(share.admits(now), Ok(()));
        share.charge(now, 100 * MS);
        assert_eq!(share.admits(now), Ok(()), "that is the credit");
        share.charge(now, MS);
        let paid = now + 1010 * MS;
        assert_eq!(share.admits(now), Err(paid));
        assert_eq!(share.admits(paid), Ok(()));
    }

    #[test]
    fn all_that_look_rest_for_one_another() {
        let share = Arc::new(Share::default());
        assert_eq!(share.rest(MS), 9 * MS);
        let viewers: Vec<_> = (0..4).map(|_| share.view()).collect();
        assert_eq!(share.rest(MS), 36 * MS);
        drop(viewers);
        assert_eq!(share.rest(MS), 9 * MS);
    }

    #[test]
    fn work_is_booked_by_what_it_takes_of_the_cpu() {
        let share = Share::default();
        let ((), slept) = share.book(|| std::thread::sleep(20 * MS));
        assert!(slept < 20 * MS, "{slept:?}");
        let end = cpu_ns() + 5_000_000;
        let ((), worked) = share.book(|| while cpu_ns() < end {});
        assert!(worked > MS, "{worked:?}");
    }
}
