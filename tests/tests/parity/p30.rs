//! P30: `task.cancel()`: a cancelled task says who cancelled it, which asyncio's does not, and is no lost error.

use serde_json::Value;

use crate::row::Row;

#[test]
fn p30_cancel() {
    let row = Row::faulty("p30");
    let report = row.report();
    let tasks = report["tasks"].as_array().expect("an array");
    let aborted: Vec<&Value> = tasks
        .iter()
        .filter(|task| task["outcome"] == "aborted")
        .collect();
    let [task] = aborted[..] else {
        panic!("one aborted task: {tasks:#?}")
    };
    row.is_at(&task["site"], "spawned");
    let by = &task["aborted_by"];
    row.is_at(&by["site"], "aborted");
    assert!(by["task"].as_u64() > Some(0), "{task:#}");
    assert_ne!(by["task"], task["id"], "{task:#}");
    assert!(by["thread"]["tid"].as_u64() > Some(0), "{task:#}");
    // Cancelling is never a lost error, and who was not aborted says so.
    row.is_silent("leaked_error");
    let others = tasks.iter().filter(|task| task["outcome"] != "aborted");
    for other in others {
        assert_eq!(other["aborted_by"], Value::Null, "{other:#}");
    }
    Row::healthy("p30").is_silent("leaked_error");
}
