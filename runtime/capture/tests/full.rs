//! What happens when there is no more room: dropped and counted, never waited for. One test: the tables are the
//! process's.

#[path = "executor/by_hand.rs"]
#[expect(dead_code, reason = "another test needs the rest")]
mod executor;

use std::panic::Location;

use executor::{Pending, look, meta, run, spawn};
use pollscope_capture::instrumented::{Untold, instrument};
use pollscope_capture::level::{Source, set_level, set_slow_poll_ns};
use pollscope_capture::site::{self, MAX_SITES};
use pollscope_capture::{Level, SiteId, TaskKind, names, registry, thread};

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    a_full_ring();
    names_of_any_length_and_number();
    more_sites_than_fit();
}

fn a_full_ring() {
    assert!(set_level(Level::Debug, Source::Explicit));
    // Every poll is told.
    set_slow_poll_ns(0);
    let (task, _share) = spawn(Pending(999));
    run(task).into_inner();
    set_slow_poll_ns(u64::MAX);
    let thread = thread::current().expect("this thread has a slot");
    let mut told = 0;
    thread.drain(|_| told += 1);
    assert_eq!(told + thread.lost(), 1000);
    assert!(thread.lost() > 0 && told > 0);
    let lost = thread.lost();
    set_slow_poll_ns(0);
    let (task, _share) = spawn(Pending(0));
    run(task).into_inner();
    set_slow_poll_ns(u64::MAX);
    told = 0;
    thread.drain(|_| told += 1);
    assert_eq!((told, thread.lost()), (1, lost), "there is room again");
}

fn names_of_any_length_and_number() {
    let here = Location::caller();
    let long = "ü".repeat(10_000);
    let named = |name: &str| {
        let meta = pollscope_capture::task::Meta {
            name: Some(name),
            ..meta(here)
        };
        instrument(Pending(0), Untold, &meta)
    };
    let (task, share) = named(&long);
    let number = look(task.id()).name;
    let kept = names::get(number).expect("held by the task");
    assert!(kept.len() <= 128 && long.starts_with(&*kept));
    drop((task, share));
    assert!(names::get(number).is_none());

    let held: Vec<_> = (0..66_000).map(|n| named(&n.to_string())).collect();
    let (mut named, mut unnamed) = (0, 0);
    registry::tasks(|_, task| match task.name {
        0 => unnamed += 1,
        _ => named += 1,
    });
    assert_eq!((named, unnamed), (65_536, 66_000 - 65_536));
    drop(held);
}

fn more_sites_than_fit() {
    let here = Location::caller();
    let known = site::intern(here, "before", 0, TaskKind::Task);
    for n in 0..MAX_SITES {
        site::intern(
            here,
            Box::leak(n.to_string().into_boxed_str()),
            0,
            TaskKind::Task,
        );
    }
    assert_eq!(site::count() as usize, MAX_SITES);
    assert_eq!(
        site::intern(here, "one more", 0, TaskKind::Task),
        SiteId::OTHER
    );
    assert_eq!(site::intern(here, "before", 0, TaskKind::Task), known);
    let (task, mut share) = spawn(Pending(0));
    assert_eq!(look(task.id()).site, SiteId::OTHER);
    run(task).join(&mut share);
    assert_eq!(
        executor::sum(SiteId::OTHER, pollscope_capture::tally::Tally::ended),
        1
    );
}
