//! Lints see the user's code: what is unused, what is deprecated, what is never called.

#![deny(unused, deprecated)]

#[pollscope::tracked]
async fn unused_argument(number: u8) {}

#[pollscope::tracked]
async fn unused_mut(mut number: u8) -> u8 {
    number
}

#[pollscope::tracked]
async fn unreachable() -> u8 {
    return 1;
    2
}

#[pollscope::tracked]
async fn never_called() {}

#[pollscope::tracked]
#[deprecated(note = "use `unreachable`")]
async fn old() {}

fn main() {
    drop((unused_argument(1), unused_mut(1), unreachable(), old()));
}
