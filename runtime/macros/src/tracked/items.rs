//! The functions of an item, each of them found and handed to `function`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Error, ImplItem, ImplItemFn, Item, ItemFn, TraitItem, TraitItemFn, Visibility,
};

use super::{Args, Function, Origin, attrs, function};

/// Tracks what the item holds; an error where that is nothing.
pub(super) fn expand(mut item: Item, args: &Args) -> syn::Result<TokenStream> {
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
        // As a trait declares it.
        Item::Verbatim(tokens) if syn::parse2::<TraitItemFn>(tokens.clone()).is_ok() => {
            let text = "`#[tracked]` needs a body to track: put it on the `impl` of this trait";
            return Err(Error::new_spanned(tokens, text));
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
                let ImplItemFn {
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
                let TraitItem::Fn(TraitItemFn {
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
