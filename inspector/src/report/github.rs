//! Warnings as workflow commands of GitHub Actions: each becomes an annotation at its line of the source.
//!
//! The form and what has to be escaped in it: GitHub's "Workflow commands for GitHub Actions".

use std::io::{self, Write};

use super::warnings::worst_first;
use crate::model::{Severity, Snapshot, Warning};

/// Prints a line for each warning, the worst first; notes are none. GitHub shows ten of a severity a step.
pub fn github(out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
    for warning in worst_first(&snapshot.warnings) {
        let command = match warning.severity {
            Severity::Error => "error",
            Severity::Warn => "warning",
            Severity::Info => continue,
        };
        let title = property(&title(warning));
        write!(out, "::{command} title={title}")?;
        if let Some(site) = warning.site.as_ref().filter(|site| !site.file.is_empty()) {
            write!(out, ",file={},line={}", property(&site.file), site.line)?;
            if site.column > 0 {
                write!(out, ",col={}", site.column)?;
            }
        }
        writeln!(out, "::{}", data(&warning.message))?;
    }
    Ok(())
}

fn title(warning: &Warning) -> String {
    let kind = warning.kind.as_str();
    if warning.count > 1 {
        format!("{kind} x{}", warning.count)
    } else {
        kind.to_owned()
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
