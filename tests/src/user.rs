//! Users of this machine without rights, who need not exist: root becomes them by number. Needs root, and `setpriv`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Room;

/// A user without rights, and a directory of his: what was built may lie where he may not look.
#[derive(Debug)]
pub struct User {
    uid: u32,
    home: TempDir,
}

impl User {
    /// The user of this number.
    ///
    /// # Panics
    /// Only root may give files away.
    pub fn new(uid: u32) -> Self {
        Self {
            uid,
            home: dir_of(uid),
        }
    }

    /// The user's number.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// A new directory of his, as others may read it.
    ///
    /// # Panics
    /// Only root may give files away.
    pub fn dir(&self) -> TempDir {
        dir_of(self.uid)
    }

    /// A copy of a program that he may run, under its name.
    ///
    /// # Panics
    /// It cannot be copied.
    pub fn copy(&self, program: &Path) -> PathBuf {
        let copy = self.home.path().join(program.file_name().expect("a name"));
        fs::copy(program, &copy).expect("copied");
        chown(&copy, Some(self.uid), Some(self.uid)).expect("given away");
        copy
    }

    /// What [`Room::command`] makes, to run as this user, with a runtime directory of his own.
    pub fn command(&self, room: &Room, program: impl AsRef<OsStr>) -> Command {
        let mut command = room.command("setpriv");
        command
            .args(self.becoming())
            .arg(program)
            .current_dir(self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.path());
        command
    }

    /// What `setpriv` is told before the program's name.
    pub fn becoming(&self) -> [String; 4] {
        let uid = self.uid;
        [
            format!("--reuid={uid}"),
            format!("--regid={uid}"),
            "--clear-groups".to_owned(),
            "--".to_owned(),
        ]
    }
}

fn dir_of(uid: u32) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir.path(), open).expect("ours");
    chown(dir.path(), Some(uid), Some(uid)).expect("given away");
    dir
}
