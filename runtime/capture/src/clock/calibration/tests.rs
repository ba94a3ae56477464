//! With made-up clocks: suspends, a counter that begins again, drift, another machine.

use super::*;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;
/// Ticks to the nanosecond of the machine.
const SPEED: u64 = 3;

/// A machine, and what watches its clocks.
struct Machine {
    now: Moment,
    calibration: Calibration,
    jumps: u64,
}

impl Machine {
    /// It is up for an hour when the program starts.
    fn new() -> Self {
        let from = Moment {
            ticks: SPEED * HOUR,
            ns: HOUR,
        };
        let to = Moment {
            ticks: from.ticks + SPEED * SECOND / 1000,
            ns: from.ns + SECOND / 1000,
        };
        Self {
            now: to,
            calibration: Calibration::new(from, to),
            jumps: 0,
        }
    }

    /// So long both clocks go on, and `more` ticks go by.
    fn go(&mut self, ns: u64, more: i64) {
        self.now.ns += ns;
        self.now.ticks = (self.now.ticks + SPEED * ns).saturating_add_signed(more);
    }

    /// It runs, and pairs are taken.
    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.go(SECOND, 0);
            self.pair();
        }
    }

    fn pair(&mut self) -> Told {
        let told = self.calibration.take(self.now);
        self.jumps += u64::from(told == Told::Jump);
        told
    }

    fn line(&self) -> &Line {
        self.calibration.line()
    }

    fn mono_of(&self, ticks: u64) -> u64 {
        self.line().mono_of(ticks, self.now.ticks)
    }

    /// How long a second of the counter is by now.
    fn second(&self) -> u64 {
        super::super::line::to_ns(SPEED * SECOND, self.line().now.scale)
    }

    fn agrees(&self, ns: u64) -> bool {
        self.line().agrees(self.now, ns)
    }
}

/// In parts per million.
#[track_caller]
fn is_near(value: u64, wanted: u64, ppm: u64) {
    let apart = value.abs_diff(wanted);
    assert!(
        apart <= wanted / 1_000_000 * ppm + 1000,
        "{value}, not {wanted}"
    );
}

#[test]
fn a_counter_that_goes_as_ever_is_believed() {
    let mut machine = Machine::new();
    machine.run(1000);
    assert_eq!(machine.jumps, 0);
    is_near(machine.second(), SECOND, 1);
    is_near(machine.mono_of(machine.now.ticks), machine.now.ns, 1);
    assert!(machine.agrees(SECOND / 2) && machine.agrees(500 * SECOND));
}

#[test]
fn a_suspend_through_which_the_counter_runs_leaves_the_rate_as_it_was() {
    let mut machine = Machine::new();
    machine.run(3600);
    let spawned = machine.now;
    machine.run(10);
    let polled = machine.now;
    machine.go(SECOND / 4, (8 * SPEED * HOUR) as i64);
    let woken = machine.now;
    assert!(!machine.agrees(SECOND / 2), "not noticed yet");
    machine.go(SECOND / 4, 0);
    assert_eq!(machine.pair(), Told::Jump);
    is_near(machine.second(), SECOND, 1);
    // What ends now, and began before, is hours long by the counter.
    let by_counter =
        super::super::line::to_ns(machine.now.ticks - polled.ticks, machine.line().now.scale);
    assert!(by_counter > 8 * HOUR && !machine.agrees(by_counter));
    // Readings from before mean what they meant, those between the resume and now are not in the future.
    is_near(machine.mono_of(spawned.ticks), spawned.ns, 1);
    is_near(machine.mono_of(polled.ticks), polled.ns, 1);
    assert!((woken.ns..=machine.now.ns).contains(&machine.mono_of(woken.ticks)));
    machine.run(5);
    assert_eq!(machine.jumps, 1);
    is_near(machine.second(), SECOND, 5);
    is_near(machine.mono_of(machine.now.ticks), machine.now.ns, 1);
    assert!(
        machine.agrees(SECOND / 2),
        "a poll of half a second is slow again"
    );
    is_near(machine.mono_of(spawned.ticks), spawned.ns, 1);
}

#[test]
fn a_counter_that_begins_again_is_followed_at_once() {
    let mut machine = Machine::new();
    machine.run(3600);
    let spawned = machine.now;
    machine.run(10);
    // It resumes with a second on its counter.
    machine.now.ticks = SPEED * SECOND;
    let woken = machine.now;
    machine.go(SECOND / 2, 0);
    assert_eq!(machine.pair(), Told::Jump);
    is_near(machine.second(), SECOND, 1);
    for seconds in [1, 100, 3 * 3600] {
        machine.run(seconds);
        assert_eq!(machine.jumps, 1, "after {seconds} s");
        is_near(machine.second(), SECOND, 5);
        is_near(machine.mono_of(machine.now.ticks), machine.now.ns, 1);
        assert!(machine.agrees(SECOND / 2), "after {seconds} s");
        let noticed = machine.line().now.at.ns;
        assert_eq!(machine.mono_of(woken.ticks), noticed);
        // Past what it said before there is no telling.
        if machine.now.ticks < spawned.ticks {
            is_near(machine.mono_of(spawned.ticks), spawned.ns, 1);
        }
    }
}

#[test]
fn a_clock_that_drifts_slowly_is_followed_without_a_jump() {
    let mut machine = Machine::new();
    // For hours it is slewed, up to what the kernel does at most, and back.
    for second in 0..4 * 3600_u64 {
        let ppm = (second / 15).min(480).min((4 * 3600 - second) / 15);
        machine.go(SECOND, (SPEED * SECOND / 1_000_000 * ppm) as i64);
        machine.pair();
        is_near(machine.mono_of(machine.now.ticks), machine.now.ns, 1);
        assert!(machine.agrees(SECOND / 2));
    }
    assert_eq!(machine.jumps, 0);
    is_near(machine.second(), SECOND, 500);
}

#[test]
fn a_rate_that_stays_another_is_the_counters_own() {
    let mut machine = Machine::new();
    machine.run(60);
    // Moved to a machine with a faster counter.
    for _ in 0..3 {
        machine.go(SECOND, (SPEED * SECOND / 5) as i64);
        machine.pair();
    }
    assert_eq!(machine.jumps, 2);
    is_near(machine.second(), SECOND * 5 / 6, 10);
    assert!(machine.agrees(SECOND / 2));
}

#[test]
fn two_suspends_in_a_row_are_no_rate() {
    let mut machine = Machine::new();
    machine.run(60);
    for minutes in [1, 2, 5] {
        machine.go(SECOND, (SPEED * 60 * SECOND * minutes) as i64);
        assert_eq!(machine.pair(), Told::Jump);
    }
    is_near(machine.second(), SECOND, 1);
}

#[test]
fn a_first_rate_that_was_disturbed_is_mended_by_the_next_pair() {
    for (off, jumps) in [(10, 0), (2, 2)] {
        let mut machine = Machine::new();
        machine.calibration.line.now.scale += machine.calibration.line.now.scale / off;
        machine.run(3);
        assert_eq!(machine.jumps, jumps, "off by 1/{off}");
        is_near(machine.second(), SECOND, 10);
    }
}

#[test]
fn a_pair_that_comes_too_soon_tells_nothing() {
    let mut machine = Machine::new();
    machine.run(10);
    let before = *machine.line();
    machine.go(SECOND / 1000, 5_000_000);
    assert_eq!(machine.pair(), Told::Nothing);
    assert_eq!(*machine.line(), before);
}
