//! Functions that return a boxed future, as `#[async_trait]` makes them.

use quote::quote;
use syn::{Expr, ExprCall, ReturnType, Stmt, parse_quote};

use super::function::{call_body, mark};
use super::{Args, Function, fill};

/// Tracks the future inside the box where the body ends in `Box::pin(…)`, else the box itself.
pub(super) fn track(mut function: Function<'_>, args: &Args) -> syn::Result<()> {
    mark(&mut function);
    let krate = &args.krate;
    if let Some(Stmt::Expr(Expr::Call(call), None)) = function.block.stmts.last_mut()
        && let Some(future) = pinned(call)
    {
        *future =
            parse_quote!(#krate::private::track_at(#future, ::core::panic::Location::caller()));
        return Ok(());
    }
    let ty = match &function.sig.output {
        ReturnType::Type(_, ty) => Some(&**ty),
        ReturnType::Default => None,
    };
    let body = call_body(krate, function.block, ty);
    fill(
        function.block,
        quote! {
            ::std::boxed::Box::pin(#krate::private::track_at(#body, ::core::panic::Location::caller()))
        },
    )
}

/// What `Box::pin(…)` pins.
fn pinned(call: &mut ExprCall) -> Option<&mut Expr> {
    let Expr::Path(callee) = &*call.func else {
        return None;
    };
    let mut names = callee
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| segment.ident.to_string());
    let is_pin = names.next().is_some_and(|name| name == "pin")
        && names.next().is_some_and(|name| name == "Box");
    if is_pin && call.args.len() == 1 {
        call.args.first_mut()
    } else {
        None
    }
}
