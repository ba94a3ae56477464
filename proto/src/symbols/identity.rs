//! Which build a file is: frames must never be named by another one.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use object::read::ReadCache;
use object::{Object, ObjectSection, SectionFlags, elf};

use super::size::is_filled;

/// Whether the file at `path` is an executable, a library or debug information split off one.
pub fn is_object(path: &Path) -> bool {
    with(path, |_| Some(())).is_some()
}

/// The GNU build id of the file at `path` in hex, where it has one.
pub fn build_id(path: &Path) -> Option<String> {
    with(path, |object| {
        let id = object.build_id().ok()??;
        let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits
            .map(|digit| char::from_digit(u32::from(digit), 16))
            .collect()
    })
}

/// The name of the file that `strip` or `objcopy --add-gnu-debuglink` says the debug information went to. A name,
/// never a path: what has a slash in it is refused.
pub fn debug_link(path: &Path) -> Option<OsString> {
    with(path, |object| {
        let (name, _checksum) = object.gnu_debuglink().ok()??;
        let name = std::str::from_utf8(name).ok()?;
        let is_name =
            !name.is_empty() && name.len() < 256 && !name.contains(std::path::is_separator);
        is_name.then(|| name.into())
    })
}

/// Whether the loaded sections of two files have the same names, addresses and sizes: for files without a build id,
/// whether one may be the other before it was stripped.
pub fn same_layout(one: &Path, other: &Path) -> bool {
    let layout = layout(one);
    layout.is_some() && layout == self::layout(other)
}

/// Name, address and size of each section that is loaded. `strip` and `objcopy --only-keep-debug` keep them.
fn layout(path: &Path) -> Option<Vec<(Vec<u8>, u64, u64)>> {
    with(path, |object| {
        let loaded = object.sections().filter(|section| match section.flags() {
            SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(elf::SHF_ALLOC),
            _ => false,
        });
        let layout: Vec<_> = loaded
            .take(MAX_SECTIONS)
            .filter_map(|section| {
                Some((
                    section.name_bytes().ok()?.to_vec(),
                    section.address(),
                    section.size(),
                ))
            })
            .collect();
        (!layout.is_empty()).then_some(layout)
    })
}

/// Loaded sections that are compared.
const MAX_SECTIONS: usize = 256;

fn with<T>(
    path: &Path,
    look: impl for<'a> FnOnce(&object::File<'a, &'a ReadCache<File>>) -> Option<T>,
) -> Option<T> {
    let cache = ReadCache::new(open(path)?);
    let object = object::File::parse(&cache).ok()?;
    look(&object)
}

/// A device or a pipe could block or never end: only files are opened. What has the name may be exchanged between the
/// look and the opening, so that the opening does not wait, and what was opened is looked at again. Nor is a file opened
/// that would fill the memory.
pub(super) fn open(path: &Path) -> Option<File> {
    if !path.is_file() {
        return None;
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    let file = options.open(path).ok()?;
    let meta = file.metadata().ok()?;
    (meta.is_file() && is_filled(&meta)).then_some(file)
}
