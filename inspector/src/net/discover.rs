//! Finds the sockets of targets on this machine, those of containers included, and asks each who it is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use pollscope_proto::sockets::SocketName;

use super::{Address, passwd};
use crate::model::Found;

mod namespaces;
mod places;
mod probe;
mod process;
mod stale;
mod users;

use namespaces::look_around;
pub(super) use namespaces::{can_be_looked_into, environment, variable};
pub use probe::{probe, probe_all, probe_all_within};
pub(super) use process::{Process, own_uid};
pub use stale::remove_stale;
pub(super) use users::Users;
use users::is_somebody;

/// Mount namespaces other than ours that are looked into.
const MAX_NAMESPACES: usize = 256;
/// Sockets of one of them that are listed: who may write there may make as many as he likes.
const MAX_SOCKETS: usize = 256;

/// A socket with a name like ours.
struct Socket {
    path: PathBuf,
    name: SocketName,
    /// Its process, as this machine counts it; `None` where no such process runs.
    process: Option<Process>,
}

/// Every socket in the places of the contract, newest process first. Asks none of them: see [`probe`].
pub fn discover() -> Vec<Found> {
    let mut sockets = all_sockets();
    sockets.sort_by_key(|socket| std::cmp::Reverse(socket.name.start_time));
    sockets.into_iter().map(found).collect()
}

/// Where to look for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In our own places, for processes that have our numbers. Costs little.
    Near,
    /// In containers as well. Every process of the machine is looked at.
    Far,
}

/// The socket of a process that this one started, or of one that it started in turn: `cargo run` does, and `unshare`.
/// What a daemon starts when it is asked, as Docker's does, is under that.
pub fn find_under(pid: u32, reach: Reach) -> Option<Address> {
    let under = |process: &Process| process.pid == pid || process.has_ancestor(pid);
    let sockets = match reach {
        Reach::Near => own_sockets(),
        Reach::Far => all_sockets(),
    };
    sockets
        .into_iter()
        .filter(|socket| socket.process.as_ref().is_some_and(under))
        .min_by_key(|socket| socket.name.copy)
        .map(|socket| Address::Unix(socket.path))
}

/// The sockets of one running process, the first copy of pollscope in it first.
pub(super) fn sockets_of(pid: u32) -> Vec<PathBuf> {
    let mut sockets: Vec<_> = all_sockets()
        .into_iter()
        .filter(|socket| {
            socket
                .process
                .as_ref()
                .is_some_and(|process| process.pid == pid)
        })
        .collect();
    sockets.sort_by_key(|socket| socket.name.copy);
    sockets.into_iter().map(|socket| socket.path).collect()
}

fn found(socket: Socket) -> Found {
    let mut found = Found {
        address: Address::Unix(socket.path.clone()).to_string(),
        via: "unix".to_owned(),
        pid: Some(socket.name.pid),
        ..Found::default()
    };
    let Some(process) = socket.process else {
        // Gone, or in a PID namespace that we do not see into, beside a directory that we share: asking it tells.
        found.user = fs::metadata(&socket.path)
            .map_or_else(|_| String::new(), |meta| passwd::user_name(meta.uid()));
        return found;
    };
    found.pid = Some(process.pid);
    found.user = passwd::user_name(process.uid);
    found.uptime_s = process.uptime_s;
    found.name = process.name;
    found
}

fn all_sockets() -> Vec<Socket> {
    let (renumbered, others) = look_around(MAX_NAMESPACES);
    let mut sockets = Sockets::default();
    for file in files_in(&places::own()) {
        sockets.add(&file, |name, owner| {
            named_here(name, owner).or_else(|| {
                renumbered
                    .process(name, owner)
                    .filter(|_| is_somebody(owner))
            })
        });
    }
    for inside in others {
        for file in files_in(&places::inside(&inside)) {
            sockets.add(&file, |name, owner| inside.members.process(name, owner));
        }
    }
    sockets.found
}

/// Those of our own mount namespace whose processes have our numbers.
fn own_sockets() -> Vec<Socket> {
    let mut sockets = Sockets::default();
    for file in files_in(&places::own()) {
        sockets.add(&file, named_here);
    }
    sockets.found
}

fn named_here(name: SocketName, owner: u32) -> Option<Process> {
    Process::read(name.pid).filter(|process| process.is_named_by(name, owner) && is_somebody(owner))
}

/// What was found, each socket once: one may be reached by many paths, as from all containers a directory is mounted
/// into.
#[derive(Default)]
struct Sockets {
    found: Vec<Socket>,
    known: HashMap<(u64, u64), usize>,
}

impl Sockets {
    /// Adds it; or, where it is known, its process, if nobody who sees it knew that until now.
    fn add(&mut self, file: &File, process: impl FnOnce(SocketName, u32) -> Option<Process>) {
        match self.known.entry(file.id) {
            Entry::Vacant(entry) => {
                entry.insert(self.found.len());
                self.found.push(Socket {
                    path: file.path.clone(),
                    name: file.name,
                    process: process(file.name, file.owner),
                });
            }
            Entry::Occupied(entry) => {
                let known = &mut self.found[*entry.get()];
                // A second name of one socket, by a hard link, may be made by another.
                if known.process.is_none() && known.name == file.name {
                    known.process = process(file.name, file.owner);
                }
            }
        }
    }
}

/// The file of a socket with a name like ours.
#[derive(Debug, PartialEq)]
struct File {
    path: PathBuf,
    name: SocketName,
    /// Device and inode.
    id: (u64, u64),
    owner: u32,
}

/// The first [`MAX_SOCKETS`] in these directories.
fn files_in(dirs: &[PathBuf]) -> impl Iterator<Item = File> {
    dirs.iter()
        .flat_map(|dir| children(dir).filter_map(file))
        .take(MAX_SOCKETS)
}

fn file(path: PathBuf) -> Option<File> {
    let name = path.file_name()?.to_str()?.parse().ok()?;
    let meta = fs::symlink_metadata(&path).ok()?;
    meta.file_type().is_socket().then(|| File {
        path,
        name,
        id: (meta.dev(), meta.ino()),
        owner: meta.uid(),
    })
}

fn children(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_sockets_with_our_names_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let _ours = UnixListener::bind(path("7-8.sock")).unwrap();
        let _other = UnixListener::bind(path("x.sock")).unwrap();
        fs::write(path("9-9.sock"), "").unwrap();
        std::os::unix::fs::symlink(path("7-8.sock"), path("7-9.sock")).unwrap();
        let dirs = [dir.path().to_owned()];
        let found = files_in(&dirs);
        let found: Vec<_> = found.map(|file| (file.path, file.name)).collect();
        assert_eq!(found, [(path("7-8.sock"), SocketName::new(7, 8))]);
    }

    #[test]
    fn a_later_view_tells_the_process_of_a_known_socket() {
        let own = Process::read(std::process::id()).unwrap();
        let file = File {
            path: "/a/7-8.sock".into(),
            name: SocketName::new(7, 8),
            id: (1, 2),
            owner: own.uid,
        };
        let mut sockets = Sockets::default();
        sockets.add(&file, |_, _| None);
        let linked = File {
            name: SocketName::new(7, 9),
            ..file_at(&file, "/b/7-9.sock")
        };
        sockets.add(&linked, |_, _| panic!("it goes by another name"));
        let again = file_at(&file, "/proc/1/root/a/7-8.sock");
        sockets.add(&again, |_, owner| {
            Some(own.clone()).filter(|own| own.uid == owner)
        });
        sockets.add(&again, |_, _| panic!("it is known by now"));
        let [socket] = &sockets.found[..] else {
            panic!("one socket");
        };
        assert_eq!(socket.path, file.path);
        assert_eq!(
            socket.process.as_ref().map(|process| process.pid),
            Some(own.pid)
        );
    }

    fn file_at(file: &File, path: &str) -> File {
        File {
            path: path.into(),
            ..*file
        }
    }

    #[test]
    fn only_so_many_sockets_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        for at in 0..MAX_SOCKETS + 2 {
            UnixListener::bind(dir.path().join(format!("7-{at}.sock"))).unwrap();
        }
        assert_eq!(files_in(&[dir.path().to_owned()]).count(), MAX_SOCKETS);
    }
}
