//! P1: debug mode is on where the program, the environment or the inspector says so: this one says nothing itself.

use pollscope::runtime::Builder;

/// Says debug by the builder.
pub(crate) fn faulty() {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.debug(true).build().expect("a runtime");
    runtime.block_on(async {});
}

/// Says nothing.
pub(crate) fn healthy() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {});
}
