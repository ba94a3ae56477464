//! P5: the default filter shows a warning once a location, `-W always` each time.

use pollscope_tests::wait_until;

use crate::row::Row;

#[test]
fn p05_dedupe() {
    let row = Row::faulty("p05");
    let warning = row.warning_that("never_awaited", |warning| warning["count"] == 3);
    row.is_at(&warning["site"], "created");
    assert_eq!(row.warnings("never_awaited").len(), 1);

    let each = [("POLLSCOPE", "debug"), ("POLLSCOPE_DEDUPE", "off")];
    let row = Row::start("p05", "faulty", &each);
    let limit = std::time::Duration::from_secs(20);
    let found = wait_until("three records", limit, || {
        Some(row.warnings("never_awaited")).filter(|found| found.len() >= 3)
    });
    assert_eq!(found.len(), 3, "{found:#?}");
    for warning in &found {
        row.is_at(&warning["site"], "created");
        assert_eq!(warning["count"], 1, "{warning:#}");
    }
    Row::healthy("p05").is_silent("never_awaited");
    Row::start("p05", "healthy", &each).is_silent("never_awaited");
}
