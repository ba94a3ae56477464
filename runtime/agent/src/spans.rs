//! Which `tracing` span a thread is in, for the hot path to ask: the capture knows no tracing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pollscope_capture::registry::{self, SpanProbe, SpanText};

/// Lets the hot path ask.
pub(crate) fn install() {
    registry::set_spans(SpanProbe { current, describe });
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
