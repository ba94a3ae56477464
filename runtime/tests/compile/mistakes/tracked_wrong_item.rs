#[pollscope::tracked]
pub struct Account {
    name: String,
}

#[pollscope::tracked]
const LIMIT: usize = 3;

fn main() {
    let _ = (Account { name: String::new() }.name, LIMIT);
}
