//! The one clock of the hot path: the CPU's time stamp counter where it can be trusted, else the monotonic clock.
//!
//! Two counter reads inside a poll cost about 2 ns, two `Instant::now` about 48 (measured on a 2-core virtual
//! machine). The counter is trusted when the CPU calls it invariant and a read is cheap: a hypervisor that
//! traps it makes each read cost over a microsecond. Where it is not, a tick is a nanosecond of
//! `CLOCK_MONOTONIC` and everything else stays the same.
//!
//! Unserialised reads may be off by some 20 ns; durations are clamped at zero.

#![expect(unsafe_code, reason = "reading the counter and the kernel's clock")]

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether a tick is a counter tick. Written once, in `init`.
static COUNTER: AtomicBool = AtomicBool::new(false);
/// Nanoseconds per tick, 32 bits of fraction. Refined by `recalibrate`.
static NS_PER_TICK: AtomicU64 = AtomicU64::new(1 << 32);
/// A pair of readings of one moment: ticks and monotonic nanoseconds.
static ANCHOR_TICKS: AtomicU64 = AtomicU64::new(0);
static ANCHOR_NS: AtomicU64 = AtomicU64::new(0);

/// Over this many nanoseconds for one read, the counter is trapped by a hypervisor.
const TRAPPED_NS: u64 = 250;
/// How long the first calibration spins: 1 ms gives about 50 ppm, and `recalibrate` refines it.
const CALIBRATION_NS: u64 = 1_000_000;

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline]
pub fn mono_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds of the wall clock since the epoch.
pub fn unix_ns() -> u64 {
    clock_ns(libc::CLOCK_REALTIME)
}

/// CPU time of the thread with this id, in nanoseconds; `None` when the thread is gone.
pub fn thread_cpu_ns(tid: u32) -> Option<u64> {
    // The kernel's encoding of a per-thread CPU clock: ~tid in the upper bits, 6 = scheduler clock of a thread.
    let id = ((!tid as libc::clockid_t) << 3) | 6;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec for the call to fill.
    let done = unsafe { libc::clock_gettime(id, &raw mut time) };
    (done == 0).then(|| nanos(time))
}

fn clock_ns(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec for the call to fill; both clocks exist on every supported system.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    nanos(time)
}

fn nanos(time: libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The time now, in ticks. Needs `init` to have run; before that a tick is a nanosecond.
#[inline]
pub fn ticks() -> u64 {
    counted().unwrap_or_else(mono_ns)
}

/// The time now where it is the counter's, which takes no call: `None` where `ticks` makes one.
#[inline]
pub(crate) fn counted() -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    if COUNTER.load(Ordering::Relaxed) {
        return Some(counter());
    }
    None
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn counter() -> u64 {
    // SAFETY: every x86_64 CPU has the instruction; where the system forbids it, `init` never trusted it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// A span of ticks in nanoseconds.
#[inline]
pub fn ticks_to_ns(span: u64) -> u64 {
    let scale = NS_PER_TICK.load(Ordering::Relaxed);
    ((u128::from(span) * u128::from(scale)) >> 32) as u64
}

/// A time in nanoseconds as a span of ticks, not longer than the one that it was.
#[cold]
pub(crate) fn ns_to_ticks(ns: u64) -> u64 {
    let scale = NS_PER_TICK.load(Ordering::Relaxed).max(1);
    ((u128::from(ns) << 32) / u128::from(scale)) as u64
}

/// A moment in ticks as nanoseconds of `CLOCK_MONOTONIC`.
pub fn mono_of(ticks: u64) -> u64 {
    let at = ANCHOR_TICKS.load(Ordering::Relaxed);
    let ns = ANCHOR_NS.load(Ordering::Relaxed);
    if ticks >= at {
        ns.saturating_add(ticks_to_ns(ticks - at))
    } else {
        ns.saturating_sub(ticks_to_ns(at - ticks))
    }
}

/// Chooses and calibrates the clock, once. About 1 ms.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(target_arch = "x86_64")]
        if invariant() {
            calibrate();
            if cheap() {
                COUNTER.store(true, Ordering::Release);
            } else {
                NS_PER_TICK.store(1 << 32, Ordering::Relaxed);
            }
        }
    });
}

/// Whether the counter can be believed about a span of `ns` that ends now. One that jumped (a migration between cores out
/// of step, a suspend) would invent slow polls.
#[cold]
pub(crate) fn agrees(ns: u64) -> bool {
    mono_of(ticks()).abs_diff(mono_ns()) <= (ns / 4).max(1_000_000)
}

/// Whether the clock is the CPU's counter.
pub fn is_counter() -> bool {
    COUNTER.load(Ordering::Relaxed)
}

/// Refines nanoseconds per tick over the time since `init`: the longer the run, the better.
/// Called about once a second from outside the hot path.
pub fn recalibrate() {
    #[cfg(target_arch = "x86_64")]
    if is_counter() {
        let (ticks, ns) = pair();
        let spent = ticks.saturating_sub(ANCHOR_TICKS.load(Ordering::Relaxed));
        let passed = ns.saturating_sub(ANCHOR_NS.load(Ordering::Relaxed));
        if spent > 0 && passed > 100 * CALIBRATION_NS {
            NS_PER_TICK.store(scale(passed, spent), Ordering::Relaxed);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn calibrate() {
    let (ticks, ns) = pair();
    ANCHOR_TICKS.store(ticks, Ordering::Relaxed);
    ANCHOR_NS.store(ns, Ordering::Relaxed);
    while mono_ns() - ns < CALIBRATION_NS {
        std::hint::spin_loop();
    }
    let (later, now) = pair();
    NS_PER_TICK.store(scale(now - ns, (later - ticks).max(1)), Ordering::Relaxed);
}

#[cfg(target_arch = "x86_64")]
fn scale(ns: u64, ticks: u64) -> u64 {
    ((u128::from(ns) << 32) / u128::from(ticks)) as u64
}

/// A tick and a nanosecond of one moment: the tightest of a few tries, in case we are interrupted between.
#[cfg(target_arch = "x86_64")]
fn pair() -> (u64, u64) {
    (0..5)
        .map(|_| {
            let before = counter();
            let ns = mono_ns();
            let after = counter();
            (
                after.wrapping_sub(before),
                before.wrapping_add(after.wrapping_sub(before) / 2),
                ns,
            )
        })
        .min_by_key(|(width, _, _)| *width)
        .map_or((0, 0), |(_, ticks, ns)| (ticks, ns))
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unused_unsafe,
    reason = "cpuid became safe to call in a later toolchain than the oldest supported"
)]
fn invariant() -> bool {
    // SAFETY: cpuid exists on every x86_64 CPU.
    let highest = unsafe { core::arch::x86_64::__cpuid(0x8000_0000) }.eax;
    // SAFETY: as above; the leaf exists, as `highest` says.
    highest >= 0x8000_0007
        && unsafe { core::arch::x86_64::__cpuid(0x8000_0007) }.edx & (1 << 8) != 0
}

/// Whether a read costs what it should: the least of many, because any may be interrupted. After `calibrate`.
#[cfg(target_arch = "x86_64")]
fn cheap() -> bool {
    let least = (0..64).map(|_| {
        let before = counter();
        counter().saturating_sub(before)
    });
    least
        .min()
        .is_some_and(|ticks| ticks_to_ns(ticks) < TRAPPED_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edge case 40: whatever happens to the clock on the wall.
    #[test]
    fn ticks_follow_the_monotonic_clock() {
        init();
        let (start, from) = (ticks(), mono_ns());
        while mono_ns() - from < 5_000_000 {}
        let spent = ticks_to_ns(ticks() - start);
        let passed = mono_ns() - from;
        assert!(
            spent.abs_diff(passed) < passed / 20,
            "{spent} ns by ticks, {passed} ns by the clock"
        );
        assert!(mono_of(ticks()).abs_diff(mono_ns()) < 1_000_000);
    }

    #[test]
    fn a_time_in_ticks_is_as_long() {
        init();
        for ticks in [0, 1, 1_000, 123_456_789, 1 << 50] {
            let ns = ticks_to_ns(ticks);
            assert!(ticks_to_ns(ns_to_ticks(ns)).abs_diff(ns) <= 1, "{ticks}");
            assert!(ns_to_ticks(ns) <= ticks, "{ticks}");
        }
    }

    #[test]
    fn cpu_time_is_the_threads_own() {
        // SAFETY: gettid has no preconditions.
        let tid = unsafe { libc::gettid() } as u32;
        let before = thread_cpu_ns(tid).expect("this thread lives");
        let from = mono_ns();
        while mono_ns() - from < 3_000_000 {}
        assert!(thread_cpu_ns(tid).expect("this thread lives") > before);
        assert_eq!(thread_cpu_ns(u32::MAX >> 4), None);
    }
}
