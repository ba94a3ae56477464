//! The table: what merges, what counts, what is logged, and that it ends somewhere.

use super::*;
use crate::finding::Source;

const SITE: Key = Key::Site(SiteId(7));

fn finding(severity: Severity, task: u64, at: u64) -> Finding {
    let mut finding = Finding::new(Kind::SlowPoll, Source::at("src/a.rs", 3, 1), at);
    finding.severity = severity;
    finding.task = task;
    finding.worst_ns = Some(at);
    finding.message = format!("at {at}");
    finding
}

fn example(severity: Severity, task: u64, at: u64) -> Example {
    Example {
        key: SITE,
        finding: finding(severity, task, at),
        beyond: false,
        excused: false,
        log: Log::Paced,
    }
}

fn only(warnings: &Warnings) -> &Finding {
    let mut all = warnings.all();
    let first = all.next().expect("a record");
    assert!(all.next().is_none(), "one record");
    first
}

#[test]
fn one_record_per_kind_and_site_with_first_last_and_worst() {
    let mut warnings = Warnings::default();
    for (task, at) in [(1, 50), (2, 90), (1, 70)] {
        warnings.add(example(Severity::Warn, task, at));
    }
    let record = only(&warnings);
    assert_eq!(
        (record.count, record.first_ns, record.last_ns, record.tasks),
        (3, 50, 90, 2)
    );
    assert_eq!(
        (record.worst_ns, &*record.message),
        (Some(90), "at 70"),
        "the worst is kept, the latest is shown"
    );
    assert_eq!(warnings.of_task(2), [1]);
    assert_eq!(warnings.by_severity(), [0, 1, 0]);
}

#[test]
fn a_record_counts_what_its_severity_says() {
    let mut warnings = Warnings::default();
    for at in 0..5 {
        warnings.add(example(Severity::Info, 1, at));
    }
    assert_eq!(only(&warnings).count, 5);
    warnings.add(example(Severity::Warn, 2, 9));
    assert_eq!(
        (only(&warnings).count, only(&warnings).severity),
        (1, Severity::Warn)
    );
    warnings.add(example(Severity::Info, 3, 10));
    let record = only(&warnings);
    assert_eq!(
        (record.count, &*record.message),
        (1, "at 9"),
        "a note does not hide a finding"
    );
}

#[test]
fn counts_are_exact_where_examples_were_lost() {
    let mut warnings = Warnings::default();
    warnings.add(example(Severity::Warn, 1, 1));
    let nothing = |_| -> Finding { panic!("the record is there") };
    warnings.recount(Kind::SlowPoll, SITE, Found([40, 1000]), true, nothing, 5);
    assert_eq!(only(&warnings).count, 1000);
    // One that only the watchdog saw comes on top.
    warnings.add(Example {
        beyond: true,
        ..example(Severity::Warn, 1, 6)
    });
    assert_eq!(only(&warnings).count, 1001);
    // What the hot path counted as slow and was stopped does not.
    warnings.add(Example {
        excused: true,
        ..example(Severity::Info, 1, 7)
    });
    assert_eq!(only(&warnings).count, 1000);
}

#[test]
fn a_record_whose_examples_were_all_lost_is_shown_all_the_same_and_no_count_makes_none() {
    let mut warnings = Warnings::default();
    let stand_in = |severity| finding(severity, 0, 3);
    warnings.recount(Kind::SlowPoll, SITE, Found::default(), true, stand_in, 3);
    assert_eq!(warnings.all().count(), 0);
    warnings.recount(Kind::SlowPoll, SITE, Found([0, 12]), true, stand_in, 3);
    assert_eq!(warnings.all().count(), 0, "an example may be on its way");
    warnings.recount(Kind::SlowPoll, SITE, Found([0, 12]), true, stand_in, 3);
    assert_eq!(
        (only(&warnings).count, only(&warnings).severity),
        (12, Severity::Warn)
    );
    assert_eq!(warnings.take_lines().len(), 1);
    // One that comes late after all is one of those that were counted.
    warnings.add(example(Severity::Warn, 1, 4));
    assert_eq!(only(&warnings).count, 12);
}

#[test]
fn without_a_loss_what_is_counted_is_on_its_way_and_nothing_stands_in_for_it() {
    let mut warnings = Warnings::default();
    let nothing = |_| -> Finding { panic!("nothing was lost") };
    for now in 0..10 {
        warnings.recount(Kind::SlowPoll, SITE, Found([0, 1]), false, nothing, now);
    }
    // What comes at last may be excused: it was no finding all the time.
    warnings.add(Example {
        excused: true,
        ..example(Severity::Info, 1, 11)
    });
    warnings.recount(Kind::SlowPoll, SITE, Found([0, 1]), false, nothing, 12);
    assert_eq!(
        (only(&warnings).count, only(&warnings).severity),
        (1, Severity::Info)
    );
}

#[test]
fn what_was_counted_before_it_was_told_is_counted_once() {
    let mut warnings = Warnings::default();
    let stand_in = |severity| finding(severity, 0, 3);
    for _ in 0..2 {
        warnings.recount(Kind::SlowPoll, SITE, Found([0, 1]), true, stand_in, 3);
    }
    assert_eq!(only(&warnings).count, 1);
    warnings.add(example(Severity::Warn, 1, 4));
    assert_eq!(only(&warnings).count, 1);
}

#[test]
fn only_what_changed_is_new() {
    let mut warnings = Warnings::default();
    warnings.add(example(Severity::Warn, 1, 1));
    let seen = warnings.changes();
    assert_eq!(warnings.since(seen).count(), 0);
    warnings.add(Example {
        key: Key::Place(1),
        ..example(Severity::Warn, 1, 2)
    });
    assert_eq!(
        warnings
            .since(seen)
            .map(|record| record.id)
            .collect::<Vec<_>>(),
        [2]
    );
    let same = Found([0, 1]);
    warnings.recount(
        Kind::SlowPoll,
        SITE,
        same,
        true,
        |_| finding(Severity::Warn, 0, 0),
        3,
    );
    let seen = warnings.changes();
    warnings.recount(
        Kind::SlowPoll,
        SITE,
        same,
        true,
        |_| finding(Severity::Warn, 0, 0),
        4,
    );
    assert_eq!(
        warnings.since(seen).count(),
        0,
        "the same count is no change"
    );
}

#[test]
fn notes_are_not_logged_and_a_storm_is_thinned_out() {
    let mut warnings = Warnings::default();
    warnings.add(example(Severity::Info, 1, 1));
    assert!(warnings.take_lines().is_empty());
    for at in 0..1000 {
        warnings.add(example(Severity::Warn, 1, at));
    }
    let lines = warnings.take_lines();
    assert_eq!(
        lines.iter().map(|line| line.count).collect::<Vec<_>>(),
        [1, 10, 100, 1000]
    );
    assert_eq!(
        lines.iter().map(|line| line.left_out).collect::<Vec<_>>(),
        [0, 8, 89, 899]
    );
}

#[test]
fn what_finds_no_room_is_counted() {
    let mut warnings = Warnings::default();
    for number in 0..MAX_RECORDS as u64 + 5 {
        warnings.add(Example {
            key: Key::Place(number),
            ..example(Severity::Warn, number, 1)
        });
    }
    assert_eq!(warnings.all().count(), MAX_RECORDS);
    assert_eq!(warnings.dropped, 5);
    // What is counted at a site without a record is no new loss each time somebody looks.
    for _ in 0..4 {
        let stand_in = |severity| finding(severity, 0, 3);
        warnings.recount(Kind::SlowPoll, SITE, Found([0, 12]), true, stand_in, 3);
    }
    assert_eq!(warnings.dropped, 5);
    assert!(warnings.lines.len() <= MAX_LINES);
    for task in 0..3 * MAX_WARNED as u64 {
        warnings.add(Example {
            key: Key::Place(0),
            ..example(Severity::Warn, task + 1, 1)
        });
    }
    assert!(warnings.warned.len() <= MAX_WARNED && warnings.warned_order.len() <= MAX_WARNED);
    assert_eq!(warnings.records[0].tasks.len(), MAX_TASKS);
}

fn stack(number: u64) -> Example {
    let mut example = example(Severity::Warn, number, number);
    example.key = Key::Stack(number);
    example.finding.kind = Kind::WorkerBlocked;
    example.beyond = true;
    example
}

#[test]
fn stacks_without_names_do_not_fill_the_table() {
    let mut warnings = Warnings::default();
    for number in 0..MAX_STACKS as u64 + 100 {
        assert!(warnings.add(stack(number)).is_some());
    }
    assert_eq!(warnings.all().count(), MAX_STACKS + 1);
    let others = warnings.all().last().map(|record| record.count);
    assert_eq!(others, Some(100), "one record has all the others");
    assert_eq!(warnings.dropped, 0);
    // Those that were told apart still are.
    warnings.add(stack(3));
    assert_eq!(warnings.get(4).map(|record| record.count), Some(2));
    // A name that comes late is not that of all the others.
    let (of_all, place) = (MAX_STACKS as u32 + 1, Key::Place(7));
    warnings.also(of_all, Kind::WorkerBlocked, place);
    warnings.add(Example {
        key: place,
        ..stack(8)
    });
    assert_eq!(warnings.all().count(), MAX_STACKS + 2);
    assert_eq!(warnings.get(of_all).map(|record| record.count), Some(100));
}

#[test]
fn a_table_that_one_kind_has_filled_has_room_for_the_others() {
    let mut warnings = Warnings::default();
    for number in 0..MAX_RECORDS as u64 + 5 {
        warnings.add(Example {
            key: Key::Place(number),
            ..example(Severity::Warn, number, 1)
        });
    }
    assert_eq!(warnings.dropped, 5);
    let lines = warnings.take_lines();
    let told = |lines: &[LogLine]| {
        let full = lines.iter().filter(|line| line.message.contains("full"));
        full.count()
    };
    assert_eq!(told(&lines), 0, "no line had room");
    for number in 0..RESERVED as u64 + 5 {
        let mut other = example(Severity::Warn, number, 1);
        other.key = Key::Place(number);
        other.finding.kind = Kind::LeakedError;
        assert_eq!(warnings.add(other).is_some(), number < RESERVED as u64);
    }
    let lines = warnings.take_lines();
    assert_eq!(told(&lines), 1, "what is dropped is said, once");
    assert_eq!(lines.len() - 1, RESERVED, "the others are logged");
    assert_eq!(warnings.dropped, 10);
    assert_eq!(warnings.all().count(), MAX_RECORDS + RESERVED);
}
