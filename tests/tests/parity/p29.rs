//! P29: a slow poll names the task, and the future within it that took the time.

use crate::row::Row;

#[test]
fn p29_sub_future() {
    let row = Row::faulty("p29");
    let of = |name: &str| row.warning_that("slow_poll", |warning| warning["task"]["name"] == name);

    let joins = of("joins");
    row.is_at(&joins["site"], "joins");
    row.is_at(&joins["sub_future"]["site"], "join");
    let message = joins["message"].as_str().unwrap_or_default();
    assert!(message.contains("p29_sub_future::slow at"), "{joins:#}");
    let name = joins["sub_future"]["type"].as_str().unwrap_or_default();
    assert!(name.contains("::slow"), "{joins:#}");
    assert_eq!(joins["poll"], 1, "{joins:#}");

    let nests = of("nests");
    row.is_at(&nests["site"], "nests");
    row.is_at(&nests["sub_future"]["site"], "inner");
    let name = nests["sub_future"]["type"].as_str().unwrap_or_default();
    assert!(name.contains("::pack"), "the innermost: {nests:#}");

    let own = of("own");
    assert!(own["sub_future"].is_null(), "{own:#}");
    Row::healthy("p29").is_silent("");
}
