//! Memory of this process that may not be there: read through the kernel, so that a wrong address is an error and
//! not a crash, and another thread's stack is copied without a data race.
#![expect(unsafe_code, reason = "process_vm_readv, which std does not offer")]
//!
//! Protocol: the kernel writes only into the buffer it is given here, whose length it is told.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

const PAGE: u64 = 4096;
/// How much is copied at a time. Most walks need one or two.
const CHUNK: usize = 16 << 10;
const CHUNKS: usize = 64;

static MEM: OnceLock<Option<File>> = OnceLock::new();
/// Whether `process_vm_readv` may be tried. Not under seccomp: a filter may kill for what it does not know, and
/// `pread` it always knows.
static VM_READ: AtomicBool = AtomicBool::new(true);

/// Opens the second way to read memory, and finds out which to use.
pub(super) fn init() {
    MEM.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let filtered = status
            .lines()
            .filter_map(|line| line.strip_prefix("Seccomp:"))
            .any(|mode| mode.trim() != "0");
        VM_READ.store(!filtered, Ordering::Relaxed);
        File::open("/proc/self/mem").ok()
    });
}

/// Copies memory at `at` into `buffer` and returns how much of it there was.
pub(super) fn read(at: u64, buffer: &mut [u8]) -> usize {
    if VM_READ.load(Ordering::Relaxed) {
        match vm_read(at, buffer) {
            Ok(len) => return len,
            Err(libc::EFAULT) => return 0,
            Err(_) => VM_READ.store(false, Ordering::Relaxed),
        }
    }
    let Some(mem) = MEM.get().and_then(Option::as_ref) else {
        return 0;
    };
    let mut len = 0;
    while len < buffer.len() {
        match mem.read_at(&mut buffer[len..], at + len as u64) {
            Ok(0) | Err(_) => break,
            Ok(read) => len += read,
        }
    }
    len
}

/// The kernel copies whole vectors or nothing of one: a vector for each page, so that what lies before a hole is
/// still copied.
fn vm_read(at: u64, buffer: &mut [u8]) -> Result<usize, i32> {
    const VECTORS: usize = CHUNK / PAGE as usize + 1;
    let mut remote = [libc::iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    }; VECTORS];
    // The upper half of the address space is the kernel's: nothing to read, and no sum below overflows.
    let end = at
        .checked_add(buffer.len() as u64)
        .filter(|end| i64::try_from(*end).is_ok())
        .ok_or(libc::EFAULT)?;
    let (mut from, mut used) = (at, 0);
    while from < end && used < VECTORS {
        let to = (from - from % PAGE + PAGE).min(end);
        remote[used] = libc::iovec {
            iov_base: from as *mut _,
            iov_len: (to - from) as usize,
        };
        used += 1;
        from = to;
    }
    let local = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: the kernel writes at most `local.iov_len` bytes into `buffer`, and checks every remote address.
    let copied = unsafe {
        libc::process_vm_readv(
            libc::getpid(),
            &raw const local,
            1,
            remote.as_ptr(),
            used as libc::c_ulong,
            0,
        )
    };
    usize::try_from(copied).map_err(|_negative| {
        std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EINVAL)
    })
}

/// A copy of one thread's stack, made chunk by chunk as a walk asks for it. Made once and used for every capture.
pub(super) struct StackCopy {
    bytes: Box<[u8]>,
    range: Range<u64>,
    top: u64,
    /// For each chunk how much of it is there; `None`: not asked for yet.
    chunks: [Option<u32>; CHUNKS],
    cut: bool,
}

impl StackCopy {
    /// One megabyte of address space; only what walks touch becomes memory.
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK * CHUNKS].into(),
            range: 0..0,
            top: 0,
            chunks: [None; CHUNKS],
            cut: false,
        }
    }

    /// Forgets the last copy and starts one of `from` up to `top`, as far as it fits.
    pub(super) fn reset(&mut self, from: u64, top: u64) {
        let from = from & !7;
        let fits = from.saturating_add((CHUNK * CHUNKS) as u64);
        self.range = from..top.min(fits);
        self.top = top;
        self.chunks = [None; CHUNKS];
        self.cut = false;
    }

    /// Whether a word was asked for that the stack has and the copy could not hold.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The word at `at`.
    pub(super) fn word(&mut self, at: u64) -> Result<u64, ()> {
        if at < self.range.start || at.checked_add(8).is_none_or(|end| end > self.range.end) {
            self.cut |= at >= self.range.end && at < self.top;
            return Err(());
        }
        let offset = (at - self.range.start) as usize;
        let (first, last) = (offset / CHUNK, (offset + 7) / CHUNK);
        for chunk in first..=last {
            let wanted = (offset + 8 - chunk * CHUNK).min(CHUNK);
            if self.fetch(chunk) < wanted {
                return Err(());
            }
        }
        let bytes = self.bytes.get(offset..).and_then(<[u8]>::first_chunk);
        bytes.map(|word| u64::from_le_bytes(*word)).ok_or(())
    }

    fn fetch(&mut self, chunk: usize) -> usize {
        if let Some(there) = self.chunks[chunk] {
            return there as usize;
        }
        let start = self.range.start + (chunk * CHUNK) as u64;
        let len = (self.range.end - start).min(CHUNK as u64) as usize;
        let there = read(start, &mut self.bytes[chunk * CHUNK..][..len]);
        self.chunks[chunk] = Some(there as u32);
        there
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_there_is_read_and_a_hole_is_an_error() {
        init();
        let word = 0x1234_5678_9abc_def0_u64;
        let mut buffer = [0; 8];
        assert_eq!(read(&raw const word as u64, &mut buffer), 8);
        assert_eq!(u64::from_le_bytes(buffer), word);
        assert_eq!(read(8, &mut buffer), 0);
        assert_eq!(read(u64::MAX - 16, &mut buffer), 0);
    }

    #[test]
    fn the_second_way_reads_the_same() {
        init();
        let word = 77u64;
        let mut buffer = [0; 8];
        let mem = MEM.get().unwrap().as_ref().unwrap();
        mem.read_exact_at(&mut buffer, &raw const word as u64)
            .unwrap();
        assert_eq!(u64::from_le_bytes(buffer), word);
        assert!(mem.read_at(&mut buffer, 8).is_err());
    }

    #[test]
    fn a_copy_answers_words_inside_it_and_nothing_else() {
        init();
        let words: Vec<u64> = (0..10_000).collect();
        let from = words.as_ptr() as u64;
        let top = from + 80_000;
        let mut copy = StackCopy::new();
        copy.reset(from, top);
        for n in [0, 1, 2047, 2048, 9_999] {
            assert_eq!(copy.word(from + n * 8), Ok(n));
        }
        assert_eq!(copy.word(from - 8), Err(()));
        assert_eq!(copy.word(top), Err(()));
        assert_eq!(copy.word(top - 4), Err(()));
        assert!(!copy.is_cut());
    }

    #[test]
    fn a_stack_too_deep_for_the_copy_is_said_to_be_cut() {
        let mut copy = StackCopy::new();
        copy.reset(4096, u64::MAX);
        assert_eq!(copy.word(4096 + (CHUNK * CHUNKS) as u64), Err(()));
        assert!(copy.is_cut());
    }

    #[test]
    fn a_copy_is_a_snapshot() {
        init();
        let mut words = vec![1u64; 16];
        let from = words.as_ptr() as u64;
        let mut copy = StackCopy::new();
        copy.reset(from, from + 128);
        assert_eq!(copy.word(from), Ok(1));
        std::hint::black_box(&mut words)[0] = 2;
        assert_eq!(copy.word(from), Ok(1));
        copy.reset(from, from + 128);
        assert_eq!(copy.word(from), Ok(2));
    }

    #[test]
    fn a_copy_that_runs_into_a_hole_keeps_what_came_before_it() {
        init();
        let file = std::fs::read_to_string("/proc/self/maps").unwrap();
        // The end of the topmost mapping below the kernel's half has a hole behind it.
        let ends: Vec<(u64, u64)> = file
            .lines()
            .filter(|line| line.contains(" rw"))
            .filter_map(|line| {
                let (start, end) = line.split_whitespace().next()?.split_once('-')?;
                Some((
                    u64::from_str_radix(start, 16).ok()?,
                    u64::from_str_radix(end, 16).ok()?,
                ))
            })
            .collect();
        let end = ends
            .iter()
            .map(|(_, end)| *end)
            .filter(|end| !ends.iter().any(|(start, _)| start == end))
            .find(|end| read(*end, &mut [0; 8]) == 0)
            .unwrap();
        let mut copy = StackCopy::new();
        copy.reset(end - 64, u64::MAX);
        assert!(copy.word(end - 8).is_ok());
        assert_eq!(copy.word(end), Err(()));
    }
}
