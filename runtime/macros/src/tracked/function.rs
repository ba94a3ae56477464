//! What becomes of one function.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, ReturnType, Type, parse_quote};

use super::output::{self, Makes};
use super::{Args, Function, Origin, arguments, attrs, boxed, fill};

/// Tracks the future that a function makes. Inside of blocks and modules only what is surely meant.
pub(super) fn track(function: Function<'_>, args: &Args) -> syn::Result<()> {
    let inside = args.origin == Origin::Inside;
    let made = output::makes(&function.sig.output);
    let is_async = function.sig.asyncness.is_some();
    let by_async_trait = function
        .sig
        .generics
        .lifetimes()
        .any(|param| param.lifetime.ident == "async_trait");
    if inside && !is_async && !(by_async_trait && made == Makes::Boxed) {
        return Ok(());
    }
    if let Some(abi) = &function.sig.abi
        && abi.name.as_ref().is_none_or(|name| name.value() != "Rust")
    {
        if inside {
            return Ok(());
        }
        let text = "`#[tracked]` needs the Rust ABI: an `extern` function cannot be told where it was called";
        return Err(Error::new_spanned(abi, text));
    }
    if is_async {
        desugar(function, args)
    } else {
        match made {
            Makes::Opaque => called(function, args),
            Makes::Boxed => boxed::track(function, args),
            Makes::Other => {
                let text = "`#[tracked]` goes on `async fn` and on functions that return `impl Future` or \
                            `Pin<Box<dyn Future>>`; for other futures call `pollscope::track`";
                Err(Error::new_spanned(function.sig.fn_token, text))
            }
        }
    }
}

/// Lets the function know its caller, and quiets what is said of the form it is given.
pub(super) fn mark(function: &mut Function<'_>) {
    if !attrs::has(function.attrs, "track_caller") {
        function.attrs.push(parse_quote!(#[track_caller]));
    }
    if attrs::has(function.attrs, "must_use") {
        // On an `async fn` it is not doubled, on what we make of it it would be.
        function
            .attrs
            .push(parse_quote!(#[allow(clippy::double_must_use)]));
    }
    if matches!(function.vis, syn::Visibility::Inherited) {
        // Perhaps a method of a trait whose declaration adds `+ Send`: `async fn` may leave that out.
        function
            .attrs
            .push(parse_quote!(#[allow(refining_impl_trait)]));
    }
}

/// `async fn f(a: A) -> T { … }` to `fn f(a: A) -> impl Future<Output = T> { track_at(async move { … }, here) }`.
fn desugar(mut function: Function<'_>, args: &Args) -> syn::Result<()> {
    mark(&mut function);
    let krate = &args.krate;
    let sig = &mut *function.sig;
    // The user's own spans: what rustc says of the future (it is recursive, it is not `Send`) points to them.
    let keyword = sig
        .asyncness
        .take()
        .map_or_else(Span::call_site, |keyword| keyword.span);

    let captured = arguments::capture(sig.inputs.iter_mut());
    let user_body = std::mem::replace(function.block, parse_quote!({}));
    let body = body_of(&sig.output, &user_body);
    let output = output_of(&sig.output, krate);
    sig.output = parse_quote!(-> impl ::core::future::Future<Output = #output>);

    let mut future = Group::new(Delimiter::Brace, quote!(#captured #body));
    future.set_span(user_body.brace_token.span.join());
    let future = quote_spanned!(keyword=> async move #future);
    function.block.brace_token = user_body.brace_token;
    fill(
        function.block,
        quote! {
            #krate::private::track_at(#future, ::core::panic::Location::caller())
        },
    )
}

/// The output, as it can be written in `Output = …`.
fn output_of(output: &ReturnType, krate: &syn::Path) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        // Stable Rust takes `!` only where a function returns it.
        ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => {
            quote!(<fn() -> #ty as #krate::private::Returns>::Output)
        }
        ReturnType::Type(_, ty) => quote!(#ty),
    }
}

/// The user's body with the output it had been promised, so that inference and coercions go as in `async fn`.
fn body_of(output: &ReturnType, body: &syn::Block) -> TokenStream {
    let result = Ident::new("__result", Span::mixed_site());
    let ReturnType::Type(_, ty) = output else {
        return quote!(let () = #body;);
    };
    let Some(ty) = output::inside_body(ty) else {
        // The block ends before what it borrows from the arguments does: hence a binding, not a tail.
        return quote! {
            let #result = #body;
            #[allow(unreachable_code)]
            #result
        };
    };
    // Never taken: the first `return` decides what the block returns. A type that does not fit is said there.
    let promised = Ident::new("__promised", Span::mixed_site().located_at(ty.span()));
    let promise = quote_spanned! {promised.span()=>
        if let ::core::option::Option::Some(#promised) = ::core::option::Option::None::<#ty> {
            return #promised;
        }
    };
    quote! {
        #promise
        let #result: #ty = #body;
        #[allow(unreachable_code)]
        #result
    }
}

/// A function that returns `impl Future` keeps its signature; what its body returns is tracked.
fn called(mut function: Function<'_>, args: &Args) -> syn::Result<()> {
    mark(&mut function);
    let krate = &args.krate;
    let body = call_body(krate, function.block, None);
    fill(
        function.block,
        quote! {
            #krate::private::track_at(#body, ::core::panic::Location::caller())
        },
    )
}

/// The value of a body, with its `return`s, and with panics that name their own lines: a closure is not
/// `#[track_caller]`. Where the type can be written it is, for `return`s of several types that become one.
///
/// Called by a function and not in place: the compiler would take it for one that can be called again, which may not
/// hand on what it holds.
pub(super) fn call_body(krate: &syn::Path, body: &syn::Block, ty: Option<&Type>) -> TokenStream {
    let output = ty.map(|ty| quote!(-> #ty));
    quote!(#krate::private::once(move || #output #body))
}
