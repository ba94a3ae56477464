#[pollscope::main(debug)]
async fn no_value() {}

#[pollscope::main(debug = "yes")]
async fn no_truth() {}

#[pollscope::main(slow_poll = "soon")]
async fn no_duration() {}

#[pollscope::main(slow_poll = 50)]
async fn no_unit() {}

#[pollscope::main(flavor = "threaded")]
async fn no_flavor() {}

#[pollscope::main(multi_thread)]
async fn a_flavor_alone() {}

#[pollscope::main(worker_threads = 0)]
async fn no_worker() {}

#[pollscope::main(flavor = "current_thread", worker_threads = 2)]
async fn of_the_other_flavor() {}

#[pollscope::main(core_threads = 2)]
async fn an_old_name() {}

#[pollscope::main(debug = true, debug = false)]
async fn twice() {}

#[pollscope::main(crate = "not a path")]
async fn no_path() {}

fn main() {}
