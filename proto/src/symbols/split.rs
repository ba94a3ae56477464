//! Whether the debug information of a file leads to other files, which would be opened by the names it gives.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use addr2line::gimli::{self, RunTimeEndian, UnitType};
use object::read::ReadCache;
use object::{CompressionFormat, Object, ObjectSection};

use super::detail::package_of;
use super::identity::open;
use super::size::MAX_UNPACKED;

/// Units looked at: rustc has some thousands.
const MAX_UNITS: usize = 256 * 1024;
/// Bytes of one unit, and of all abbreviations.
const MAX_BYTES: u64 = 256 << 20;

/// Whether to resolve frames with this file may open others: `.dwo` files that its units name, by any path, or a
/// `.dwp` beside it that is no file. To open a pipe blocks, and to open a device may do anything: for whoever does not
/// trust who made the file. Also where that cannot be told.
///
/// Reads all of the debug information once.
pub fn leads_elsewhere(path: &Path) -> bool {
    let package = package_of(path).metadata();
    package.is_ok_and(|package| !package.is_file()) || has_split_unit(path).unwrap_or(true)
}

/// `None`: it cannot be told.
fn has_split_unit(path: &Path) -> Option<bool> {
    let file = open(path)?;
    let cache = ReadCache::new(file.try_clone().ok()?);
    let object = object::File::parse(&cache).ok()?;
    let Some(section) = object.section_by_name(".debug_info") else {
        return Some(false);
    };
    let endian = if object.is_little_endian() {
        RunTimeEndian::Little
    } else {
        RunTimeEndian::Big
    };
    let abbreviations = object.section_by_name(".debug_abbrev")?;
    if abbreviations.size() > MAX_BYTES {
        return None;
    }
    let abbreviations = abbreviations.uncompressed_data().ok()?;
    let abbreviations = gimli::DebugAbbrev::new(&abbreviations, endian);
    let range = section.compressed_file_range().ok()?;
    let info = if range.format == CompressionFormat::None {
        Info::File(file, range.offset, range.uncompressed_size)
    } else if range.uncompressed_size > MAX_UNPACKED {
        return None;
    } else {
        Info::Unpacked(section.uncompressed_data().ok()?)
    };
    let mut at = 0;
    for _ in 0..MAX_UNITS {
        if at >= info.len() {
            return Some(false);
        }
        let unit = info.unit(at, endian)?;
        at += unit.len() as u64;
        let unit = gimli::DebugInfo::new(&unit, endian);
        let unit = unit.units().next().ok()??;
        if matches!(unit.type_(), UnitType::Skeleton(_)) {
            return Some(true);
        }
        let codes = unit.abbreviations(&abbreviations).ok()?;
        let mut entries = unit.entries(&codes);
        let Some(root) = entries.next_dfs().ok()? else {
            continue;
        };
        let split = [
            gimli::DW_AT_dwo_name,
            gimli::DW_AT_GNU_dwo_name,
            gimli::DW_AT_GNU_dwo_id,
        ];
        if split.iter().any(|name| root.attr_value(*name).is_some()) {
            return Some(true);
        }
    }
    None
}

/// The bytes of `.debug_info`. Those in a file are read unit by unit: there may be gigabytes.
enum Info<'data> {
    /// Where it starts, and how long it is.
    File(File, u64, u64),
    Unpacked(Cow<'data, [u8]>),
}

impl Info<'_> {
    /// The unit at an offset, its length included; `None` where it is cut or too long.
    fn unit(&self, at: u64, endian: RunTimeEndian) -> Option<Vec<u8>> {
        let number = |bytes: [u8; 4]| match endian {
            RunTimeEndian::Little => u32::from_le_bytes(bytes),
            RunTimeEndian::Big => u32::from_be_bytes(bytes),
        };
        let length = self.read(at, 4)?;
        // Beyond are the marks of the 64-bit form, which rustc does not write.
        let length =
            Some(number(length.try_into().ok()?)).filter(|length| *length < 0xffff_fff0)?;
        self.read(at, u64::from(length) + 4)
    }

    fn len(&self) -> u64 {
        match self {
            Self::File(_, _, len) => *len,
            Self::Unpacked(bytes) => bytes.len() as u64,
        }
    }

    fn read(&self, at: u64, count: u64) -> Option<Vec<u8>> {
        let end = at.checked_add(count)?;
        if count > MAX_BYTES || end > self.len() {
            return None;
        }
        match self {
            Self::File(file, start, _) => {
                let mut bytes = vec![0; usize::try_from(count).ok()?];
                file.read_exact_at(&mut bytes, start.checked_add(at)?)
                    .ok()?;
                Some(bytes)
            }
            Self::Unpacked(bytes) => {
                let range = usize::try_from(at).ok()?..usize::try_from(end).ok()?;
                Some(bytes.get(range)?.to_vec())
            }
        }
    }
}
