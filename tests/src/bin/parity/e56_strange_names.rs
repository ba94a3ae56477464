//! Edge case 56: tasks whose names, and errors whose texts, would harm a terminal, a log or a script.

use std::sync::Mutex;

use pollscope::runtime::{Builder, Runtime};
use pollscope::task;

/// Held until the process ends.
static HELD: Mutex<Option<Runtime>> = Mutex::new(None);

/// A line break, a NUL, escape sequences, text that turns round, and no end.
fn strange(first: &str) -> String {
    let nasty = "\n\r\0\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}";
    format!("{first}{nasty}{}", "x".repeat(10_000))
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).build().expect("a runtime")
}

fn named(runtime: &Runtime, name: &str, text: String) {
    let builder = || task::Builder::new().name(name);
    let waits = builder().spawn_on(std::future::pending::<()>(), runtime.handle());
    let fails = builder().spawn_on(async { Err::<(), String>(text) }, runtime.handle()); // @fails
    drop((waits.expect("it spawns"), fails.expect("it spawns")));
}

pub(crate) fn faulty() {
    let runtime = runtime();
    named(&runtime, &strange("strange"), strange("broken"));
    *HELD.lock().expect("no panic") = Some(runtime);
}

/// Strange as well, and harmless.
pub(crate) fn healthy() {
    let runtime = runtime();
    let waits = task::Builder::new().name("größer → 😀");
    let waits = waits.spawn_on(std::future::pending::<()>(), runtime.handle());
    drop(waits.expect("it spawns"));
    *HELD.lock().expect("no panic") = Some(runtime);
}
