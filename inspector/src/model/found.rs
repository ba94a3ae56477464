//! What the picker lists: one process, as discovery and a short probe see it.

use super::Level;

/// One address that belongs to an instrumented process, or once did.
///
/// `net::discover()` finds the addresses; `net::probe` fills the rest by a hello and one update without
/// task rows. A figure that is not known is `None`, never zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What `net::Address` prints and parses: `unix:/run/…/48213-….sock` or `127.0.0.1:6670`. The row's identity.
    pub address: String,
    /// `unix` or `tcp`.
    pub via: String,
    pub state: FoundState,
    pub pid: Option<u32>,
    pub name: String,
    pub user: String,
    pub uptime_s: Option<f64>,
    pub tasks: Option<u64>,
    /// Warnings and errors; notes are not counted.
    pub warnings: Option<u64>,
    pub tokio: String,
    /// The version of the pollscope crate in it.
    pub pollscope: String,
    /// Where it listens on TCP as well; empty where it does not.
    pub tcp: String,
    /// The protocol version both sides speak.
    pub proto: Option<u32>,
    pub level: Option<Level>,
    /// What decided it.
    pub level_source: String,
    pub exe: String,
    pub args: Vec<String>,
}

/// Whether one can attach to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FoundState {
    /// The probe has not answered yet.
    #[default]
    Asking,
    Ready,
    /// Its process is gone: the socket can be removed.
    Stale,
    /// Why not, in words that say what to do.
    Unusable(String),
}
