//! Edge cases 20 to 22: while the handle is held it may still be asked, so that is no warning: it is listed, with how
//! long nobody has.

use std::time::Duration;

use pollscope_tests::wait_until;
use serde_json::Value;

use crate::row::Row;

fn unread(row: &Row) -> Vec<Value> {
    let tasks = row.report()["tasks"].as_array().cloned().expect("tasks");
    let unread = |task: &Value| !task["unread_ns"].is_null();
    tasks.into_iter().filter(unread).collect()
}

#[test]
fn e20_unread() {
    let row = Row::faulty("e20");
    let listed = || unread(&row).into_iter().next();
    let first = wait_until("the task", Duration::from_secs(20), listed);
    row.is_at(&first["site"], "error");
    assert_eq!(
        (&first["state"], &first["outcome"]),
        (&"done".into(), &"error".into())
    );
    let age = |task: &Value| task["unread_ns"].as_u64().expect("an age");
    let older = |task: &Value| age(task) > age(&first);
    wait_until("it to grow older", Duration::from_secs(20), || {
        listed().filter(older)
    });
    let text = row.inspect(&["report", "@"]).stdout;
    assert!(text.contains("ended with an error; unread for "), "{text}");
    row.is_silent("leaked_error");

    let healthy = Row::healthy("e20");
    healthy.is_silent("leaked_error");
    assert_eq!(unread(&healthy), [] as [Value; 0]);
}
