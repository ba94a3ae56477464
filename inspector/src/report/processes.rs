//! `ps` as text.

use std::io::{self, Write};

use super::table::Table;
use super::{Paint, level};
use crate::format::{age, count};
use crate::model::{Found, FoundState};

/// Prints what discovery found.
pub fn processes(out: &mut dyn Write, found: &[Found], paint: Paint) -> io::Result<()> {
    let mut table = Table::new(&[
        ">PID", "NAME", "USER", ">UP", "LEVEL", ">TASKS", ">WARN", "TOKIO", "TCP", "ADDRESS",
    ]);
    let unknown = || "-".to_owned();
    let word = |text: &str| {
        if text.is_empty() {
            unknown()
        } else {
            text.to_owned()
        }
    };
    for row in found {
        let state = match &row.state {
            FoundState::Ready | FoundState::Asking => String::new(),
            FoundState::Stale => "  stale: its process is gone".to_owned(),
            FoundState::Unusable(why) => format!("  {why}"),
        };
        table.row([
            row.pid.map_or_else(unknown, |pid| pid.to_string()),
            word(&row.name),
            word(&row.user),
            row.uptime_s
                .map_or_else(unknown, |up| age((up * 1e9) as u64)),
            row.level.map_or_else(unknown, |of| level(of).to_owned()),
            row.tasks.map_or_else(unknown, count),
            row.warnings.map_or_else(unknown, count),
            word(&row.tokio),
            word(&row.tcp),
            format!("{}{state}", row.address),
        ]);
    }
    table.print(out, paint)
}
