//! P16: `Task exception was never retrieved`.

use crate::row::Row;

#[test]
fn p16_lost_errors() {
    let row = Row::faulty("p16");
    let warning = row.warning("leaked_error");
    row.is_at(&warning["site"], "error");
    assert_eq!(warning["count"], 1, "{warning:#}");
    assert_eq!(warning["severity"], "error", "{warning:#}");
    assert_eq!(warning["error"]["display"], "no disk", "{warning:#}");
    assert_eq!(
        warning["error"]["debug"], "Custom { kind: Other, error: \"no disk\" }",
        "{warning:#}"
    );
    assert_eq!(
        warning["error"]["type"],
        std::any::type_name::<Result<(), std::io::Error>>(),
        "{warning:#}"
    );
    let warning = row.warning("leaked_panic");
    row.is_at(&warning["site"], "panic");
    row.is_at(&warning["observed"]["site"], "panic");
    assert!(
        warning["message"]
            .as_str()
            .is_some_and(|text| text.contains("on purpose")),
        "{warning:#}"
    );
    Row::healthy("p16").is_silent("leaked_error");
}
