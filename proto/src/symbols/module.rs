//! A file as a process has it loaded: by its name there may lie another by now.

use std::fs::Metadata;
use std::path::PathBuf;

use super::Image;

/// A loaded file, and what tells it from others that got its name since.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Module {
    /// What to open. Of the executable that runs, the system has a link that no other build can take:
    /// `/proc/self/exe`.
    pub path: PathBuf,
    /// The name that a package (`app.dwp`) lies beside; most often the same.
    pub name: PathBuf,
    /// Which build is meant.
    pub build: Build,
}

/// What of a file must be so, or it is not the one that was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Build {
    /// Its GNU build id, in hex.
    Id(String),
    /// It has no build id, and this inode.
    Inode(u64),
    /// It has no build id, and whatever has the path is the file.
    Any,
}

impl Module {
    /// A file by its name alone, whose build nothing tells.
    pub fn named(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.clone(),
            path,
            build: Build::Any,
        }
    }

    /// The file, if it is still the one that was loaded. What was looked at is what will be read, whatever has its name
    /// by then.
    pub(super) fn open(&self) -> Option<Image> {
        Image::open(&self.path).filter(|image| self.build.is_of(image))
    }
}

impl Build {
    fn is_of(&self, image: &Image) -> bool {
        match (self, image.build_id()) {
            (Self::Id(id), Some(found)) => id.eq_ignore_ascii_case(found),
            (Self::Inode(number), None) => is_inode(image.metadata(), *number),
            (Self::Any, _) => true,
            (Self::Id(_), None) | (Self::Inode(_), Some(_)) => false,
        }
    }
}

/// Another file that takes the name has another number.
#[cfg(unix)]
fn is_inode(meta: &Metadata, number: u64) -> bool {
    std::os::unix::fs::MetadataExt::ino(meta) == number
}

#[cfg(not(unix))]
fn is_inode(_: &Metadata, _: u64) -> bool {
    false
}
