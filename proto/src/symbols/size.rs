//! How much memory a file may make us take: what it says of its own size is not to be believed.

use std::fs::Metadata;

/// Bytes that the compressed sections of one file may unpack to. The debug information of rustc has 1.5 GB.
pub(super) const MAX_UNPACKED: u64 = 4 << 30;

/// The same for a file of somebody else. Of a larger one the target tells the names, which trusts its own files.
pub(super) const MAX_UNPACKED_OF_OTHERS: u64 = 256 << 20;

/// What a read of debug information leaves in memory, at the most: 35 bytes were seen. What is unpacked, and pages that
/// are held, are counted as so many reads.
pub(super) const BYTES_A_READ: u64 = 40;

/// The most that zlib makes of a byte is 1,032; zstd makes more of zeroes, and debug information is none.
pub(super) const MAX_RATIO: u64 = 4096;

/// The length of a file that can be meant: three times what the largest debug builds have.
const MAX_LENGTH: u64 = 8 << 30;

/// Whether a file is no longer than any, and not mostly a hole: reading a hole takes time for nothing.
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
