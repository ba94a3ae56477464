//! What the tests of this program run, each in a process of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pollscope::{Context, set_exception_handler, spawn};
use tracing::{Event, Metadata, Subscriber, span};

#[pollscope::tracked]
async fn work() {}

/// A task "bug" whose error nobody reads; the line of its spawn.
async fn lose() -> u32 {
    let line = line!() + 3;
    pollscope::task::Builder::new()
        .name("bug")
        .spawn(async { Err::<(), String>("lost".to_owned()) })
        .expect("a task");
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    line
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test handler"]
async fn a_handler_of_its_own() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    set_exception_handler(Some(move |context: &Context| {
        let mut told = keep.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(context.clone());
    }));
    let line = lose().await;
    drop(work());
    drop(spawn(async { panic!("on purpose, by a test") }));
    tokio::task::yield_now().await;
    // Names of frames take their time.
    let begun = Instant::now();
    while told.lock().expect("no panic").len() < 2 && begun.elapsed() < Duration::from_secs(20) {
        pollscope::flush();
    }
    let told = told.lock().expect("no panic").clone();
    let kinds: Vec<&str> = told.iter().map(|context| context.kind).collect();
    assert_eq!(kinds, ["leaked_error", "leaked_panic"], "{told:#?}");
    let error = &told[0];
    assert!(
        error.message.contains("returned an error that nobody read"),
        "{error:#?}"
    );
    assert_eq!(error.exception.as_deref(), Some("lost"));
    assert_eq!(
        error.exception_type,
        Some(std::any::type_name::<Result<(), String>>())
    );
    assert_eq!(error.task_name.as_deref(), Some("bug"));
    assert!(error.task > 0);
    assert!(
        error.site.starts_with(&format!("{}:{line}:", file!())),
        "{error:#?}"
    );
    assert_eq!(
        (error.count, error.left_out, error.severity),
        (1, 0, "error")
    );
    let source = error.source_backtrace.join("\n");
    // The first may come before the names are read.
    assert!(
        source.is_empty() || source.contains("handler::cases::lose"),
        "{source}"
    );
    let panic = &told[1];
    assert_eq!(panic.exception.as_deref(), Some("on purpose, by a test"));
    assert!(
        panic
            .place
            .as_deref()
            .is_some_and(|place| place.starts_with(file!())),
        "{panic:#?}"
    );
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test handler"]
async fn a_handler_that_panics() {
    set_exception_handler(Some(|_: &Context| panic!("on purpose, by a test")));
    lose().await;
    pollscope::flush();
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test handler"]
async fn a_handler_that_logs() {
    set_exception_handler(Some(pollscope::default_exception_handler));
    lose().await;
    pollscope::flush();
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test handler"]
async fn a_handler_that_forgets() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    set_exception_handler(Some(|_: &Context| {
        CALLS.fetch_add(1, Ordering::Relaxed);
        drop(work());
        pollscope::flush();
    }));
    lose().await;
    pollscope::flush();
    lose().await;
    pollscope::flush();
    assert_eq!(
        CALLS.load(Ordering::Relaxed),
        1,
        "the second is of the same site"
    );
}

/// Does something with each event of ours.
struct On(fn());

impl Subscriber for On {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pollscope"
    }

    fn event(&self, _: &Event<'_>) {
        (self.0)();
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test handler"]
async fn a_log_that_panics() {
    let panics = On(|| panic!("on purpose, by a test"));
    tracing::subscriber::set_global_default(panics).expect("the first");
    lose().await;
    pollscope::flush();
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test handler"]
async fn a_subscriber_that_forgets() {
    static EVENTS: AtomicUsize = AtomicUsize::new(0);
    let forgets = On(|| {
        EVENTS.fetch_add(1, Ordering::Relaxed);
        drop(work());
        pollscope::flush();
    });
    tracing::subscriber::set_global_default(forgets).expect("the first");
    lose().await;
    pollscope::flush();
    assert_eq!(EVENTS.load(Ordering::Relaxed), 1);
}
