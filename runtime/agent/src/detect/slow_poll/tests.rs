//! Both witnesses, in every order, with injected time; each finding with a twin that is none.

use pollscope_capture::stack::Activity;
use pollscope_capture::{SiteId, StackId};

use super::*;
use crate::finding::{Kind, ThreadName};
use crate::warnings::Key;

mod routes;

const MS: u64 = 1_000_000;
const KEY: PollKey = PollKey { task: 7, poll: 3 };

fn poll(key: PollKey, wall_ms: u64) -> LongPoll {
    LongPoll {
        key,
        at_ns: wall_ms * MS,
        site: SiteId::OTHER,
        task_name: None,
        created: StackId::NONE,
        thread: ThreadName::default(),
        belongs: pollscope_capture::scope::Belongs::default(),
        wall_ns: wall_ms * MS,
        threshold_ns: 100 * MS,
    }
}

fn sighting(key: PollKey, wall_ms: u64, activity: Activity) -> Sighting {
    Sighting {
        of: poll(key, wall_ms),
        will_be_told: true,
        cpu_ns: Some(0),
        cpu_before_ns: Some(5 * MS),
        kept_ns: 0,
        spared: false,
        verdict: Some(Verdict {
            activity,
            syscall: None,
        }),
        stack: Arc::from([0x10, 0x20]),
        truncated: false,
        delayed: None,
    }
}

/// As in quiet: nobody will tell its end.
fn untimed(wall_ms: u64, activity: Activity) -> Sighting {
    Sighting {
        will_be_told: false,
        ..sighting(KEY, wall_ms, activity)
    }
}

fn end(wall_ms: u64) -> Finished {
    Finished {
        of: poll(KEY, wall_ms),
        permitted: false,
        cpu_ns: None,
        sub: None,
    }
}

fn told_at(at_ms: u64, mut end: Finished) -> Finished {
    end.of.at_ns = at_ms * MS;
    end
}

#[derive(Default)]
struct Bench {
    polls: SlowPolls,
    warnings: Warnings,
}

impl Bench {
    fn sighted(&mut self, sighting: Sighting) {
        self.polls.sighted(&mut self.warnings, sighting);
    }

    fn over(&mut self, key: PollKey, at_ms: u64) {
        self.polls
            .ended(&mut self.warnings, &key, at_ms * MS, at_ms * MS, 0);
    }

    fn finished(&mut self, end: Finished) {
        let now = end.of.at_ns;
        self.polls.finished(&mut self.warnings, end);
        self.polls.settle(&mut self.warnings, now, now, false);
    }

    fn only(&self) -> &Finding {
        let all: Vec<_> = self.warnings.all().collect();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]
    }

    fn lines(&mut self) -> Vec<String> {
        self.warnings
            .take_lines()
            .into_iter()
            .map(|line| line.message)
            .collect()
    }
}

#[test]
fn a_poll_is_one_record_from_its_first_sight_to_its_exact_end() {
    let mut bench = Bench::default();
    bench.sighted(sighting(KEY, 105, Activity::Syscall));
    let live = bench.only().clone();
    assert!(live.live && live.at_least);
    assert_eq!(
        (live.count, live.severity, live.wall_ns),
        (1, Severity::Warn, Some(105 * MS))
    );
    assert_eq!(bench.lines(), [""; 0], "its end will say it all");
    bench.sighted(sighting(KEY, 210, Activity::Syscall));
    bench.over(KEY, 250);
    assert!(!bench.only().live, "over at once");
    bench.finished(end(244));
    let over = bench.only();
    assert_eq!(
        (over.id, over.count, over.live, over.at_least),
        (live.id, 1, false, false)
    );
    assert_eq!((over.wall_ns, over.poll), (Some(244 * MS), Some(3)));
    assert_eq!(&*over.observed.stack, [0x10, 0x20], "what was seen stays");
    assert_eq!(bench.lines().len(), 1);
}

#[test]
fn the_order_of_the_witnesses_does_not_matter() {
    let mut bench = Bench::default();
    bench.sighted(sighting(KEY, 105, Activity::Syscall));
    bench.finished(end(130));
    bench.over(KEY, 140);
    assert_eq!(
        (bench.only().count, bench.only().wall_ns),
        (1, Some(130 * MS))
    );
    assert!(!bench.only().live);
}

#[test]
fn a_poll_that_nobody_saw_is_a_record_without_a_stack() {
    let mut bench = Bench::default();
    bench.finished(end(124));
    let over = bench.only();
    assert_eq!(
        (over.severity, over.live, over.count),
        (Severity::Warn, false, 1)
    );
    assert!(over.observed.stack.is_empty() && over.verdict.is_none());
}

#[test]
fn the_threshold_is_reached_when_it_is_met_and_a_second_is_an_error() {
    for (wall_ns, expected) in [
        (100 * MS - 1, Severity::Info),
        (100 * MS, Severity::Warn),
        (1000 * MS - 1, Severity::Warn),
        (1000 * MS, Severity::Error),
    ] {
        let mut bench = Bench::default();
        let mut end = end(2000);
        end.of.wall_ns = wall_ns;
        bench.finished(end);
        assert_eq!(bench.only().severity, expected, "{wall_ns} ns");
        assert_eq!(
            bench.lines().is_empty(),
            expected == Severity::Info,
            "notes are not logged"
        );
    }
}

#[test]
fn a_poll_that_lasts_a_second_is_logged_while_it_does_and_again_when_it_is_over() {
    let mut bench = Bench::default();
    for ms in [105, 210, 420, 840] {
        bench.sighted(sighting(KEY, ms, Activity::Syscall));
    }
    assert_eq!(bench.lines(), [""; 0]);
    bench.sighted(sighting(KEY, 1680, Activity::Syscall));
    assert!(bench.lines()[0].contains("has been blocking"));
    bench.sighted(sighting(KEY, 3360, Activity::Syscall));
    assert_eq!(bench.lines(), [""; 0], "once is enough");
    bench.finished(end(4000));
    assert!(bench.lines()[0].contains("took 4.000 s"));
    assert_eq!(bench.only().severity, Severity::Error);
}

#[test]
fn in_quiet_the_watchdog_is_the_only_witness() {
    let mut bench = Bench::default();
    for _ in 0..2 {
        bench.sighted(untimed(1005, Activity::Lock));
        bench.over(KEY, 3000);
    }
    let over = bench.only();
    assert!(!over.live && over.at_least);
    assert_eq!((over.count, over.wall_ns), (2, Some(3000 * MS)));
}

#[test]
fn a_thread_that_got_no_cpu_is_excused_and_one_that_used_it_is_not() {
    for activity in [
        Activity::Stopped,
        Activity::Descheduled,
        Activity::Throttled,
    ] {
        let mut bench = Bench::default();
        bench.sighted(sighting(KEY, 1500, activity));
        assert_eq!(bench.only().severity, Severity::Info, "{activity:?}");
        bench.finished(end(1600));
        assert_eq!(bench.only().severity, Severity::Info, "{activity:?}");
        assert_eq!(
            bench.only().verdict.map(|verdict| verdict.activity),
            Some(activity)
        );
        assert_eq!(bench.lines(), [""; 0], "{activity:?}");
    }
    for activity in [Activity::OnCpu, Activity::Syscall, Activity::Lock] {
        let mut bench = Bench::default();
        bench.sighted(sighting(KEY, 105, activity));
        assert_eq!(bench.only().severity, Severity::Warn, "{activity:?}");
    }
    let mut spin = Sighting {
        cpu_ns: Some(101 * MS),
        ..sighting(KEY, 400, Activity::Descheduled)
    };
    spin.judge(Verdict {
        activity: Activity::Descheduled,
        syscall: None,
    });
    assert!(!spin.is_excused());
    assert_eq!(
        spin.verdict.map(|verdict| verdict.activity),
        Some(Activity::OnCpu)
    );
}

#[test]
fn a_poll_that_turns_out_to_be_real_is_promoted_and_stays_real() {
    let mut bench = Bench::default();
    bench.sighted(sighting(KEY, 105, Activity::Descheduled));
    assert_eq!(bench.only().severity, Severity::Info);
    bench.sighted(sighting(KEY, 210, Activity::OnCpu));
    bench.sighted(sighting(KEY, 420, Activity::Descheduled));
    bench.finished(end(430));
    let over = bench.only();
    assert_eq!((over.severity, over.count), (Severity::Warn, 1));
    assert_eq!(
        over.verdict.map(|verdict| verdict.activity),
        Some(Activity::OnCpu)
    );
}

#[test]
fn a_stop_of_the_process_is_not_the_polls_fault() {
    let gap = |why| Gap {
        from_ns: 20 * MS,
        to_ns: 270 * MS,
        why,
    };
    let mut bench = Bench::default();
    bench.polls.gap(gap(Activity::Stopped));
    bench.finished(end(280));
    assert_eq!(bench.only().severity, Severity::Info);
    assert_eq!(
        bench.only().verdict.map(|verdict| verdict.activity),
        Some(Activity::Stopped)
    );
    // Its twin took as long without the stop.
    let mut bench = Bench::default();
    bench.polls.gap(gap(Activity::Stopped));
    bench.finished(told_at(900, end(280)));
    assert_eq!(bench.only().severity, Severity::Warn);
    // And this one took too long apart from it.
    let mut bench = Bench::default();
    bench.polls.gap(gap(Activity::Stopped));
    bench.finished(end(380));
    assert_eq!(bench.only().severity, Severity::Warn);
}

#[test]
fn what_nobody_saw_because_the_watchdog_got_no_cpu_is_judged_by_the_rest() {
    // It ended at 150 ms, and for 40 of them nobody watched.
    let starved = |wall_ms| {
        let mut bench = Bench::default();
        bench.polls.gap(Gap {
            from_ns: 1090 * MS,
            to_ns: 1130 * MS,
            why: Activity::Descheduled,
        });
        bench.finished(told_at(1150, end(wall_ms)));
        bench.only().severity
    };
    assert_eq!(starved(130), Severity::Info);
    assert_eq!(starved(150), Severity::Warn);
}

#[test]
fn one_that_nobody_could_see_past_its_threshold_is_excused() {
    // Of 150 ms the watchdog missed the last so many.
    let hidden = |ms: u64| {
        let mut bench = Bench::default();
        bench.polls.gap(Gap {
            from_ns: (1150 - ms) * MS,
            to_ns: 1190 * MS,
            why: Activity::Descheduled,
        });
        bench.finished(told_at(1150, end(150)));
        bench.only().severity
    };
    assert_eq!(hidden(38), Severity::Info);
    assert_eq!(hidden(37), Severity::Warn, "it came by a while before");
}

#[test]
fn one_that_ended_before_it_was_looked_at_is_judged_by_where_its_time_went() {
    let glimpsed = |key, activity| {
        let mut bench = Bench::default();
        let verdict = Verdict {
            activity,
            syscall: None,
        };
        bench.polls.glimpsed(key, verdict, 0, 120 * MS);
        bench.finished(told_at(119, end(110)));
        bench.only().severity
    };
    let other = PollKey { poll: 99, ..KEY };
    assert_eq!(glimpsed(KEY, Activity::Descheduled), Severity::Info);
    assert_eq!(glimpsed(KEY, Activity::OnCpu), Severity::Warn);
    assert_eq!(glimpsed(other, Activity::Descheduled), Severity::Warn);
}

#[test]
fn one_that_would_have_been_short_on_a_cpu_of_its_own_is_excused() {
    let on_cpu = Verdict {
        activity: Activity::OnCpu,
        syscall: None,
    };
    let glimpsed = |kept_ms| {
        let mut bench = Bench::default();
        bench.polls.glimpsed(KEY, on_cpu, kept_ms * MS, 120 * MS);
        bench.finished(told_at(119, end(110)));
        (bench.only().severity, bench.only().verdict)
    };
    assert_eq!(glimpsed(10), (Severity::Warn, None), "100 ms are left");
    let descheduled = Verdict {
        activity: Activity::Descheduled,
        ..on_cpu
    };
    assert_eq!(glimpsed(11), (Severity::Info, Some(descheduled)));

    // The same of one that was looked at, in time to be spared, and of which more is known when it is over.
    let seen = |kept_ms, end_ms| {
        let mut bench = Bench::default();
        let mut seen = sighting(KEY, 105, Activity::Lock);
        seen.kept_ns = kept_ms * MS;
        seen.judge(Verdict {
            activity: Activity::Lock,
            syscall: None,
        });
        bench.sighted(seen);
        bench.finished(end(end_ms));
        bench.only().severity
    };
    assert_eq!(seen(5, 105), Severity::Warn, "100 ms are left");
    assert_eq!(seen(6, 105), Severity::Info);
    assert_eq!(seen(6, 106), Severity::Warn, "100 ms are left in the end");
}

/// Whoever holds the lock would have given it back, had the machine had a CPU for it.
#[test]
fn a_poll_that_waits_for_a_thread_without_a_cpu_is_excused_and_for_any_other_is_not() {
    let waits = |activity| {
        let mut bench = Bench::default();
        bench.sighted(sighting(KEY, 400, activity));
        bench.finished(end(500));
        (bench.only().severity, bench.only().message.clone())
    };
    let (severity, message) = waits(Activity::LockStarved);
    assert_eq!(severity, Severity::Info);
    assert!(
        message.contains("a thread that may hold it got no CPU"),
        "{message}"
    );
    assert_eq!(waits(Activity::Lock).0, Severity::Warn);
}

#[test]
fn a_stop_of_the_whole_process_is_one_whatever_the_thread_seemed_to_do() {
    let mut bench = Bench::default();
    let verdict = Verdict {
        activity: Activity::Descheduled,
        syscall: None,
    };
    bench.polls.glimpsed(KEY, verdict, 0, 1310 * MS);
    bench.polls.gap(Gap {
        from_ns: 1000 * MS,
        to_ns: 1300 * MS,
        why: Activity::Stopped,
    });
    bench.finished(told_at(1310, end(310)));
    let finding = bench.only();
    assert_eq!(finding.severity, Severity::Info);
    let activity = finding.verdict.map(|verdict| verdict.activity);
    assert_eq!(activity, Some(Activity::Stopped));
}

#[test]
fn a_block_on_in_the_blocking_pool_may_take_as_long_as_it_likes() {
    let mut bench = Bench::default();
    bench.finished(Finished {
        permitted: true,
        ..end(5000)
    });
    assert_eq!(bench.only().severity, Severity::Info);
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn an_excused_poll_does_not_count_among_the_real_ones() {
    let mut bench = Bench::default();
    bench.finished(end(124));
    bench.polls.gap(Gap {
        from_ns: 1000 * MS,
        to_ns: 1300 * MS,
        why: Activity::Stopped,
    });
    bench.finished(told_at(1310, end(310)));
    let found = crate::warnings::Found([0, 2]);
    bench.warnings.recount(
        Kind::SlowPoll,
        Key::Site(SiteId::OTHER),
        found,
        true,
        |_| panic!("it is there"),
        0,
    );
    assert_eq!(
        (bench.only().count, bench.only().severity),
        (1, Severity::Warn)
    );
}

#[test]
fn a_poll_that_was_taken_for_over_and_is_seen_again_is_live_again() {
    let mut bench = Bench::default();
    bench.sighted(sighting(KEY, 105, Activity::OnCpu));
    bench.over(KEY, 120);
    bench.sighted(sighting(KEY, 210, Activity::OnCpu));
    assert_eq!((bench.only().live, bench.only().count), (true, 1));
    bench.finished(end(230));
    assert_eq!((bench.only().live, bench.only().count), (false, 1));
}

#[test]
fn the_next_poll_of_a_task_is_another() {
    let mut bench = Bench::default();
    bench.sighted(sighting(KEY, 105, Activity::OnCpu));
    bench.finished(end(110));
    let next = PollKey { poll: 4, ..KEY };
    bench.sighted(sighting(next, 215, Activity::OnCpu));
    assert_eq!((bench.only().live, bench.only().count), (true, 2));
}

#[test]
fn an_end_waits_for_the_watchdogs_round_but_not_for_ever() {
    let mut bench = Bench::default();
    bench.polls.finished(&mut bench.warnings, end(124));
    bench
        .polls
        .settle(&mut bench.warnings, 130 * MS, 120 * MS, false);
    assert_eq!(
        bench.warnings.all().count(),
        0,
        "the watchdog may still have something to say"
    );
    bench
        .polls
        .settle(&mut bench.warnings, 124 * MS + PATIENCE_NS, 120 * MS, false);
    assert_eq!(bench.only().count, 1);
    bench.polls.finished(&mut bench.warnings, end(500));
    bench.polls.settle(&mut bench.warnings, 500 * MS, 0, true);
    assert_eq!(bench.only().count, 2, "a flush waits for nobody");
}

#[test]
fn a_poll_whose_end_is_never_told_is_forgotten_and_was_logged() {
    let mut bench = Bench::default();
    bench.sighted(sighting(KEY, 105, Activity::Syscall));
    bench.over(KEY, 150);
    bench
        .polls
        .settle(&mut bench.warnings, 150 * MS + FORGET_NS, 0, false);
    assert!(bench.polls.seen.is_empty());
    assert!(bench.lines()[0].contains("took at least 0.150 s"));
}

#[test]
fn a_drop_is_told_as_one_and_beside_the_polls_of_its_task() {
    let mut bench = Bench::default();
    let key = PollKey {
        task: KEY.task,
        poll: DROP,
    };
    bench.sighted(sighting(key, 120, Activity::Syscall));
    let live = bench.warnings.all().next().expect("a record").clone();
    assert_eq!(
        (live.kind, live.severity, live.live, live.poll),
        (Kind::SlowDrop, Severity::Warn, true, None)
    );
    let mut dropped = end(1200);
    dropped.of.key = key;
    bench.finished(dropped);
    bench.finished(end(150));
    let all: Vec<_> = bench.warnings.all().collect();
    let told: Vec<_> = all
        .iter()
        .map(|finding| (finding.kind, finding.count, finding.severity, finding.live))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::SlowDrop, 1, Severity::Error, false),
            (Kind::SlowPoll, 1, Severity::Warn, false)
        ]
    );
}

#[test]
fn a_drop_that_was_stopped_is_a_note() {
    let mut bench = Bench::default();
    let key = PollKey {
        task: KEY.task,
        poll: DROP,
    };
    bench.sighted(sighting(key, 120, Activity::Stopped));
    let mut dropped = end(150);
    dropped.of.key = key;
    bench.finished(dropped);
    let all: Vec<_> = bench.warnings.all().collect();
    assert_eq!((all.len(), all[0].severity), (1, Severity::Info));
}

#[test]
fn the_end_knows_the_cpu_time_and_keeps_whom_it_delayed() {
    let mut bench = Bench::default();
    let mut seen = sighting(KEY, 120, Activity::OnCpu);
    seen.delayed = Some(crate::finding::Delayed {
        tasks: 3,
        max_ns: 110 * MS,
    });
    bench.sighted(seen);
    let mut end = end(150);
    end.cpu_ns = Some(145 * MS);
    bench.finished(end);
    let finding = bench.warnings.all().next().expect("a record");
    assert_eq!(finding.cpu_ns, Some(140 * MS), "since it was first seen");
    assert!(
        finding
            .message
            .ends_with("; 3 tasks waited behind it, the longest for 0.110 s"),
        "{}",
        finding.message
    );
}
