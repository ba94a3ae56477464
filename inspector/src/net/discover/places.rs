//! The directories that may hold sockets: of this user, of all users, and of a container.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pollscope_proto::sockets::{SHARED_DIRS, socket_dirs};

use super::namespaces::Namespace;
use super::{children, own_uid};

/// Those of our own mount namespace: this user's, and every user's where we are root.
pub(super) fn own() -> Vec<PathBuf> {
    let uid = own_uid();
    let mut dirs = socket_dirs(uid, |name| std::env::var_os(name));
    if uid == 0 {
        dirs.extend(of_all_users(Path::new("/")));
        dirs.extend(beside(&std::env::temp_dir()));
    }
    dirs
}

/// Those of another mount namespace. All that are there, whatever users they name: with a user namespace a user has
/// one number inside and another here.
pub(super) fn inside(namespace: &Namespace) -> Vec<PathBuf> {
    let root = namespace.root();
    let told = namespace
        .told()
        .filter_map(|dir| Some(root.join(dir.strip_prefix("/").ok()?)));
    let all: HashSet<_> = told.chain(of_all_users(root)).collect();
    all.into_iter().collect()
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
