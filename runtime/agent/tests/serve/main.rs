//! The server of a real process, as a client sees it over its sockets.

mod rights;
mod socket;
mod target;
mod unread;

/// What the other tests start: this binary, with this test alone.
#[test]
#[ignore = "the watched process, run by all of: cargo test -p pollscope-agent --test serve"]
fn target() {
    target::be_the_target();
}
