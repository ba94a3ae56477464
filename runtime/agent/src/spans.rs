//! Which `tracing` span a thread is in, for the hot path to ask: the capture knows no tracing.
//!
//! It asks nothing as long as nobody collects spans. That somebody begins to is told by tracing itself: to each new
//! subscriber every known callsite is shown, and one of them is ours.

mod fields;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use pollscope_capture::registry::{self, SpanProbe, SpanText};
use tracing::callsite::{self, Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Level, Metadata, dispatcher};

/// Lets the hot path ask.
pub(crate) fn install() {
    registry::set_spans(SpanProbe {
        current,
        describe,
        text,
    });
    callsite::register(&WATCH);
    REGISTERED.store(true, Ordering::Relaxed);
    if dispatcher::has_been_set() {
        registry::spans_are_collected();
    }
}

/// A callsite at which nothing ever happens.
struct Watch;

static WATCH: Watch = Watch;
static METADATA: Metadata<'static> = Metadata::new(
    "pollscope",
    "pollscope",
    Level::TRACE,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&WATCH)),
    Kind::HINT,
);
/// It is registered, which itself asks for an interest.
static REGISTERED: AtomicBool = AtomicBool::new(false);

impl Callsite for Watch {
    fn set_interest(&self, _: Interest) {
        if REGISTERED.load(Ordering::Relaxed) {
            registry::spans_are_collected();
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

/// The number of the current span; 0 where there is none. The subscriber is the program's own: it may panic, we do not.
fn current() -> u64 {
    let ask = || tracing::Span::current().id().map_or(0, |id| id.into_u64());
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or(0)
}

fn describe() -> Option<SpanText> {
    let ask = || {
        let span = tracing::Span::current();
        let metadata = span.metadata()?;
        Some(SpanText {
            name: metadata.name(),
            place: metadata.file().zip(metadata.line()),
        })
    };
    catch_unwind(AssertUnwindSafe(ask)).ok().flatten()
}

/// `name{field=value …}`; the name alone where the fields are not known.
fn text() -> Option<String> {
    let of = |dispatch: &Dispatch| {
        let current = dispatch.current_span();
        let (id, metadata) = (current.id()?, current.metadata()?);
        let fields = fields::of(dispatch, id).filter(|fields| !fields.is_empty());
        Some(match fields {
            Some(fields) => format!("{}{{{fields}}}", metadata.name()),
            None => metadata.name().to_owned(),
        })
    };
    let ask = || dispatcher::get_default(of);
    catch_unwind(AssertUnwindSafe(ask)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_any_span_there_is_none() {
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            assert_eq!(text(), None);
            let span = tracing::info_span!("settle");
            let _inside = span.enter();
            assert_eq!(text().as_deref(), Some("settle"));
        });
    }
}
