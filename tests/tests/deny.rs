//! A crate with one lost error in one of its tests, ported by its manifest: `POLLSCOPE_DENY=any` fails that test by
//! name, and no other, under cargo's own runner and under cargo-nextest.

use std::process::{Command, Output};

const PLANTED: &str = "an_error_that_is_lost";
const HEALTHY: [&str; 2] = ["an_error_that_is_read", "no_error"];

/// Runs the crate's tests. The whole workspace, for its features: they are built then.
fn run(runner: &[&str], deny: &str) -> (Output, String) {
    let mut command = Command::new(env!("CARGO"));
    for (key, _) in std::env::vars_os() {
        let key_text = key.to_string_lossy();
        if key_text.starts_with("POLLSCOPE") || key_text.starts_with("NEXTEST") {
            command.env_remove(key);
        }
    }
    let output = command
        .args(runner)
        .args(["--workspace", "--test", "planted"])
        .env("POLLSCOPE_DENY", deny)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output, said)
}

#[test]
fn the_right_test_fails_under_cargo_test() {
    let (output, said) = run(&["test"], "any");
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(
        said.contains(&format!("test {PLANTED} ... FAILED")),
        "{said}"
    );
    for name in HEALTHY {
        assert!(said.contains(&format!("test {name} ... ok")), "{said}");
    }
    is_told(&said);
    let (output, said) = run(&["test"], "off");
    assert!(output.status.success(), "{said}");
}

#[test]
#[ignore = "needs cargo-nextest: cargo test --workspace --test deny -- --ignored"]
fn the_right_test_fails_under_nextest() {
    let nextest = ["nextest", "run", "--no-fail-fast", "--color", "never"];
    let (output, said) = run(&nextest, "any");
    assert_eq!(output.status.code(), Some(100), "{said}");
    assert!(said.contains("3 tests run: 2 passed, 1 failed"), "{said}");
    let line = |word: &str, name: &str| {
        let mut lines = said.lines();
        lines.any(|line| line.trim_start().starts_with(word) && line.ends_with(name))
    };
    assert!(line("FAIL", PLANTED), "{said}");
    for name in HEALTHY {
        assert!(line("PASS", name), "{said}");
    }
    is_told(&said);
    let (output, said) = run(&nextest, "off");
    assert!(output.status.success(), "{said}");
}

/// The finding, at the line of the spawn.
#[track_caller]
fn is_told(said: &str) {
    let found = "pollscope found what is denied (any):\n";
    assert!(said.contains(found), "{said}");
    assert!(said.contains("  leaked_error: Task "), "{said}");
    let source = include_str!("../port/tests/planted.rs");
    let lost = source.split(PLANTED).nth(1).expect("the planted test");
    let before = source.len() - lost.len();
    let line = source[..before].lines().count() + 1;
    assert!(
        said.contains(&format!("tests/port/tests/planted.rs:{line}:")),
        "{said}"
    );
}
