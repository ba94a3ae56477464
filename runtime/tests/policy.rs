//! What is not tolerated: tests that fail by name, the right ones, and programs whose exit code says it.
//!
//! The tests under `cases` and `programs` are run by those of this file, in processes of their own.

#![cfg(feature = "serve")]

#[path = "policy/cases.rs"]
mod cases;
#[path = "policy/programs.rs"]
mod programs;

use std::collections::BTreeMap;
use std::process::{Command, Output};

/// Runs the cases whose names begin with `filter`, eight at a time, with these variables and no other of ours.
fn run(filter: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    for (key, _) in std::env::vars_os() {
        let key_text = key.to_string_lossy();
        if key_text.starts_with("POLLSCOPE") || key_text.starts_with("NEXTEST") {
            command.env_remove(key);
        }
    }
    command
        .args(["--ignored", "--test-threads=8", "--nocapture"])
        .args(filter)
        .envs(env.iter().copied())
        .output()
        .expect("it starts")
}

/// What became of each case.
fn verdicts(output: &Output) -> BTreeMap<String, bool> {
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<&str> = text
        .split("\nfailures:\n")
        .last()
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.trim().strip_prefix("cases::"))
        .collect();
    let list = Command::new(std::env::current_exe().expect("a program"))
        .args(["--list", "--ignored", "cases::"])
        .output()
        .expect("it starts");
    String::from_utf8_lossy(&list.stdout)
        .lines()
        .filter_map(|line| line.strip_prefix("cases::")?.strip_suffix(": test"))
        .map(|name| (name.to_owned(), !failed.contains(&name)))
        .collect()
}

#[test]
fn the_right_tests_fail_by_name_beside_others() {
    for _ in 0..3 {
        let output = run(&["cases::"], &[("POLLSCOPE_DENY", "any")]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(101), "{output:?}");
        for (name, passed) in verdicts(&output) {
            let expected = !name.starts_with("bad_");
            assert_eq!(passed, expected, "{name}: {said}");
        }
        assert!(
            said.contains("pollscope found what is denied (any):\n  never_awaited: future"),
            "{said}"
        );
    }
}

#[test]
fn without_a_rule_only_what_says_so_itself_fails() {
    let output = run(&["cases::"], &[]);
    let failed: Vec<String> = verdicts(&output)
        .into_iter()
        .filter(|(_, passed)| !passed)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        failed,
        ["bad_asserts", "bad_says_so_itself", "bad_scope_of_its_own"]
    );
}

#[test]
fn a_process_of_one_test_owns_what_belongs_to_none() {
    let alone = [
        ("POLLSCOPE_DENY", "any"),
        ("NEXTEST_EXECUTION_MODE", "process-per-test"),
    ];
    let stray = ["--exact", "cases::a_thread_of_its_own_forgets"];
    assert_eq!(run(&stray, &alone).status.code(), Some(101));
    assert_eq!(
        run(&stray, &alone[..1]).status.code(),
        Some(0),
        "not beside others"
    );
    let good = ["--exact", "cases::good_00"];
    assert_eq!(run(&good, &alone).status.code(), Some(0));
}

#[test]
fn a_process_of_one_test_has_threads_of_ours_where_somebody_asks() {
    let room = tempfile::tempdir().expect("a directory");
    let alone = [
        ("NEXTEST_EXECUTION_MODE", "process-per-test"),
        (
            "XDG_RUNTIME_DIR",
            room.path().to_str().expect("a plain path"),
        ),
    ];
    let (code, said) = program("watched_when_somebody_asks", &alone);
    assert_eq!(code, Some(0), "{said}");
    // Collected without threads, and told all the same.
    assert!(said.contains("programs::work was never awaited"), "{said}");
    let case = |name: &str| {
        run(&["--exact", &format!("cases::{name}")], &alone)
            .status
            .code()
    };
    assert_eq!(case("bad_asserts"), Some(101));
    assert_eq!(case("bad_says_so_itself"), Some(101));
    assert_eq!(case("bad_00"), Some(0), "nothing is denied");
}

#[test]
fn a_rule_for_one_kind_lets_the_others_pass() {
    let bad = ["--exact", "cases::bad_00"];
    let code = |deny| run(&bad, &[("POLLSCOPE_DENY", deny)]).status.code();
    assert_eq!(code("leaked_error,slow_poll"), Some(0));
    assert_eq!(code("leaked_error,never_awaited"), Some(101));
    assert_eq!(code("off"), Some(0));
}

/// Runs a program, which is a case that does not return.
fn program(name: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = run(&["--exact", &format!("programs::{name}")], env);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_program_ends_with_1_once_all_is_told() {
    let deny = [("POLLSCOPE_DENY", "any")];
    let (code, said) = program("forgets", &deny);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("never awaited"), "{said}");
    assert!(
        said.contains("1 finding is denied (any): the exit code is 1"),
        "{said}"
    );
    assert_eq!(program("forgets", &[]).0, Some(0));
    assert_eq!(program("forgets_by_attribute", &[]).0, Some(1));
    let (code, said) = program("forgets_and_exits_with_7", &deny);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("1 finding is denied (any)\n"), "{said}");
    let (code, said) = program("is_healthy", &deny);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_rule_that_cannot_be_read_is_complained_of() {
    let (code, said) = program("is_healthy", &[("POLLSCOPE_DENY", "slow_pol")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("POLLSCOPE_DENY: cannot read \"slow_pol\""),
        "{said}"
    );
}

/// Edge cases 21 and 54: `exit`, and statics that nobody drops.
#[test]
fn errors_that_wait_in_a_handle_are_told_at_the_end() {
    let (code, said) = program("exits_with_unread_errors", &[]);
    assert_eq!(code, Some(0), "{said}");
    let unread = said
        .lines()
        .filter(|line| line.contains("its handle was still held at the end"))
        .collect::<Vec<_>>();
    assert_eq!(unread.len(), 2, "{said}");
    assert!(
        unread.iter().any(|line| line.contains("returned an error")),
        "{said}"
    );
    assert!(
        unread.iter().any(|line| line.contains("panicked")),
        "{said}"
    );
}
