//! With injected time: what is a full pool, and what only looks like one.

use super::*;

const MS: u64 = 1_000_000;
const RUNTIME: u16 = 3;
const THREADS: u32 = 2;

fn closure(task: u64, spawned_ms: u64, begun_ms: Option<u64>) -> Closure {
    Closure {
        runtime: RUNTIME,
        site: SiteId::OTHER,
        task,
        task_name: None,
        created: StackId::NONE,
        spawned_ns: spawned_ms * MS,
        begun_ns: begun_ms.map(|at| at * MS),
        belongs: Belongs::default(),
    }
}

fn runs(task: u64, begun_ms: u64) -> Closure {
    closure(task, begun_ms, Some(begun_ms))
}

fn waits(task: u64, spawned_ms: u64) -> Closure {
    closure(task, spawned_ms, None)
}

#[derive(Default)]
struct Pool {
    warnings: Warnings,
    pools: BlockingPools,
    /// Of every span so much was lost.
    lost_ms: u64,
    /// How many threads it may have, where that is told.
    limit: u32,
}

impl Pool {
    fn new() -> Self {
        Self {
            limit: THREADS,
            ..Self::default()
        }
    }

    /// The records after a look.
    fn look(&mut self, at_ms: u64, closures: &[Closure]) -> Vec<Finding> {
        let look = Look {
            at_ns: at_ms * MS,
            threshold_ns: 100 * MS,
            closures: closures.to_vec(),
        };
        let (lost, limit) = (self.lost_ms * MS, self.limit);
        self.pools
            .look(&mut self.warnings, &look, |_| limit, |_, _| lost);
        self.warnings.all().cloned().collect()
    }

    #[track_caller]
    fn one(&mut self, at_ms: u64, closures: &[Closure]) -> Finding {
        let mut found = self.look(at_ms, closures);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}

#[test]
fn a_closure_that_waits_behind_a_full_pool_is_told_once_and_followed() {
    let mut pool = Pool::new();
    let taken = [runs(1, 0), runs(2, 5)];
    let with = |waiting: &[Closure]| [&taken[..], waiting].concat();
    assert!(pool.look(109, &with(&[waits(3, 10)])).is_empty(), "99 ms");
    let found = pool.one(110, &with(&[waits(3, 10)]));
    assert_eq!(found.kind, Kind::BlockingPoolFull);
    assert_eq!(
        (found.severity, found.certainty),
        (Severity::Warn, Certainty::Definite)
    );
    assert_eq!((found.wall_ns, found.number), (Some(100 * MS), Some(1)));
    assert_eq!((found.task, found.live, found.count), (3, true, 1));
    assert_eq!(found.threshold_ns, Some(100 * MS));

    let found = pool.one(310, &with(&[waits(3, 10), waits(4, 300)]));
    assert_eq!((found.wall_ns, found.number), (Some(300 * MS), Some(2)));
    assert_eq!(found.count, 1, "the same time");

    let found = pool.one(400, &[runs(2, 5), runs(3, 350), runs(4, 360)]);
    assert_eq!((found.wall_ns, found.number), (Some(300 * MS), Some(2)));
    assert_eq!((found.live, found.count), (false, 1));
    assert!(found.message.contains("was full"), "{}", found.message);

    let found = pool.one(900, &[runs(3, 350), runs(4, 360), waits(5, 700)]);
    assert_eq!((found.live, found.count), (true, 2), "another time");
}

#[test]
fn a_queue_that_moves_is_full_all_the_same() {
    let mut pool = Pool::new();
    assert!(
        pool.look(30, &[runs(1, 20), runs(2, 25), waits(9, 10)])
            .is_empty()
    );
    // Others begin and end; 9 waits. One thread is between two closures at the second look.
    assert!(pool.look(60, &[runs(3, 50), waits(9, 10)]).is_empty());
    let found = pool.one(125, &[runs(5, 120), runs(6, 124), waits(9, 10)]);
    assert_eq!(
        (found.certainty, found.wall_ns),
        (Certainty::Definite, Some(100 * MS)),
        "full since 25"
    );
}

#[test]
fn free_threads_are_no_full_pool_however_slowly_they_start() {
    let mut pool = Pool::new();
    assert!(pool.look(500, &[runs(1, 0)]).is_empty(), "alone, for long");
    assert!(pool.look(600, &[runs(1, 0), waits(2, 10)]).is_empty());
    assert!(pool.look(990, &[waits(2, 10)]).is_empty());
}

#[test]
fn a_wait_counts_from_when_the_pool_was_full() {
    let mut pool = Pool::new();
    // The thread of 2 was slow to start: 3 waited for that, too.
    let closures = [runs(1, 0), runs(2, 290), waits(3, 10)];
    assert!(pool.look(300, &closures).is_empty());
    assert_eq!(pool.one(390, &closures).wall_ns, Some(100 * MS));
}

#[test]
fn what_waited_before_does_not_count_for_what_waits_now() {
    let mut pool = Pool::new();
    pool.look(20, &[runs(1, 0), runs(2, 0), waits(3, 10)]);
    // 3 has begun since; nobody knows that no thread was free between.
    assert!(pool.look(180, &[runs(2, 0), waits(4, 30)]).is_empty());
}

#[test]
fn time_that_the_process_did_not_run_is_no_wait() {
    let mut pool = Pool::new();
    pool.lost_ms = 450;
    let closures = [runs(1, 0), runs(2, 0), waits(3, 0)];
    assert!(pool.look(500, &closures).is_empty());
    assert_eq!(pool.one(550, &closures).wall_ns, Some(100 * MS));
}

#[test]
fn without_a_limit_a_long_wait_is_likely_and_a_short_one_nothing() {
    let mut pool = Pool::new();
    pool.limit = 0;
    let closures = [runs(1, 0), waits(2, 10)];
    assert!(pool.look(1_009, &closures).is_empty());
    let found = pool.one(1_010, &closures);
    assert_eq!(
        (found.severity, found.certainty),
        (Severity::Warn, Certainty::Likely)
    );
    assert!(found.message.contains("seems to be"), "{}", found.message);
}

#[test]
fn with_threads_to_spare_even_a_long_wait_is_a_note() {
    let mut pool = Pool::new();
    let found = pool.one(2_000, &[runs(1, 0), waits(2, 10)]);
    assert_eq!(found.severity, Severity::Info);
}

#[test]
fn another_runtimes_closures_take_no_thread_of_this_one() {
    let mut pool = Pool::new();
    let other = Closure {
        runtime: RUNTIME + 1,
        ..runs(2, 0)
    };
    assert!(
        pool.look(500, &[runs(1, 0), other, waits(3, 10)])
            .is_empty()
    );
}

#[test]
fn nothing_is_told_where_slow_is_off() {
    let mut pool = Pool::new();
    let look = Look {
        at_ns: 9_000 * MS,
        threshold_ns: u64::MAX,
        closures: vec![runs(1, 0), runs(2, 0), waits(3, 10)],
    };
    pool.pools
        .look(&mut pool.warnings, &look, |_| THREADS, |_, _| 0);
    assert_eq!(pool.warnings.all().count(), 0);
}
