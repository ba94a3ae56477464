//! The compiler's own word for a forgotten future, and the user's.

#![deny(unused_must_use)]

#[pollscope::tracked]
async fn plain() {}

#[pollscope::tracked]
#[must_use = "the order is not placed"]
async fn with_a_reason() {}

struct Account;

#[pollscope::tracked]
impl Account {
    async fn settle(&self) {}
}

async fn forgets() {
    plain();
    with_a_reason();
    Account.settle();
}

fn main() {
    drop(forgets());
}
