#[pollscope::test(worker_threads = 2)]
async fn of_the_other_flavor() {}

#[pollscope::test]
fn not_async() {}

#[pollscope::test]
#[test]
async fn tested_twice() {}

fn main() {}
