//! `#[main]` and `#[test]`: an async function becomes one that builds a runtime and blocks on it.
//!
//! The body is kept as tokens: an editor's completion works in it while it does not parse.

mod args;
mod duration;
mod function;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Error, ReturnType, Type};

use args::{Arguments, Flavor};
use function::Function;

/// Which of the attributes, as its user knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    kind: Kind,
    /// The crate that its expansion names where no argument says otherwise. As Tokio's own attributes do: what a crate
    /// is called in the user's manifest no attribute can ask.
    krate: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Main,
    Test,
}

impl Entry {
    pub(crate) const MAIN: Self = Self::of(Kind::Main, "pollscope");
    pub(crate) const TEST: Self = Self::of(Kind::Test, "pollscope");
    /// Of the façade, which its users' manifests call `tokio`.
    pub(crate) const TOKIO_MAIN: Self = Self::of(Kind::Main, "tokio");
    pub(crate) const TOKIO_TEST: Self = Self::of(Kind::Test, "tokio");

    const fn of(kind: Kind, krate: &'static str) -> Self {
        Self { kind, krate }
    }

    fn name(self) -> String {
        let kind = match self.kind {
            Kind::Main => "main",
            Kind::Test => "test",
        };
        format!("{}::{kind}", self.krate)
    }
}

pub(crate) fn expand(entry: Entry, args: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let mut tokens = item;
            tokens.extend(error.to_compile_error());
            return tokens;
        }
    };
    // After a mistake the function is still built, with default arguments: it keeps its name and its body's
    // errors, and one mistake brings one message.
    match check(entry, &function).and_then(|()| args::parse(entry, args)) {
        Ok(arguments) => build(entry, function, &arguments),
        Err(error) => {
            let mut tokens = build(entry, function, &Arguments::default());
            tokens.extend(error.to_compile_error());
            tokens
        }
    }
}

fn check(entry: Entry, function: &Function) -> syn::Result<()> {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        let text = format!(
            "`#[{}]` needs an `async fn`: write `async` before `fn`",
            entry.name()
        );
        return Err(Error::new_spanned(sig.fn_token, text));
    }
    if entry.kind == Kind::Main && sig.ident == "main" && !sig.inputs.is_empty() {
        return Err(Error::new_spanned(
            &sig.inputs,
            "`main` takes no arguments: read them from `std::env::args`",
        ));
    }
    let second = function.attrs.iter().find(|attr| is_test_attribute(attr));
    match second {
        Some(attr) if entry.kind == Kind::Test => {
            let text = format!(
                "a second test attribute: `#[{}]` makes this a test already, remove the other",
                entry.name()
            );
            Err(Error::new_spanned(attr, text))
        }
        _ => Ok(()),
    }
}

/// `#[test]`, or that by its full path.
fn is_test_attribute(attr: &Attribute) -> bool {
    let syn::Meta::Path(path) = &attr.meta else {
        return false;
    };
    let names: Vec<_> = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => path.leading_colon.is_none(),
        ["core" | "std", "prelude", _, "test"] => true,
        _ => false,
    }
}

fn build(entry: Entry, mut function: Function, arguments: &Arguments) -> TokenStream {
    // The user's own span: what rustc says of the body as a future points to it.
    let keyword = function
        .sig
        .asyncness
        .take()
        .map_or_else(Span::call_site, |keyword| keyword.span);
    let (start, end) = function.last_statement();
    let krate = match &arguments.krate {
        Some(path) => path.to_token_stream(),
        // Found where the user's own words are found; a missing dependency is said at the body, not at us.
        None => Ident::new(entry.krate, Span::call_site().located_at(start)).into_token_stream(),
    };
    let body = match entry.kind {
        Kind::Main => main_body(&function, keyword),
        Kind::Test => test_body(&function, keyword),
    };
    let builder = builder(entry, arguments, &krate, start);
    let (open, finish) = scope(entry, arguments, &krate, end);
    let run = quote_spanned! {end=>
        #[allow(clippy::expect_used, clippy::diverging_sub_expression, clippy::needless_return, clippy::let_unit_value, clippy::unwrap_in_result, unreachable_code)]
        {
            #open
            // Made after the runtime, whose builder may set the level; dropped after it, so that what its shutdown
            // brings to light is told, too.
            let _pollscope;
            let runtime = #builder.expect("failed to build the Tokio runtime").__is_main();
            _pollscope = #krate::private::init();
            #finish
        }
    };
    let test_attribute = match entry.kind {
        Kind::Main => TokenStream::new(),
        Kind::Test => quote!(#[::core::prelude::v1::test]),
    };
    function.into_tokens(&test_attribute, &quote!(#body #run))
}

/// What opens a test's scope, and what ends the function: a test is judged once its runtime is gone.
fn scope(
    entry: Entry,
    arguments: &Arguments,
    krate: &TokenStream,
    end: Span,
) -> (TokenStream, TokenStream) {
    // An explicit `return`: with a tail expression a body that diverges would not fit.
    match entry.kind {
        Kind::Main => (
            TokenStream::new(),
            quote_spanned!(end=> return runtime.block_on(body);),
        ),
        Kind::Test => {
            let deny = arguments.deny.as_ref().map_or_else(
                || quote!(::core::option::Option::None),
                |kinds| quote!(::core::option::Option::Some(#kinds)),
            );
            (
                quote_spanned!(end=> let scope = #krate::policy::TestScope::open(#deny);),
                quote_spanned! {end=>
                    let output = runtime.block_on(body);
                    ::core::mem::drop(runtime);
                    return scope.close_with(output);
                },
            )
        }
    }
}

/// The body as a future whose output is checked here, so that a wrong type is said at the user's code.
fn main_body(function: &Function, keyword: Span) -> TokenStream {
    let block = function.block();
    let future = quote_spanned!(keyword=> async #block);
    let check = match &function.sig.output {
        ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) || has_impl_trait(ty) => {
            TokenStream::new()
        }
        output => {
            let output = output_type(output);
            quote! {
                if false {
                    let _: &dyn ::core::future::Future<Output = #output> = &body;
                }
            }
        }
    };
    quote! {
        let body = #future;
        #[allow(clippy::let_unit_value)]
        let body = { #check body };
    }
}

/// Tests are many: one `block_on` for all of them, not one for each.
fn test_body(function: &Function, keyword: Span) -> TokenStream {
    let block = function.block();
    let future = quote_spanned!(keyword=> async #block);
    let output = output_type(&function.sig.output);
    quote! {
        let body = #future;
        let body = ::core::pin::pin!(body);
        let body: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = #output>> = body;
    }
}

fn output_type(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

fn has_impl_trait(ty: &Type) -> bool {
    struct Found(bool);
    impl syn::visit_mut::VisitMut for Found {
        fn visit_type_impl_trait_mut(&mut self, _: &mut syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut found = Found(false);
    syn::visit_mut::VisitMut::visit_type_mut(&mut found, &mut ty.clone());
    found.0
}

/// What makes the runtime.
fn builder(entry: Entry, arguments: &Arguments, krate: &TokenStream, span: Span) -> TokenStream {
    let new = match arguments.flavor {
        Flavor::CurrentThread | Flavor::Local => quote_spanned!(span=> new_current_thread()),
        Flavor::MultiThread => quote_spanned!(span=> new_multi_thread()),
    };
    let mut calls = TokenStream::new();
    if let Some(number) = arguments.worker_threads {
        calls.extend(quote_spanned!(span=> .worker_threads(#number)));
    }
    if let Some(paused) = arguments.start_paused {
        calls.extend(quote_spanned!(span=> .start_paused(#paused)));
    }
    if let Some(behavior) = &arguments.unhandled_panic {
        calls.extend(
            quote_spanned!(span=> .unhandled_panic(#krate::runtime::UnhandledPanic::#behavior)),
        );
    }
    if let Some(name) = &arguments.name {
        calls.extend(quote_spanned!(span=> .name(#name)));
    }
    if let Some(debug) = arguments.debug {
        calls.extend(quote_spanned!(span=> .debug(#debug)));
    }
    if let Some(threshold) = arguments.slow_poll {
        let threshold = match threshold.nanos() {
            u64::MAX => quote_spanned!(span=> ::core::time::Duration::MAX),
            nanos => quote_spanned!(span=> ::core::time::Duration::from_nanos(#nanos)),
        };
        calls.extend(quote_spanned!(span=> .slow_poll(#threshold)));
    }
    if let Some(depth) = arguments.depth {
        calls.extend(quote_spanned!(span=> .depth(#depth)));
    }
    if let Some(every) = arguments.backtrace_every {
        calls.extend(quote_spanned!(span=> .backtrace_every(#every)));
    }
    if let Some(dedupe) = arguments.dedupe {
        calls.extend(quote_spanned!(span=> .dedupe(#dedupe)));
    }
    if let Some(log) = &arguments.log {
        calls.extend(quote_spanned!(span=> .log(#log)));
    }
    if let (Kind::Main, Some(kinds)) = (entry.kind, &arguments.deny) {
        calls.extend(quote_spanned!(span=> .deny(#kinds)));
    }
    let build = match arguments.flavor {
        Flavor::Local => quote_spanned!(span=> build_local(::core::default::Default::default())),
        Flavor::CurrentThread | Flavor::MultiThread => quote_spanned!(span=> build()),
    };
    quote_spanned!(span=> #krate::runtime::Builder::#new #calls .enable_all().#build)
}

#[cfg(test)]
mod tests;
