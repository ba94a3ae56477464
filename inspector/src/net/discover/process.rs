//! What `/proc` tells of a process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pollscope_proto::sockets::{SocketName, start_time};

use super::super::clean;
use super::users::Users;

/// One running process.
#[derive(Clone, Debug)]
pub(in crate::net) struct Process {
    pub(in crate::net) pid: u32,
    pub(in crate::net) name: String,
    pub(in crate::net) uid: u32,
    pub(in crate::net) start_time: u64,
    parent: Option<u32>,
    pub(in crate::net) uptime_s: Option<f64>,
}

impl Process {
    /// Whether `pid` started it, or started who started it.
    pub(in crate::net) fn has_ancestor(&self, pid: u32) -> bool {
        let mut parent = self.parent;
        // Deeper than any real chain, and an end where the numbers change under us.
        for _ in 0..64 {
            match parent {
                Some(found) if found == pid => return true,
                Some(0) | None => return false,
                Some(above) => parent = Self::read(above).and_then(|process| process.parent),
            }
        }
        false
    }

    /// Whether it can be meant by the name of a socket that belongs to the user `owner`: its own, or root's, ours or
    /// that of its container, which may have given up its rights since. Everybody else could name it, too.
    pub(in crate::net) fn is_named_by(&self, name: SocketName, owner: u32) -> bool {
        self.start_time == name.start_time
            && (owner == self.uid || owner == 0 || Some(owner) == self.root_of_its_users())
    }

    fn root_of_its_users(&self) -> Option<u32> {
        Users::of(self.pid)?.outside(0)
    }

    /// `None` where there is no such process, or only its name is left because nobody has waited for it.
    pub(in crate::net) fn read(pid: u32) -> Option<Self> {
        let dir = PathBuf::from(format!("/proc/{pid}"));
        let stat = read_lossy(&dir.join("stat"))?;
        if matches!(after_name(&stat, 0), Some("Z" | "X")) {
            return None;
        }
        let start_time = start_time(&stat)?;
        Some(Self {
            pid,
            name: name(&dir),
            uid: uid(&dir)?,
            parent: after_name(&stat, 1).and_then(|pid| pid.parse().ok()),
            start_time,
            uptime_s: uptime(start_time),
        })
    }
}

/// The file name of the executable where we may see it, else what the process calls itself.
fn name(dir: &Path) -> String {
    let exe = fs::read_link(dir.join("exe")).ok();
    let exe = exe.as_deref().and_then(Path::file_name);
    let name = exe.map_or_else(
        || read_lossy(&dir.join("comm")).unwrap_or_default(),
        |name| name.to_string_lossy().into_owned(),
    );
    clean(name.trim_end().trim_end_matches(" (deleted)"), 256)
}

/// Whom it runs as. Where it has more rights than its user, by the capabilities of its file most often, its directory is
/// root's.
fn uid(dir: &Path) -> Option<u32> {
    let status = read_lossy(&dir.join("status"))?;
    effective_uid(&status).or_else(|| Some(fs::metadata(dir).ok()?.uid()))
}

/// The second number of `Uid:`, in the text of `/proc/PID/status`.
fn effective_uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A field of the text of `/proc/PID/stat`, counted from the state, which follows the name.
fn after_name(stat: &str, field: usize) -> Option<&str> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(field)
}

fn uptime(start_time: u64) -> Option<f64> {
    // Linux shows user space a hundred ticks a second on every architecture Rust has.
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let since_boot: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some((since_boot - start_time as f64 / TICKS_PER_SECOND).max(0.0))
}

/// The name of a process may be any bytes.
pub(super) fn read_lossy(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The user we run as.
pub(in crate::net) fn own_uid() -> u32 {
    fs::metadata("/proc/self").map_or(u32::MAX, |meta| meta.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_itself() {
        let own = Process::read(std::process::id()).unwrap();
        assert_eq!(own.uid, own_uid());
        assert!(own.start_time > 0);
        assert!(own.uptime_s.is_some_and(|uptime| uptime < 3600.0 * 24.0));
        assert!(!own.name.is_empty());
        assert!(own.parent.is_some_and(|parent| own.has_ancestor(parent)));
        assert!(!own.has_ancestor(own.pid));
        assert!(Process::read(u32::MAX).is_none());
    }

    #[test]
    fn a_process_has_the_user_whose_rights_it_has() {
        assert_eq!(effective_uid("Name:\tx\nUid:\t7\t8\t9\t10\n"), Some(8));
        assert_eq!(effective_uid("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_that_ended_is_gone_though_nobody_waited() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while Process::read(child.id()).is_some() {
            assert!(std::time::Instant::now() < limit, "it ends at once");
            std::thread::yield_now();
        }
        let stat = read_lossy(Path::new(&format!("/proc/{}/stat", child.id()))).unwrap();
        assert_eq!(after_name(&stat, 0), Some("Z"));
        child.wait().unwrap();
    }
}
