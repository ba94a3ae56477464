//! A task may borrow nothing.

#[pollscope::tracked]
async fn greets(name: &str) -> usize {
    name.len()
}

fn main() {
    let name = String::from("Ada");
    pollscope::spawn(greets(&name));
}
