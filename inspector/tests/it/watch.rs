//! The live stream: parts, views, names of frames, and its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pollscope_cli::model::View;
use pollscope_cli::net::{NetError, Session};
use pollscope_proto::v1;
use tonic::Status;

use crate::fake::{Fake, Says, update, warning, within};

const LIMIT: Duration = Duration::from_secs(20);

/// The last part of an update carries its end; the others do not.
fn part(view: &v1::View, last: bool, tasks: &[u64]) -> v1::Update {
    let rows = tasks.iter().map(|id| v1::TaskRow {
        id: *id,
        site: 7,
        ..v1::TaskRow::default()
    });
    v1::Update {
        last,
        tasks: rows.collect(),
        ..update(view, 4)
    }
}

#[test]
fn parts_make_one_snapshot() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            vec![
                // Its end never comes: the next update takes its place.
                Ok(v1::Update {
                    seq: 3,
                    ..part(view, false, &[99])
                }),
                Ok(part(view, false, &[1, 2])),
                Ok(part(view, true, &[3])),
            ]
        }),
        ..Says::default()
    });
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let snapshot = session
            .watch(View::default())
            .next()
            .await
            .unwrap()
            .unwrap();
        let ids: Vec<_> = snapshot.tasks.iter().map(|task| task.id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert_eq!(snapshot.tasks[0].site.short(), "src/orders.rs:88");
        assert!((snapshot.target.uptime_s - 4.0).abs() < 1e-9);
    });
}

#[test]
fn only_the_newest_view_is_answered_and_no_warning_is_lost() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            let stale = v1::View {
                id: view.id.wrapping_sub(1),
                ..view.clone()
            };
            vec![
                Ok(v1::Update {
                    warnings: vec![warning(view.id, &[])],
                    ..part(&stale, true, &[100])
                }),
                Ok(part(view, true, &[u64::from(view.limit)])),
            ]
        }),
        ..Says::default()
    });
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let view = |limit| View {
            limit,
            ..View::default()
        };
        let mut watch = session.watch(view(5));
        assert_eq!(watch.next().await.unwrap().unwrap().tasks[0].id, 5);
        watch.set(view(6));
        let snapshot = watch.next().await.unwrap().unwrap();
        assert_eq!(snapshot.tasks[0].id, 6);
        assert_eq!(snapshot.warnings.len(), 2, "those of both views");
    });
}

#[test]
fn a_view_goes_out_as_it_was_asked_for() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let fake = Fake::start(Says {
        updates: Arc::new(move |view| {
            log.lock().unwrap().push(view.clone());
            vec![Ok(update(view, 1))]
        }),
        ..Says::default()
    });
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let view = View {
            filter: "state:idle".to_owned(),
            order: "polls".to_owned(),
            interval_ms: 1,
            site: Some(7),
            ..View::default()
        };
        session.watch(view).next().await.unwrap().unwrap();
    });
    let seen = seen.lock().unwrap();
    assert_eq!(
        (seen[0].filter.as_str(), seen[0].order.as_str()),
        ("state:idle", "polls")
    );
    assert_eq!(
        (seen[0].interval_ms, seen[0].site),
        (33, 7),
        "clamped to the contract"
    );
}

#[test]
fn frames_get_names_from_the_target_once() {
    let says = Says {
        updates: Arc::new(|view| {
            let with_warning = |seq| v1::Update {
                warnings: vec![warning(1, &[0x10, 0x21, 0x21])],
                ..update(view, seq)
            };
            vec![Ok(with_warning(1)), Ok(with_warning(2))]
        }),
        names: [(0x10, "orders::settle".to_owned())].into(),
        ..Says::default()
    };
    let resolved = Arc::clone(&says.resolved);
    let fake = Fake::start(says);
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default()).patient();
        for _ in 0..2 {
            let snapshot = watch.next().await.unwrap().unwrap();
            let frames = &snapshot.warnings[0].observed.backtrace;
            assert_eq!(frames[0].function, "orders::settle");
            assert_eq!(frames[0].line, 91);
            // Nobody knows this one: module and offset are what is left.
            assert_eq!((frames[1].function.as_str(), frames[1].offset), ("", 0x21));
            assert_eq!(frames[1].module, "orders");
        }
    });
    assert_eq!(*resolved.lock().unwrap(), [0x10, 0x21], "each frame once");
}

/// The frames of one warning by name, and all that the target was asked for.
fn named_by(says: Says, offsets: &'static [u64]) -> (Vec<String>, Vec<u64>) {
    let resolved = Arc::clone(&says.resolved);
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            vec![Ok(v1::Update {
                warnings: vec![warning(1, offsets)],
                ..update(view, 1)
            })]
        }),
        names: offsets.iter().map(|at| (*at, format!("f{at}"))).collect(),
        ..says
    });
    let named = within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default()).patient();
        let snapshot = watch.next().await.unwrap().unwrap();
        let frames = &snapshot.warnings[0].observed.backtrace;
        frames.iter().map(|frame| frame.function.clone()).collect()
    });
    let resolved = resolved.lock().unwrap().clone();
    (named, resolved)
}

#[test]
fn what_one_answer_had_no_room_for_is_asked_again() {
    let says = Says {
        answers: 2,
        ..Says::default()
    };
    let (named, asked) = named_by(says, &[1, 2, 3, 4, 5]);
    assert_eq!(named, ["f1", "f2", "f3", "f4", "f5"]);
    assert_eq!(asked, [1, 2, 3, 4, 5, 3, 4, 5, 5]);

    // One that never answers is not asked for ever.
    let says = Says {
        answers: 0,
        ..Says::default()
    };
    let (named, asked) = named_by(says, &[1, 2]);
    assert_eq!(named, ["", ""]);
    assert_eq!(asked, [1, 2, 2]);
}

#[test]
fn a_target_that_is_busy_is_asked_again_and_one_that_cannot_is_not() {
    let refuses = |times, why| Says {
        refuses: Arc::new(Mutex::new((times, Some(why)))),
        ..Says::default()
    };
    let busy = || Status::resource_exhausted("ask again");
    let (named, asked) = named_by(refuses(2, busy()), &[7]);
    assert_eq!((named, asked.len()), (vec!["f7".to_owned()], 3));
    let (named, asked) = named_by(refuses(usize::MAX, busy()), &[7]);
    assert_eq!((named, asked.len()), (vec![String::new()], 3));
    let cannot = Status::unimplemented("built without");
    let (named, asked) = named_by(refuses(usize::MAX, cannot), &[7]);
    assert_eq!((named, asked.len()), (vec![String::new()], 1));
}

#[test]
fn a_target_killed_under_way_is_lost() {
    let mut fake = Fake::start(Says::default());
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default());
        watch.next().await.unwrap().unwrap();
        fake.kill();
        let error = watch.next().await.unwrap().unwrap_err();
        assert!(matches!(error, NetError::Lost { .. }), "{error}");
        assert_eq!(error.exit_code(), 5);
        assert!(watch.next().await.is_none(), "and then there is no more");
        assert_eq!(session.task(1).await.unwrap_err().exit_code(), 5);
    });
}

#[test]
fn waiting_can_be_given_up_and_taken_up_again() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| vec![Ok(part(view, false, &[1])), Ok(part(view, true, &[2]))]),
        ..Says::default()
    });
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default());
        let mut tries = 0;
        let snapshot = loop {
            // Given up each time it has to wait.
            let mut next = Box::pin(watch.next());
            let now =
                std::future::poll_fn(|cx| std::task::Poll::Ready(next.as_mut().poll(cx))).await;
            if let std::task::Poll::Ready(snapshot) = now {
                break snapshot.unwrap().unwrap();
            }
            tries += 1;
            assert!(tries < 100_000);
            tokio::time::sleep(Duration::from_micros(50)).await;
        };
        let ids: Vec<_> = snapshot.tasks.iter().map(|task| task.id).collect();
        assert_eq!(ids, [1, 2]);
    });
}

#[test]
fn a_history_holds_until_the_next_comes() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            let with = |seq, live: &[u64], busy: &[u32]| {
                Ok(v1::Update {
                    sites: vec![v1::SiteRow {
                        site: 7,
                        history_live: live.into(),
                        ..v1::SiteRow::default()
                    }],
                    threads: vec![v1::ThreadRow {
                        tid: 1,
                        history_busy_permille: busy.into(),
                        ..v1::ThreadRow::default()
                    }],
                    ..update(view, seq)
                })
            };
            vec![
                with(1, &[1, 2], &[9]),
                with(2, &[], &[]),
                with(3, &[2, 3], &[8]),
            ]
        }),
        ..Says::default()
    });
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default());
        for (live, busy) in [([1, 2], [9]), ([1, 2], [9]), ([2, 3], [8])] {
            let snapshot = watch.next().await.unwrap().unwrap();
            assert_eq!(snapshot.sites[0].history_live, live);
            assert_eq!(snapshot.threads[0].history_busy_permille, busy);
        }
    });
}
