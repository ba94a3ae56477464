//! P5: three times the same mistake at the same line.

use pollscope::runtime::Runtime;

#[pollscope::tracked]
async fn settle() {}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        for _ in 0..3 {
            drop(settle()); // @created
        }
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        for _ in 0..3 {
            settle().await;
        }
    });
}
