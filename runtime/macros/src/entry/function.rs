//! A function read as far as `#[main]` and `#[test]` need it: the body stays tokens.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility, braced, token};

pub(super) struct Function {
    /// Inner ones included, turned into outer ones.
    pub(super) attrs: Vec<Attribute>,
    vis: Visibility,
    pub(super) sig: Signature,
    brace: token::Brace,
    body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let content;
        let brace = braced!(content in input);
        // The body becomes a block, which takes no inner attributes; the function does.
        attrs.extend(
            content
                .call(Attribute::parse_inner)?
                .into_iter()
                .map(|attr| Attribute {
                    style: syn::AttrStyle::Outer,
                    ..attr
                }),
        );
        Ok(Self {
            attrs,
            vis,
            sig,
            brace,
            body: content.parse()?,
        })
    }
}

impl Function {
    /// The body in its braces.
    pub(super) fn block(&self) -> TokenStream {
        let mut block = TokenStream::new();
        self.brace
            .surround(&mut block, |tokens| self.body.to_tokens(tokens));
        block
    }

    /// Where the last statement starts and ends: rustc points there when types do not fit.
    pub(super) fn last_statement(&self) -> (Span, Span) {
        let is_end =
            |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
        let trees: Vec<TokenTree> = self.body.clone().into_iter().collect();
        let Some(last) = trees.last() else {
            return (Span::call_site(), Span::call_site());
        };
        let before = &trees[..trees.len() - 1];
        let start = before.iter().rposition(is_end).map_or(0, |at| at + 1);
        (trees[start].span(), last.span())
    }

    /// The function with another body.
    pub(super) fn into_tokens(self, attribute: &TokenStream, body: &TokenStream) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in &self.attrs {
            attr.to_tokens(&mut tokens);
        }
        // Last, so that the attribute macros below ours know of it.
        attribute.to_tokens(&mut tokens);
        self.vis.to_tokens(&mut tokens);
        self.sig.to_tokens(&mut tokens);
        self.brace
            .surround(&mut tokens, |tokens| body.to_tokens(tokens));
        tokens
    }
}
