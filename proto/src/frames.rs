//! Which frames of a stack are the user's, and how their files are written.
//!
//! Both ends use these rules: the target to name the line a poll hangs at, the viewer to fold what it need not
//! show. A frame is judged by its file where the debug information names one, else by the crate its function
//! belongs to. Code of a registry or a git checkout is a library; path dependencies count as the user's.

use std::borrow::Cow;

/// Whose code a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The program's own.
    User,
    /// A crate from a registry or a git repository.
    Library,
    /// `std`, `core` or `alloc`.
    Std,
    /// pollscope itself, between the user's code and Tokio.
    Pollscope,
    /// The C library, the start of threads, or something without a name.
    System,
}

/// Whose code the frame is. Both texts may be empty.
///
/// ```
/// use pollscope_proto::frames::{origin, Origin};
/// assert_eq!(origin("app::settle", "src/main.rs"), Origin::User);
/// assert_eq!(origin("std::thread::sleep", "/rustc/5980/library/std/src/thread/mod.rs"), Origin::Std);
/// assert_eq!(origin("<pollscope_capture::task::Task<F> as Future>::poll", ""), Origin::Pollscope);
/// ```
pub fn origin(function: &str, file: &str) -> Origin {
    let krate = crate_of(function);
    // Without debug information of what was inlined, a library's function stands at a line of ours.
    let may_be = krate.is_none_or(|krate| LIBRARIES.contains(&krate));
    if krate.is_some_and(is_pollscope) || (may_be && is_pollscope_file(function, file)) {
        return Origin::Pollscope;
    }
    if is_std_file(file) {
        return Origin::Std;
    }
    if is_library_file(file) {
        return Origin::Library;
    }
    match krate {
        Some("std" | "core" | "alloc" | "proc_macro" | "test" | "panic_unwind") => Origin::Std,
        Some(krate) if file.is_empty() && LIBRARIES.contains(&krate) => Origin::Library,
        // C has no paths: without a file it is the C library, or as good as.
        None if file.is_empty() || is_libc_file(file) || is_runtime_symbol(function) => {
            Origin::System
        }
        Some(_) | None => Origin::User,
    }
}

/// Whether the frame is the program's own code.
pub fn is_user(function: &str, file: &str) -> bool {
    origin(function, file) == Origin::User
}

/// The position of the first frame, innermost first, that is the program's own code.
///
/// ```
/// use pollscope_proto::frames::first_user_frame;
/// let stack = [("clone3", ""), ("std::thread::sleep", ""), ("app::work", "src/main.rs")];
/// assert_eq!(first_user_frame(stack), Some(2));
/// ```
pub fn first_user_frame<'a>(frames: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<usize> {
    frames
        .into_iter()
        .position(|(function, file)| is_user(function, file))
}

/// A file as screens show it: a library's begins with its name and version, the standard library's with its
/// crate. Other files stay as they are.
///
/// ```
/// use pollscope_proto::frames::short_path;
/// assert_eq!(short_path("/home/ana/.cargo/registry/src/index-1949cf8c/tokio-1.54.1/src/time/sleep.rs"),
///     "tokio-1.54.1/src/time/sleep.rs");
/// assert_eq!(short_path("/rustc/59807616/library/std/src/thread/mod.rs"), "std/src/thread/mod.rs");
/// ```
pub fn short_path(file: &str) -> Cow<'_, str> {
    if let Some((_, after)) = file.split_once(REGISTRY) {
        // After the directory of the registry: crate-version/src/…
        return Cow::Borrowed(after.split_once('/').map_or(after, |(_, path)| path));
    }
    if let Some((_, after)) = file.split_once(GIT) {
        // repository-hash/revision/src/…
        let mut parts = after.splitn(3, '/');
        if let (Some(checkout), Some(_), Some(path)) = (parts.next(), parts.next(), parts.next()) {
            let repository = checkout.rsplit_once('-').map_or(checkout, |(name, _)| name);
            return Cow::Owned(format!("{repository}/{path}"));
        }
    }
    let library = file
        .strip_prefix("/rustc/")
        .and_then(|path| path.split_once('/'))
        .map(|(_, path)| path)
        .or_else(|| file.split_once(RUST_SRC).map(|(_, path)| path))
        .or_else(|| file.strip_prefix(RUST_DEPS));
    match library {
        Some(path) => Cow::Borrowed(path.strip_prefix("library/").unwrap_or(path)),
        None => Cow::Borrowed(file),
    }
}

const REGISTRY: &str = "/registry/src/";
const GIT: &str = "/git/checkouts/";
/// Where the crates lay that the standard library was built with.
const RUST_DEPS: &str = "/rust/deps/";
const RUST_SRC: &str = "/lib/rustlib/src/rust/";

/// Crates that are libraries even where no file says so: an executable with names but no line tables.
const LIBRARIES: &[&str] = &[
    "axum",
    "axum_core",
    "futures",
    "futures_channel",
    "futures_core",
    "futures_executor",
    "futures_util",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "parking_lot",
    "parking_lot_core",
    "reqwest",
    "tokio",
    "tokio_stream",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
    "tower_service",
    "tracing",
    "tracing_core",
    "tracing_subscriber",
];

/// By exact name: `pollscope_demo` is a user's program like any other.
fn is_pollscope(krate: &str) -> bool {
    matches!(
        krate,
        "pollscope"
            | "pollscope_agent"
            | "pollscope_capture"
            | "pollscope_proto"
            | "pollscope_tokio"
    )
}

/// Of a function that was inlined, debug information often has the bare name: then the file tells, where pollscope
/// is a path dependency (from a registry it counts as a library).
fn is_pollscope_file(function: &str, file: &str) -> bool {
    // Many a program has a folder `runtime/src`: of ours the one function that is in the stack of every spawn.
    let is_spawn = file.ends_with("/runtime/src/spawn.rs") && function.starts_with("spawn<");
    is_spawn
        || [
            "/runtime/capture/src/",
            "/runtime/tokio/src/",
            "/runtime/agent/src/",
        ]
        .iter()
        .any(|folder| file.contains(folder))
}

fn is_std_file(file: &str) -> bool {
    file.starts_with("/rustc/")
        || file.starts_with(RUST_DEPS)
        || file.starts_with("library/")
        || file.contains(RUST_SRC)
}

fn is_library_file(file: &str) -> bool {
    file.contains(REGISTRY) || file.contains(GIT)
}

fn is_libc_file(file: &str) -> bool {
    ["./", "../sysdeps/", "/build/glibc", "/usr/src/"]
        .iter()
        .any(|start| file.starts_with(start))
}

fn is_runtime_symbol(function: &str) -> bool {
    matches!(
        function,
        "" | "main" | "_start" | "start_thread" | "clone" | "clone3"
    ) || function.starts_with("__")
}

/// The crate a demangled Rust path begins with: of `<A as B>::f` that of `A`, or of `B` where `A` is a type
/// parameter. `None` for a name without a path.
fn crate_of(function: &str) -> Option<&str> {
    let head = type_head(function);
    if let Some(krate) = leading_crate(head) {
        return Some(krate);
    }
    let (_, implemented) = head.split_once(" as ")?;
    leading_crate(type_head(implemented))
}

/// Without the `<`, `&mut`, `*const`, `dyn`, `[` and `(` before the first name.
fn type_head(mut text: &str) -> &str {
    loop {
        let before = text;
        text = text.trim_start_matches(['<', '&', '*', '[', '(', ' ', '{']);
        for word in ["mut ", "const ", "dyn ", "impl ", "unsafe "] {
            text = text.strip_prefix(word).unwrap_or(text);
        }
        if text == before {
            return text;
        }
    }
}

fn leading_crate(path: &str) -> Option<&str> {
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let (name, rest) = path.split_at(end);
    // v0 names may carry the crate's hash: `app[5f2a…]::f`.
    let rest = match rest.strip_prefix('[') {
        Some(hash) => hash.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    (!name.is_empty() && rest.starts_with("::")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whose_code_it_is() {
        for (function, file, expected) in [
            ("app::settle", "/srv/app/src/main.rs", Origin::User),
            ("app::settle::{{closure}}", "", Origin::User),
            (
                "<app::Job as core::future::future::Future>::poll",
                "",
                Origin::User,
            ),
            (
                "<&mut app::Job as core::future::future::Future>::poll",
                "",
                Origin::User,
            ),
            ("app[0123abc]::settle", "", Origin::User),
            (
                "pollscope_demo::spin",
                "inspector/demo/src/lib.rs",
                Origin::User,
            ),
            ("{async_fn#0}", "src/main.rs", Origin::User),
            (
                "tokio::time::sleep",
                "/c/registry/src/index-1/tokio-1.54.1/src/time.rs",
                Origin::Library,
            ),
            (
                "my_fork::run",
                "/c/git/checkouts/fork-12ab/99/src/lib.rs",
                Origin::Library,
            ),
            ("tokio::runtime::park", "", Origin::Library),
            ("tokio::fixture", "/srv/tokio/src/lib.rs", Origin::User),
            ("std::thread::sleep", "", Origin::Std),
            (
                "<F as core::future::into_future::IntoFuture>::into_future",
                "",
                Origin::Std,
            ),
            (
                "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
                "",
                Origin::Std,
            ),
            (
                "whatever",
                "/rustc/abc/library/core/src/ops/function.rs",
                Origin::Std,
            ),
            (
                "x",
                "/h/lib/rustlib/src/rust/library/std/src/rt.rs",
                Origin::Std,
            ),
            (
                "<pollscope_capture::task::Task<app::F> as core::future::future::Future>::poll",
                "",
                Origin::Pollscope,
            ),
            (
                "pollscope_tokio::task::spawn",
                "/srv/pollscope/runtime/tokio/src/task.rs",
                Origin::Pollscope,
            ),
            ("pollscope::owned::Owned<T>::with", "", Origin::Pollscope),
            (
                "poll_debug<app::run::{async_fn_env#0}>",
                "/srv/pollscope/runtime/capture/src/instrumented.rs",
                Origin::Pollscope,
            ),
            (
                "poll_debug<app::run::{async_fn_env#0}>",
                "/srv/app/src/runtime.rs",
                Origin::User,
            ),
            (
                "spawn<app::run::{async_fn_env#0}>",
                "/srv/pollscope/runtime/src/spawn.rs",
                Origin::Pollscope,
            ),
            ("work", "/srv/app/runtime/src/spawn.rs", Origin::User),
            (
                "tokio::runtime::runtime::Runtime::block_on",
                "/srv/pollscope/runtime/capture/src/instrumented.rs",
                Origin::Pollscope,
            ),
            ("clone3", "", Origin::System),
            ("start_thread", "./nptl/pthread_create.c", Origin::System),
            ("__rust_try", "", Origin::System),
            ("", "", Origin::System),
            ("main", "", Origin::System),
            ("c_helper", "csrc/helper.c", Origin::User),
        ] {
            assert_eq!(origin(function, file), expected, "{function} in {file}");
        }
    }

    #[test]
    fn the_first_user_frame_is_the_innermost() {
        assert_eq!(first_user_frame([]), None);
        assert_eq!(first_user_frame([("clone3", ""), ("std::rt::f", "")]), None);
    }

    #[test]
    fn files_are_shortened() {
        for (file, short) in [
            ("src/main.rs", "src/main.rs"),
            ("/srv/app/src/main.rs", "/srv/app/src/main.rs"),
            (
                "/c/git/checkouts/tokio-console-12ab34/9f/src/lib.rs",
                "tokio-console/src/lib.rs",
            ),
            (
                "/h/lib/rustlib/src/rust/library/core/src/a.rs",
                "core/src/a.rs",
            ),
            (
                "/rust/deps/memchr-2.7.6/src/lib.rs",
                "memchr-2.7.6/src/lib.rs",
            ),
            ("/registry/src/", ""),
            ("/git/checkouts/x", "/git/checkouts/x"),
        ] {
            assert_eq!(short_path(file), short, "{file}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(function in any::<String>(), file in any::<String>()) {
            let _ = origin(&function, &file);
            let _ = short_path(&file);
        }
    }
}
