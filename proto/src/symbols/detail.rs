//! What an executable can tell of a frame.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};

use addr2line::gimli::{self, AttributeValue, EndianSlice, RunTimeEndian};
use object::read::ReadCache;
use object::{CompressionFormat, Object, ObjectSection, ReadRef};

use super::identity::open;
use super::size::MAX_UNPACKED;

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

/// What a file tells of its frames, and whether more of it lies somewhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What there is.
    pub detail: Detail,
    /// Its debug information was split off (`split-debuginfo`), and the `.dwp` or `.dwo` files are not there.
    pub split_off: bool,
}

/// What the executable or library at `path` tells of its frames; [`Detail::None`] where it cannot be read.
///
/// Reads a few units of the debug information, not all: a millisecond or so. Where that is compressed it must be
/// unpacked first, which takes ten milliseconds for 10 MB.
pub fn describe(path: &Path) -> Description {
    let Some(file) = open(path) else {
        return Description::default();
    };
    let cache = ReadCache::new(file);
    let Ok(object) = object::File::parse(&cache) else {
        return Description::default();
    };
    let lines = object.section_by_name(".debug_line").is_some();
    let units = PREFIXES
        .into_iter()
        .map(|prefix| look_at_units(&object, &cache, prefix).unwrap_or_default())
        .find(|units| units.paths.is_some() || units.split.is_some())
        .unwrap_or_default();
    let split_off = units
        .split
        .as_ref()
        .is_some_and(|dwo| !package_of(path).is_file() && !dwo.is_file());
    let detail = match units.paths {
        _ if units.split.is_some() && lines && !split_off => Detail::Full,
        Some(true) if lines && !split_off => Detail::Full,
        paths if lines && (paths.is_some() || split_off) => Detail::Lines,
        _ if object.symbols().next().is_some() => Detail::Names,
        _ => Detail::None,
    };
    Description { detail, split_off }
}

/// Where the split debug information of an executable lies that is `packed`: beside it, as `app.dwp`.
pub fn package_of(executable: &Path) -> PathBuf {
    let mut package = executable.as_os_str().to_owned();
    package.push(".dwp");
    package.into()
}

/// What some of the units said.
#[derive(Debug, Default)]
struct Units {
    /// Whether the program's own crates name functions by their whole path; `None` where there is no unit of them.
    ///
    /// The standard library's units carry whole paths whatever the profile says: only others count.
    paths: Option<bool>,
    /// The first file that a unit was split off to.
    split: Option<PathBuf>,
}

/// Looks at the units in the first part of the debug information.
fn look_at_units<'data, R: ReadRef<'data>>(
    object: &object::File<'data, R>,
    data: R,
    prefix: u64,
) -> Option<Units> {
    let endian = if object.is_little_endian() {
        RunTimeEndian::Little
    } else {
        RunTimeEndian::Big
    };
    let info = bytes(object, data, ".debug_info", prefix)?;
    let abbreviations = bytes(object, data, ".debug_abbrev", PREFIXES[1])?;
    let info = gimli::DebugInfo::new(&info, endian);
    let abbreviations = gimli::DebugAbbrev::new(&abbreviations, endian);
    let strings = Strings::new(object, data);

    let mut units = info.units();
    let mut seen = Units::default();
    for _ in 0..UNITS {
        // The last unit of a prefix is cut: an error like any other ends the walk.
        let Ok(Some(unit)) = units.next() else { break };
        let Ok(codes) = unit.abbreviations(&abbreviations) else {
            continue;
        };
        if seen.split.is_none() {
            seen.split = strings.split_off_to(&unit, &codes);
        }
        if strings.is_users_rust(&unit, &codes) {
            seen.paths = Some(seen.paths == Some(true) || has_paths(&unit, &codes));
        }
        if seen.paths == Some(true) {
            break;
        }
    }
    Some(seen)
}

/// A section, or as much of it as `prefix` allows. A compressed one is unpacked whole, or not where it says that it
/// would be larger than any.
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
    if range.uncompressed_size > MAX_UNPACKED {
        return None;
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
    /// Unpacked once, where they are compressed.
    unpacked: [OnceCell<Option<Cow<'data, [u8]>>>; 2],
}

/// The sections that strings are in.
const STRINGS: [&str; 2] = [".debug_str", ".debug_line_str"];

impl<'a, 'data, R: ReadRef<'data>> Strings<'a, 'data, R> {
    fn new(object: &'a object::File<'data, R>, data: R) -> Self {
        Self {
            object,
            data,
            unpacked: Default::default(),
        }
    }

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
        let directory = self.text(root.attr_value(gimli::DW_AT_comp_dir));
        language == Some(AttributeValue::Language(gimli::DW_LANG_Rust))
            && !directory.is_some_and(|path| {
                // The standard library, and the crates it is built with.
                path.starts_with(b"/rustc/") || path.starts_with(b"/rust/deps/")
            })
    }

    /// The file that holds the rest of the unit, where its debug information was split off.
    fn split_off_to(
        &self,
        unit: &gimli::UnitHeader<Slice<'_>>,
        codes: &gimli::Abbreviations,
    ) -> Option<PathBuf> {
        let mut entries = unit.entries(codes);
        let root = entries.next_dfs().ok()??;
        let name = root
            .attr_value(gimli::DW_AT_dwo_name)
            .or_else(|| root.attr_value(gimli::DW_AT_GNU_dwo_name))?;
        let directory = self.text(root.attr_value(gimli::DW_AT_comp_dir));
        let path = |bytes: &Cow<'_, [u8]>| PathBuf::from(&*String::from_utf8_lossy(bytes));
        let name = self.text(Some(name)).as_ref().map(path).unwrap_or_default();
        let directory = directory.as_ref().map(path).unwrap_or_default();
        Some(directory.join(name))
    }

    fn text<'s>(&self, value: Option<AttributeValue<Slice<'s>>>) -> Option<Cow<'s, [u8]>>
    where
        'data: 's,
    {
        match value? {
            AttributeValue::String(text) => Some(text.slice().into()),
            AttributeValue::DebugStrRef(at) => self.at(0, at.0),
            AttributeValue::DebugLineStrRef(at) => self.at(1, at.0),
            // Indexed strings of DWARF 5 occur in split units only, as rustc writes them.
            _ => None,
        }
    }

    fn at(&self, which: usize, offset: usize) -> Option<Cow<'data, [u8]>> {
        let section = self.object.section_by_name(STRINGS[which])?;
        let range = section.compressed_file_range().ok()?;
        if range.format != CompressionFormat::None {
            let unpack = || bytes(self.object, self.data, STRINGS[which], MAX_UNPACKED);
            let text = self.unpacked[which].get_or_init(unpack).as_ref()?;
            let rest = text.get(offset..)?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            return Some(rest[..end].to_vec().into());
        }
        let start = range.offset.checked_add(offset as u64)?;
        let end = range.offset.checked_add(range.uncompressed_size)?;
        let text = self.data.read_bytes_at_until(start..end, 0).ok()?;
        Some(text.into())
    }
}
