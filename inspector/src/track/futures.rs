//! Whether a function makes a future that `#[tracked]` can take the place of.

use syn::{
    AngleBracketedGenericArguments, Block, Expr, GenericArgument, PathArguments, PathSegment,
    ReturnType, Signature, Stmt, Type, TypeParamBound,
};

/// How a function makes a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    Async,
    /// It returns an `async` block or a box of one: `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
    Block,
    /// None, or one that something else made for it, where it is tracked if it is to be.
    Nothing,
}

pub(super) fn makes(sig: &Signature, body: &Block) -> Makes {
    if sig.asyncness.is_some() {
        return Makes::Async;
    }
    let ReturnType::Type(_, output) = &sig.output else {
        return Makes::Nothing;
    };
    let made = match body.stmts.last() {
        Some(Stmt::Expr(Expr::Async(_), None)) => is_opaque(output),
        Some(Stmt::Expr(Expr::Call(call), None)) => {
            matches!(call.args.first(), Some(Expr::Async(_)))
                && is_pin(&call.func)
                && is_box(output)
        }
        _ => false,
    };
    // Tracked, its body is a closure's: which no constant function can call.
    if made && sig.constness.is_none() {
        Makes::Block
    } else {
        Makes::Nothing
    }
}

/// `Box::pin`: what is in it can be tracked without another box around it.
fn is_pin(callee: &Expr) -> bool {
    let Expr::Path(callee) = callee else {
        return false;
    };
    let mut names = callee
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| &segment.ident);
    names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box")
}

/// Whether the ABI lets a function know its caller.
pub(super) fn knows_caller(sig: &Signature) -> bool {
    let abi = sig.abi.as_ref();
    abi.is_none_or(|abi| abi.name.as_ref().is_some_and(|name| name.value() == "Rust"))
}

fn is_opaque(ty: &Type) -> bool {
    let Type::ImplTrait(ty) = ty else {
        return false;
    };
    // What is tracked is a future, and as `Send` as that: nothing else that the type may promise.
    let auto = ["Send", "Sync"];
    let mut others = ty.bounds.iter().filter(|bound| !names_future(bound));
    ty.bounds.iter().any(names_future)
        && others.all(|bound| match bound {
            TypeParamBound::Trait(bound) => last(&bound.path.segments)
                .is_some_and(|last| auto.iter().any(|name| last.ident == name)),
            _ => true,
        })
}

fn is_box(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    last(&ty.path.segments).is_some_and(|last| {
        last.ident == "BoxFuture"
            || last.ident == "LocalBoxFuture"
            || last.ident == "Pin" && inner(last).is_some_and(is_boxed)
    })
}

fn is_boxed(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    let boxed = last(&ty.path.segments).filter(|last| last.ident == "Box");
    match boxed.and_then(inner) {
        Some(Type::TraitObject(object)) => object.bounds.iter().any(names_future),
        _ => false,
    }
}

/// With an output: the `Future` of old libraries has items and errors, and is another trait.
fn names_future(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    last(&bound.path.segments).is_some_and(|last| {
        last.ident == "Future"
            && arguments(last).is_some_and(|of| {
                of.args.iter().any(|argument| {
                    matches!(argument, GenericArgument::AssocType(of) if of.ident == "Output")
                })
            })
    })
}

fn last<P>(segments: &syn::punctuated::Punctuated<PathSegment, P>) -> Option<&PathSegment> {
    segments.last()
}

fn arguments(segment: &PathSegment) -> Option<&AngleBracketedGenericArguments> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        _ => None,
    }
}

/// The one type argument of `Pin<…>` or `Box<…>`.
fn inner(segment: &PathSegment) -> Option<&Type> {
    arguments(segment)?.args.iter().find_map(|argument| {
        let GenericArgument::Type(ty) = argument else {
            return None;
        };
        Some(ty)
    })
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::{ItemFn, parse_quote};

    use super::*;

    fn of(item: &ItemFn) -> Makes {
        makes(&item.sig, &item.block)
    }

    #[test]
    fn futures_are_known_by_what_a_function_returns() {
        for item in [
            parse_quote!(
                fn f() -> impl Future<Output = u8> + Send + 'static {
                    async { 1 }
                }
            ),
            parse_quote!(
                fn f<'a>(a: &'a u8) -> impl Send + core::future::Future<Output = ()> + use<'a> {
                    g();
                    async move {}
                }
            ),
            parse_quote!(
                fn f() -> Pin<Box<dyn Future<Output = ()> + '_>> {
                    Box::pin(async {})
                }
            ),
            parse_quote!(
                fn f() -> std::pin::Pin<std::boxed::Box<dyn Send + Future<Output = ()>>> {
                    std::boxed::Box::pin(async {})
                }
            ),
            parse_quote!(
                fn f() -> futures::future::BoxFuture<'static, ()> {
                    Box::pin(async {})
                }
            ),
        ] {
            assert_eq!(of(&item), Makes::Block, "{}", item.to_token_stream());
        }
        for item in [
            parse_quote!(
                fn f() {}
            ),
            parse_quote!(
                fn f() -> impl Future<Item = u8, Error = ()> {
                    async {}
                }
            ),
            parse_quote!(
                fn f() -> impl Future<Output = u8> + Clone {
                    async {}
                }
            ),
            parse_quote!(
                fn f() -> impl FusedFuture<Output = u8> {
                    async {}
                }
            ),
            parse_quote!(
                fn f() -> Box<dyn Future<Output = u8>> {
                    Box::new(async {})
                }
            ),
            parse_quote!(
                fn f() -> Pin<Arc<dyn Future<Output = u8>>> {
                    Box::pin(async {})
                }
            ),
            parse_quote!(
                const fn f() -> impl Future<Output = u8> {
                    async {}
                }
            ),
            // Handed on: tracked where it is made, and not twice.
            parse_quote!(
                fn f() -> impl Future<Output = u8> {
                    g()
                }
            ),
            parse_quote!(
                fn f() -> BoxFuture<'static, u8> {
                    Box::pin(g())
                }
            ),
            parse_quote!(
                fn f() -> BoxFuture<'static, u8> {
                    g(async {})
                }
            ),
        ] {
            assert_eq!(of(&item), Makes::Nothing, "{}", item.to_token_stream());
        }
        assert_eq!(
            of(&parse_quote!(
                async fn f() {}
            )),
            Makes::Async
        );
    }

    #[test]
    fn a_foreign_abi_does_not_know_its_caller() {
        assert!(knows_caller(&parse_quote!(async fn f())));
        assert!(knows_caller(&parse_quote!(async extern "Rust" fn f())));
        assert!(!knows_caller(&parse_quote!(async extern "C" fn f())));
        assert!(!knows_caller(&parse_quote!(async extern fn f())));
    }
}
