//! P10: `loop.call_soon_threadsafe`: what goes wrong on the loop leads back to the line of the other thread.

use serde_json::Value;

use crate::row::Row;

#[test]
fn p10_call_soon_threadsafe() {
    let row = Row::faulty("p10");
    let warning = row.warning("callback_panic");
    row.is_at(&warning["site"], "asked");
    row.is_at(&warning["observed"]["site"], "panicked");
    let thread = &warning["observed"]["thread"];
    assert_eq!(thread["name"], "the loop", "{warning:#}");
    Row::healthy("p10").is_silent("callback_panic");
}

/// The task that waits to be woken.
fn woken(row: &Row) -> Value {
    let tasks = row.report()["tasks"].as_array().cloned().expect("tasks");
    let woken = tasks.into_iter().find(|task| task["name"] == "woken");
    woken.expect("it lives")
}

/// Whoever wakes a task is named: a thread where it was no task.
#[test]
fn p10_waking_thread() {
    let mut row = Row::faulty("p10b");
    let printed = row.program().printed();
    let tid = printed
        .iter()
        .find_map(|line| line.strip_prefix("woken by "));
    let tid: u64 = tid.expect("its thread").parse().expect("a number");
    let task = woken(&row);
    row.is_at(&task["site"], "waits");
    assert_eq!(task["last_waker_tid"], tid, "{task:#}");
    assert_eq!(task["last_waker_task"], Value::Null, "{task:#}");
    row.is_silent("");

    let row = Row::healthy("p10b");
    let task = woken(&row);
    assert_eq!(task["last_waker_tid"], Value::Null, "{task:#}");
    let waker = task["last_waker_task"].as_u64();
    assert!(waker.is_some_and(|id| id != task["id"]), "{task:#}");
    row.is_silent("");
}
