//! P23: signals and children are no matter of the main thread; `add_signal_handler` elsewhere is a `ValueError`.

use crate::row::Row;

#[test]
fn p23_signals() {
    let row = Row::faulty("p23");
    let warning = row.warning("leaked_error");
    row.is_at(&warning["site"], "spawned");
    assert_eq!(
        warning["error"]["display"], "the signal came",
        "{warning:#}"
    );
    let thread = &warning["observed"]["thread"];
    assert_eq!(thread["name"], "not main", "{warning:#}");
    assert_ne!(thread["tid"], row.pid(), "{warning:#}");
    Row::healthy("p23").is_silent("");
}

/// From the first listener on the signal does nothing by itself any more.
#[test]
fn p23_unheard_signal() {
    let row = Row::faulty("p23b");
    let told = row.warning_that("resource_leak", |warning| warning["severity"] == "warn");
    row.is_at(&told["site"], "unheard");
    assert_eq!(told["certainty"], "definite", "{told:#}");
    assert_eq!(told["count"], 1, "{told:#}");
    let message = told["message"].as_str().unwrap_or_default();
    let words = "The listener for SIGUSR1 was dropped before it was ever polled, and a signal that came was lost";
    assert!(message.starts_with(words), "{message}");
    // Of the other nothing was lost, yet.
    let note = row.warning_that("resource_leak", |warning| warning["severity"] == "info");
    row.is_at(&note["site"], "idle");
    assert_eq!(row.warnings("resource_leak").len(), 2);
    Row::healthy("p23b").is_silent("resource_leak");
}
