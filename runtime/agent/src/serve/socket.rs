//! The socket of this process: which directory, which name, what is cleaned away beside it.
//!
//! The directory is ours alone (0700, our uid, no symlink) and nobody else may rename it or one above it, so nobody can
//! put a socket or a link of theirs in our place, and there is no moment in which the new socket could be reached by
//! others. A file that is there under our own
//! name is either another copy of pollscope in this process, which answers, or left by the program that `exec`ed
//! this one, which does not.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, TryLockError};

use pollscope_proto::sockets::{self, SocketName};
use tokio::net::{UnixListener, UnixStream};

use super::rights;
use crate::sys;

/// Copies of pollscope in one process that get a socket each.
const MAX_COPIES: u32 = 8;
/// Files of others that are looked at for cleaning, so that a full directory does not hold us up.
const MAX_EXAMINED: usize = 256;

/// The socket to remove at the end of the process; `None` before it is there and after it is gone.
static OPEN: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Where to look for a place: environment and user, so that tests can bring their own.
pub(super) struct Place {
    pub(super) uid: u32,
    pub(super) dirs: Vec<PathBuf>,
}

impl Place {
    /// The directories of this process's user, best first.
    pub(super) fn of_process() -> Self {
        let uid = sys::uid();
        Self {
            uid,
            dirs: sockets::socket_dirs(uid, |name| std::env::var_os(name)),
        }
    }

    /// Opens the socket in the first directory that can be had, and cleans up after dead processes there.
    ///
    /// # Errors
    /// No directory could be used: one sentence that names each and why.
    pub(super) async fn open(&self) -> Result<(UnixListener, PathBuf), String> {
        let mut why = Vec::new();
        for dir in &self.dirs {
            match self.open_in(dir).await {
                Ok(open) => {
                    clean(open.1.parent().unwrap_or(dir)).await;
                    return Ok(open);
                }
                Err(error) => why.push(format!("{}: {error}", dir.display())),
            }
        }
        Err(why.join("; "))
    }

    async fn open_in(&self, dir: &Path) -> io::Result<(UnixListener, PathBuf)> {
        let dir = prepare(dir, self.uid)?;
        let mut name = own_name();
        while name.copy <= MAX_COPIES {
            let path = dir.join(name.to_string());
            match bind(&path) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    if answers(&path).await {
                        name.copy += 1;
                    } else {
                        fs::remove_file(&path)?;
                    }
                }
                other => return other.map(|listener| (listener, path)),
            }
        }
        Err(io::Error::other(format!(
            "{MAX_COPIES} copies of pollscope listen already"
        )))
    }
}

/// Remembers the socket as the one to remove at the end.
pub(super) fn remember(path: &Path) {
    *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.to_owned());
}

/// Removes the socket, once; nothing in a forked child, whose parent still listens. Never waits.
pub(super) fn remove() {
    if !pollscope_capture::registry::is_own_process() {
        return;
    }
    let mut open = match OPEN.try_lock() {
        Ok(open) => open,
        Err(TryLockError::Poisoned(open)) => open.into_inner(),
        // Somebody removes or remembers it right now; a file left behind is cleaned by the next process.
        Err(TryLockError::WouldBlock) => return,
    };
    if let Some(path) = open.take() {
        let _ = fs::remove_file(path);
    }
}

/// The name of this process's first socket. Without a /proc the start time is unknown, and 0.
pub(super) fn own_name() -> SocketName {
    SocketName::new(std::process::id(), own_start_time())
}

/// Field 22 of our `/proc/PID/stat`; 0 where there is none.
pub(super) fn own_start_time() -> u64 {
    start_time_of("self").unwrap_or(0)
}

fn start_time_of(pid: &str) -> Option<u64> {
    sockets::start_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Makes the directory, or finds it made, ours alone. Where it really is, links on the way followed once.
fn prepare(dir: &Path, uid: u32) -> io::Result<PathBuf> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
        return Err(io::Error::other("no directory can be made there"));
    };
    let parent = fs::canonicalize(parent)?;
    for above in parent.ancestors() {
        let found = fs::symlink_metadata(above)?;
        if let Some(why) = swapped_by(found.uid(), found.mode(), uid) {
            return Err(io::Error::other(format!("{}: {why}", above.display())));
        }
    }
    let dir = parent.join(name);
    match DirBuilder::new().mode(0o700).create(&dir) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = fs::symlink_metadata(&dir)?;
    if !found.is_dir() {
        return Err(io::Error::other("not a directory"));
    }
    if found.uid() != uid {
        return Err(io::Error::other(format!(
            "belongs to uid {}, not to us",
            found.uid()
        )));
    }
    if found.mode() & 0o777 != 0o700 {
        // Ours, so nobody else can swap it meanwhile. Also mends a umask that took our own bits.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(dir)
}

/// Who but us and root could put something else in the place of what lies in a directory of this owner and mode.
///
/// `sudo -E` keeps the user's directories in root's environment: what lies there the user may exchange at any moment.
fn swapped_by(owner: u32, mode: u32, uid: u32) -> Option<String> {
    if owner != 0 && owner != uid && !rights::has_no_number(owner) {
        return Some(format!(
            "uid {owner} may rename what lies there: it is theirs"
        ));
    }
    let is_sticky = mode & 0o1000 != 0;
    (mode & 0o022 != 0 && !is_sticky)
        .then(|| "others may rename what lies there: it lacks the sticky bit".to_owned())
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    // The umask decided so far; the directory kept others out meanwhile.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Whether a socket of ours can still be reached by nobody but our user, and root.
pub(super) fn is_closed(path: &Path) -> bool {
    let has = |path: &Path, mode| {
        fs::symlink_metadata(path).is_ok_and(|found| found.mode() & 0o777 == mode)
    };
    has(path, 0o600) && path.parent().is_some_and(|dir| has(dir, 0o700))
}

/// Whether somebody listens. Does not wait: a full queue is somebody, too.
async fn answers(path: &Path) -> bool {
    match UnixStream::connect(path).await {
        Ok(_) => true,
        Err(error) => !matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
        ),
    }
}

/// Removes the sockets of processes that are gone.
///
/// Two proofs are asked for, because containers share directories and not process ids: no such process here,
/// and nobody listens.
async fn clean(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.take(MAX_EXAMINED).flatten() {
        let Some(name) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<SocketName>().ok())
        else {
            continue;
        };
        let path = entry.path();
        if is_dead(name) && !answers(&path).await {
            let _ = fs::remove_file(path);
        }
    }
}

fn is_dead(name: SocketName) -> bool {
    // Without a /proc nobody can be told dead.
    Path::new("/proc/self/stat").exists()
        && start_time_of(&name.pid.to_string()) != Some(name.start_time)
}

#[cfg(test)]
mod tests;
