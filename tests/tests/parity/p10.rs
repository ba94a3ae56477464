//! P10: `loop.call_soon_threadsafe`: what goes wrong on the loop leads back to the line of the other thread.

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
