//! P27: `loop.set_debug(True)` in the middle: what is made from then on has a traceback of its own, what was made
//! before says that it has none.

use crate::row::Row;

#[test]
fn p27_set_debug() {
    let row = Row::start("p27", "faulty", &[("POLLSCOPE", "quiet")]);
    let of = |mark: &str| {
        let line = row.line(mark);
        row.warning_that("never_awaited", |warning| warning["site"]["line"] == line)
    };
    let (before, after) = (of("before"), of("after"));
    for warning in [&before, &after] {
        assert_eq!(warning["count"], 1, "{warning:#}");
        assert_eq!(warning["certainty"], "definite", "{warning:#}");
        let backtrace = warning["created"]["backtrace"].as_array();
        assert!(
            backtrace.is_some_and(|frames| !frames.is_empty()),
            "{warning:#}"
        );
    }
    // The frames of another future of the same place, and marked as such.
    assert_eq!(before["created"]["exemplar"], true, "{before:#}");
    assert_eq!(after["created"]["exemplar"], false, "{after:#}");
    assert_eq!(row.report()["target"]["level"], "debug");
    Row::start("p27", "healthy", &[("POLLSCOPE", "quiet")]).is_silent("never_awaited");
}
