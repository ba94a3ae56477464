//! What an exception handler is told: plain values, as asyncio's context is a plain dict.

/// What is known of something that went wrong and that nobody was there to see. The keys of asyncio's context stand
/// beside each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// One line in English (`message`).
    pub message: String,
    /// `leaked_error`, `leaked_panic`, `callback_panic`, `pending_destroyed` or `shutdown_panic`; later versions may
    /// have more.
    pub kind: &'static str,
    /// `warn` or `error`.
    pub severity: &'static str,
    /// pollscope's id of the task (`task`, `future`); 0: about none.
    pub task: u64,
    /// The task's name.
    pub task_name: Option<String>,
    /// Text of the error or the panic (`exception`), where there is one that can be read: see the macro `spawn!`.
    pub exception: Option<String>,
    /// Type of the output that the error was in.
    pub exception_type: Option<&'static str>,
    /// Where the task was spawned, or what it is about was made, as `file:line:column`.
    pub site: String,
    /// Where it went wrong, as `file:line:column`, where that is known: the place of a panic.
    pub place: Option<String>,
    /// The creation backtrace (`source_traceback`), innermost first, one function of the user's with its place a line. Empty where
    /// none was taken, or nothing is known of its frames.
    pub source_backtrace: Vec<String>,
    /// How often that happened at this site so far.
    pub count: u64,
    /// How many of them the handler was not called for since it was called last.
    pub left_out: u64,
}
