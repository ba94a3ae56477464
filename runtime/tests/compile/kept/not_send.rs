//! Whether a future is `Send` follows from its body, and the error names what is not.

use std::rc::Rc;

#[pollscope::tracked]
async fn counts() {
    let shared = Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
}

struct Account(Rc<u8>);

#[pollscope::tracked]
impl Account {
    async fn balance(self) -> u8 {
        *self.0
    }
}

fn main() {
    pollscope::spawn(counts());
    pollscope::spawn(Account(Rc::new(1)).balance());
}
