//! What a panic said.

use std::panic::{UnwindSafe, catch_unwind};

/// Runs what must panic with words that begin so: Tokio's own, whatever we noted of it.
pub(crate) fn panics_with(begins: &str, work: impl FnOnce() + UnwindSafe) {
    let payload = catch_unwind(work).expect_err("it panics");
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    assert!(
        text.is_some_and(|text| text.starts_with(begins)),
        "{text:?} does not begin with {begins:?}"
    );
}
