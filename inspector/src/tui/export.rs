//! `e`: a report of the target, in a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::app::TimeOfDay;
use crate::model::Snapshot;
use crate::report;

/// Writes the update as `report --json` prints one into a new file of that directory. Returns its name.
pub(super) fn write(directory: &Path, snapshot: &Snapshot, at: TimeOfDay) -> io::Result<PathBuf> {
    let name = PathBuf::from(file_name(snapshot, at));
    // Never over a file that is there.
    let file = File::create_new(directory.join(&name))?;
    let mut out = BufWriter::new(file);
    report::json::<io::Error>(&mut out, snapshot)?;
    out.flush()?;
    Ok(name)
}

/// `pollscope-orders-4711-120431.json`; of the target's name only what is safe in a file's.
fn file_name(snapshot: &Snapshot, at: TimeOfDay) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = snapshot.target.name.chars().filter(safe).take(40).collect();
    let TimeOfDay {
        hour,
        minute,
        second,
    } = at;
    let pid = snapshot.target.pid;
    format!("pollscope-{name}-{pid}-{hour:02}{minute:02}{second:02}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_a_report_and_never_replaces_another() {
        let mut snapshot = Snapshot {
            tasks_total: 3,
            ..Snapshot::default()
        };
        (snapshot.target.name, snapshot.target.pid) = ("../or ders".to_owned(), 7);
        let at = TimeOfDay {
            hour: 9,
            minute: 4,
            second: 31,
        };
        let directory = tempfile::tempdir().unwrap();
        let name = write(directory.path(), &snapshot, at).unwrap();
        assert_eq!(name, Path::new("pollscope-orders-7-090431.json"));
        let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&json["schema"], &json["tasks_total"]),
            (&1.into(), &3.into())
        );
        let again = write(directory.path(), &snapshot, at).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }
}
