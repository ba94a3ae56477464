//! Warnings: one record per kind and site, with count, first, last and worst.

use pollscope_proto::frames::is_user;
use serde::{Serialize, Serializer};

use super::{Site, ThreadRef};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    #[default]
    Info,
    Warn,
    Error,
}

/// A kind of the contract, or the text a newer target sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WarningKind(pub String);

impl WarningKind {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for WarningKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TaskRef {
    pub id: u64,
    pub name: String,
}

/// One source frame. `function` is empty until the frame was resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Frame {
    pub function: String,
    pub file: String,
    pub line: u32,
    /// File name of the module, and the offset in it.
    pub module: String,
    pub offset: u64,
    pub inlined: bool,
}

/// One of the two places of a warning: where it began, or where it went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    pub site: Option<Site>,
    pub thread: Option<ThreadRef>,
    pub backtrace: Vec<Frame>,
    /// The backtrace is another task's of the same site: this one took none.
    pub exemplar: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// `on_cpu`, `syscall`, `lock`, `lock_starved`, `stopped`, `descheduled`, `throttled`; of a thread that runs no poll
    /// also `parked`.
    pub state: String,
    pub syscall: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delayed {
    pub tasks: u64,
    pub max_ns: u64,
}

/// The future within a task that accounts for a slow poll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SubFuture {
    #[serde(rename = "type")]
    pub type_name: String,
    /// Where it was made, or the macro that polls it stands.
    pub site: Option<Site>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ErrorText {
    #[serde(rename = "type")]
    pub type_name: String,
    pub display: Option<String>,
    pub debug: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Warning {
    #[serde(skip)]
    pub id: u32,
    pub kind: WarningKind,
    pub severity: Severity,
    /// `definite` or `likely`.
    pub certainty: String,
    pub live: bool,
    pub count: u64,
    pub first_ns: u64,
    pub last_ns: u64,
    pub message: String,
    pub site: Option<Site>,
    pub task: Option<TaskRef>,
    pub created: Place,
    pub observed: Place,
    pub verdict: Option<Verdict>,
    pub wall_ns: Option<u64>,
    pub cpu_ns: Option<u64>,
    pub threshold_ns: Option<u64>,
    pub poll: Option<u64>,
    pub sub_future: Option<SubFuture>,
    pub delayed: Option<Delayed>,
    pub error: Option<ErrorText>,
    /// The worst wall time of all that were counted.
    #[serde(skip)]
    pub worst_ns: Option<u64>,
    /// Different tasks counted.
    #[serde(skip)]
    pub tasks: u64,
}

impl Warning {
    /// The type of the task's future, where the stack of what it did names nothing of the user's: the executable is
    /// stripped.
    pub fn instead_of_names(&self) -> Option<&str> {
        let stack = &self.observed.backtrace;
        let named =
            |frame: &Frame| !frame.function.is_empty() && is_user(&frame.function, &frame.file);
        if stack.is_empty() || stack.iter().any(named) {
            return None;
        }
        let sites = [&self.site, &self.created.site].into_iter().flatten();
        let mut types = sites.map(|site| site.type_name.as_str());
        types.find(|name| !name.is_empty())
    }
}
