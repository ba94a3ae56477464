//! P18: `loop.set_exception_handler`. The cases of asyncio are in `runtime/tests/handler.rs`, too.

use std::time::Duration;

use pollscope_tests::{Output, Room};

use crate::row::Row;

#[test]
fn p18_exception_handler() {
    let run = |what| {
        let room = Room::new();
        let mut command = room.command(env!("CARGO_BIN_EXE_parity"));
        command.args(["p18", what]);
        Output::of(command, Duration::from_secs(60))
    };
    let output = run("healthy");
    assert_eq!(output.code(), 0, "{output:?}");
    let handled = "handled leaked_error Some(\"no disk\")";
    assert!(output.stdout.contains(handled), "{output:?}");
    assert!(!output.stderr.contains("that nobody read"), "{output:?}");
    let output = run("faulty");
    assert_eq!(output.code(), 0, "the process lives: {output:?}");
    let fallback = "pollscope: error: unhandled error in exception handler: the handler's own; \
                    the original context: Task ";
    assert!(output.stderr.contains(fallback), "{output:?}");
    // Whatever the handler does, the table has it.
    let row = Row::faulty("p18");
    let warning = row.warning("leaked_error");
    row.is_at(&warning["site"], "error");
}
