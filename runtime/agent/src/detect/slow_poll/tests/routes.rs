//! Slow polls of requests: a record for each route, as far as there may be.

use pollscope_capture::TaskKind;

use super::*;

/// One place makes the requests of all routes: each route has a record.
#[test]
fn requests_are_told_apart_by_route() {
    let here = std::panic::Location::caller();
    let site = pollscope_capture::site::intern(here, "Routed", 8, TaskKind::Request);
    let mut bench = Bench::default();
    for (task, route) in [(1, "GET /a"), (2, "GET /b"), (3, "GET /a")] {
        let mut end = end(150);
        end.of.key.task = task;
        end.of.site = site;
        end.of.task_name = Some(route.into());
        bench.finished(end);
    }
    let told: Vec<_> = bench
        .warnings
        .all()
        .map(|finding| (finding.task_name.as_deref(), finding.count))
        .collect();
    assert_eq!(told, [(Some("GET /a"), 2), (Some("GET /b"), 1)]);
    // What is counted for the place is in these; what is not, because an event was lost, is in a record of the place.
    let mut now = 0;
    let mut counts = |found, lost| {
        let example = |severity| crate::detect::without_example(Kind::SlowPoll, site, severity, 0);
        let found = crate::warnings::Found(found);
        for _ in 0..3 {
            now += 3_000 * MS;
            bench
                .warnings
                .recount(Kind::SlowPoll, Key::Site(site), found, lost, example, now);
        }
        let counts = bench.warnings.all().map(|finding| finding.count);
        counts.collect::<Vec<_>>()
    };
    assert_eq!(counts([0, 5], false), [2, 1], "they are on their way");
    assert_eq!(counts([9, 3], true), [2, 1], "only notes are left");
    assert_eq!(counts([0, 5], true), [2, 1, 2]);
    assert_eq!(counts([0, 8], true), [2, 1, 5]);
}

/// Whoever asks may choose the names: they must not fill the table.
#[test]
fn names_of_one_place_are_bounded() {
    let here = std::panic::Location::caller();
    let site = pollscope_capture::site::intern(here, "Scanned", 8, TaskKind::Request);
    let mut bench = Bench::default();
    let mut scan = |task: u64, path: u64| {
        let mut end = end(150);
        end.of.key.task = task;
        end.of.site = site;
        end.of.task_name = Some(format!("GET /x{path}").into());
        bench.finished(end);
    };
    (0..2000).for_each(|number| scan(number, number));
    // A name that has a record keeps it.
    scan(2000, 7);
    for now in [0, 3_000 * MS] {
        bench.warnings.recount(
            Kind::SlowPoll,
            Key::Site(site),
            crate::warnings::Found([0, 2011]),
            true,
            |_| panic!("the place has a record"),
            now,
        );
    }
    let mut counts: Vec<_> = bench.warnings.all().map(|found| found.count).collect();
    assert_eq!(
        counts.pop(),
        Some(2000 - 64 + 10),
        "the rest, and what was lost"
    );
    assert_eq!(counts.len(), 64);
    assert_eq!((counts[7], counts.iter().sum::<u64>()), (2, 65));
    assert_eq!(bench.warnings.dropped(), 0);
}
