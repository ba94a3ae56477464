//! Edge case 12: what is alive and was never polled is no warning, and is listed with its age.

use std::time::Duration;

use pollscope_tests::wait_until;
use serde_json::Value;

use crate::row::Row;

fn unpolled(row: &Row) -> Vec<Value> {
    let tasks = row.report()["tasks"].as_array().cloned().expect("tasks");
    let unpolled = |task: &Value| task["state"] == "unpolled";
    tasks.into_iter().filter(unpolled).collect()
}

#[test]
fn e12_never_polled() {
    let row = Row::faulty("e12");
    let listed = || unpolled(&row).into_iter().next();
    let first = wait_until("the task", Duration::from_secs(20), listed);
    row.is_at(&first["site"], "created");
    assert_eq!(first["polls"], 0, "{first:#}");
    let age = |task: &Value| task["age_ns"].as_u64().expect("an age");
    let older = |task: &Value| age(task) > age(&first);
    wait_until("it to grow older", Duration::from_secs(20), || {
        listed().filter(older)
    });
    row.is_silent("never_awaited");

    let healthy = Row::healthy("e12");
    healthy.is_silent("never_awaited");
    assert_eq!(unpolled(&healthy), [] as [Value; 0]);
}
