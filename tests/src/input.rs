//! How a program under test learns that its test is over: nobody has to kill it.

use std::io::{self, Read};

use tokio::sync::oneshot;

/// Waits until standard input is closed, on a thread that belongs to no runtime.
pub async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        ended.send(())
    });
    let _ = end.await;
}
