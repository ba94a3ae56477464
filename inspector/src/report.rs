//! What the inspector prints: plain text for people, JSON for programs. Pure functions of the model.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Change, Level, Snapshot, Target, ThreadStack};

mod clock;
mod dump;
mod explanation;
mod frames;
mod github;
mod junit;
mod paint;
mod processes;
mod table;
mod text;
mod warnings;

pub use dump::dump;
pub use explanation::explanation;
pub use github::github;
pub use junit::junit;
pub use paint::Paint;
pub use processes::processes;
pub use text::text;
pub use warnings::warning_line;

/// The version of the JSON that is printed. Fields are only added.
pub const SCHEMA: u32 = 1;

/// As many tasks it shows, the busiest, where no other number is asked for.
pub const TASKS: u32 = 100;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

/// Prints `report --json`.
pub fn json<E: From<io::Error> + From<serde_json::Error>>(
    out: &mut dyn Write,
    snapshot: &Snapshot,
) -> Result<(), E> {
    pretty(
        out,
        &Report {
            schema: SCHEMA,
            snapshot,
        },
    )
}

#[derive(Serialize)]
struct Dump<'a> {
    schema: u32,
    target: &'a Target,
    threads: &'a [ThreadStack],
}

/// Prints `dump --json`.
pub fn dump_json<E: From<io::Error> + From<serde_json::Error>>(
    out: &mut dyn Write,
    target: &Target,
    threads: &[ThreadStack],
) -> Result<(), E> {
    pretty(
        out,
        &Dump {
            schema: SCHEMA,
            target,
            threads,
        },
    )
}

fn pretty<E: From<io::Error> + From<serde_json::Error>>(
    out: &mut dyn Write,
    value: &impl Serialize,
) -> Result<(), E> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(writeln!(out)?)
}

/// Prints the settings in force, as `set` takes them.
pub fn settings(out: &mut dyn Write, now: &Change) -> io::Result<()> {
    let level = now.level.map_or("", level);
    let slow_poll = match now.slow_poll_ns.unwrap_or(0) {
        0 => "0".to_owned(),
        u64::MAX => "off".to_owned(),
        ns => crate::format::duration(ns).replace(' ', ""),
    };
    let log = now.log.as_deref().unwrap_or("");
    write!(out, "level={level} slow_poll={slow_poll} log={log}")?;
    if let Some(depth) = now.depth {
        write!(out, " depth={depth}")?;
    }
    if let Some(dedupe) = now.dedupe {
        write!(out, " dedupe={}", if dedupe { "on" } else { "off" })?;
    }
    writeln!(out)
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Off => "off",
        Level::Quiet => "quiet",
        Level::Debug => "debug",
    }
}

#[cfg(test)]
mod tests;
