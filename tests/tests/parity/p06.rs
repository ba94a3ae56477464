//! P6: `-W error`: in asyncio the exit code stays 0, here it does not.

use std::time::Duration;

use pollscope_tests::{Output, Room};

use crate::row::Row;

fn code(what: &str, deny: &str) -> (i32, String) {
    let room = Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_parity"));
    command.args(["p06", what]).env("POLLSCOPE_DENY", deny);
    let output = Output::of(command, Duration::from_secs(30));
    (output.code(), output.stderr)
}

#[test]
fn p06_deny() {
    let (status, said) = code("faulty", "any");
    assert_eq!(status, 1, "no abort: {said}");
    assert!(said.contains("was never awaited"), "{said}");
    assert!(
        said.contains("1 finding is denied (any): the exit code is 1"),
        "{said}"
    );
    assert_eq!(code("faulty", "never_awaited").0, 1);
    assert_eq!(code("faulty", "leaked_error").0, 0);
    assert_eq!(code("healthy", "any"), (0, String::new()));
}

#[test]
fn p06_report_fails() {
    let row = Row::faulty("p06");
    row.warning("never_awaited");
    let fails = |kinds| row.inspect(&["report", "@", "--fail-on", kinds]).code();
    assert_eq!(fails("any"), 1);
    assert_eq!(fails("slow_poll,never_awaited"), 1);
    assert_eq!(fails("slow_poll"), 0);
    let row = Row::healthy("p06");
    assert_eq!(
        row.inspect(&["report", "@", "--fail-on", "never_awaited"])
            .code(),
        0
    );
}
