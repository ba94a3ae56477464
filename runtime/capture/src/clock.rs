//! The one clock of the hot path: the CPU's time stamp counter where it can be trusted, else the monotonic clock.
//!
//! Two counter reads inside a poll cost about 2 ns, two `Instant::now` about 48 (measured on a 2-core virtual
//! machine). The counter is trusted when the CPU calls it invariant and a read is cheap: a hypervisor that
//! traps it makes each read cost over a microsecond. Where it is not, a tick is a nanosecond of
//! `CLOCK_MONOTONIC` and everything else stays the same.
//!
//! Unserialised reads may be off by some 20 ns; durations are clamped at zero.
//!
//! The hot path turns spans of ticks into nanoseconds by one word. What a reading means on the monotonic clock is asked
//! elsewhere, of a whole line that is shown at once (`clock/shown.rs`); how it is kept right, through suspends too, is in
//! `clock/calibration.rs`.

#![expect(unsafe_code, reason = "reading the counter and the kernel's clock")]

#[cfg(any(target_arch = "x86_64", test))]
mod calibration;
mod line;
mod shown;

#[cfg(target_arch = "x86_64")]
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Once};

#[cfg(target_arch = "x86_64")]
use calibration::{Calibration, Told};
#[cfg(target_arch = "x86_64")]
use line::Line;
use line::Moment;
use shown::Shown;

/// Whether a tick is a counter tick. Written once, in `init`.
static COUNTER: AtomicBool = AtomicBool::new(false);
/// Nanoseconds per tick, 32 bits of fraction. Refined by `recalibrate`.
static NS_PER_TICK: AtomicU64 = AtomicU64::new(1 << 32);
/// The line that readings are understood by; none where a tick is a nanosecond.
static SHOWN: LazyLock<Shown> = LazyLock::new(Shown::default);
/// What is known of the counter. Locked by whoever calibrates, and by nobody else.
#[cfg(target_arch = "x86_64")]
static CALIBRATION: Mutex<Option<Calibration>> = Mutex::new(None);

/// Over this many nanoseconds for one read, the counter is trapped by a hypervisor.
#[cfg(target_arch = "x86_64")]
const TRAPPED_NS: u64 = 250;
/// How long the first calibration spins: 1 ms gives about 50 ppm, and `recalibrate` refines it.
#[cfg(target_arch = "x86_64")]
const CALIBRATION_NS: u64 = 1_000_000;
/// A pair of readings that took longer is not used where another can be had in a second.
#[cfg(target_arch = "x86_64")]
const SHARP_NS: u64 = 50_000;

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

/// CPU time of all threads of this process, in nanoseconds. The kernel asks one after the other: some 50 ns a thread.
pub fn process_cpu_ns() -> u64 {
    clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn clock_ns(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec for the call to fill; these clocks exist on every supported system.
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
    line::to_ns(span, NS_PER_TICK.load(Ordering::Relaxed))
}

/// A time in nanoseconds as a span of ticks, not longer than the one that it was.
#[cold]
pub(crate) fn ns_to_ticks(ns: u64) -> u64 {
    line::to_ticks(ns, NS_PER_TICK.load(Ordering::Relaxed))
}

/// A moment in ticks as nanoseconds of `CLOCK_MONOTONIC`, which stands still while the machine is suspended: so also of one
/// from before that.
pub fn mono_of(moment: u64) -> u64 {
    SHOWN.line().mono_of(moment, ticks())
}

/// Chooses and calibrates the clock, once. About 1 ms.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        LazyLock::force(&SHOWN);
        #[cfg(target_arch = "x86_64")]
        if invariant() {
            calibrate();
            if cheap() {
                COUNTER.store(true, Ordering::Release);
            } else {
                show(&Line::PLAIN);
            }
        }
    });
}

/// Whether the counter can be believed about a span of `ns` that ends now. One that jumped (a migration between cores out
/// of step, a suspend) would invent slow polls.
#[cold]
pub(crate) fn agrees(ns: u64) -> bool {
    let now = Moment {
        ticks: ticks(),
        ns: mono_ns(),
    };
    SHOWN.line().agrees(now, ns)
}

/// Whether the clock is the CPU's counter.
pub fn is_counter() -> bool {
    COUNTER.load(Ordering::Relaxed)
}

/// Refines nanoseconds per tick, and finds out whether the counter jumped. Called about once a second from outside the
/// hot path.
pub fn recalibrate() {
    #[cfg(target_arch = "x86_64")]
    if is_counter()
        && let Some(pair) = pair(SHARP_NS)
        // Whoever has it does the same.
        && let Ok(mut calibration) = CALIBRATION.try_lock()
        && let Some(calibration) = calibration.as_mut()
        && calibration.take(pair) != Told::Nothing
    {
        show(calibration.line());
        if calibration.line().went_back {
            crate::level::ticks_begin_again(pair.ticks);
        }
    }
}

/// Shows another line, to the hot path the rate alone.
#[cfg(target_arch = "x86_64")]
fn show(line: &Line) {
    NS_PER_TICK.store(line.now.scale, Ordering::Relaxed);
    SHOWN.show(line);
}

#[cfg(target_arch = "x86_64")]
fn calibrate() {
    let Some(from) = pair(u64::MAX) else { return };
    while mono_ns() - from.ns < CALIBRATION_NS {
        std::hint::spin_loop();
    }
    let Some(to) = pair(u64::MAX) else { return };
    let calibration = Calibration::new(from, to);
    show(calibration.line());
    if let Ok(mut known) = CALIBRATION.lock() {
        *known = Some(calibration);
    }
}

/// A tick and a nanosecond of one moment: the tightest of a few tries, in case we are interrupted between. `None` where
/// even that took longer than `within_ns`.
#[cfg(target_arch = "x86_64")]
fn pair(within_ns: u64) -> Option<Moment> {
    let tries = (0..5).map(|_| {
        let before = counter();
        let ns = mono_ns();
        let width = counter().wrapping_sub(before);
        let ticks = before.wrapping_add(width / 2);
        (width, Moment { ticks, ns })
    });
    let (width, moment) = tries.min_by_key(|(width, _)| *width)?;
    (ticks_to_ns(width) <= within_ns).then_some(moment)
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
    fn calibrating_again_leaves_a_healthy_counter_as_it_was() {
        init();
        let begun = ticks();
        let began = mono_of(begun);
        let from = mono_ns();
        while mono_ns() - from < 150_000_000 {
            std::thread::yield_now();
        }
        recalibrate();
        assert!(agrees(mono_ns() - from), "{:?}", SHOWN.line());
        assert!(mono_of(begun).abs_diff(began) < 1_000_000);
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
        assert!(process_cpu_ns() > before, "others have theirs beside");
        assert_eq!(thread_cpu_ns(u32::MAX >> 4), None);
    }
}
