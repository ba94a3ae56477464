//! `#[tracked]`: its arguments, and how it came to where it stands.
//!
//! What is written on the item itself must lead to something, or it is an error. What is only found inside a
//! block or module is left alone where it is not an async function.

mod arguments;
mod attrs;
mod boxed;
mod function;
mod items;
mod output;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Block, Error, Item, LitStr, Path, Signature, Token, Visibility};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let args: Args = match syn::parse2(args) {
        Ok(args) => args,
        Err(error) => return with_error(item, &error),
    };
    match syn::parse2::<Item>(item.clone()) {
        Ok(parsed) => items::expand(parsed, &args).unwrap_or_else(|error| with_error(item, &error)),
        Err(error) => with_error(item, &error),
    }
}

/// The item as it was, so that one mistake does not bring a hundred errors about missing names with it.
fn with_error(mut item: TokenStream, error: &Error) -> TokenStream {
    item.extend(error.to_compile_error());
    item
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
                let path = input.parse::<LitStr>().map_err(|error| {
                    let text = "write the path as a string: `crate = \"path::to::pollscope\"`";
                    Error::new(error.span(), text)
                })?;
                args.krate = path.parse()?;
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

/// Statements parsed from quoted tokens, in a block that keeps the user's braces.
fn fill(block: &mut Block, statements: TokenStream) -> syn::Result<()> {
    block.stmts = Block::parse_within.parse2(statements)?;
    Ok(())
}

#[cfg(test)]
mod tests;
