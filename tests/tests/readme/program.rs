//! "In your program" and "In tests". Changed here and in the README together.

#[expect(dead_code, reason = "it is compiled, and `main` is not this program's")]
#[rustfmt::skip]
mod start {
    use std::io;

    #[pollscope::main(debug = true)]          // every argument of #[tokio::main], and debug, slow_poll
    async fn main() {
        let handle = pollscope::spawn(work()); // the same shape as tokio::spawn
        let _ = handle.await;
    }

    #[pollscope::tracked]                      // dropping the future before its first poll is reported
    async fn work() -> io::Result<()> {
        Ok(())
    }
}

async fn settle() {
    tokio::task::yield_now().await;
}

#[rustfmt::skip]
mod judged {
    use super::settle;

    #[pollscope::test(deny = "any")]     // or POLLSCOPE_DENY=any for all of them
    async fn orders_are_settled() {
        settle().await;
    }
}
