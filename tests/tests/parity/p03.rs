//! P3: `RuntimeWarning: coroutine 'settle' was never awaited`.

use crate::row::Row;

#[test]
fn p03_never_awaited() {
    let row = Row::faulty("p03");
    let warning = row.warning("never_awaited");
    row.is_at(&warning["site"], "created");
    assert_eq!(warning["certainty"], "definite", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    assert!(warning["task"]["id"].as_u64() > Some(0), "{warning:#}");
    assert!(
        warning["observed"]["thread"]["tid"].as_u64() > Some(0),
        "{warning:#}"
    );
    Row::healthy("p03").is_silent("never_awaited");
}

#[test]
fn p03_dropped_on_another_thread() {
    let row = Row::faulty("p03b");
    let warning = row.warning("never_awaited");
    row.is_at(&warning["site"], "created");
    assert_eq!(warning["certainty"], "likely", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let (made, dropped) = (
        &warning["created"]["thread"],
        &warning["observed"]["thread"],
    );
    assert_eq!(dropped["name"], "the other", "{warning:#}");
    assert_ne!(made["tid"], dropped["tid"], "{warning:#}");
    Row::healthy("p03b").is_silent("never_awaited");
}
