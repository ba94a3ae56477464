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
