//! What a screen or a report wants to see: the target sends that and no more.

/// One view of a target. Each change replaces the last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "parts of a view are switched on and off one by one"
)]
pub struct View {
    /// The filter language of `pollscope_proto::filter`.
    pub filter: String,
    /// A column of `pollscope_proto::order`.
    pub order: String,
    pub descending: bool,
    /// The window into the ordered tasks. `limit` 0: no task rows; `u32::MAX`: all.
    pub offset: u32,
    pub limit: u32,
    pub interval_ms: u32,
    pub sites: bool,
    pub threads: bool,
    pub warnings: bool,
    /// Ten minutes of one-second history of sites and threads.
    pub history: bool,
    /// Tasks that ended but whose handle is held.
    pub done: bool,
    /// Only tasks of this spawn site.
    pub site: Option<u32>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            filter: String::new(),
            order: "busy".to_owned(),
            descending: true,
            offset: 0,
            limit: 64,
            interval_ms: 250,
            sites: true,
            threads: true,
            warnings: true,
            history: false,
            done: true,
            site: None,
        }
    }
}

/// A change of the target's settings; `None` leaves a setting as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub level: Option<super::Level>,
    pub slow_poll_ns: Option<u64>,
    /// `off`, `error`, `warn`, `info` or `debug`.
    pub log: Option<String>,
    /// How many of the user's frames of a backtrace are shown.
    pub depth: Option<u32>,
    /// Whether findings of one kind and site are one record.
    pub dedupe: Option<bool>,
}
