//! P11: `loop.run_in_executor`: listed as blocking, and nobody's slow callback.

use serde_json::Value;

use crate::row::Row;

#[test]
fn p11_executor() {
    let row = Row::faulty("p11");
    let warning = row.warning_that("slow_poll", |warning| warning["severity"] != "info");
    row.is_at(&warning["site"], "asked");
    let took = warning["wall_ns"].as_u64().expect("a time");
    assert!(took >= 200_000_000, "{warning:#}");

    let twin = Row::healthy("p11");
    twin.is_silent("");
    let report = twin.report();
    let tasks = report["tasks"].as_array().expect("an array");
    let blocking: Vec<&Value> = tasks
        .iter()
        .filter(|task| task["kind"] == "blocking")
        .collect();
    let [task] = blocking[..] else {
        panic!("one blocking task: {tasks:#?}")
    };
    twin.is_at(&task["site"], "stays");
    assert!(task["age_ns"].as_u64() >= Some(200_000_000), "{task:#}");
}
