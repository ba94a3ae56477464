//! Three tests of a ported program, one of which loses an error. They all pass; with `POLLSCOPE_DENY=any` that one must
//! fail, by name, and no other: `tests/tests/deny.rs` asks for it.

use std::io::{Error, Result};

async fn save(good: bool) -> Result<()> {
    tokio::task::yield_now().await;
    if good {
        Ok(())
    } else {
        Err(Error::other("no disk"))
    }
}

#[tokio::test]
async fn an_error_that_is_read() {
    let saved = tokio::spawn(save(false)).await.expect("no panic");
    assert_eq!(saved.unwrap_err().to_string(), "no disk");
}

#[tokio::test]
async fn an_error_that_is_lost() {
    let saved = tokio::spawn(save(false));
    while !saved.is_finished() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_error() {
    let saved = tokio::spawn(save(true));
    while !saved.is_finished() {
        tokio::task::yield_now().await;
    }
}
