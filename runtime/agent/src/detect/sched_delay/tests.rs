//! With injected time: who waits for many short polls, and who waits for something else.

use super::*;

const MS: u64 = 1_000_000;
const RUNTIME: u16 = 3;

/// All workers are busy since 1000 ms.
fn busy() -> Busy {
    Busy {
        since_ns: 1000 * MS,
        held_before: false,
        queued_ns: 0,
    }
}

fn waits(task: u64, since_ms: u64) -> Wait {
    Wait {
        runtime: RUNTIME,
        site: SiteId::OTHER,
        task,
        task_name: None,
        created: StackId::NONE,
        since_ns: since_ms * MS,
        belongs: Belongs::default(),
    }
}

#[derive(Default)]
struct Bench {
    warnings: Warnings,
    delays: SchedDelays,
    /// Of every span so much was lost.
    lost_ms: u64,
}

impl Bench {
    /// The records after a look.
    fn look(&mut self, at_ms: u64, busy: Option<Busy>, waits: &[Wait]) -> Vec<Finding> {
        let look = Look {
            at_ns: at_ms * MS,
            threshold_ns: 100 * MS,
            busy: busy.map(|busy| (RUNTIME, busy)).into_iter().collect(),
            waits: waits.to_vec(),
        };
        let lost = self.lost_ms * MS;
        self.delays.look(&mut self.warnings, &look, |_, _| lost);
        self.warnings.all().cloned().collect()
    }

    #[track_caller]
    fn one(&mut self, at_ms: u64, busy: Option<Busy>, waits: &[Wait]) -> Finding {
        let mut found = self.look(at_ms, busy, waits);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}

/// Edge case 42.
#[test]
fn a_wait_behind_many_short_polls_is_told_once_and_followed() {
    let mut bench = Bench::default();
    let both = [waits(7, 1010), waits(8, 1050)];
    assert!(bench.look(1109, Some(busy()), &both).is_empty(), "99 ms");
    let found = bench.one(1110, Some(busy()), &both);
    assert_eq!(found.kind, Kind::SchedDelay);
    assert_eq!(
        (found.severity, found.certainty),
        (Severity::Warn, Certainty::Definite)
    );
    assert_eq!((found.task, found.live, found.count), (7, true, 1));
    assert_eq!((found.wall_ns, found.number), (Some(100 * MS), Some(1)));
    assert_eq!(found.threshold_ns, Some(100 * MS));

    let found = bench.one(1250, Some(busy()), &both);
    assert_eq!((found.wall_ns, found.number), (Some(240 * MS), Some(2)));
    assert_eq!(found.count, 1, "the same time");

    let found = bench.one(2249, Some(busy()), &[waits(9, 2200)]);
    assert_eq!((found.live, found.count), (true, 1), "they may come again");
    let found = bench.one(2250, Some(busy()), &[waits(9, 2200)]);
    assert_eq!((found.live, found.count, found.task), (false, 1, 7));
    assert_eq!((found.wall_ns, found.number), (Some(240 * MS), Some(2)));

    let found = bench.one(2300, Some(busy()), &[waits(9, 2200)]);
    assert_eq!((found.live, found.count), (true, 2), "another time");
}

#[test]
fn a_wait_counts_from_when_the_workers_were_seen_busy() {
    let mut bench = Bench::default();
    assert!(bench.look(1099, Some(busy()), &[waits(7, 10)]).is_empty());
    let found = bench.one(1100, Some(busy()), &[waits(7, 10)]);
    assert_eq!(found.wall_ns, Some(100 * MS));
}

#[test]
fn what_waited_for_a_slow_poll_is_told_there() {
    let mut bench = Bench::default();
    let held = Busy {
        held_before: true,
        ..busy()
    };
    assert!(bench.look(1900, Some(held), &[waits(7, 990)]).is_empty());
    assert_eq!(bench.look(1900, Some(held), &[waits(8, 1001)]).len(), 1);
}

#[test]
fn a_runtime_that_rests_and_another_runtime_keep_nobody_waiting() {
    let mut bench = Bench::default();
    assert!(bench.look(9000, None, &[waits(7, 1000)]).is_empty());
    let elsewhere = Wait {
        runtime: RUNTIME + 1,
        ..waits(7, 1000)
    };
    assert!(bench.look(9000, Some(busy()), &[elsewhere]).is_empty());
}

#[test]
fn workers_that_get_no_cpu_keep_nobody_waiting() {
    let queued = |ms: u64| Busy {
        queued_ns: ms * MS,
        ..busy()
    };
    let mut bench = Bench::default();
    let task = [waits(7, 1000)];
    assert!(
        bench.look(1400, Some(queued(101)), &task).is_empty(),
        "a quarter of 400 ms"
    );
    assert!(
        bench.look(1120, Some(queued(21)), &task).is_empty(),
        "99 ms are left"
    );
    let found = bench.one(1120, Some(queued(20)), &task);
    assert_eq!(found.wall_ns, Some(100 * MS));
}

#[test]
fn time_that_the_process_did_not_run_is_no_wait() {
    let mut bench = Bench {
        lost_ms: 450,
        ..Bench::default()
    };
    assert!(bench.look(1549, Some(busy()), &[waits(7, 1000)]).is_empty());
    let found = bench.one(1550, Some(busy()), &[waits(7, 1000)]);
    assert_eq!(found.wall_ns, Some(100 * MS));
}
