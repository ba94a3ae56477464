//! P26: `<TimerHandle when=… settle() at … created at …>`.

use crate::row::Row;

#[test]
fn p26_repr() {
    let row = Row::faulty("p26");
    let warning = row.warning("callback_panic");
    let message = warning["message"].as_str().unwrap_or_default();
    let repr = message.split("TimerHandle { when: ").nth(1);
    let (_, rest) = repr.and_then(|repr| repr.split_once(", ")).expect(message);
    let callback = "parity::p26_repr::call::{{closure}}::{{closure}}";
    let golden = format!("state: begun, callback: {callback}, created_at: ");
    assert!(rest.starts_with(&golden), "{message}");
    let line = format!("src/bin/parity/p26_repr.rs:{}:", row.line("asked"));
    assert!(rest.contains(&line), "{message}");
    Row::healthy("p26").is_silent("callback_panic");
}
