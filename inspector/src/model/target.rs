//! The watched process.

use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Off,
    #[default]
    Quiet,
    Debug,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    #[default]
    Read,
    Debug,
    Abort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Clock {
    pub mono_ns: u64,
    pub unix_ns: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Target {
    pub pid: u32,
    pub name: String,
    pub uptime_s: f64,
    pub pollscope: String,
    pub tokio: String,
    pub level: Level,
    /// `explicit`, `env`, `default`, `inspector` or `code`.
    pub level_source: String,
    /// `full`, `names`, `lines` or `none`: what a frame can tell.
    pub symbols: String,
    /// What is wrong with `--symbols`, or where debug information went; mostly empty.
    #[serde(skip)]
    pub symbols_note: String,
    pub capabilities: Vec<String>,
    pub rights: Rights,
    pub clock: Clock,
    #[serde(skip)]
    pub exe: String,
    #[serde(skip)]
    pub args: Vec<String>,
    #[serde(skip)]
    pub uid: u32,
    /// Field 22 of `/proc/PID/stat`: tells two processes with one pid apart.
    #[serde(skip)]
    pub start_time_ticks: u64,
    /// When pollscope started in the target, on its monotonic clock.
    #[serde(skip)]
    pub started_ns: u64,
    #[serde(skip)]
    pub socket: String,
    #[serde(skip)]
    pub tcp: String,
    #[serde(skip)]
    pub slow_poll_ns: u64,
    #[serde(skip)]
    pub log_level: String,
    /// How many of the user's frames of a backtrace it wants shown.
    #[serde(skip)]
    pub depth: Option<u32>,
}

impl Target {
    /// What frames lack, and the one thing that mends it; `None` where they lack nothing.
    pub fn symbols_lack(&self) -> Option<&str> {
        if !self.symbols_note.is_empty() {
            return Some(&self.symbols_note);
        }
        match self.symbols.as_str() {
            "names" => Some("no lines: set [profile.release] debug = 1"),
            "lines" => Some("short names: set [profile.release] debug = 1"),
            "none" => Some("stripped: --symbols FILE or DIR of the build that was not"),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runtime {
    pub id: u32,
    pub name: String,
    /// `current_thread`, `multi_thread` or `local`.
    pub flavor: String,
    pub workers: u32,
}
