//! What the attributes on an item mean for one more on it: `#[tracked]`.

use quote::ToTokens;
use syn::{Attribute, Meta, Path, Token, punctuated::Punctuated};

/// What is to be done with an item that has these attributes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing on it is in the way.
    Free,
    /// It has the attribute, perhaps under a condition.
    Tracked,
    /// The entry point of a program or a test: who calls it is no user.
    Entry,
    /// A macro of which nobody knows what it makes of the item.
    Unknown(String),
}

/// Attributes that only say something to the compiler or a tool: as `#[tracked]` itself knows them.
const WORDS: &[&str] = &[
    "allow",
    "automatically_derived",
    "cfg",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "instruction_set",
    "link_section",
    "must_use",
    "no_mangle",
    "non_exhaustive",
    "optimize",
    "should_panic",
    "target_feature",
    "track_caller",
    "unsafe",
    "warn",
];

/// First segments of the paths of tool attributes.
const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// Attribute macros that leave a function which makes a future. They run before `#[tracked]`, whichever is on top.
const KEEPERS: &[&str] = &[
    "async_recursion",
    "async_trait",
    "debug_handler",
    "instrument",
];

/// Attribute macros that call the function themselves, by the last segment of their path; and all that end in `test`.
const ENTRIES: &[&str] = &["bench", "main", "panic_handler", "test_case"];

pub(super) fn judge(attrs: &[Attribute]) -> Verdict {
    let mut verdict = Verdict::Free;
    for attr in attrs {
        match of(&attr.meta) {
            Verdict::Tracked => return Verdict::Tracked,
            Verdict::Entry => verdict = Verdict::Entry,
            unknown @ Verdict::Unknown(_) if verdict == Verdict::Free => verdict = unknown,
            Verdict::Free | Verdict::Unknown(_) => {}
        }
    }
    verdict
}

fn of(meta: &Meta) -> Verdict {
    let path = meta.path();
    if path.is_ident("cfg_attr") {
        return given(meta);
    }
    let Some((first, last)) = ends(path) else {
        return Verdict::Free;
    };
    let has = |list: &[&str], word: &str| list.contains(&word);
    if last == "tracked" {
        Verdict::Tracked
    } else if has(ENTRIES, &last) || last.ends_with("test") {
        Verdict::Entry
    } else if has(KEEPERS, &last)
        || path.get_ident().is_some() && (has(WORDS, &last) || last.starts_with("rustc_"))
        || path.get_ident().is_none() && has(TOOLS, &first)
    {
        Verdict::Free
    } else {
        Verdict::Unknown(path.to_token_stream().to_string().replace(' ', ""))
    }
}

fn ends(path: &Path) -> Option<(String, String)> {
    let (first, last) = (path.segments.first()?, path.segments.last()?);
    Some((first.ident.to_string(), last.ident.to_string()))
}

/// What a `cfg_attr` gives, taken as given.
fn given(meta: &Meta) -> Verdict {
    let Meta::List(list) = meta else {
        return Verdict::Free;
    };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    // The first part is the condition.
    let verdicts = parts.into_iter().flatten().skip(1).map(|part| of(&part));
    verdicts
        .into_iter()
        .find(|verdict| *verdict != Verdict::Free)
        .unwrap_or(Verdict::Free)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn macros_that_keep_the_future_are_told_from_those_that_may_not() {
        let verdict = |attr: Attribute| judge(&[attr]);
        for free in [
            parse_quote!(#[doc = "x"]),
            parse_quote!(#[clippy::msrv = "1.88"]),
            parse_quote!(#[unsafe(no_mangle)]),
            parse_quote!(#[tonic::async_trait]),
            parse_quote!(#[async_trait(?Send)]),
            parse_quote!(#[cfg_attr(feature = "trace", tracing::instrument(skip_all))]),
        ] {
            assert_eq!(verdict(free), Verdict::Free);
        }
        for entry in [
            parse_quote!(#[test]),
            parse_quote!(#[tokio::test(flavor = "multi_thread")]),
            parse_quote!(#[pollscope::main]),
            parse_quote!(#[async_test]),
            parse_quote!(#[cfg_attr(unix, tokio::main)]),
        ] {
            assert_eq!(verdict(entry), Verdict::Entry);
        }
        for tracked in [
            parse_quote!(#[tracked]),
            parse_quote!(#[pollscope::tracked(crate = "a::b")]),
            parse_quote!(#[cfg_attr(debug_assertions, pollscope::tracked)]),
        ] {
            assert_eq!(verdict(tracked), Verdict::Tracked);
        }
        let get = Verdict::Unknown("actix_web::get".to_owned());
        assert_eq!(verdict(parse_quote!(#[actix_web::get("/")])), get);
    }

    #[test]
    fn what_is_tracked_stays_so_beside_others() {
        let attrs: [Attribute; 2] = [parse_quote!(#[get]), parse_quote!(#[tracked])];
        assert_eq!(judge(&attrs), Verdict::Tracked);
        let attrs: [Attribute; 2] = [parse_quote!(#[serial]), parse_quote!(#[tokio::test])];
        assert_eq!(judge(&attrs), Verdict::Entry);
    }
}
