//! Labels: what a program says of the task it is in.

/// Puts a label on the task or request that runs here, the innermost: `key=value`, or a key alone. The inspector shows it
/// on the task, and `label:order=42` and `label:order` find it. A key that is there already gets the new value.
///
/// False, and nothing is done: outside of any task of ours (a closure of the blocking pool is not polled, and so is
/// outside), at level off, without a key, and past a bound: sixteen labels of a task, and 16 MB of all tasks together.
/// Keys are cut at 64 bytes and values at 256. Labels go with their task.
///
/// Whoever may attach to the process sees them: keep secrets out.
///
/// Cost: a short lock and a copy of the labels, some 0.3 µs; outside of any task one branch. Where the text is put
/// together for this alone, that costs, too.
///
/// # Examples
///
/// ```
/// # #[pollscope::main(flavor = "current_thread")]
/// # async fn main() {
/// async fn settle(order: u64) {
///     pollscope::label(format!("order={order}"));
///     // …
/// }
/// pollscope::request("settle", settle(42)).await;
/// # }
/// ```
#[inline]
pub fn label(text: impl AsRef<str>) -> bool {
    crate::capture::task::label(text.as_ref())
}
