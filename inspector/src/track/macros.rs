//! The async functions that only a macro's expansion has: counted, since no text of theirs can be told from a pattern.

use proc_macro2::{TokenStream, TokenTree};

/// How many times `async fn` stands in these tokens, at any depth.
pub(super) fn async_functions(tokens: &TokenStream) -> usize {
    let mut count = 0;
    let mut after_async = false;
    for token in tokens.clone() {
        after_async = match token {
            TokenTree::Group(group) => {
                count += async_functions(&group.stream());
                false
            }
            TokenTree::Ident(word) if word == "async" => true,
            TokenTree::Ident(word) if word == "fn" => {
                count += usize::from(after_async);
                false
            }
            TokenTree::Ident(word) => after_async && (word == "unsafe" || word == "extern"),
            // The ABI.
            TokenTree::Literal(_) => after_async,
            TokenTree::Punct(_) => false,
        };
    }
    count
}
