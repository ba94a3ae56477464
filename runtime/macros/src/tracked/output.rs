//! The return type of a function, read for what `#[tracked]` needs to know of it.

use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound, parse_quote};

/// How a function that is not async says that it makes a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// `impl Future`.
    Opaque,
    /// `Pin<Box<dyn Future>>`, by whatever name.
    Boxed,
    /// Nothing that we know as a future.
    Other,
}

pub(super) fn makes(output: &ReturnType) -> Makes {
    let ReturnType::Type(_, ty) = output else {
        return Makes::Other;
    };
    match &**ty {
        Type::ImplTrait(ty) if names_future(ty.bounds.iter()) => Makes::Opaque,
        Type::Path(ty) => match ty.path.segments.last() {
            Some(last) if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" => {
                Makes::Boxed
            }
            Some(last) if last.ident == "Pin" => match inner(&last.arguments) {
                Some(Type::Path(ty)) => match ty.path.segments.last() {
                    Some(last) if last.ident == "Box" => match inner(&last.arguments) {
                        Some(Type::TraitObject(ty)) if names_future(ty.bounds.iter()) => {
                            Makes::Boxed
                        }
                        _ => Makes::Other,
                    },
                    _ => Makes::Other,
                },
                _ => Makes::Other,
            },
            _ => Makes::Other,
        },
        _ => Makes::Other,
    }
}

fn names_future<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> bool {
    bounds.any(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return false;
        };
        bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Future")
    })
}

/// The one type argument of `Pin<…>` or `Box<…>`.
fn inner(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The output as it can be written inside a body: `impl Trait` is not a type there. `None` where nothing is left
/// worth writing, or where the type cannot be written (`!`).
pub(super) fn inside_body(ty: &Type) -> Option<Type> {
    struct Erase;
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(_) = ty {
                *ty = parse_quote!(_);
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut ty = ty.clone();
    Erase.visit_type_mut(&mut ty);
    (!matches!(ty, Type::Infer(_) | Type::Never(_))).then_some(ty)
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn futures_are_known_by_their_types() {
        let of = |output: ReturnType| makes(&output);
        assert_eq!(
            of(parse_quote!(-> impl Future<Output = u8> + Send + 'a)),
            Makes::Opaque
        );
        assert_eq!(
            of(parse_quote!(-> impl Send + core::future::Future)),
            Makes::Opaque
        );
        assert_eq!(
            of(parse_quote!(-> Pin<Box<dyn Future<Output = ()> + 'a>>)),
            Makes::Boxed
        );
        assert_eq!(
            of(parse_quote!(-> std::pin::Pin<std::boxed::Box<dyn Send + Future>>)),
            Makes::Boxed
        );
        assert_eq!(
            of(parse_quote!(-> futures::future::BoxFuture<'a, ()>)),
            Makes::Boxed
        );
        assert_eq!(of(parse_quote!(-> Pin<Box<dyn Stream>>)), Makes::Other);
        assert_eq!(of(parse_quote!(-> impl Iterator)), Makes::Other);
        assert_eq!(of(ReturnType::Default), Makes::Other);
    }

    #[test]
    fn impl_trait_is_left_out_inside_a_body() {
        let ty: Type = parse_quote!(Result<impl Display, E>);
        let ty = inside_body(&ty).map(|ty| ty.to_token_stream().to_string());
        assert_eq!(ty.as_deref(), Some("Result < _ , E >"));
        assert!(inside_body(&parse_quote!(impl Display)).is_none());
        assert!(inside_body(&parse_quote!(!)).is_none());
    }
}
