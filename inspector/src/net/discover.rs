//! Finds the sockets of targets on this machine, those of containers included, and asks each who it is.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pollscope_proto::sockets::SocketName;

use super::{Address, NetError, Session, clean, passwd};
use crate::model::{Found, FoundState, View};

mod namespaces;
mod places;
mod process;

use namespaces::Namespace;
pub(super) use namespaces::{can_be_looked_into, environment, variable};
pub(super) use process::{Process, own_uid};

/// How long a target may take to say who it is, where a screen waits for it.
const PROBE_LIMIT: Duration = Duration::from_millis(300);
/// Mount namespaces other than ours that are looked into.
const MAX_NAMESPACES: usize = 256;

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

/// Asks a target for what a list shows of it, within 300 ms.
pub async fn probe(found: Found) -> Found {
    probe_within(found, PROBE_LIMIT).await
}

/// Asks a target for what a list shows of it. Whatever goes wrong becomes its state.
pub async fn probe_within(mut found: Found, limit: Duration) -> Found {
    let asked = tokio::time::timeout(limit, ask(&mut found)).await;
    found.state = match asked {
        Ok(Ok(())) => FoundState::Ready,
        Ok(Err(NetError::NotListening { .. })) => FoundState::Stale,
        Ok(Err(NetError::Version {
            theirs_is_newer, ..
        })) => FoundState::Unusable(
            if theirs_is_newer {
                "newer: update the pollscope command"
            } else {
                "too old: update the program's pollscope"
            }
            .to_owned(),
        ),
        Ok(Err(error)) => FoundState::Unusable(error.to_string()),
        Err(_) => FoundState::Unusable(format!("no answer in {} ms", limit.as_millis())),
    };
    found
}

/// Removes a socket whose process is gone.
///
/// # Errors
/// If it is not a socket of ours, or somebody listens after all.
pub fn remove_stale(address: &str) -> Result<(), NetError> {
    let refuse = |why: &str| {
        Err(NetError::Refused(format!(
            "{}: {why}",
            clean(address, 4096)
        )))
    };
    let Ok(Address::Unix(path)) = address.parse() else {
        return refuse("not a socket");
    };
    let name = path.file_name().and_then(|name| name.to_str());
    if name.is_none_or(|name| name.parse::<SocketName>().is_err()) {
        return refuse("not a socket of pollscope");
    }
    if std::os::unix::net::UnixStream::connect(&path).is_ok() {
        return refuse("somebody listens");
    }
    match fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) => refuse(&error.to_string()),
    }
}

/// The socket of a process that this one started, or of one that it started in turn: `cargo run` does.
pub fn find_under(pid: u32) -> Option<Address> {
    let under = |process: &Process| process.pid == pid || process.has_ancestor(pid);
    let sockets = own_sockets().into_iter();
    sockets
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

async fn ask(found: &mut Found) -> Result<(), NetError> {
    let address: Address = found.address.parse()?;
    let session = Session::open(&address).await?;
    let hello = session.hello().clone();
    found.name.clone_from(&hello.target.name);
    found.tokio.clone_from(&hello.target.tokio);
    found.exe.clone_from(&hello.target.exe);
    found.args.clone_from(&hello.target.args);
    found.pollscope.clone_from(&hello.target.pollscope);
    found.tcp.clone_from(&hello.target.tcp);
    // As this machine counts it: the number it has in a container may be another's here.
    found.pid = hello.local_pid;
    found.proto = Some(hello.protocol);
    found.level = Some(hello.target.level);
    found.level_source.clone_from(&hello.target.level_source);
    found.uptime_s = Some(hello.target.uptime_s);
    let totals_only = View {
        limit: 0,
        sites: false,
        threads: false,
        warnings: false,
        ..View::default()
    };
    let mut watch = session.watch(totals_only);
    if let Some(snapshot) = watch.next().await {
        let snapshot = snapshot?;
        found.tasks = Some(snapshot.totals.tasks);
        found.warnings = Some(snapshot.totals.warnings_warn + snapshot.totals.warnings_error);
        found.level = Some(snapshot.target.level);
        found.level_source.clone_from(&snapshot.target.level_source);
    }
    Ok(())
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
    let mut sockets = own_sockets();
    let mut seen: HashSet<_> = sockets
        .iter()
        .filter_map(|socket| identity(&socket.path))
        .collect();
    for inside in Namespace::others(MAX_NAMESPACES) {
        for (path, name) in places::inside(&inside)
            .into_iter()
            .flat_map(|dir| sockets_in(&dir))
        {
            // A directory may be mounted into many containers.
            if identity(&path).is_some_and(|id| seen.insert(id)) {
                let process = inside.process(name);
                sockets.push(Socket {
                    path,
                    name,
                    process,
                });
            }
        }
    }
    sockets
}

/// Those of our own mount namespace.
fn own_sockets() -> Vec<Socket> {
    let mut seen = HashSet::new();
    let found = places::own()
        .into_iter()
        .flat_map(|dir| sockets_in(&dir).collect::<Vec<_>>());
    found
        .filter(|(path, _)| identity(path).is_some_and(|id| seen.insert(id)))
        .map(|(path, name)| {
            let process = Process::read(name.pid);
            let process = process.filter(|process| process.start_time == name.start_time);
            Socket {
                path,
                name,
                process,
            }
        })
        .collect()
}

/// Device and inode: one socket may be reached by many paths.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

fn sockets_in(dir: &Path) -> impl Iterator<Item = (PathBuf, SocketName)> + use<> {
    children(dir).filter_map(|path| {
        let name = path.file_name()?.to_str()?.parse().ok()?;
        let is_socket = fs::symlink_metadata(&path).is_ok_and(|meta| meta.file_type().is_socket());
        is_socket.then_some((path, name))
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
        let found: Vec<_> = sockets_in(dir.path()).collect();
        assert_eq!(found, [(path("7-8.sock"), SocketName::new(7, 8))]);
    }

    #[test]
    fn only_a_dead_socket_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("7-8.sock");
        let address = Address::Unix(path.clone()).to_string();
        let listener = UnixListener::bind(&path).unwrap();
        assert!(remove_stale(&address).is_err());
        drop(listener);
        remove_stale(&address).unwrap();
        assert!(!path.exists());
        let other = dir.path().join("precious");
        fs::write(&other, "").unwrap();
        assert!(remove_stale(&format!("unix:{}", other.display())).is_err());
        assert!(other.exists());
    }
}
