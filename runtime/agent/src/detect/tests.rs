//! Each family: what must be found, and the twin that must stay silent or a note.

use pollscope_capture::event::{ErrorText, PanicText, PollText, Teller, ThreadText};

use super::*;
use crate::finding::Certainty;

pub(crate) fn told(detail: Detail) -> Event {
    Event {
        at: clock::ticks(),
        site: SiteId::OTHER,
        task: 9,
        task_name: 0,
        created: StackId::NONE,
        created_tid: 5,
        teller: Teller {
            belongs: pollscope_capture::scope::Belongs::default(),
            tid: 31,
            name: Some("worker".into()),
            role: Role::Worker,
        },
        observed: pollscope_capture::stack::intern(&[0x10, 0x20]),
        place: None,
        detail,
    }
}

fn finding(detail: Detail) -> Finding {
    let name_of = |tid| {
        Some(ThreadName {
            tid,
            name: "maker".into(),
        })
    };
    match judge(&told(detail), name_of) {
        Outcome::Finding(example) => example.finding,
        Outcome::Poll(end) => panic!("not the end of a poll: {end:?}"),
    }
}

#[test]
fn a_forgotten_future_is_a_warning_and_one_that_may_have_lost_a_race_a_note() {
    let definite = finding(Detail::Unpolled { definite: true });
    assert_eq!(
        (definite.severity, definite.certainty),
        (Severity::Warn, Certainty::Definite)
    );
    let likely = finding(Detail::Unpolled { definite: false });
    assert_eq!(
        (likely.severity, likely.certainty),
        (Severity::Info, Certainty::Likely)
    );
    for finding in [definite, likely] {
        assert_eq!(finding.kind, Kind::NeverAwaited);
        assert_eq!(
            finding.created.thread.as_ref().map(|thread| thread.tid),
            Some(5)
        );
        assert_eq!(
            finding.observed.thread.as_ref().map(|thread| thread.tid),
            Some(31)
        );
        assert_eq!(&*finding.observed.stack, [0x10, 0x20]);
    }
}

#[test]
fn a_lost_error_keeps_its_text() {
    let text = ErrorText {
        type_name: "E",
        display: Some("no".to_owned()),
        debug: None,
    };
    let lost = finding(Detail::Error(Box::new(text.clone())));
    assert_eq!(
        (lost.kind, lost.severity, lost.error),
        (Kind::LeakedError, Severity::Error, Some(text))
    );
}

#[test]
fn a_lost_panic_is_placed_where_it_was_raised_and_not_where_it_was_told() {
    let text = PanicText {
        message: Some("boom".to_owned()),
        place: Some(("src/b.rs".to_owned(), 3, 9)),
        stack: pollscope_capture::stack::intern(&[0x30]),
    };
    let lost = finding(Detail::Panic(Box::new(text)));
    assert_eq!(
        (lost.kind, lost.panic.as_deref()),
        (Kind::LeakedPanic, Some("boom"))
    );
    assert_eq!(
        lost.observed
            .source
            .map(|at| (at.file.into_owned(), at.line)),
        Some(("src/b.rs".to_owned(), 3))
    );
    assert_eq!(
        (&*lost.observed.stack, lost.observed.thread),
        (&[0x30][..], None)
    );
    // Where the program replaced the hook, the place is unknown and says so.
    let unknown = finding(Detail::Panic(Box::default()));
    assert!(unknown.observed.source.is_none() && unknown.observed.stack.is_empty());
}

#[test]
fn a_wrong_thread_names_both() {
    let text = ThreadText {
        what: "app::Counter".to_owned(),
        did: "touched",
        owner_tid: 1,
        owner_name: "main".to_owned(),
    };
    let wrong = finding(Detail::Thread(Box::new(text)));
    assert_eq!(
        (wrong.kind, wrong.severity),
        (Kind::WrongThread, Severity::Error)
    );
    assert_eq!(wrong.created.thread.map(|thread| thread.tid), Some(1));
    assert_eq!(wrong.observed.thread.map(|thread| thread.tid), Some(31));
}

#[test]
fn the_end_of_a_long_poll_waits_for_the_watchdog() {
    let detail = Detail::Poll(Box::new(PollText {
        ns: 120,
        number: 2,
        ..PollText::default()
    }));
    let Outcome::Poll(end) = judge(&told(detail), |_| None) else {
        panic!("the end of a poll")
    };
    assert_eq!(
        (end.of.key.task, end.of.key.poll, end.of.wall_ns),
        (9, 2, 120)
    );
}

#[test]
fn counters_are_notes_or_real_by_their_family() {
    let mut counts = [0; Family::COUNT];
    counts[Family::LongPoll as usize] = 3;
    counts[Family::SlowPoll as usize] = 2;
    counts[Family::Unpolled as usize] = 1;
    let counted = counted(&counts);
    assert_eq!(counted[0], (Kind::NeverAwaited, Found([1, 0])));
    assert_eq!(counted[1], (Kind::SlowPoll, Found([3, 2])));
    assert_eq!(counted[2], (Kind::LeakedError, Found([0, 0])));
}

#[test]
fn both_ends_mean_the_same_bucket() {
    for shift in 0..64 {
        for ns in [
            1_u64 << shift,
            (1 << shift) | (1 << shift) >> 1,
            (1 << shift) - 1,
        ] {
            assert_eq!(
                pollscope_capture::histogram::bucket(ns),
                pollscope_proto::buckets::index(ns),
                "{ns}"
            );
        }
    }
    assert_eq!(
        pollscope_capture::histogram::BUCKETS,
        pollscope_proto::buckets::COUNT
    );
    for at in 1..pollscope_capture::histogram::LONG {
        let start = pollscope_proto::buckets::start(at);
        let bucket = pollscope_capture::histogram::long_bucket;
        assert_eq!((bucket(start - 1), bucket(start)), (at - 1, at));
    }
}
