//! What an executable can tell of a frame, and which build it is.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::path::Path;

use addr2line::gimli::{self, AttributeValue, EndianSlice, RunTimeEndian};
use object::read::ReadCache;
use object::{CompressionFormat, Object, ObjectSection, ReadRef};

/// What frames of a module can be resolved to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Stripped: offsets only.
    #[default]
    None,
    /// A symbol table: the function, no line, no inlined functions. Cargo's default release profile.
    Names,
    /// Line tables, but inlined functions are named `{async_fn#0}`: `debug = "line-tables-only"`.
    Lines,
    /// Lines and paths of functions: `debug = 1` or more.
    Full,
}

impl Detail {
    /// The word of the contract: `full`, `names`, `lines` or `none`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Names => "names",
            Self::Lines => "lines",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much of the debug information is looked at, in bytes: at first, and where that holds no whole unit.
const PREFIXES: [u64; 2] = [1 << 20, 64 << 20];
/// Units looked at before the answer is given.
const UNITS: usize = 64;

/// What the executable or library at `path` tells of its frames; [`Detail::None`] where it cannot be read.
///
/// Reads a few units of the debug information, not all: a millisecond or so.
pub fn describe(path: &Path) -> Detail {
    let Some(file) = open(path) else {
        return Detail::None;
    };
    let cache = ReadCache::new(file);
    let Ok(object) = object::File::parse(&cache) else {
        return Detail::None;
    };
    let lines = object.section_by_name(".debug_line").is_some();
    let info = PREFIXES
        .into_iter()
        .find_map(|prefix| names_paths(&object, &cache, prefix));
    match info {
        Some(true) if lines => Detail::Full,
        Some(_) if lines => Detail::Lines,
        _ if object.symbols().next().is_some() => Detail::Names,
        _ => Detail::None,
    }
}

/// The GNU build id of the file at `path` in hex, where it has one.
pub fn build_id(path: &Path) -> Option<String> {
    let cache = ReadCache::new(open(path)?);
    let object = object::File::parse(&cache).ok()?;
    let id = object.build_id().ok()??;
    let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// A device or a pipe could block or never end.
fn open(path: &Path) -> Option<File> {
    path.is_file().then(|| File::open(path).ok()).flatten()
}

/// Whether the units of the program's own crates name functions by their whole path; `None` where there is no
/// unit of them in that part of the file.
///
/// The standard library's units carry whole paths whatever the profile says: only others count.
fn names_paths<'data, R: ReadRef<'data>>(
    object: &object::File<'data, R>,
    data: R,
    prefix: u64,
) -> Option<bool> {
    let endian = if object.is_little_endian() {
        RunTimeEndian::Little
    } else {
        RunTimeEndian::Big
    };
    let info = bytes(object, data, ".debug_info", prefix)?;
    let abbreviations = bytes(object, data, ".debug_abbrev", u64::MAX)?;
    let info = gimli::DebugInfo::new(&info, endian);
    let abbreviations = gimli::DebugAbbrev::new(&abbreviations, endian);
    let strings = Strings { object, data };

    let mut units = info.units();
    let mut seen = None;
    for _ in 0..UNITS {
        // The last unit of a prefix is cut: an error like any other ends the walk.
        let Ok(Some(unit)) = units.next() else { break };
        let Ok(codes) = unit.abbreviations(&abbreviations) else {
            continue;
        };
        if strings.is_users_rust(&unit, &codes) {
            seen = Some(seen == Some(true) || has_paths(&unit, &codes));
        }
        if seen == Some(true) {
            break;
        }
    }
    seen
}

/// A section, or as much of it as `prefix` allows. A compressed one is read whole.
fn bytes<'data, R: ReadRef<'data>>(
    object: &object::File<'data, R>,
    data: R,
    name: &str,
    prefix: u64,
) -> Option<Cow<'data, [u8]>> {
    let section = object.section_by_name(name)?;
    let range = section.compressed_file_range().ok()?;
    if range.format == CompressionFormat::None {
        let size = range.uncompressed_size.min(prefix);
        return Some(data.read_bytes_at(range.offset, size).ok()?.into());
    }
    section.uncompressed_data().ok()
}

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

fn has_paths(unit: &gimli::UnitHeader<Slice<'_>>, codes: &gimli::Abbreviations) -> bool {
    let mut entries = unit.entries(codes);
    // A bound on units of tens of megabytes: the first functions come early.
    for _ in 0..100_000 {
        let Ok(Some(entry)) = entries.next_dfs() else {
            return false;
        };
        if entry.tag() == gimli::DW_TAG_subprogram
            && entry.attr_value(gimli::DW_AT_linkage_name).is_some()
        {
            return true;
        }
    }
    false
}

/// Looks single strings up: the string section of a debug build has tens of megabytes.
struct Strings<'a, 'data, R: ReadRef<'data>> {
    object: &'a object::File<'data, R>,
    data: R,
}

impl<'data, R: ReadRef<'data>> Strings<'_, 'data, R> {
    fn is_users_rust(
        &self,
        unit: &gimli::UnitHeader<Slice<'_>>,
        codes: &gimli::Abbreviations,
    ) -> bool {
        let mut entries = unit.entries(codes);
        let Ok(Some(root)) = entries.next_dfs() else {
            return false;
        };
        let language = root.attr_value(gimli::DW_AT_language);
        let directory = match root.attr_value(gimli::DW_AT_comp_dir) {
            Some(AttributeValue::String(text)) => Some(text.slice().into()),
            Some(AttributeValue::DebugStrRef(at)) => self.at(".debug_str", at.0),
            Some(AttributeValue::DebugLineStrRef(at)) => self.at(".debug_line_str", at.0),
            // Indexed strings of DWARF 5 occur in split units only, as rustc writes them.
            _ => None,
        };
        language == Some(AttributeValue::Language(gimli::DW_LANG_Rust))
            && !directory.is_some_and(|path| {
                // The standard library, and the crates it is built with.
                path.starts_with(b"/rustc/") || path.starts_with(b"/rust/deps/")
            })
    }

    fn at(&self, section: &str, offset: usize) -> Option<Cow<'data, [u8]>> {
        let section = self.object.section_by_name(section)?;
        let range = section.compressed_file_range().ok()?;
        if range.format != CompressionFormat::None {
            return match section.uncompressed_data().ok()? {
                Cow::Borrowed(bytes) => bytes.get(offset..).map(Cow::Borrowed),
                Cow::Owned(bytes) => bytes.get(offset..).map(|rest| rest.to_vec().into()),
            };
        }
        let start = range.offset.checked_add(offset as u64)?;
        let end = range.offset.checked_add(range.uncompressed_size)?;
        let text = self.data.read_bytes_at_until(start..end, 0).ok()?;
        Some(text.into())
    }
}
