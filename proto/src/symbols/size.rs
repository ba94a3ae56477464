//! How much memory a file may make us take: what it says of its own size is not to be believed.

use std::path::Path;

use object::read::ReadCache;
use object::{CompressionFormat, Object, ObjectSection};

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

/// The most that zlib makes of a byte is 1,032; zstd makes more of zeroes, and debug information is none.
const MAX_RATIO: u64 = 4096;
