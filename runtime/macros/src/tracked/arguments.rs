//! The arguments of an `async fn`, moved into its future.
//!
//! All of them are, used or not, in the order and by the bindings of `async fn`: so they live as long as the future
//! and are dropped last to first.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, parse_quote};

use super::attrs;

/// The statements that move them, to stand first in the future. What cannot be named outside of it is renamed.
pub(super) fn capture<'a>(inputs: impl Iterator<Item = &'a mut FnArg>) -> TokenStream {
    let capture = |(number, input): (usize, &mut FnArg)| match input {
        FnArg::Receiver(receiver) => {
            // Not `let _ = self`, which captures nothing, and not only the fields that the body names.
            let this = &receiver.self_token;
            quote!(let _ = &#this;)
        }
        FnArg::Typed(input) => typed(number, input),
    };
    inputs.enumerate().map(capture).collect()
}

fn typed(number: usize, input: &mut PatType) -> TokenStream {
    // What is conditional is so in both places; what is said of the binding (lints) goes with it.
    let attrs = std::mem::take(&mut input.attrs);
    input.attrs = attrs
        .iter()
        .filter(|attr| attrs::is_conditional(attr))
        .cloned()
        .collect();
    if let Pat::Ident(name) = &mut *input.pat
        && name.by_ref.is_none()
        && name.subpat.is_none()
    {
        return named(&attrs, name);
    }
    let pat = &input.pat;
    let name = Ident::new(
        &format!("__arg{number}"),
        Span::mixed_site().located_at(pat.span()),
    );
    let captured = quote!(#(#attrs)* let #name = #name; #(#attrs)* let #pat = #name;);
    *input.pat = parse_quote!(#name);
    captured
}

fn named(attrs: &[Attribute], name: &mut PatIdent) -> TokenStream {
    let mutability = name.mutability.take();
    let name = &name.ident;
    // An argument that says it is not used is used here, and the user did not do it.
    let unused = name.to_string().starts_with('_').then(
        || quote!(#[allow(clippy::no_effect_underscore_binding, clippy::used_underscore_binding)]),
    );
    quote!(#unused #(#attrs)* let #mutability #name = #name;)
}
