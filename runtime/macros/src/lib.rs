//! The attributes of pollscope: [`main`], [`macro@test`] and [`macro@tracked`]. Use them through the crate `pollscope`.
//!
//! This crate's edition matters: whether `impl Future` captures every lifetime in scope is decided by the edition
//! of the *token*, and tokens made here carry 2024. So a `#[tracked]` function captures what `async fn` captures
//! in the user's crate of any edition, with no lifetime named and no bound added.

#![deny(missing_docs)]

mod entry;
mod tracked;

use proc_macro::TokenStream;

use entry::Entry;

/// Runs an async function on a pollscope runtime: `#[tokio::main]` under pollscope's eyes.
///
/// Takes every argument of `#[tokio::main]`, with Tokio's meaning and defaults:
///
/// | argument | value |
/// |---|---|
/// | `flavor` | `"multi_thread"` (default), `"current_thread"`, `"local"` |
/// | `worker_threads` | a number; multi-thread only |
/// | `start_paused` | `true` or `false`; current-thread only |
/// | `unhandled_panic` | `"ignore"` or `"shutdown_runtime"`; current-thread only, with `tokio_unstable` |
/// | `name` | the runtime's name |
/// | `crate` | `"path::to::pollscope"`, where it is renamed or re-exported |
///
/// and of its own, which beat the environment:
///
/// | argument | value |
/// |---|---|
/// | `debug` | `true`: debug from the start; `false`: quiet though `POLLSCOPE` says debug; where it says off, off |
/// | `slow_poll` | from how long on a poll is slow: `"50ms"`, `"1.5s"`, `"0"` for every poll, `"off"` for none |
/// | `depth` | how many of the user's frames of a backtrace are shown: a number; 10 unless set |
/// | `backtrace_every` | of how many tasks of a site one has a creation backtrace of its own: a number; 256 unless set, 1: each |
/// | `dedupe` | `false`: each finding is a record and a line of its own |
/// | `log` | from which level on findings are logged: `"off"`, `"error"`, `"warn"`, `"info"`, `"debug"` |
/// | `deny` | what is not tolerated, and makes the exit code 1: `"any"`, `"slow_poll,leaked_error"`, `"off"` |
///
/// The agent is flushed before the function returns.
///
/// # Examples
///
/// ```
/// #[pollscope::main(flavor = "current_thread", debug = true, slow_poll = "50ms")]
/// async fn main() -> std::io::Result<()> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Entry::MAIN, args.into(), item.into()).into()
}

/// Runs an async test on a pollscope runtime: `#[tokio::test]` under pollscope's eyes.
///
/// Takes the arguments of [`macro@main`]; the flavor is `"current_thread"` unless said otherwise.
///
/// With `deny`, or under `POLLSCOPE_DENY`, the test fails by name where it did what is denied: on its own thread, in
/// the tasks and on the threads of every runtime that was made under it. Tests that run beside it in the same
/// process do not count; nor does what no test can be told of (a plain `std::thread` of its own, a runtime that all
/// tests share), unless the process runs one test only, as under cargo-nextest.
///
/// # Examples
///
/// ```
/// #[pollscope::test(debug = true)]
/// async fn it_answers() {
///     let answer = pollscope::spawn(async { 6 * 7 });
///     assert_eq!(answer.await.unwrap(), 42);
/// }
/// ```
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Entry::TEST, args.into(), item.into()).into()
}

/// `#[tokio::main]` where `tokio` is pollscope's façade: `tokio = { package = "pollscope-tokio", … }`.
///
/// Takes what `#[pollscope::main]` takes: every argument of Tokio's own, and pollscope's. Its expansion names the crate
/// `tokio`, as Tokio's does; under another name say `crate = "name"`.
///
/// # Examples
///
/// ```
/// # use pollscope_tokio as tokio;
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     assert_eq!(tokio::spawn(async { 6 * 7 }).await.unwrap(), 42);
/// }
/// ```
#[proc_macro_attribute]
pub fn tokio_main(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Entry::TOKIO_MAIN, args.into(), item.into()).into()
}

/// `#[tokio::test]` where `tokio` is pollscope's façade: `tokio = { package = "pollscope-tokio", … }`.
///
/// Takes what `#[pollscope::test]` takes, and is judged as that is: under `POLLSCOPE_DENY=any` a test with a finding
/// fails by its name. Its expansion names the crate `tokio`, as Tokio's does; under another name say `crate = "name"`.
#[proc_macro_attribute]
pub fn tokio_test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand(Entry::TOKIO_TEST, args.into(), item.into()).into()
}

/// Reports futures that are dropped before their first poll.
///
/// Goes on
///
/// * an `async fn`, free or a method;
/// * a function that returns `impl Future`, `Pin<Box<dyn Future>>` or `BoxFuture`;
/// * an `impl` block, inherent or of a trait: each `async fn` in it, `#[async_trait]` ones included;
/// * a trait: each `async fn` in it that has a body;
/// * an inline module: each `async fn` in it, at any depth.
///
/// An `async fn` becomes a `#[track_caller]` function that returns `impl Future` with the same output, the same
/// captures and the same auto traits, so the report names the line of the *call*. Arguments are dropped in the
/// order `async fn` drops them. Attributes, docs and visibility stay. Attribute macros on the same function
/// (`#[instrument]`, `#[async_trait]`) run first, whichever is written on top.
///
/// Left alone inside blocks and modules: functions that are not async, and `extern` ones, which cannot be
/// `#[track_caller]`.
///
/// One thing changes: `#[must_use]` on an `async fn` speaks of its output; on a tracked one it speaks of the
/// future.
///
/// Cost: 16 bytes per future, and some nanoseconds to make one and to poll it first; when the level is off only the
/// bytes.
///
/// Where pollscope is renamed or re-exported: `#[tracked(crate = "path::to::pollscope")]`.
///
/// # Examples
///
/// ```
/// #[pollscope::tracked]
/// async fn save(name: &str) -> std::io::Result<()> {
///     std::fs::write(name, "…")
/// }
///
/// async fn handler() {
///     let _ = save("a"); // reported: made here, dropped here, never awaited
///     let _ = save("b").await; // silent
/// }
/// ```
#[proc_macro_attribute]
pub fn tracked(args: TokenStream, item: TokenStream) -> TokenStream {
    tracked::expand(args.into(), item.into()).into()
}
