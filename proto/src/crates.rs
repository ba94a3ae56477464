//! Which crate a task is of, as far as its future's type and its spawn site tell.
//!
//! A future is its crate's that defines it: `api::checkout::{{closure}}` is `api`'s, wherever it is spawned. What only
//! wraps another future is looked through: `Instrumented<api::…>` and `Timeout<api::…>` are `api`'s, too. So the answer
//! is the first crate that the type names, past the standard library's and past those of `WRAPPERS`. Any other wrapper
//! is taken at its word: `tower::…::Oneshot<…>` is `tower`'s.
//!
//! Where a type names no such crate (`Pending<()>`, `Sleep`, and what is behind a `dyn` nobody knows), it is the crate
//! whose file spawned it: in a registry the package, in a workspace the folder with the `src`. If that is not known
//! either, it is the first of the wrappers.

/// Crates of the standard library.
const STANDARD: [&str; 3] = ["core", "alloc", "std"];

/// Crates whose futures mostly wrap those of others.
const WRAPPERS: [&str; 11] = [
    "futures",
    "futures_core",
    "futures_lite",
    "futures_util",
    "pollscope",
    "pollscope_capture",
    "pollscope_tokio",
    "pollscope_tokio_util",
    "tokio",
    "tokio_util",
    "tracing",
];

/// The crate of a task, by its future's type name and the path of the file that spawned it; empty where neither tells.
/// Allocates nothing.
///
/// A name from a type has `_` where one from a path may have `-`: see [`is_same`].
///
/// ```
/// use pollscope_proto::crates;
/// assert_eq!(crates::of("api::checkout::{{closure}}", "crates/jobs/src/lib.rs"), "api");
/// assert_eq!(crates::of("()", "crates/my-jobs/src/lib.rs"), "my-jobs");
/// assert_eq!(crates::of("()", "src/main.rs"), "");
/// ```
pub fn of<'a>(type_name: &'a str, file: &'a str) -> &'a str {
    let mut wrapper = None;
    for name in roots(type_name) {
        if STANDARD.contains(&name) {
            continue;
        }
        if !WRAPPERS.contains(&name) {
            return name;
        }
        wrapper = wrapper.or(Some(name));
    }
    of_file(file).or(wrapper).unwrap_or_default()
}

/// Whether two names are of one crate: as a manifest writes it or as code does, in any case of letters.
///
/// ```
/// use pollscope_proto::crates;
/// assert!(crates::is_same("my-crate", "my_crate"));
/// assert!(!crates::is_same("api", "api_v2"));
/// ```
pub fn is_same(a: &str, b: &str) -> bool {
    let code = |letter: u8| if letter == b'-' { b'_' } else { letter };
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .all(|(a, b)| code(a).eq_ignore_ascii_case(&code(b)))
}

/// The first segments of the paths in a type's name, up to the first `dyn`.
fn roots(type_name: &str) -> impl Iterator<Item = &str> {
    let known = type_name.split("dyn ").next().unwrap_or_default();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = known;
    let mut is_inside = false;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(is_name)?;
            // `::` before it, or a closing bracket and `::` as in `<T as Trait>::method`.
            is_inside |= rest[..start].ends_with("::");
            let from = &rest[start..];
            let end = from.find(|c| !is_name(c)).unwrap_or(from.len());
            let (name, after) = from.split_at(end);
            let is_root = !is_inside && after.starts_with("::");
            is_inside = false;
            rest = after;
            if is_root {
                return Some(name);
            }
        }
    })
}

/// The crate whose file this is.
fn of_file(file: &str) -> Option<&str> {
    if let Some((_, path)) = file.split_once("/registry/src/") {
        let package = path.split('/').nth(1)?;
        return Some(unversioned(package));
    }
    let mut segments = file.rsplit('/').skip(1);
    segments.find(|segment| matches!(*segment, "src" | "tests" | "examples" | "benches"))?;
    segments
        .next()
        .filter(|folder| !folder.is_empty() && *folder != "." && *folder != "..")
        .filter(|folder| !STANDARD.contains(folder))
}

/// `md-5` of `md-5-0.10.6`.
fn unversioned(package: &str) -> &str {
    let is_version = |text: &str| {
        let (major, rest) = text.split_once('.').unwrap_or(("", ""));
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit()) && is_number(rest)
    };
    let mut dashes = package.match_indices('-');
    let version = dashes.find(|(at, _)| is_version(&package[at + 1..]));
    version.map_or(package, |(at, _)| &package[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_is_of_the_crate_that_defines_it() {
        for (type_name, name) in [
            ("api::handlers::checkout::{{closure}}", "api"),
            ("api::checkout::{async_fn_env#0}", "api"),
            ("<api::Shop as jobs::Job>::run::{{closure}}", "api"),
            (
                "<alloc::vec::Vec<u8> as jobs::Job>::run::{{closure}}",
                "jobs",
            ),
            ("<T>::run", ""),
            ("jobs::each<api::Shop>::{{closure}}", "jobs"),
            (
                "tracing::instrument::Instrumented<api::run::{{closure}}>",
                "api",
            ),
            (
                "tokio::time::timeout::Timeout<core::future::ready::Ready<api::Shop>>",
                "api",
            ),
            ("tokio::time::sleep::Sleep", "tokio"),
            (
                "futures_util::future::Map<tokio::time::sleep::Sleep, core::fn>",
                "futures_util",
            ),
            (
                "tower::util::oneshot::Oneshot<api::Shop, api::Ask>",
                "tower",
            ),
            ("(core::future::ready::Ready<()>, &api::Shop)", "api"),
            (
                "pollscope::tower::response::Answer<axum::routing::route::RouteFuture<E>>",
                "axum",
            ),
            ("größe::laden::{{closure}}", "größe"),
        ] {
            assert_eq!(of(type_name, "src/main.rs"), name, "{type_name}");
        }
    }

    #[test]
    fn where_the_type_tells_nothing_it_is_the_crate_that_spawned_it() {
        let boxed = "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = http::Reply>>>";
        for (file, name) in [
            ("crates/api/src/main.rs", "api"),
            ("crates/my-api/src/http/server.rs", "my-api"),
            ("/work/shop/src/crates/api/tests/it.rs", "api"),
            ("src/main.rs", ""),
            ("./src/main.rs", ""),
            (
                "/home/u/.cargo/registry/src/index-1f2d3c/hyper-1.7.0/src/server.rs",
                "hyper",
            ),
            (
                "/c/registry/src/index-1f2d3c/md-5-0.10.6/src/lib.rs",
                "md-5",
            ),
            (
                "/c/registry/src/index-1f2d3c/h2-0.4.0-beta.1/src/a.rs",
                "h2",
            ),
            (
                "/c/registry/src/index-1f2d3c/hyper-util-0.1.9/src/rt.rs",
                "hyper-util",
            ),
            ("/rustc/0123456789abcdef/library/core/src/iter/map.rs", ""),
            ("", ""),
        ] {
            assert_eq!(of(boxed, file), name, "{file}");
            assert_eq!(of("()", file), name, "{file}");
            let wrapper = of("tokio::time::sleep::Sleep", file);
            assert_eq!(
                wrapper,
                if name.is_empty() { "tokio" } else { name },
                "{file}"
            );
        }
    }

    #[test]
    fn names_are_the_same_or_not() {
        assert!(is_same("My-Crate", "my_crate"));
        for other in ["my_crates", "my_crat", "mycrate", ""] {
            assert!(!is_same("my-crate", other), "{other}");
        }
    }
}
