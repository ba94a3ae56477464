//! How much memory a file may make us take: what it says of its own size is not to be believed.

use std::fs::Metadata;
use std::path::Path;

use object::read::ReadCache;
use object::{BinaryFormat, CompressionFormat, Object, ObjectSection};

use super::identity::open;

/// Bytes that the compressed sections of one file may unpack to. The debug information of rustc has 1.5 GB.
pub(super) const MAX_UNPACKED: u64 = 4 << 30;

/// Whether the file is an object whose compressed sections unpack to a size that can be meant. What is not compressed
/// is mapped, and takes no memory of its own.
pub(super) fn is_sane(path: &Path) -> bool {
    let Some(file) = open(path) else { return false };
    let cache = ReadCache::new(file);
    let Ok(object) = object::File::parse(&cache) else {
        return false;
    };
    // Of the others the reader opens more files, by the names they give.
    if cfg!(target_os = "linux") && object.format() != BinaryFormat::Elf {
        return false;
    }
    let mut total = 0_u64;
    for section in object.sections() {
        let Ok(range) = section.compressed_file_range() else {
            continue;
        };
        if range.format != CompressionFormat::None {
            // No compression in use makes a byte to more than some thousands.
            let most = range.compressed_size.saturating_mul(MAX_RATIO);
            if range.uncompressed_size > most {
                return false;
            }
            total = total.saturating_add(range.uncompressed_size);
        }
    }
    total <= MAX_UNPACKED
}

/// The length of a file that can be meant: three times what the largest debug builds have.
const MAX_LENGTH: u64 = 8 << 30;

/// Whether a file is no longer than any, and not mostly a hole: reading a hole fills the memory with zeroes.
pub(super) fn is_filled(meta: &Metadata) -> bool {
    if meta.len() > MAX_LENGTH {
        return false;
    }
    #[cfg(unix)]
    {
        let on_disk = std::os::unix::fs::MetadataExt::blocks(meta).saturating_mul(512);
        // Some file systems do not count blocks, and some compress; small ones do no harm.
        on_disk == 0 || meta.len() <= SMALL || meta.len() / 8 <= on_disk
    }
    #[cfg(not(unix))]
    true
}

/// The length up to which holes do not matter.
#[cfg(unix)]
const SMALL: u64 = 64 << 20;

/// The most that zlib makes of a byte is 1,032; zstd makes more of zeroes, and debug information is none.
const MAX_RATIO: u64 = 4096;
