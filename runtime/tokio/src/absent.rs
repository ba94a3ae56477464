//! What stands where the capture would, in a build without it: the same names, and nothing behind them.
//!
//! The mirror is written once, over `crate::capture`. With feature `capture` that is the crate `pollscope-capture`;
//! without, it is this module: a level that is `Off` for good, futures and outputs that are passed through, and a share
//! in a record that takes no room. So both builds have one API by construction, no call site asks which of them it is
//! in, and what is left in a task of the second is Tokio's.

pub mod event;
pub mod instrumented;
pub mod level;
pub mod registry;
pub mod task;
pub mod thread;
pub mod tracked;

pub use level::Level;

/// What a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TaskKind {
    #[default]
    Task,
    Local,
    Blocking,
    BlockOn,
    Request,
}

/// Where something was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteId;

/// A backtrace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StackId;

pub mod clock {
    //! Nobody measures.

    /// Monotonic nanoseconds.
    #[inline]
    pub fn mono_ns() -> u64 {
        0
    }
}

pub mod exception {
    //! What an exception handler would be told.

    /// See the crate with feature `serve`: here no handler is ever called.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Context {
        pub message: String,
        pub kind: &'static str,
        pub severity: &'static str,
        pub task: u64,
        pub task_name: Option<String>,
        pub exception: Option<String>,
        pub exception_type: Option<&'static str>,
        pub site: String,
        pub place: Option<String>,
        pub source_backtrace: Vec<String>,
        pub count: u64,
        pub left_out: u64,
    }
}

pub mod is_err {
    //! Only findings ask.

    /// Whether the value is an `Err`.
    #[inline]
    pub fn is_err<T>(_: &T) -> bool {
        false
    }
}

pub mod runtimes {
    //! Nobody keeps a list of runtimes.

    use std::sync::Arc;

    /// None of them is on the list.
    #[derive(Clone, Copy, Debug)]
    pub struct RuntimeInfo {
        pub key: u64,
    }

    /// The number of a runtime: none.
    #[inline]
    pub fn add(
        _: Option<&str>,
        _: &'static str,
        _: u32,
        _: u64,
        _: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
    ) -> u16 {
        0
    }

    #[inline]
    pub fn meet(_: Option<&str>, _: &'static str, _: u32, _: u64) -> u16 {
        0
    }

    #[inline]
    pub fn round() -> u32 {
        0
    }

    #[inline]
    pub fn complete(_: u16, _: u64, _: u32, _: u32) {}

    #[inline]
    pub fn remove(_: u16) {}

    #[inline]
    pub fn all() -> Vec<RuntimeInfo> {
        Vec::new()
    }

    pub mod closing {
        //! Nobody is told of a runtime's end.

        use std::panic::Location;

        /// How a runtime goes away.
        #[derive(Clone, Copy, Debug)]
        pub struct Way {
            pub how: &'static str,
            pub at: Option<&'static Location<'static>>,
            pub is_expected: bool,
        }

        #[inline]
        pub fn begin(_: u16, _: Way) {}
    }
}

pub mod scope {
    //! Nothing is found, so nothing belongs to a test.

    /// A test.
    #[derive(Debug)]
    pub struct Scope {
        /// As the real one's: dropped by the thread that opened it.
        _here: std::marker::PhantomData<*const ()>,
    }

    impl Scope {
        #[must_use]
        #[inline]
        pub fn open() -> Self {
            Self {
                _here: std::marker::PhantomData,
            }
        }
    }
}

pub mod sub {
    //! Which part of a poll took its time: nobody asks.

    use std::panic::Location;

    /// A future that is polled by a task and is none itself.
    #[derive(Clone, Copy, Debug)]
    pub enum Sub {
        Branch(&'static Location<'static>, fn() -> &'static str),
    }

    #[inline]
    pub fn poll<R>(_: Sub, poll: impl FnOnce() -> R) -> R {
        poll()
    }
}
