//! Tokio's `process`, mirrored: a child that is dropped while it runs is told of, the rest is Tokio's.
//!
//! asyncio says nothing of it, Python's `subprocess` does (`ResourceWarning: subprocess 123 is still running`). Where
//! the end of a child is nobody's business, say so: [`Child::leave`], or [`Command::kill_on_drop`].

pub use tokio::process::*;

mod child;

pub use child::Child;

use std::ffi::OsStr;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};

/// Makes child processes, as [`tokio::process::Command`] does.
///
/// What is not here is Tokio's, by `Deref`: `pre_exec`, `as_std_mut`, `spawn_with`. `pre_exec` returns Tokio's type: a
/// chain that goes on to `spawn` from it makes a child that is not watched.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// use pollscope_tokio::process::Command;
///
/// let mut child = Command::new("true").spawn()?;
/// assert!(child.wait().await?.success());
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Command {
    inner: tokio::process::Command,
}

/// Builder methods that hand on to Tokio's and give our own type back.
macro_rules! mirrored {
    ($($(#[$doc:meta])* $name:ident [$($generics:tt)*] ($($arg:ident: $ty:ty),*);)*) => {
        $(
            $(#[$doc])*
            pub fn $name<$($generics)*>(&mut self, $($arg: $ty),*) -> &mut Self {
                self.inner.$name($($arg),*);
                self
            }
        )*
    };
}

impl Command {
    /// A command that runs `program`, with no arguments, and this process's environment and directory.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Self {
        tokio::process::Command::new(program).into()
    }

    mirrored! {
        /// Adds an argument.
        arg [S: AsRef<OsStr>] (arg: S);
        /// Removes a variable from the child's environment.
        env_remove [S: AsRef<OsStr>] (key: S);
        /// Empties the child's environment.
        env_clear [] ();
        /// Sets the child's directory.
        current_dir [P: AsRef<Path>] (dir: P);
        /// Sets the child's standard input.
        stdin [T: Into<Stdio>] (cfg: T);
        /// Sets the child's standard output.
        stdout [T: Into<Stdio>] (cfg: T);
        /// Sets the child's standard error.
        stderr [T: Into<Stdio>] (cfg: T);
        /// Whether the child is killed when its handle is dropped. Such a child is never told of.
        kill_on_drop [] (kill_on_drop: bool);
    }

    mirrored! {
        /// Sets the name that the child sees as its own.
        arg0 [S: AsRef<OsStr>] (arg: S);
        /// Sets the child's user.
        uid [] (id: u32);
        /// Sets the child's group.
        gid [] (id: u32);
        /// Sets the child's process group; 0: one of its own.
        process_group [] (pgroup: i32);
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.inner.args(args);
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.env(key, val);
        self
    }

    /// Sets variables of the child's environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.inner.envs(vars);
        self
    }

    /// The standard library's command. What is made with it is not watched.
    pub fn into_std(self) -> std::process::Command {
        self.inner.into_std()
    }

    /// Tokio's command, for an interface that asks for one. What is made with it is not watched.
    pub fn into_tokio(self) -> tokio::process::Command {
        self.inner
    }

    /// Starts the child.
    ///
    /// # Errors
    /// The program could not be started.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        let location = Location::caller();
        let child = self.inner.spawn()?;
        Ok(Child::new(child, &self.inner, location))
    }

    /// Runs the child to its end.
    ///
    /// # Errors
    /// The program could not be started, or its end not be learnt.
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        self.inner.status()
    }

    /// Runs the child to its end and collects what it writes.
    ///
    /// # Errors
    /// The program could not be started, or its end not be learnt.
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        self.inner.output()
    }
}

impl From<tokio::process::Command> for Command {
    fn from(inner: tokio::process::Command) -> Self {
        Self { inner }
    }
}

impl From<std::process::Command> for Command {
    fn from(inner: std::process::Command) -> Self {
        tokio::process::Command::from(inner).into()
    }
}

impl Deref for Command {
    type Target = tokio::process::Command;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Command {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
