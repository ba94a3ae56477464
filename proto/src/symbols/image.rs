//! A file that frames may be named by, opened once: whatever has its name a moment later, all that is asked is asked
//! of what was opened.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object::{CompressedData, CompressionFormat, elf};

use super::bytes::{Bytes, Fuel};
use super::header::{Header, Section};
use super::pages::Pages;
use super::size::{BYTES_A_READ, MAX_RATIO, MAX_UNPACKED, MAX_UNPACKED_OF_OTHERS, is_filled};

/// An executable, a library, or debug information split off one.
pub struct Image {
    path: PathBuf,
    pub(super) header: Header,
    pages: Arc<Pages>,
    meta: Metadata,
    is_trusted: bool,
    /// What its compressed sections may still unpack to.
    unpack: Arc<AtomicU64>,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("path", &self.path)
            .field("build_id", &self.header.build_id)
            .field("is_trusted", &self.is_trusted)
            .finish_non_exhaustive()
    }
}

impl Image {
    /// Opens a file and reads its headers; `None` where it is none, or one that nobody can have meant. Never waits for
    /// a pipe or a device.
    ///
    /// It is not trusted yet: see [`Self::trusted`].
    pub fn open(path: &Path) -> Option<Self> {
        let (file, meta) = open(path)?;
        let header = Header::read(&file)?;
        Some(Self {
            path: path.to_owned(),
            header,
            pages: Arc::new(Pages::of_file(file, meta.len())),
            meta,
            is_trusted: false,
            unpack: Arc::new(AtomicU64::new(MAX_UNPACKED_OF_OTHERS)),
        })
    }

    /// For a file of somebody who may make us open what it names (`split-debuginfo = "unpacked"`), and take our time
    /// and memory: a user's own.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.is_trusted = true;
        self.unpack = Arc::new(AtomicU64::new(MAX_UNPACKED));
        self
    }

    /// For a file that another leads to: trusted as that one is, and all such files together unpack to no more than it
    /// may alone.
    pub(super) fn led_to_by(mut self, other: &Self, fuel: &Fuel) -> Option<Self> {
        self.is_trusted = other.is_trusted;
        self.unpack = Arc::clone(&other.unpack);
        fuel.burn(self.most_held() / BYTES_A_READ).ok()?;
        Some(self)
    }

    /// What its compressed sections may still unpack to, as it is counted.
    pub(super) fn unpacks_in_reads(&self) -> u64 {
        self.unpack.load(Ordering::Relaxed) / BYTES_A_READ
    }

    /// The memory that pages of it may take, in bytes.
    pub(super) fn most_held(&self) -> u64 {
        self.pages.most_held()
    }

    /// The name it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of the file that was opened.
    pub fn metadata(&self) -> &Metadata {
        &self.meta
    }

    /// The GNU build id in hex, where it has one.
    pub fn build_id(&self) -> Option<&str> {
        self.header.build_id.as_deref()
    }

    /// The name of the file that `strip` or `objcopy --add-gnu-debuglink` says the debug information went to. A name,
    /// never a path: what has a slash in it is refused.
    pub fn debug_link(&self) -> Option<&OsStr> {
        self.header.debug_link.as_deref()
    }

    /// Whether the loaded sections of two files have the same names, addresses and sizes: for files without a build
    /// id, whether one may be the other before it was stripped. `strip` and `objcopy --only-keep-debug` keep them.
    pub fn same_layout(&self, other: &Self) -> bool {
        let mut loaded = self.loaded();
        loaded.next().is_some() && self.loaded().eq(other.loaded())
    }

    fn loaded(&self) -> impl Iterator<Item = (&[u8], u64, u64)> {
        let loaded = self.header.sections.iter();
        loaded
            .filter(|section| section.is_loaded)
            .map(|section| (&*section.name, section.address, section.size))
    }

    pub(super) const fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// A section by its name, unpacked where it is compressed; empty where there is none, or none that can be meant.
    pub(super) fn section(&self, name: &str, fuel: &Arc<Fuel>) -> Bytes {
        let section = self.header.section(name);
        let bytes = section.and_then(|section| self.bytes(section, fuel));
        bytes.unwrap_or_else(|| self.range(0..0, fuel))
    }

    /// Some bytes of the file itself.
    pub(super) fn range(&self, range: std::ops::Range<u64>, fuel: &Arc<Fuel>) -> Bytes {
        let (pages, fuel) = (Arc::clone(&self.pages), Arc::clone(fuel));
        Bytes::new(pages, fuel, range, self.header.endian)
    }

    fn bytes(&self, section: &Section, fuel: &Arc<Fuel>) -> Option<Bytes> {
        let Some((format, size)) = section.packed else {
            return Some(self.range(section.bytes.clone(), fuel));
        };
        let packed = section.bytes.end.checked_sub(section.bytes.start)?;
        if format == CompressionFormat::Unknown || size > packed.saturating_mul(MAX_RATIO) {
            return None;
        }
        let left = self.unpack.load(Ordering::Relaxed).checked_sub(size)?;
        self.unpack.store(left, Ordering::Relaxed);
        fuel.burn(size / BYTES_A_READ).ok()?;
        let data = self.pages.copy(section.bytes.clone(), MAX_UNPACKED)?;
        let unpacked = CompressedData {
            format,
            data: &data,
            uncompressed_size: size,
        };
        let unpacked = unpacked.decompress().ok()?.into_owned();
        let pages = Arc::new(Pages::of_memory(unpacked));
        Some(Bytes::new(
            pages,
            Arc::clone(fuel),
            0..size,
            self.header.endian,
        ))
    }

    /// The tables of symbols, each with the section of their names.
    pub(super) fn symbol_tables(&self) -> impl Iterator<Item = (&Section, &Section)> {
        let sections = &self.header.sections;
        let of = |kind| sections.iter().filter(move |section| section.kind == kind);
        of(elf::SHT_SYMTAB)
            .chain(of(elf::SHT_DYNSYM))
            .filter_map(|table| Some((table, sections.get(table.link)?)))
    }
}

/// Whether the file at `path` is an executable, a library or debug information split off one.
pub fn is_object(path: &Path) -> bool {
    Image::open(path).is_some()
}

/// The GNU build id of the file at `path` in hex, where it has one.
pub fn build_id(path: &Path) -> Option<String> {
    Image::open(path)?.header.build_id
}

/// A device or a pipe could block or never end: only files are opened. What has the name may be exchanged between the
/// look and the opening, so that the opening does not wait, and what was opened is looked at again. Nor is a file opened
/// that would fill the memory.
pub(super) fn open(path: &Path) -> Option<(File, Metadata)> {
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
    (meta.is_file() && is_filled(&meta)).then_some((file, meta))
}
