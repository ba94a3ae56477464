//! `#[tracked]`: finds the functions of an item and hands each to `function`.
//!
//! What is written on the item itself must lead to something, or it is an error. What is only found inside a
//! block or module is left alone where it is not an async function.

mod arguments;
mod attrs;
mod boxed;
mod function;
mod output;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Attribute, Block, Error, ImplItem, Item, ItemFn, LitStr, Path, Signature, Token, TraitItem,
    Visibility,
};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let args: Args = match syn::parse2(args) {
        Ok(args) => args,
        Err(error) => return with_error(item, &error),
    };
    match syn::parse2::<Item>(item.clone()) {
        Ok(parsed) => expand_item(parsed, &args).unwrap_or_else(|error| with_error(item, &error)),
        Err(error) => with_error(item, &bodyless(&error)),
    }
}

/// The item as it was, so that one mistake does not bring a hundred errors about missing names with it.
fn with_error(mut item: TokenStream, error: &Error) -> TokenStream {
    item.extend(error.to_compile_error());
    item
}

/// A method without a body is no item: the likeliest cause, said first.
fn bodyless(error: &Error) -> Error {
    if error.to_string().starts_with("expected curly braces") {
        return Error::new(
            error.span(),
            "`#[tracked]` needs a body to track: put it on the `impl` of this trait",
        );
    }
    error.clone()
}

/// How an attribute came to where it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The user wrote it here.
    Written,
    /// The user wrote it here; we put it below the attribute macros that must run first.
    Deferred,
    /// The user wrote it on the block or module around; we put it below attribute macros.
    Inside,
}

/// Arguments of the attribute.
struct Args {
    krate: Path,
    origin: Origin,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut args = Self {
            krate: syn::parse_quote!(::pollscope),
            origin: Origin::Written,
        };
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                args.krate = input.parse::<LitStr>()?.parse()?;
            } else {
                let word: syn::Ident = input.parse()?;
                args.origin = match word.to_string().as_str() {
                    "__deferred" => Origin::Deferred,
                    "__inside" => Origin::Inside,
                    _ => {
                        let text = format!(
                            "unknown argument `{word}`: `#[tracked]` takes only `crate = \"path\"`"
                        );
                        return Err(Error::new(word.span(), text));
                    }
                };
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

impl Args {
    /// The attribute once more, to be put below others.
    fn again(&self, origin: Origin) -> Attribute {
        let krate = &self.krate;
        let path = krate.to_token_stream().to_string();
        let word = if origin == Origin::Inside {
            quote!(__inside)
        } else {
            quote!(__deferred)
        };
        syn::parse_quote!(#[#krate::tracked(#word, crate = #path)])
    }

    fn for_inside(&self) -> Self {
        Self {
            krate: self.krate.clone(),
            origin: Origin::Inside,
        }
    }
}

/// A function, wherever it stands.
struct Function<'a> {
    attrs: &'a mut Vec<Attribute>,
    vis: &'a Visibility,
    sig: &'a mut Signature,
    block: &'a mut Block,
}

fn expand_item(mut item: Item, args: &Args) -> syn::Result<TokenStream> {
    if args.origin == Origin::Written
        && let Some(attrs) = attrs_of(&mut item)
        && attrs::any_macro(attrs)
    {
        attrs.push(args.again(Origin::Deferred));
        return Ok(item.into_token_stream());
    }
    match &mut item {
        Item::Fn(_) | Item::Impl(_) | Item::Trait(_) => {}
        Item::Mod(module) if module.content.is_some() => {}
        Item::Mod(module) => {
            let text =
                "`#[tracked]` sees only inline modules: put it on the items in the module's file";
            return Err(Error::new_spanned(module, text));
        }
        other => {
            let text =
                "`#[tracked]` goes on async functions, `impl` blocks, traits and inline modules";
            return Err(Error::new_spanned(other, text));
        }
    }
    walk(&mut item, args)?;
    Ok(item.into_token_stream())
}

fn attrs_of(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Fn(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Trait(item) => Some(&mut item.attrs),
        Item::Mod(item) => Some(&mut item.attrs),
        _ => None,
    }
}

/// Tracks the functions of an item; what is no concern of ours stays as it is.
fn walk(item: &mut Item, args: &Args) -> syn::Result<()> {
    match item {
        Item::Fn(ItemFn {
            attrs,
            vis,
            sig,
            block,
            ..
        }) => function::track(
            Function {
                attrs,
                vis,
                sig,
                block,
            },
            args,
        ),
        Item::Impl(item) => {
            let inside = args.for_inside();
            item.items.iter_mut().try_for_each(|item| {
                let ImplItem::Fn(item) = item else {
                    return Ok(());
                };
                let syn::ImplItemFn {
                    attrs,
                    vis,
                    sig,
                    block,
                    ..
                } = item;
                visit(
                    Function {
                        attrs,
                        vis,
                        sig,
                        block,
                    },
                    &inside,
                )
            })
        }
        Item::Trait(item) => {
            let inside = args.for_inside();
            item.items.iter_mut().try_for_each(|item| {
                let TraitItem::Fn(syn::TraitItemFn {
                    attrs,
                    sig,
                    default: Some(block),
                    ..
                }) = item
                else {
                    return Ok(());
                };
                visit(
                    Function {
                        attrs,
                        vis: &Visibility::Inherited,
                        sig,
                        block,
                    },
                    &inside,
                )
            })
        }
        Item::Mod(item) => {
            let inside = args.for_inside();
            let Some((_, items)) = &mut item.content else {
                return Ok(());
            };
            items.iter_mut().try_for_each(|item| match item {
                Item::Fn(ItemFn {
                    attrs,
                    vis,
                    sig,
                    block,
                    ..
                }) => visit(
                    Function {
                        attrs,
                        vis,
                        sig,
                        block,
                    },
                    &inside,
                ),
                Item::Impl(_) | Item::Trait(_) | Item::Mod(_) => {
                    let attrs = attrs_of(item).filter(|attrs| attrs::any_macro(attrs));
                    match attrs {
                        Some(attrs) => {
                            attrs.push(inside.again(Origin::Inside));
                            Ok(())
                        }
                        None => walk(item, &inside),
                    }
                }
                _ => Ok(()),
            })
        }
        _ => Ok(()),
    }
}

/// A function found inside something: now, or after the attribute macros on it.
fn visit(function: Function<'_>, inside: &Args) -> syn::Result<()> {
    if attrs::any_macro(function.attrs) {
        if function.sig.asyncness.is_some() {
            function.attrs.push(inside.again(Origin::Inside));
        }
        return Ok(());
    }
    function::track(function, inside)
}

/// Statements parsed from quoted tokens, in a block that keeps the user's braces.
fn fill(block: &mut Block, statements: TokenStream) -> syn::Result<()> {
    block.stmts = Block::parse_within.parse2(statements)?;
    Ok(())
}
