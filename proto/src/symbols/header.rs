//! The headers of an ELF file: which build it is, and where its sections lie. Nothing else of it is read here, and
//! nothing that it says of its own sizes is believed.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs::File;
use std::ops::Range;

use addr2line::gimli::RunTimeEndian;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{CompressionHeader, FileHeader, ProgramHeader, SectionHeader};
use object::read::{ReadCache, ReadRef};
use object::{CompressionFormat, Endianness, FileKind};

/// Bytes of headers, names of sections and notes that are read. A library of the size of rustc's has some 5 KB.
const MAX_BYTES: u64 = 16 << 20;
/// Sections that are looked at: executables have some forty.
const MAX_SECTIONS: usize = 16 * 1024;
/// Bytes of a build id: those in use have 8 to 32.
const MAX_ID: usize = 64;

/// What the headers say.
#[derive(Debug)]
pub(super) struct Header {
    /// In hex.
    pub(super) build_id: Option<String>,
    /// The name of the file that debug information went to. A name, never a path.
    pub(super) debug_link: Option<OsString>,
    pub(super) endian: RunTimeEndian,
    /// Whether its addresses have eight bytes.
    pub(super) is_64: bool,
    pub(super) sections: Vec<Section>,
}

/// One section: not yet whether it lies inside the file.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: Vec<u8>,
    pub(super) kind: elf::SectionType,
    pub(super) address: u64,
    pub(super) size: u64,
    /// Whether it is in the memory of the process.
    pub(super) is_loaded: bool,
    /// The section it refers to: of a table of symbols, their names.
    pub(super) link: usize,
    /// Where its bytes are in the file; empty where it has none.
    pub(super) bytes: Range<u64>,
    /// How they are packed, and what they unpack to.
    pub(super) packed: Option<(CompressionFormat, u64)>,
}

impl Header {
    /// `None`: it is no ELF file, or a broken one.
    pub(super) fn read(file: &File) -> Option<Self> {
        let cache = ReadCache::new(file);
        let left = Cell::new(MAX_BYTES);
        let data = Capped {
            cache: &cache,
            left: &left,
        };
        match FileKind::parse(data).ok()? {
            FileKind::Elf32 => headers::<FileHeader32<Endianness>>(data),
            FileKind::Elf64 => headers::<FileHeader64<Endianness>>(data),
            _ => None,
        }
    }

    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        let mut sections = self.sections.iter();
        sections.find(|section| section.name == name.as_bytes() && !section.bytes.is_empty())
    }
}

fn headers<E: FileHeader<Endian = Endianness>>(data: Capped<'_>) -> Option<Header> {
    let header = E::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let table = header.sections(endian, data).ok()?;
    let mut found = Header {
        build_id: None,
        debug_link: None,
        endian: match endian {
            Endianness::Little => RunTimeEndian::Little,
            Endianness::Big => RunTimeEndian::Big,
        },
        is_64: header.is_class_64(),
        sections: Vec::new(),
    };
    for from in table.iter().take(MAX_SECTIONS) {
        let section = Section::read(from, endian, table.section_name(endian, from).ok(), data);
        if found.build_id.is_none()
            && let Ok(Some(mut notes)) = from.notes(endian, data)
        {
            found.build_id = build_id(|| notes.next().ok()?, endian);
        }
        if section.name == b".gnu_debuglink" {
            found.debug_link = from.data(endian, data).ok().and_then(link);
        }
        found.sections.push(section);
    }
    if found.build_id.is_none() {
        // A program may do without sections; what is loaded it cannot do without.
        let segments = header.program_headers(endian, data).unwrap_or_default();
        found.build_id = segments.iter().find_map(|segment| {
            let mut notes = segment.notes(endian, data).ok()??;
            build_id(|| notes.next().ok()?, endian)
        });
    }
    Some(found)
}

impl Section {
    fn read<S: SectionHeader<Endian = Endianness>>(
        from: &S,
        endian: Endianness,
        name: Option<&[u8]>,
        data: Capped<'_>,
    ) -> Self {
        let range = |at: u64, size: u64| at..at.saturating_add(size);
        let mut section = Self {
            name: name.unwrap_or_default().to_vec(),
            kind: from.sh_type(endian),
            address: from.sh_addr(endian).into(),
            size: from.sh_size(endian).into(),
            is_loaded: from.sh_flags(endian).contains(elf::SHF_ALLOC),
            link: from.sh_link(endian) as usize,
            bytes: from
                .file_range(endian)
                .map_or(0..0, |(at, size)| range(at, size)),
            packed: None,
        };
        match from.compression(endian, data) {
            Ok(None) => {}
            Ok(Some((header, at, size))) => {
                let format = match header.ch_type(endian) {
                    elf::ELFCOMPRESS_ZLIB => CompressionFormat::Zlib,
                    elf::ELFCOMPRESS_ZSTD => CompressionFormat::Zstandard,
                    _ => CompressionFormat::Unknown,
                };
                section.bytes = range(at, size);
                section.packed = Some((format, header.ch_size(endian).into()));
            }
            Err(_) => section.bytes = 0..0,
        }
        section
    }
}

/// The build id among notes.
fn build_id<'data, E: FileHeader<Endian = Endianness> + 'data>(
    mut next: impl FnMut() -> Option<object::read::elf::Note<'data, E>>,
    endian: Endianness,
) -> Option<String> {
    loop {
        let note = next()?;
        let is_id = note.name() == elf::ELF_NOTE_GNU
            && note.n_type(endian) == elf::NT_GNU_BUILD_ID
            && (1..=MAX_ID).contains(&note.desc().len());
        if is_id {
            let digits = note.desc().iter().flat_map(|byte| [byte >> 4, byte & 15]);
            return digits
                .map(|digit| char::from_digit(u32::from(digit), 16))
                .collect();
        }
    }
}

/// What has a slash in it is refused.
fn link(section: &[u8]) -> Option<OsString> {
    let name = section.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    let is_name = !name.is_empty() && name.len() < 256 && !name.contains(std::path::is_separator);
    is_name.then(|| name.into())
}

/// Reads no more than so many bytes in all: the cache behind it keeps whatever it read.
#[derive(Clone, Copy)]
struct Capped<'a> {
    cache: &'a ReadCache<&'a File>,
    left: &'a Cell<u64>,
}

impl Capped<'_> {
    fn take(self, bytes: u64) -> Result<(), ()> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or(())?);
        Ok(())
    }
}

impl<'a> ReadRef<'a> for Capped<'a> {
    fn len(self) -> Result<u64, ()> {
        self.cache.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.take(size)?;
        self.cache.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let bytes = self.cache.read_bytes_at_until(range, delimiter)?;
        self.take(bytes.len() as u64 + 1)?;
        Ok(bytes)
    }
}
