//! What `/proc` tells of a process, and which processes live in other mount namespaces than ours.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pollscope_proto::sockets::{SocketName, socket_dirs, start_time};

use super::super::clean;
use super::no_variables;

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
            uid: fs::metadata(&dir).ok()?.uid(),
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
fn read_lossy(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The user we run as.
pub(in crate::net) fn own_uid() -> u32 {
    fs::metadata("/proc/self").map_or(u32::MAX, |meta| meta.uid())
}

/// A mount namespace that is not ours: a container's, most often.
pub(super) struct Namespace {
    /// One of its processes, whose root shows its files.
    root: PathBuf,
    members: Vec<Member>,
}

struct Member {
    pid: u32,
    /// As its own PID namespace counts it.
    inner_pid: u32,
    uid: u32,
}

impl Namespace {
    /// Where its processes may have put sockets, as seen from here.
    pub(super) fn dirs(&self) -> Vec<PathBuf> {
        let users: HashSet<u32> = self.members.iter().map(|member| member.uid).collect();
        let dirs = users
            .into_iter()
            .flat_map(|uid| socket_dirs(uid, no_variables));
        let inside = dirs.filter_map(|dir| Some(self.root.join(dir.strip_prefix("/").ok()?)));
        inside.collect()
    }

    /// The process that a socket of this namespace names.
    pub(super) fn process(&self, name: SocketName) -> Option<Process> {
        let members = self.members.iter();
        members
            .filter(|member| member.inner_pid == name.pid)
            .filter_map(|member| Process::read(member.pid))
            .find(|process| process.start_time == name.start_time)
    }
}

/// The namespaces of the processes that we may look into.
pub(super) fn other_namespaces(limit: usize) -> Vec<Namespace> {
    let Some(own) = mount_namespace("self") else {
        return Vec::new();
    };
    let mut known: Vec<(PathBuf, Namespace)> = Vec::new();
    for dir in super::children(Path::new("/proc")) {
        let Some(pid) = dir.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
            continue;
        };
        let Some(namespace) = mount_namespace(&u32::to_string(&pid)).filter(|ns| *ns != own) else {
            continue;
        };
        let Some(member) = member(pid, &dir) else {
            continue;
        };
        if let Some((_, known)) = known.iter_mut().find(|(id, _)| *id == namespace) {
            known.members.push(member);
        } else if known.len() < limit {
            let (root, members) = (dir.join("root"), vec![member]);
            known.push((namespace, Namespace { root, members }));
        }
    }
    known.into_iter().map(|(_, namespace)| namespace).collect()
}

fn mount_namespace(pid: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/mnt")).ok()
}

fn member(pid: u32, dir: &Path) -> Option<Member> {
    Some(Member {
        pid,
        inner_pid: inner_pid(&read_lossy(&dir.join("status"))?).unwrap_or(pid),
        uid: fs::metadata(dir).ok()?.uid(),
    })
}

/// The last number of `NSpid:`, in the text of `/proc/PID/status`.
fn inner_pid(status: &str) -> Option<u32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().next_back()?.parse().ok()
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

    #[test]
    fn a_process_of_a_container_has_two_numbers() {
        assert_eq!(inner_pid("Name:\tx\nNSpid:\t4711\t7\n"), Some(7));
        assert_eq!(inner_pid("Name:\tx\nNSpid:\t4711\n"), Some(4711));
        assert_eq!(inner_pid("Name:\tx\n"), None);
    }
}
