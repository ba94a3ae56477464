//! The directories that may hold sockets: of this user, of all users, and of a container.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pollscope_proto::sockets::{SHARED_DIRS, socket_dirs};

use super::namespaces::Namespace;
use super::{children, own_uid};

/// Directories of one mount namespace that are looked into.
const MAX_DIRS: usize = 64;

/// Those of our own mount namespace: this user's, by whatever number they are named, since a user namespace has another
/// for him; and every user's where we are root.
pub(super) fn own() -> Vec<PathBuf> {
    let uid = own_uid();
    let mut dirs = socket_dirs(uid, |name| std::env::var_os(name));
    if uid == 0 {
        dirs.extend(of_all_users(Path::new("/")));
        dirs.extend(beside(&std::env::temp_dir()));
    } else {
        let is_own = |dir: &PathBuf| dir.symlink_metadata().is_ok_and(|meta| meta.uid() == uid);
        dirs.extend(of_all_users(Path::new("/")).filter(is_own));
    }
    bounded(dirs.into_iter().filter(|dir| dir.is_dir()))
}

/// Those of another mount namespace. All that are there, whatever users they name: with a user namespace a user has
/// one number inside and another here.
pub(super) fn inside(namespace: &Namespace) -> Vec<PathBuf> {
    let root = namespace.root();
    let told = namespace
        .told()
        .filter_map(|dir| Some(root.join(dir.strip_prefix("/").ok()?)));
    // A link would lead to what we see by that name.
    let is_dir = |dir: &PathBuf| dir.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    bounded(of_all_users(root).chain(told).filter(is_dir))
}

/// The first of them, each once: who may write there may make as many as he likes.
fn bounded(dirs: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let distinct = dirs.filter(|dir| seen.insert(dir.clone()));
    distinct.take(MAX_DIRS).collect()
}

fn of_all_users(root: &Path) -> impl Iterator<Item = PathBuf> {
    let of_users = children(&root.join("run/user")).map(|dir| dir.join("pollscope"));
    let shared = SHARED_DIRS
        .iter()
        .flat_map(move |dir| beside(&root.join(dir.trim_start_matches('/'))).collect::<Vec<_>>());
    of_users.chain(shared)
}

/// The directories `pollscope-UID` in one that all users share.
fn beside(shared: &Path) -> impl Iterator<Item = PathBuf> {
    children(shared).filter(|dir| {
        let name = dir.file_name().and_then(|name| name.to_str());
        let uid = name.and_then(|name| name.strip_prefix("pollscope-"));
        uid.is_some_and(|uid| uid.parse::<u32>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_directories_are_taken_each_once() {
        let dirs = (0..MAX_DIRS + 9).flat_map(|at| [PathBuf::from(at.to_string()), "0".into()]);
        let taken = bounded(dirs);
        assert_eq!(taken.len(), MAX_DIRS);
        assert_eq!(taken[..2], ["0", "1"].map(PathBuf::from));
    }

    #[test]
    fn every_users_directories_are_found_under_a_root() {
        let root = tempfile::tempdir().unwrap();
        let expected = [
            "run/user/7/pollscope",
            "tmp/pollscope-1000",
            "dev/shm/pollscope-0",
        ];
        let others = ["tmp/pollscope-x", "tmp/other", "var/pollscope-7"];
        for dir in expected.iter().chain(&others) {
            std::fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let found: HashSet<_> = of_all_users(root.path()).collect();
        let expected: HashSet<_> = expected.map(|dir| root.path().join(dir)).into();
        assert_eq!(found, expected);
    }
}
