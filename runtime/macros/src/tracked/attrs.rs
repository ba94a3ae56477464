//! Which attributes of a function are words to the compiler, and which are macros that must run before ours.

use syn::{Attribute, Meta, Token, punctuated::Punctuated};

/// Attributes that only say something to the compiler or a tool. Any other may be a macro.
const INERT: &[&str] = &[
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

/// Whether one of these may be an attribute macro, which sees what is written below it.
pub(super) fn any_macro(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| may_be_macro(&attr.meta))
}

fn may_be_macro(meta: &Meta) -> bool {
    let path = meta.path();
    let first = path
        .segments
        .first()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default();
    if path.is_ident("cfg_attr") {
        return any_given(meta, may_be_macro);
    }
    match path.get_ident() {
        Some(_) => !INERT.contains(&first.as_str()) && !first.starts_with("rustc_"),
        None => !TOOLS.contains(&first.as_str()),
    }
}

/// Whether one of the attributes that a `cfg_attr` gives is such a one.
fn any_given(meta: &Meta, is: fn(&Meta) -> bool) -> bool {
    let Meta::List(list) = meta else { return false };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    // The first part is the condition.
    parts.is_ok_and(|parts| parts.iter().skip(1).any(is))
}

/// Whether it decides if what it is on is there at all.
pub(super) fn is_conditional(attr: &Attribute) -> bool {
    decides(&attr.meta)
}

fn decides(meta: &Meta) -> bool {
    let path = meta.path();
    path.is_ident("cfg") || path.is_ident("cfg_attr") && any_given(meta, decides)
}

/// Whether an attribute of this name is there.
pub(super) fn has(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident(name))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn macros_are_told_from_words_to_the_compiler() {
        let words: Vec<Attribute> = vec![
            parse_quote!(#[doc = "x"]),
            parse_quote!(#[allow(unused)]),
            parse_quote!(#[clippy::msrv = "1.88"]),
            parse_quote!(#[cfg_attr(test, allow(unused), inline)]),
            parse_quote!(#[unsafe(no_mangle)]),
        ];
        assert!(!any_macro(&words));
        let macros: [Attribute; 4] = [
            parse_quote!(#[instrument]),
            parse_quote!(#[tokio::test]),
            parse_quote!(#[async_trait(?Send)]),
            parse_quote!(#[cfg_attr(feature = "trace", tracing::instrument(skip_all))]),
        ];
        for attr in macros {
            assert!(any_macro(&[attr]));
        }
    }
}
