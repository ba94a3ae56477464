//! With injected time: what leaks, and what only looks like it for twenty minutes.

use super::*;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60;
/// The place they are all spawned at.
const SITE: usize = 2;

/// One task of the play.
#[derive(Clone, Copy)]
struct Task {
    id: u64,
    born: u64,
    /// Seconds; `u64::MAX`: it never ends.
    lives: u64,
    /// Every so many seconds it is polled; 0: once.
    polled: u64,
}

/// A program, second by second.
#[derive(Default)]
struct Play {
    warnings: Warnings,
    leaks: Leaks,
    now: u64,
    tasks: Vec<Task>,
    spawned: u64,
    lifetimes: Spread,
}

impl Play {
    fn spawn(&mut self, number: u64, lives: u64, polled: u64) {
        for _ in 0..number {
            self.spawned += 1;
            self.tasks.push(Task {
                id: self.spawned,
                born: self.now,
                lives,
                polled,
            });
        }
    }

    /// Tasks that are over within the second.
    fn short(&mut self, number: u64) {
        for _ in 0..number {
            self.spawned += 1;
            self.lifetimes.add(SECOND / 20);
        }
    }

    /// A second goes by. The records after it.
    fn second(&mut self) -> Vec<Finding> {
        self.now += 1;
        let now = self.now;
        let ended = |task: &mut Task| now >= task.born.saturating_add(task.lives);
        for task in self.tasks.extract_if(.., ended) {
            self.lifetimes.add(task.lives * SECOND);
        }
        let live = [0, 0, self.tasks.len() as u64];
        let due = self.leaks.see(now * SECOND, &live);
        let suspects = due.into_iter().map(|due| (due, self.suspect(due.site)));
        let suspects = suspects.collect();
        self.leaks.judge(&mut self.warnings, suspects, now * SECOND);
        self.warnings.all().cloned().collect()
    }

    fn suspect(&self, site: SiteId) -> Suspect {
        // As the collector has it: of those that ended no more is kept than their buckets.
        let mut lifetimes = self.lifetimes.clone();
        lifetimes.bound();
        let far_ns = far_ns(&lifetimes);
        if site.0 as usize != SITE {
            return Suspect::default();
        }
        let oldest: Vec<Alive> = self.tasks.iter().map(|task| self.alive(task)).collect();
        Suspect {
            ended: self.lifetimes.count(),
            far_ns,
            alive: oldest.len() as u64,
            far: oldest.iter().filter(|task| task.age_ns > far_ns).count() as u64,
            oldest: oldest.into_iter().take(MOST_KEPT).collect(),
        }
    }

    fn alive(&self, task: &Task) -> Alive {
        let age = self.now - task.born;
        Alive {
            task: task.id,
            name: None,
            created: StackId::NONE,
            age_ns: age * SECOND,
            polls: 1 + age.checked_div(task.polled).unwrap_or(0),
            belongs: Belongs::default(),
        }
    }
}

/// Seconds until the first finding of a program that does `each` every second.
fn told_after(seconds: u64, mut each: impl FnMut(&mut Play)) -> Option<(u64, Finding)> {
    let mut play = Play::default();
    for _ in 0..seconds {
        each(&mut play);
        if let Some(found) = play.second().pop() {
            return Some((play.now, found));
        }
    }
    None
}

#[track_caller]
fn is_silent(what: &str, each: impl FnMut(&mut Play)) {
    if let Some((after, found)) = told_after(20 * MINUTE, each) {
        panic!("{what}: told after {after} s: {}", found.message);
    }
}

#[test]
fn tasks_that_hang_are_told_within_a_minute() {
    let (after, found) = told_after(5 * MINUTE, |play| {
        play.short(50);
        play.spawn(2, u64::MAX, 0);
    })
    .expect("it leaks");
    assert!(after <= MINUTE, "after {after} s");
    assert_eq!(found.kind, Kind::TaskLeak);
    assert_eq!(
        (found.severity, found.certainty),
        (Severity::Warn, Certainty::Likely)
    );
    // The first that hung.
    assert_eq!((found.live, found.task, found.count), (true, 51, 1));
    assert_eq!(found.wall_ns, Some(after * SECOND));
    assert_eq!((found.number, found.of), (Some(2 * after), Some(2 * after)));
    let text = format!("{0} of {0} tasks spawned at ", 2 * after);
    assert!(found.message.starts_with(&text), "{}", found.message);
}

#[test]
fn a_slow_leak_is_told_by_longer_windows() {
    let (after, _) = told_after(30 * MINUTE, |play| {
        play.short(50);
        if play.now.is_multiple_of(15) {
            play.spawn(1, u64::MAX, 0);
        }
    })
    .expect("it leaks");
    assert!(after <= 6 * MINUTE, "after {after} s");
}

#[test]
fn a_leak_among_tasks_that_live_for_minutes_is_told() {
    let connections = |play: &mut Play| {
        if play.now.is_multiple_of(10) {
            let lives = 3 * MINUTE + play.now % 120;
            play.spawn(1, lives, 15);
        }
        // One in a thousand stays for an hour: that does not make it usual.
        if play.now.is_multiple_of(10_000) {
            play.spawn(1, 60 * MINUTE, 15);
        }
    };
    let hours = 4 * 60 * MINUTE;
    let (after, found) = told_after(hours, |play| {
        connections(play);
        if play.now.is_multiple_of(20) {
            play.spawn(1, u64::MAX, 0);
        }
    })
    .expect("it leaks");
    assert!(after <= 2 * 60 * MINUTE, "after {after} s");
    // Ten times the longest of those that make 99 of 100, as far as their buckets tell.
    let far = 45 * MINUTE * SECOND..75 * MINUTE * SECOND;
    let threshold_ns = found.threshold_ns.expect("it is told");
    assert!(far.contains(&threshold_ns), "{threshold_ns}");
    let none = told_after(hours, connections);
    assert!(none.is_none(), "{none:?}");
    let none = told_after(hours, |play| {
        connections(play);
        // Those have pings.
        if play.now.is_multiple_of(20) {
            play.spawn(1, u64::MAX, 15);
        }
    });
    assert!(none.is_none(), "{none:?}");
}

#[test]
fn a_leak_is_followed_and_its_end_is_told() {
    let mut play = Play::default();
    let leak = |play: &mut Play, seconds: u64| {
        let mut all = Vec::new();
        for _ in 0..seconds {
            play.short(50);
            play.spawn(2, u64::MAX, 0);
            all = play.second();
        }
        all
    };
    assert_eq!(leak(&mut play, 70).len(), 1);
    let found = leak(&mut play, 70);
    assert_eq!((found.len(), found[0].count), (1, 1), "the same leak");
    assert!(found[0].number > Some(250), "{:?}", found[0].number);
    for _ in 0..20 {
        play.short(50);
        play.second();
    }
    let found = play.second();
    assert!(!found[0].live, "it does not grow any more");
    assert!(found[0].message.ends_with("became more"));
    assert_eq!(leak(&mut play, 70)[0].count, 2, "it grows again");
}

#[test]
fn a_warm_up_is_no_leak() {
    is_silent("connections with pings come for twenty minutes", |play| {
        play.short(50);
        play.spawn(3, u64::MAX, 15);
    });
    is_silent("idle connections, where nothing ever ended", |play| {
        play.spawn(3, u64::MAX, 0);
    });
}

#[test]
fn a_plateau_is_no_leak() {
    is_silent("idle connections that came at the start", |play| {
        play.short(50);
        if play.now < 20 {
            play.spawn(100, u64::MAX, 0);
        }
    });
    is_silent("connections that come and go", |play| {
        play.short(10);
        let lives = 30 + play.now * 7919 % 600;
        play.spawn(4, lives, 15);
    });
}

#[test]
fn loops_are_no_leak() {
    is_silent("workers", |play| {
        if play.now == 0 {
            play.spawn(64, u64::MAX, 1);
        }
        play.short(5);
    });
}

#[test]
fn a_burst_is_no_leak() {
    is_silent("a thousand tasks at once, every minute", |play| {
        play.short(50);
        if play.now.is_multiple_of(MINUTE) {
            play.spawn(1000, 40, 0);
        }
    });
    is_silent("a queue that grows for half a minute", |play| {
        play.short(50);
        if play.now % 300 < 30 {
            play.spawn(20, 60, 0);
        }
    });
}

#[test]
fn after_a_pause_nothing_is_known() {
    let mut play = Play::default();
    for _ in 0..45 {
        play.short(50);
        play.spawn(2, u64::MAX, 0);
        play.second();
    }
    // The process was stopped.
    play.now += 120;
    for _ in 0..30 {
        play.short(50);
        play.spawn(2, u64::MAX, 0);
        assert!(play.second().is_empty());
    }
}
