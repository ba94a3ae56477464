//! The edge cases of asyncio's debug mode and of Tokio, and which tests hold them: those whose comment says
//! "edge case N". Numbers that are missing were never given.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// An edge case, what must come of it, and the files of its tests.
type Edge = (u32, &'static str, &'static [&'static str]);

const EXCUSED: &str = "runtime/tests/warnings/excused.rs";
const ERRORS: &str = "runtime/tokio/tests/leaked_errors.rs";
const PANICS: &str = "runtime/tokio/tests/leaked_panics.rs";

#[rustfmt::skip]
const EDGES: &[Edge] = &[
    // Never awaited.
    (1, "a select! loser that had no turn is excused", &[EXCUSED]),
    (2, "and so is a branch that was switched off", &[EXCUSED]),
    (3, "what stands behind the first error of a try_join!", &[EXCUSED]),
    (4, "a join! that was given up itself", &[EXCUSED]),
    (5, "what a frame held that unwinds", &[EXCUSED]),
    (6, "a loser that had its turn was cancelled", &[EXCUSED]),
    (7, "a timeout of no time", &[EXCUSED]),
    (8, "an abort before the first poll", &[EXCUSED]),
    (9, "an abort that loses the race", &[EXCUSED]),
    (10, "tasks whose runtime went were destroyed, not forgotten", &[EXCUSED]),
    (11, "and those of a LocalSet", &[EXCUSED]),
    (12, "what is never dropped is listed with its age", &[EXCUSED, "tests/tests/parity/e12.rs"]),
    (13, "dropped on another thread: one record, with both", &["runtime/tests/warnings/never_awaited.rs"]),
    (14, "moved in a box or an Option before", &["runtime/tests/warnings/never_awaited.rs"]),
    (15, "discard says that it is meant", &[EXCUSED]),
    (16, "only what is tracked counts", &[EXCUSED]),
    (17, "a poll after the end is a panic", &[EXCUSED]),
    (18, "a combinator that polled it owns it", &[EXCUSED]),
    (19, "and may drop it", &[EXCUSED]),
    // Never retrieved.
    (20, "a handle dropped before the failure, and after", &[ERRORS, "tests/tests/parity/e20.rs"]),
    (21, "a handle that is held: listed, told at its drop and at the end", &[ERRORS, "runtime/tests/policy.rs", "tests/tests/parity/e20.rs"]),
    (22, "is_finished does not read, `let _ = h.await` does", &[ERRORS, PANICS]),
    (23, "JoinSet: join_next, drop, detach_all", &["runtime/tokio/tests/join_set.rs"]),
    (24, "a timeout drops the handle, the task runs on", &[ERRORS]),
    (25, "abort after the failure reads nothing", &[ERRORS]),
    (27, "an abort is no failure, a panic on the way out is", &[ERRORS, PANICS]),
    (29, "an error inside Ok; errors that are values", &[ERRORS, "runtime/tests/warnings/spawned.rs"]),
    (30, "the second failure of a try_join!", &[ERRORS]),
    (31, "an error without Debug", &[ERRORS]),
    (32, "a panic that aborts", &["runtime/tests/levels.rs"]),
    // Slow polls.
    (34, "a thread without a CPU, a process that is stopped", &["runtime/agent/src/detect/poll_watch.rs"]),
    (35, "a sleep that blocks, whose CPU time is nothing, too", &["runtime/agent/tests/debug.rs"]),
    (36, "exactly the threshold", &["runtime/agent/src/detect/poll_watch.rs"]),
    (37, "a threshold that changes while the poll runs", &["runtime/agent/src/detect/poll_watch.rs", "runtime/capture/tests/levels.rs"]),
    (38, "block_in_place", &["runtime/tokio/tests/debug.rs"]),
    (40, "a wall clock that jumps", &["runtime/capture/src/clock.rs", "tests/tests/layering.rs"]),
    (41, "polls that the budget of coop ends", &["runtime/tokio/tests/debug.rs"]),
    (42, "many short polls are no slow one", &["runtime/agent/src/detect/sched_delay/tests.rs", "runtime/tokio/tests/debug.rs", "tests/tests/parity/e42.rs"]),
    (43, "a drop that takes long outside of any poll", &["tests/tests/parity/e43.rs"]),
    (45, "a poll that never returns", &["tests/tests/hang.rs", "tests/tests/parity/p13.rs", "tests/tests/parity/p19.rs"]),
    (46, "our own work is no poll's time", &["runtime/capture/tests/polls.rs"]),
    (47, "a debugger", &["runtime/agent/src/detect/poll_watch.rs"]),
    // The rest.
    (49, "runtimes within and beside each other", &["runtime/tokio/tests/runtimes.rs"]),
    (50, "local futures are not asked to be Send", &["runtime/tokio/tests/wrong_thread.rs"]),
    (51, "fork and exec", &["runtime/capture/tests/levels.rs", "runtime/agent/tests/adversity.rs"]),
    (52, "findings inside the allocator, the handler, the subscriber", &["runtime/tests/reentrancy.rs", "runtime/tests/handler.rs"]),
    (53, "a storm of findings", &["tests/tests/storm.rs"]),
    (54, "exit, with statics alive", &["runtime/tests/policy.rs"]),
    (56, "strange names", &["runtime/agent/src/message/tests.rs", "inspector/tests/it/hostile.rs", "tests/tests/parity/e56.rs"]),
    (59, "attached late; ids that are used once", &["tests/tests/hang.rs", "runtime/capture/tests/lives.rs"]),
    (60, "another user, a stale process, another version", &["runtime/agent/tests/serve/socket.rs", "inspector/tests/it/session.rs", "tests/tests/bad_input.rs"]),
    (61, "an inspector that is slow, or gone", &["runtime/agent/src/serve/tests/bounds.rs"]),
    (63, "a task that resumes on another worker", &["runtime/tokio/tests/wrong_thread.rs", "runtime/tests/event_loop.rs"]),
    (64, "a refused call has changed nothing", &["runtime/tests/event_loop.rs"]),
    (65, "programs without debug info", &["tests/tests/stripped.rs"]),
];

/// What there is nothing to test of, yet: who awaits whom is not shown, so it cannot be shown wrong.
const NOT_BUILT: &[(u32, &str)] = &[(
    58,
    "gaps of the await graph are unknown edges, never wrong ones",
)];

/// The numbers that a source's comments name: behind "edge case", or "edges", up to the first other word.
fn named(source: &str) -> BTreeSet<u32> {
    let source = source.to_lowercase();
    let mut found = BTreeSet::new();
    for after in source.split("edge").skip(1) {
        let after = after.strip_prefix(" case").unwrap_or(after);
        let mut from = None;
        for word in after.trim_start_matches('s').split_whitespace() {
            let number = word.trim_matches(|c: char| !c.is_ascii_digit());
            match (word, number.parse::<u32>()) {
                ("to", _) => from = found.iter().next_back().copied(),
                ("and", _) => {}
                (_, Ok(number)) => found.extend(from.take().unwrap_or(number)..=number),
                (_, Err(_)) => break,
            }
            if word.ends_with([':', '.']) {
                break;
            }
        }
    }
    found
}

#[test]
fn every_edge_case_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    for (number, what, files) in EDGES {
        assert!(!files.is_empty(), "{number}: {what}");
        for file in *files {
            let source = fs::read_to_string(root.join(file)).expect(file);
            assert!(
                source.contains("#[test]") || source.contains("::test]"),
                "{file}"
            );
            assert!(
                named(&source).contains(number),
                "edge case {number} ({what}) in {file}"
            );
        }
    }
    let numbers: Vec<u32> = EDGES.iter().map(|edge| edge.0).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "each once, in order");
    assert!(
        NOT_BUILT
            .iter()
            .all(|(number, _)| !numbers.contains(number))
    );
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let of = |text: &str| named(text).into_iter().collect::<Vec<_>>();
    assert_eq!(of("/// Edge case 9: with 2 threads"), [9]);
    assert_eq!(of("//! Edge cases 20 to 22: a task"), [20, 21, 22]);
    assert_eq!(of("// the edge cases 1, 2 and 5"), [1, 2, 5]);
    assert_eq!(of("Edge case 51. The child has 1 thread"), [51]);
    assert_eq!(of("/// Edges 34 and 47: a process"), [34, 47]);
    assert_eq!(of("an edge case of 3 and more"), [0; 0]);
}
