//! Who is blamed, and what an episode does to the table.

use pollscope_capture::stack::Activity;

use super::*;

const MS: u64 = 1_000_000;
const REGISTRY: &str = "/c/registry/src/index-1/";

fn lines(names: &[(&str, &str)]) -> Answer {
    names
        .iter()
        .map(|(function, file)| {
            vec![Line {
                function: (*function).to_owned(),
                file: (*file).to_owned(),
                line: 8,
                inlined: false,
            }]
        })
        .collect()
}

fn held() -> Answer {
    let tokio = format!("{REGISTRY}tokio-1.54.1/src/runtime/task/harness.rs");
    lines(&[
        ("clock_nanosleep", ""),
        (
            "std::thread::sleep",
            "/rustc/5980/library/std/src/thread/mod.rs",
        ),
        ("app::handler", "/srv/app/src/main.rs"),
        ("tokio::runtime::task::harness::poll", &tokio),
    ])
}

fn episode(wall_ms: u64, stack: usize) -> Episode {
    Episode::new(Found {
        at_ns: wall_ms * MS,
        thread: ThreadName::default(),
        belongs: pollscope_capture::scope::Belongs::default(),
        wall_ns: wall_ms * MS,
        threshold_ns: 100 * MS,
        verdict: Verdict {
            activity: Activity::Syscall,
            syscall: None,
        },
        stack: Arc::from([stack]),
        truncated: false,
        delayed: None,
    })
}

#[test]
fn the_first_line_of_the_users_is_blamed() {
    let Blame::Function { function, line, .. } = blame(&held()) else {
        panic!("somebody is to blame")
    };
    assert_eq!((&*function, line), ("app::handler", 8));
    assert_eq!(blame(&lines(&[("", "")])), Blame::Unknown);
}

#[test]
fn nobody_is_blamed_for_what_may_block() {
    let tokio = |function: &'static str| {
        let file = format!("{REGISTRY}tokio-1.54.1/src/runtime/x.rs");
        let mut answer = held();
        answer.push(vec![Line {
            function: function.to_owned(),
            file,
            line: 1,
            inlined: true,
        }]);
        answer
    };
    assert_eq!(
        blame(&tokio("tokio::task::blocking::block_in_place")),
        Blame::Nobody
    );
    assert_eq!(
        blame(&tokio(
            "tokio::runtime::scheduler::multi_thread::worker::Context::park"
        )),
        Blame::Nobody
    );
    assert_ne!(
        blame(&tokio("tokio::runtime::task::raw::poll")),
        Blame::Nobody
    );
    let own = lines(&[("app::tokio::block_in_place", "/srv/app/src/main.rs")]);
    assert_ne!(
        blame(&own),
        Blame::Nobody,
        "a name of the user's permits nothing"
    );
}

#[test]
fn episodes_at_one_line_are_one_record_whatever_the_stack_around_it() {
    let mut warnings = Warnings::default();
    for stack in [1, 2] {
        let mut episode = episode(150, stack);
        episode.named(&mut warnings, blame(&held()));
        episode.renew(&mut warnings, 400 * MS, 400 * MS, None, false);
    }
    let all: Vec<_> = warnings.all().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].count, all[0].live, all[0].severity),
        (2, false, Severity::Warn)
    );
    assert_eq!(
        (&*all[0].site.file, &*all[0].site.type_name),
        ("/srv/app/src/main.rs", "app::handler")
    );
}

#[test]
fn without_names_the_stack_tells_records_apart_and_a_late_name_is_added() {
    let mut warnings = Warnings::default();
    let mut late = episode(150, 1);
    late.settle(&mut warnings);
    episode(150, 2).settle(&mut warnings);
    assert_eq!(warnings.all().count(), 2);
    assert_eq!(
        warnings.get(1).map(|finding| finding.certainty),
        Some(Certainty::Likely)
    );
    late.named(&mut warnings, blame(&held()));
    assert_eq!(warnings.all().count(), 2);
    assert_eq!(
        warnings.get(1).map(|finding| &*finding.site.type_name),
        Some("app::handler")
    );
    assert_eq!(warnings.get(1).map(|finding| finding.count), Some(1));
    // The next one is named at once, and no second record of the same thing.
    episode(150, 3).named(&mut warnings, blame(&held()));
    assert_eq!(warnings.all().count(), 2);
    assert_eq!(warnings.get(1).map(|finding| finding.count), Some(2));
}

#[test]
fn what_nobody_is_to_blame_for_never_gets_into_the_table() {
    let mut warnings = Warnings::default();
    let mut harmless = episode(150, 1);
    harmless.named(&mut warnings, Blame::Nobody);
    harmless.settle(&mut warnings);
    harmless.renew(&mut warnings, 900 * MS, 900 * MS, None, false);
    assert_eq!(warnings.all().count(), 0);
}

#[test]
fn one_that_lasts_is_logged_after_a_second_and_when_it_is_over() {
    let mut warnings = Warnings::default();
    let mut long = episode(150, 1);
    long.named(&mut warnings, blame(&held()));
    assert!(warnings.take_lines().is_empty());
    long.renew(&mut warnings, 1200 * MS, 1200 * MS, None, true);
    assert_eq!(warnings.take_lines().len(), 1);
    long.renew(&mut warnings, 2200 * MS, 2200 * MS, None, true);
    assert!(warnings.take_lines().is_empty());
    long.renew(&mut warnings, 2300 * MS, 2300 * MS, None, false);
    assert!(
        warnings.take_lines()[0]
            .message
            .contains("was blocked for at least 2.300 s")
    );
}

fn kept(ms: u64) -> Delayed {
    Delayed {
        tasks: 3,
        max_ns: ms * MS,
    }
}

#[test]
fn without_names_it_is_a_note_unless_tasks_wait_for_it() {
    let mut warnings = Warnings::default();
    // As a block_in_place of a dependency looks in a stripped program: whatever else waits is taken over.
    let mut harmless = episode(1500, 1);
    harmless.found.delayed = Some(kept(20));
    harmless.named(&mut warnings, Blame::Unknown);
    harmless.renew(&mut warnings, 2500 * MS, 2500 * MS, Some(kept(30)), true);
    harmless.renew(&mut warnings, 3000 * MS, 3000 * MS, None, false);
    let note = warnings
        .get(1)
        .map(|record| (record.severity, record.count));
    assert_eq!(note, Some((Severity::Info, 1)));
    // Its twin keeps others: at once,
    let mut blocks = episode(150, 2);
    blocks.found.delayed = Some(kept(140));
    blocks.named(&mut warnings, Blame::Unknown);
    let real = warnings.get(2).map(|record| record.severity);
    assert_eq!(real, Some(Severity::Warn));
    assert!(warnings.take_lines().is_empty());
    // or later on, and then it is logged.
    let mut blocks = episode(150, 3);
    blocks.settle(&mut warnings);
    blocks.renew(&mut warnings, 1200 * MS, 1200 * MS, Some(kept(1000)), true);
    let real = warnings
        .get(3)
        .map(|record| (record.severity, record.count));
    assert_eq!(real, Some((Severity::Error, 1)));
    assert_eq!(warnings.take_lines().len(), 1);
}

#[test]
fn a_name_that_comes_late_says_which_it_was() {
    let mut warnings = Warnings::default();
    for (stack, blame) in [(1, Blame::Nobody), (2, blame(&held()))] {
        let mut late = episode(1600, stack);
        late.settle(&mut warnings);
        late.named(&mut warnings, blame);
        late.renew(&mut warnings, 1700 * MS, 1700 * MS, None, false);
    }
    let all: Vec<_> = warnings.all().collect();
    assert_eq!((all[0].severity, all[0].live), (Severity::Info, false));
    assert_eq!((all[1].severity, all[1].count), (Severity::Error, 1));
    let lines = warnings.take_lines();
    assert!(
        lines
            .iter()
            .all(|line| line.message.contains("app::handler"))
    );
    assert!(!lines.is_empty());
}
