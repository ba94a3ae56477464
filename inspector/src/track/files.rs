//! The source files under a path, and how one is written: whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::{Found, edit, find};

/// A file that was read and understood.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
    pub found: Found,
}

/// A file or folder that could not be read, or a file that is no Rust.
#[derive(Debug)]
pub struct Broken {
    pub path: PathBuf,
    /// Where in the file, from 1.
    pub at: Option<(usize, usize)>,
    pub why: String,
}

/// The file at this path, or all Rust sources under it: without what `.gitignore` names, what is hidden, what cargo or
/// others cache, and what links lead to.
pub fn sources(path: &Path) -> impl Iterator<Item = Result<Source, Broken>> {
    let walk = WalkBuilder::new(path)
        .require_git(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(|entry| !is_cache(entry))
        .build();
    walk.filter_map(|entry| match entry {
        Ok(entry) => is_source(&entry).then(|| read(entry.into_path())),
        Err(error) => Some(Err(Broken {
            path: PathBuf::new(),
            at: None,
            why: error.to_string(),
        })),
    })
}

/// What cargo builds is marked so. The name `target` is not enough: modules have it as well.
fn is_cache(entry: &DirEntry) -> bool {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    entry.depth() > 0 && is_dir && entry.path().join("CACHEDIR.TAG").is_file()
}

fn is_source(entry: &DirEntry) -> bool {
    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
    let by_name = entry.path().extension().is_some_and(|end| end == "rs");
    // What is named itself is meant, whatever its name.
    entry.depth() == 0 && entry.path().is_file() || is_file && by_name
}

fn read(path: PathBuf) -> Result<Source, Broken> {
    let broken = |path, at, why| Err(Broken { path, at, why });
    let text = match fs::read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return broken(path, None, "not UTF-8: left alone".to_owned()),
        Err(error) => return broken(path, None, error.to_string()),
    };
    match find(&text) {
        Ok(found) => Ok(Source { path, text, found }),
        Err((line, column, why)) => broken(path, Some((line, column)), why),
    }
}

/// Writes the attributes into the file, by a file beside it that takes its place: with its mode and owner, and only
/// while it is what was read.
///
/// # Errors
/// Says why the file was left alone.
pub fn write(source: &Source) -> io::Result<()> {
    let edited = edit::insert(&source.text, &source.found.places);
    let left = find(&edited).map(|found| found.places.len());
    if left != Ok(0) {
        return Err(io::Error::other(
            "with the attributes it would be no Rust: left alone",
        ));
    }
    // A link that was named leads to the file that is meant.
    let path = fs::canonicalize(&source.path)?;
    let meta = fs::metadata(&path)?;
    // To replace a file takes no right to write to it, and root has all.
    if meta.permissions().readonly() || !may_write(&path) {
        return Err(io::Error::other("read-only: left alone"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(edited.as_bytes())?;
    keep_owner(beside.as_file(), &meta)?;
    beside.as_file().set_permissions(meta.permissions())?;
    // Or after a crash the name may be there, and the text not.
    beside.as_file().sync_all()?;
    // Last: an editor may have it open.
    if fs::read(&path)? != source.text.as_bytes() {
        return Err(io::Error::other("it was changed meanwhile: left alone"));
    }
    beside.persist(&path)?;
    Ok(())
}

fn may_write(path: &Path) -> bool {
    fs::File::options().append(true).open(path).is_ok()
}

fn keep_owner(file: &fs::File, of: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (of.uid(), of.gid()) {
        return Ok(());
    }
    let kept = std::os::unix::fs::fchown(file, Some(of.uid()), Some(of.gid()));
    kept.map_err(|error| {
        io::Error::other(format!(
            "it would get another owner or group ({error}): left alone"
        ))
    })
}
