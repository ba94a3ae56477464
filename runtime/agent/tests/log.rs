//! Findings reach `tracing` with their fields, and a subscriber that blocks stalls nobody else.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pollscope_agent::Kind;
use pollscope_capture::level::{self, Level, Source};
use pollscope_capture::tracked::track;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

#[path = "support/executor.rs"]
mod executor;
use executor::{finding, run, until};

type Lines = Arc<Mutex<Vec<HashMap<&'static str, String>>>>;

/// Keeps what it is told of target `pollscope`, and blocks while its gate is shut.
struct Keeper {
    lines: Lines,
    gate: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Fields(HashMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pollscope"
    }

    fn event(&self, event: &Event<'_>) {
        drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields
            .0
            .insert("level", event.metadata().level().to_string());
        self.lines.lock().expect("not poisoned").push(fields.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn findings_reach_tracing_and_a_subscriber_that_blocks_stalls_nobody() {
    let lines = Lines::default();
    let gate = Arc::new(Mutex::new(()));
    let keeper = Keeper {
        lines: Arc::clone(&lines),
        gate: Arc::clone(&gate),
    };
    tracing::subscriber::set_global_default(keeper).expect("the first");
    level::set_level(Level::Debug, Source::Explicit);
    executor::begin();

    run("careless", async { drop(track(async {})) })
        .join()
        .expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    let told = lines.lock().expect("not poisoned").clone();
    assert_eq!(told.len(), 1, "{told:?}");
    let field = |name| told[0].get(name).map(String::as_str);
    assert_eq!(
        (field("level"), field("kind"), field("severity")),
        (Some("WARN"), Some("never_awaited"), Some("warn"))
    );
    assert_eq!(
        (field("task_name"), field("count"), field("left_out")),
        (Some("careless"), Some("1"), Some("0"))
    );
    assert!(
        field("site").is_some_and(|site| site.starts_with(file!())),
        "{told:?}"
    );
    assert!(
        field("message").is_some_and(|message| message.contains("was never awaited")),
        "{told:?}"
    );

    let shut = gate.lock().expect("not poisoned");
    run("lost", async { Err::<(), _>("nobody") })
        .join()
        .expect("it ends");
    run("lost too", async { Err::<(), _>("nobody") })
        .join()
        .expect("it ends");
    until("findings while the subscriber blocks", || {
        finding(Kind::LeakedError, "lost").and(finding(Kind::LeakedError, "lost too"))
    });
    assert_eq!(lines.lock().expect("not poisoned").len(), 1);
    drop(shut);
    pollscope_agent::flush(Duration::from_secs(5));
    let told = lines.lock().expect("not poisoned").clone();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[1..]
            .iter()
            .all(|line| line["level"] == "ERROR" && line["kind"] == "leaked_error")
    );
}
