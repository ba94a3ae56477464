#[pollscope::main]
fn main() {}
