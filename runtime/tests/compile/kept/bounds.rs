//! Generics and `impl Trait` keep their bounds.

use std::fmt::Display;

#[pollscope::tracked]
async fn shows(value: impl Display) -> String {
    value.to_string()
}

#[pollscope::tracked]
async fn needs_a_bound<T>(value: T) -> String {
    format!("{value}")
}

struct Silent;

fn main() {
    drop((shows(Silent), needs_a_bound(1)));
}
