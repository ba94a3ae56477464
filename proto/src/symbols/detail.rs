//! What an executable can tell of a frame.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::gimli::{self, AttributeValue, Reader};

use super::bytes::{Bytes, Fuel};
use super::image::Image;
use super::names::Names;

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

/// Units looked at before the answer is given.
const UNITS: usize = 64;
/// Entries of one unit that are looked at: the first functions come early.
const ENTRIES: usize = 100_000;
/// Reads in all, beside what is unpacked.
const FUEL: u64 = 16 << 20;

/// What a file tells of its frames, and whether more of it lies somewhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What there is.
    pub detail: Detail,
    /// Its debug information was split off (`split-debuginfo`), and the `.dwp` or `.dwo` files are not there.
    pub split_off: bool,
}

/// What the executable or library at `path` tells of its frames; [`Detail::None`] where it cannot be read.
pub fn describe(path: &Path) -> Description {
    Image::open(path).map_or_else(Description::default, |image| image.trusted().describe(path))
}

impl Image {
    /// What it tells of its frames. `name` is its name, beside which a package may lie.
    ///
    /// Reads a few units of the debug information, not all: a millisecond or so. Where that is compressed it must be
    /// unpacked first, which takes ten milliseconds for 10 MB.
    pub fn describe(&self, name: &Path) -> Description {
        let fuel = Arc::new(Fuel::new(FUEL + self.unpacks_in_reads()));
        let lines = self.header.section(".debug_line").is_some();
        let units = look_at_units(self, &fuel);
        let is_there =
            |dwo: &Path| package_of(name).is_file() || self.is_trusted() && dwo.is_file();
        let split_off = units.split.as_deref().is_some_and(|dwo| !is_there(dwo));
        let detail = match units.paths {
            _ if units.split.is_some() && lines && !split_off => Detail::Full,
            Some(true) if lines && !split_off => Detail::Full,
            paths if lines && (paths.is_some() || split_off) => Detail::Lines,
            _ if Names::is_any(self, &fuel) => Detail::Names,
            _ => Detail::None,
        };
        Description { detail, split_off }
    }
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

/// Looks at the first units of the debug information.
fn look_at_units(image: &Image, fuel: &Arc<Fuel>) -> Units {
    let mut seen = Units::default();
    if image.header.section(".debug_info").is_none() {
        return seen;
    }
    let info = gimli::DebugInfo::from(image.section(".debug_info", fuel));
    let abbreviations = gimli::DebugAbbrev::from(image.section(".debug_abbrev", fuel));
    let strings = Strings {
        image,
        fuel,
        sections: Default::default(),
    };
    let mut units = info.units();
    for _ in 0..UNITS {
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
    seen
}

type Unit = gimli::UnitHeader<Bytes>;

fn has_paths(unit: &Unit, codes: &gimli::Abbreviations) -> bool {
    let mut entries = unit.entries(codes);
    for _ in 0..ENTRIES {
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

/// Looks single strings up.
struct Strings<'a> {
    image: &'a Image,
    fuel: &'a Arc<Fuel>,
    /// Unpacked once, where they are compressed.
    sections: [OnceCell<Bytes>; 2],
}

/// The sections that strings are in.
const STRINGS: [&str; 2] = [".debug_str", ".debug_line_str"];

impl Strings<'_> {
    fn is_users_rust(&self, unit: &Unit, codes: &gimli::Abbreviations) -> bool {
        let mut entries = unit.entries(codes);
        let Ok(Some(root)) = entries.next_dfs() else {
            return false;
        };
        let language = root.attr_value(gimli::DW_AT_language);
        let directory = self.text(root.attr_value(gimli::DW_AT_comp_dir));
        matches!(
            language,
            Some(AttributeValue::Language(gimli::DW_LANG_Rust))
        ) && !directory.is_some_and(|path| {
            // The standard library, and the crates it is built with.
            path.starts_with("/rustc/") || path.starts_with("/rust/deps/")
        })
    }

    /// The file that holds the rest of the unit, where its debug information was split off.
    fn split_off_to(&self, unit: &Unit, codes: &gimli::Abbreviations) -> Option<PathBuf> {
        let mut entries = unit.entries(codes);
        let root = entries.next_dfs().ok()??;
        let name = root
            .attr_value(gimli::DW_AT_dwo_name)
            .or_else(|| root.attr_value(gimli::DW_AT_GNU_dwo_name))?;
        let directory = self.text(root.attr_value(gimli::DW_AT_comp_dir));
        let name = self.text(Some(name)).unwrap_or_default();
        Some(PathBuf::from(directory.unwrap_or_default()).join(name))
    }

    fn text(&self, value: Option<AttributeValue<Bytes>>) -> Option<String> {
        let text = match value? {
            AttributeValue::String(text) => text,
            AttributeValue::DebugStrRef(at) => self.at(0, at.0)?,
            AttributeValue::DebugLineStrRef(at) => self.at(1, at.0)?,
            // Indexed strings of DWARF 5 occur in split units only, as rustc writes them.
            _ => return None,
        };
        text.to_string_lossy().ok().map(Cow::into_owned)
    }

    fn at(&self, which: usize, offset: usize) -> Option<Bytes> {
        let section =
            self.sections[which].get_or_init(|| self.image.section(STRINGS[which], self.fuel));
        let mut text = section.clone();
        text.skip(offset).ok()?;
        text.read_null_terminated_slice().ok()
    }
}
