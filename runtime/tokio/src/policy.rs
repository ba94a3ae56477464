//! Tests and programs that tolerate no finding: what `#[pollscope::test]` and `assert_no_warnings!` are made of.
//!
//! A test is a scope: its thread, and the runtimes that are made under it. Without feature `serve` nothing is
//! collected, and so nothing denied.

use crate::capture::scope::Scope;

use crate::setup;

/// A test whose findings are told apart from those of the tests beside it: open on the thread that made it, with
/// every runtime that is made under it, until it is closed or dropped.
///
/// `#[pollscope::test]` opens one. For a test with a runtime of its own making:
///
/// ```
/// use pollscope_tokio::policy::TestScope;
/// use pollscope_tokio::runtime::Builder;
///
/// let scope = TestScope::open(Some("any"));
/// let runtime = Builder::new_current_thread().build()?;
/// runtime.block_on(async { /* … */ });
/// drop(runtime);
/// scope.close(); // panics where something was found
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "what is found is judged when it is closed"]
pub struct TestScope {
    scope: Scope,
    /// What was said here: the environment does not count then.
    #[cfg_attr(
        not(feature = "serve"),
        expect(dead_code, reason = "nothing is collected, and so nothing denied")
    )]
    deny: Option<&'static str>,
}

impl TestScope {
    /// Opens a scope on this thread. `deny` as in `POLLSCOPE_DENY`, which holds where it is `None`.
    pub fn open(deny: Option<&'static str>) -> Self {
        setup::ensure_started();
        #[cfg(feature = "serve")]
        if deny.is_some() {
            pollscope_agent::attend();
        }
        let scope = Scope::open();
        Self { scope, deny }
    }

    /// Judges what was found.
    ///
    /// Takes some milliseconds, mostly; ten seconds where the machine has no time for the collector.
    ///
    /// # Panics
    /// Something was found that is denied, and the thread does not panic already; or the rule cannot be read.
    #[track_caller]
    pub fn close(self) {
        let found = self.found();
        drop(self.scope);
        if let Some(text) = found {
            fail(&text);
        }
    }

    /// As [`close`](Self::close) of a test that has returned `output`: where that is an `Err`, the test fails by it,
    /// and what was found is only written to stderr.
    #[track_caller]
    pub fn close_with<T>(self, output: T) -> T {
        if crate::capture::is_err::is_err(&output) {
            if let Some(text) = self.found() {
                write(&text);
            }
        } else {
            self.close();
        }
        output
    }

    #[cfg(feature = "serve")]
    fn found(&self) -> Option<String> {
        let deny = match self.deny {
            Some(text) => text.parse().map_err(|wrong| format!("deny: {wrong}")),
            None => Ok(pollscope_agent::denied()),
        };
        match deny {
            Ok(deny) if deny.is_none() => None,
            Ok(deny) => told(
                &pollscope_agent::verdict(Some(self.scope.number()), &deny, true),
                &deny.to_string(),
            ),
            Err(wrong) => Some(wrong),
        }
    }

    #[cfg(not(feature = "serve"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn found(&self) -> Option<String> {
        None
    }
}

/// What `assert_no_warnings!` does: panics where this test has found anything; outside of every test scope, where
/// anything was found in this process. `kinds`: as in `POLLSCOPE_DENY`.
///
/// # Panics
/// Something was found, and the thread does not panic already; or `kinds` cannot be read.
#[track_caller]
pub fn assert_none(kinds: &str) {
    #[cfg(feature = "serve")]
    {
        let deny = match kinds.parse::<pollscope_agent::Deny>() {
            Ok(deny) => deny,
            Err(wrong) => return fail(&wrong.to_string()),
        };
        let scope = crate::capture::scope::of_this_thread();
        let lines = pollscope_agent::verdict((scope != 0).then_some(scope), &deny, false);
        if let Some(text) = told(&lines, &deny.to_string()) {
            fail(&text);
        }
    }
    #[cfg(not(feature = "serve"))]
    let _ = kinds;
}

#[cfg(feature = "serve")]
fn told(lines: &[String], deny: &str) -> Option<String> {
    let text = match lines {
        [] => return None,
        [line] => format!("pollscope found what is denied ({deny}):\n  {line}"),
        lines => format!(
            "pollscope found {} things that are denied ({deny}):\n  {}",
            lines.len(),
            lines.join("\n  ")
        ),
    };
    Some(text)
}

/// Never a second panic while one unwinds: that would abort the process, and all tests with it.
#[track_caller]
fn fail(text: &str) {
    if std::thread::panicking() {
        write(text);
    } else {
        panic!("{text}");
    }
}

fn write(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}
