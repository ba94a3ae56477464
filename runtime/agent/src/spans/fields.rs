//! The fields of a span: `tracing` hands them to the subscriber and keeps none. Where the program's subscriber is
//! tracing-subscriber's and has a `fmt` layer, that has written them down.

#[cfg(any(test, feature = "tracing-subscriber"))]
use pollscope_capture::task::LONGEST_SPAN;
use tracing::Dispatch;
use tracing::span::Id;

/// What the `fmt` layer wrote of a span's fields.
#[cfg(feature = "tracing-subscriber")]
pub(super) fn of(dispatch: &Dispatch, id: &Id) -> Option<String> {
    use tracing_subscriber::Registry;
    use tracing_subscriber::fmt::FormattedFields;
    use tracing_subscriber::fmt::format::DefaultFields;
    use tracing_subscriber::registry::LookupSpan;

    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    let extensions = span.extensions();
    let fields = extensions.get::<FormattedFields<DefaultFields>>()?;
    Some(plain(fields.fields.as_str()))
}

/// Without the feature nobody knows.
#[cfg(not(feature = "tracing-subscriber"))]
pub(super) fn of(_: &Dispatch, _: &Id) -> Option<String> {
    None
}

/// A text without the escape codes of its colours, and no longer than what is kept of it: fields may hold a whole body.
#[cfg(any(test, feature = "tracing-subscriber"))]
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = String::new();
    push(&mut plain, parts.next().unwrap_or_default());
    for part in parts {
        if plain.len() == LONGEST_SPAN {
            break;
        }
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        push(&mut plain, end.map_or("", |end| &part[end + 1..]));
    }
    plain
}

/// Appends what there is room for.
#[cfg(any(test, feature = "tracing-subscriber"))]
fn push(plain: &mut String, part: &str) {
    let mut end = part.len().min(LONGEST_SPAN - plain.len());
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    plain.push_str(&part[..end]);
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn colours_are_no_fields() {
        assert_eq!(plain("id=7 user=\"ann\""), "id=7 user=\"ann\"");
        assert_eq!(plain("\x1b[3mid\x1b[0m\x1b[2m=\x1b[0m7"), "id=7");
        assert_eq!(plain("id=7\x1b[3"), "id=7");
        assert_eq!(plain(""), "");
    }

    #[test]
    fn no_more_is_copied_than_is_kept() {
        let long = format!("a\x1b[2m=\x1b[0m{}\x1b[3mb", "ü".repeat(1 << 16));
        let plain = plain(&long);
        assert!(long.starts_with('a') && plain.starts_with("a=ü"));
        assert_eq!(plain.len(), 256);
    }

    #[cfg(feature = "tracing-subscriber")]
    #[test]
    fn as_the_fmt_layer_writes_them() {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(std::io::sink)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("order", id = 7, user = "ann");
            let _inside = span.enter();
            let text = super::super::text();
            assert_eq!(text.as_deref(), Some("order{id=7 user=\"ann\"}"));
        });
    }
}
