//! The bytes of a file, read page by page as they are asked for.
//!
//! Nothing is mapped: a file that is cut off while it is open gives an error, and no fault. What is held does not grow
//! with the file. Whoever reads keeps no reference, so that a page can go at any time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a page.
pub(super) const PAGE: u64 = 4096;
/// Pages of a file that are held: 4 MiB.
const HELD: usize = 1024;

/// One page, or the rest at the end.
pub(super) type Page = Arc<[u8]>;

/// Bytes that are read by page.
pub(super) struct Pages {
    len: u64,
    source: Source,
}

enum Source {
    File(Mutex<Held>),
    /// Unpacked from a compressed section.
    Memory(Vec<u8>),
}

struct Held {
    file: File,
    /// A page has one place, by its number.
    pages: Box<[Option<(u64, Page)>]>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Pages {
    pub(super) fn of_file(file: File, len: u64) -> Self {
        let pages = std::iter::repeat_with(|| None).take(HELD).collect();
        Self {
            len,
            source: Source::File(Mutex::new(Held { file, pages })),
        }
    }

    pub(super) fn of_memory(bytes: Vec<u8>) -> Self {
        Self {
            len: bytes.len() as u64,
            source: Source::Memory(bytes),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The memory that pages of it may take, in bytes.
    pub(super) fn most_held(&self) -> u64 {
        match &self.source {
            Source::File(_) => self.len.min(HELD as u64 * PAGE),
            Source::Memory(_) => self.len,
        }
    }

    /// `None` past the end, and where it cannot be read (any more).
    pub(super) fn page(&self, number: u64) -> Option<Page> {
        match &self.source {
            Source::Memory(bytes) => {
                let from = usize::try_from(number.checked_mul(PAGE)?).ok()?;
                let rest = bytes.get(from..)?;
                Some(Page::from(&rest[..rest.len().min(PAGE as usize)]))
            }
            Source::File(held) => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                held.page(number, self.len)
            }
        }
    }

    /// Bytes as one piece, where there are no more than `most` of them.
    pub(super) fn copy(&self, range: Range<u64>, most: u64) -> Option<Vec<u8>> {
        let size = range.end.checked_sub(range.start)?;
        if size > most || range.end > self.len {
            return None;
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(size).ok()?).ok()?;
        let mut at = range.start;
        while at < range.end {
            let page = self.page(at / PAGE)?;
            let from = (at % PAGE) as usize;
            let rest = (range.end - at).min(PAGE) as usize;
            let part = page.get(from..page.len().min(from.saturating_add(rest)))?;
            if part.is_empty() {
                return None;
            }
            bytes.extend_from_slice(part);
            at += part.len() as u64;
        }
        Some(bytes)
    }
}

impl Held {
    fn page(&mut self, number: u64, len: u64) -> Option<Page> {
        let place = usize::try_from(number).ok()? % self.pages.len();
        if let Some((held, page)) = &self.pages[place]
            && *held == number
        {
            return Some(Arc::clone(page));
        }
        let at = number.checked_mul(PAGE)?;
        let size = len.checked_sub(at)?.min(PAGE);
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        let page = Page::from(bytes);
        self.pages[place] = Some((number, Arc::clone(&page)));
        Some(page)
    }
}
