//! Processes that see other files than we do: those of containers, most often, of services with a `/tmp` of their own,
//! and those that changed their root.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use pollscope_proto::sockets::{SocketName, socket_dirs};

use super::process::{Process, read_lossy};
use super::users::Users;

/// Of a process's environment, what is read: the kernel has no bound on it.
const MAX_ENVIRONMENT: u64 = 256 * 1024;

/// What tells one set of files from another: the mount namespace, and which of its directories is the root.
type View = (PathBuf, u64, u64);

/// Files that are not ours to see but through `/proc`, and who sees them.
pub(super) struct Namespace {
    /// One of its processes, whose root shows its files.
    root: PathBuf,
    pub(super) members: Members,
}

/// Processes that see the same files.
#[derive(Default)]
pub(super) struct Members(Vec<Member>);

struct Member {
    pid: u32,
    /// As its own PID namespace counts it.
    inner_pid: u32,
    uid: u32,
}

/// The processes that we may look into: those that see the files we see and go by another number in a PID namespace of
/// their own, and the namespaces of the others, at most `limit`.
pub(super) fn look_around(limit: usize) -> (Members, Vec<Namespace>) {
    let mut renumbered = Members::default();
    let Some(own) = view(Path::new("/proc/self")) else {
        return (renumbered, Vec::new());
    };
    let mut known: Vec<(View, Namespace)> = Vec::new();
    for dir in super::children(Path::new("/proc")) {
        let Some(pid) = dir.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
            continue;
        };
        let Some((view, member)) = view(&dir).zip(member(pid, &dir)) else {
            continue;
        };
        if view == own {
            renumbered
                .0
                .extend(Some(member).filter(|member| member.inner_pid != pid));
        } else if let Some((_, known)) = known.iter_mut().find(|(id, _)| *id == view) {
            known.members.0.push(member);
        } else if known.len() < limit {
            let (root, members) = (dir.join("root"), Members(vec![member]));
            known.push((view, Namespace { root, members }));
        }
    }
    let others = known.into_iter().map(|(_, namespace)| namespace);
    (renumbered, others.collect())
}

impl Namespace {
    /// Its `/`, as seen from here.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where its processes were told to put sockets, as they name it. What a process of a container says is not to be
    /// trusted: a path that leads out of its root is left out.
    pub(super) fn told(&self) -> impl Iterator<Item = PathBuf> {
        let all = self.members.0.iter().flat_map(|member| {
            let environment = environment(member.pid);
            // Its directories are named by its own number.
            let users = Users::of(member.pid);
            let uid = users.and_then(|users| users.inside(member.uid));
            socket_dirs(uid.unwrap_or(member.uid), |name| {
                variable(&environment, name)
            })
        });
        all.filter(|dir| is_plain(dir))
    }
}

impl Members {
    /// The process among them that a socket names, which belongs to the user `owner`.
    pub(super) fn process(&self, name: SocketName, owner: u32) -> Option<Process> {
        let members = self.0.iter();
        members
            .filter(|member| member.inner_pid == name.pid)
            .filter_map(|member| Process::read(member.pid))
            .find(|process| process.is_named_by(name, owner))
    }
}

/// What a process sees; `None` where we may not look.
fn view(process: &Path) -> Option<View> {
    let namespace = fs::read_link(process.join("ns/mnt")).ok()?;
    let root = fs::metadata(process.join("root")).ok()?;
    Some((namespace, root.dev(), root.ino()))
}

/// Whether the files of a process can be seen by this user: its owner may, and root with `CAP_SYS_PTRACE`.
pub(in crate::net) fn can_be_looked_into(pid: u32) -> bool {
    view(&PathBuf::from(format!("/proc/{pid}"))).is_some()
}

/// What a process was started with; empty where it may not be read.
pub(in crate::net) fn environment(pid: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(format!("/proc/{pid}/environ")) {
        // What was read until an error counts.
        let _ = file.take(MAX_ENVIRONMENT).read_to_end(&mut bytes);
    }
    bytes
}

/// A variable in the text of `/proc/PID/environ`.
pub(in crate::net) fn variable(environment: &[u8], name: &str) -> Option<OsString> {
    let mut entries = environment.split(|byte| *byte == 0);
    let value = entries.find_map(|entry| {
        entry
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
    })?;
    Some(OsStr::from_bytes(value).to_owned())
}

fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    parts.all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
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
    fn a_process_of_a_container_has_two_numbers() {
        assert_eq!(inner_pid("Name:\tx\nNSpid:\t4711\t7\n"), Some(7));
        assert_eq!(inner_pid("Name:\tx\nNSpid:\t4711\n"), Some(4711));
        assert_eq!(inner_pid("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_is_found_by_the_number_it_has_inside() {
        let own = Process::read(std::process::id()).unwrap();
        let member = |inner_pid| Member {
            pid: own.pid,
            inner_pid,
            uid: own.uid,
        };
        let members = Members(vec![member(8), member(7)]);
        let name = SocketName::new(7, own.start_time);
        let found = members.process(name, own.uid);
        assert_eq!(found.map(|process| process.pid), Some(own.pid));
        let another = SocketName::new(9, own.start_time);
        assert!(members.process(another, own.uid).is_none());
        let older = SocketName::new(7, own.start_time - 1);
        assert!(members.process(older, own.uid).is_none());
        // Another user's socket names whom it likes.
        assert!(members.process(name, own.uid + 1).is_none());
    }

    #[test]
    fn variables_are_found_whole() {
        let environment = b"XTMPDIR=/no\0TMPDIR=/a=b\0TMPDIR=/second\0EMPTY=\0broken";
        assert_eq!(variable(environment, "TMPDIR").unwrap(), "/a=b");
        assert_eq!(variable(environment, "EMPTY").unwrap(), "");
        assert_eq!(variable(environment, "broken"), None);
        assert_eq!(variable(environment, "TMP"), None);
        assert_eq!(variable(b"", "TMPDIR"), None);
    }

    #[test]
    fn our_own_environment_is_read() {
        let environment = environment(std::process::id());
        assert!(variable(&environment, "PATH").is_some());
        assert!(can_be_looked_into(std::process::id()));
        assert!(!can_be_looked_into(u32::MAX));
    }

    #[test]
    fn paths_that_lead_out_are_not_followed() {
        assert!(is_plain(Path::new("/run/user/7/pollscope")));
        assert!(!is_plain(Path::new("/tmp/../../etc")));
        assert!(!is_plain(Path::new("tmp/../x")));
    }
}
