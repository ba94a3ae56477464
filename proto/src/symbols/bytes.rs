//! A part of a file as gimli reads it, from pages, and within a bound on all that is read.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use addr2line::gimli::{self, Error, Reader, ReaderOffsetId, Result, RunTimeEndian};

use super::pages::{PAGE, Page, Pages};

/// Bytes of a string that are copied: a generic function's name may have some thousands.
const MAX_TEXT: usize = 64 * 1024;

/// How much more may be read of a file. Its tables may be made so that each of a million entries leads to the same
/// million of others: whoever reads it must stop at some time, and stop by work done, not by the clock.
#[derive(Debug)]
pub(super) struct Fuel(AtomicU64);

impl Fuel {
    pub(super) const fn new(reads: u64) -> Self {
        Self(AtomicU64::new(reads))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    pub(super) fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn refill(&self, reads: u64) {
        self.0.store(reads, Ordering::Relaxed);
    }

    /// Plain loads and stores: one thread reads at a time, and if two did, the bound would be a little higher.
    #[inline]
    pub(super) fn burn(&self, reads: u64) -> Result<()> {
        let left = self.0.load(Ordering::Relaxed).saturating_sub(reads);
        self.0.store(left, Ordering::Relaxed);
        if left == 0 { Err(Error::Io) } else { Ok(()) }
    }
}

/// A part of a file, from which is read.
pub(super) struct Bytes {
    pages: Arc<Pages>,
    fuel: Arc<Fuel>,
    at: u64,
    end: u64,
    endian: RunTimeEndian,
    /// The page that was read last. Not cloned: clones are kept, and would keep the page.
    window: Option<(u64, Page)>,
}

impl Clone for Bytes {
    fn clone(&self) -> Self {
        Self {
            pages: Arc::clone(&self.pages),
            fuel: Arc::clone(&self.fuel),
            window: None,
            ..*self
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bytes").field(&(self.at..self.end)).finish()
    }
}

impl Bytes {
    /// A range that reaches beyond the end of the file is empty.
    pub(super) fn new(
        pages: Arc<Pages>,
        fuel: Arc<Fuel>,
        range: Range<u64>,
        endian: RunTimeEndian,
    ) -> Self {
        let inside = range.start <= range.end && range.end <= pages.len();
        let range = if inside { range } else { 0..0 };
        Self {
            pages,
            fuel,
            at: range.start,
            end: range.end,
            endian,
            window: None,
        }
    }

    fn eof(&self) -> Error {
        Error::UnexpectedEof(self.offset_id())
    }

    fn left(&self) -> usize {
        usize::try_from(self.end - self.at).unwrap_or(usize::MAX)
    }

    fn advance(&mut self, count: usize) -> Result<Range<u64>> {
        if count > self.left() {
            return Err(self.eof());
        }
        let from = self.at;
        self.at += count as u64;
        Ok(from..self.at)
    }

    /// What the page at an offset holds from there on.
    #[inline]
    fn rest_of_page(&mut self, at: u64) -> Result<&[u8]> {
        let number = at / PAGE;
        if self.window.as_ref().is_none_or(|(held, _)| *held != number) {
            let page = self.pages.page(number).ok_or(Error::Io)?;
            self.window = Some((number, page));
        }
        let page = self
            .window
            .as_ref()
            .and_then(|(_, page)| page.get((at % PAGE) as usize..));
        page.filter(|rest| !rest.is_empty()).ok_or(Error::Io)
    }

    fn text(&self) -> Result<Vec<u8>> {
        let len = self.left().min(MAX_TEXT);
        let mut text = vec![0; len];
        self.clone().read_slice(&mut text)?;
        Ok(text)
    }
}

impl Reader for Bytes {
    type Endian = RunTimeEndian;
    type Offset = usize;

    fn endian(&self) -> RunTimeEndian {
        self.endian
    }

    #[inline]
    fn len(&self) -> usize {
        self.left()
    }

    fn empty(&mut self) {
        self.at = self.end;
    }

    fn truncate(&mut self, len: usize) -> Result<()> {
        if len > self.left() {
            return Err(self.eof());
        }
        self.end = self.at + len as u64;
        Ok(())
    }

    fn offset_from(&self, base: &Self) -> usize {
        self.at.saturating_sub(base.at) as usize
    }

    fn offset_id(&self) -> ReaderOffsetId {
        ReaderOffsetId(self.at)
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        (self.at..=self.end)
            .contains(&id.0)
            .then(|| (id.0 - self.at) as usize)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let mut looking = self.clone();
        let mut at = self.at;
        while at < self.end {
            looking.fuel.burn(1)?;
            let rest = looking.rest_of_page(at)?;
            if let Some(found) = rest.iter().position(|other| *other == byte) {
                let found = at + found as u64;
                return (found < self.end)
                    .then(|| (found - self.at) as usize)
                    .ok_or_else(|| self.eof());
            }
            at += rest.len() as u64;
        }
        Err(self.eof())
    }

    fn skip(&mut self, len: usize) -> Result<()> {
        self.advance(len).map(drop)
    }

    fn split(&mut self, len: usize) -> Result<Self> {
        let range = self.advance(len)?;
        let mut part = self.clone();
        (part.at, part.end) = (range.start, range.end);
        Ok(part)
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        self.text().map(Cow::Owned)
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        let text = String::from_utf8(self.text()?);
        text.map(Cow::Owned).or(Err(Error::BadUtf8))
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        let text = self.text()?;
        Ok(Cow::Owned(String::from_utf8_lossy(&text).into_owned()))
    }

    #[inline]
    fn read_slice(&mut self, mut buffer: &mut [u8]) -> Result<()> {
        self.fuel.burn(1 + buffer.len() as u64 / 64)?;
        let mut from = self.advance(buffer.len())?.start;
        while !buffer.is_empty() {
            let rest = self.rest_of_page(from)?;
            let count = rest.len().min(buffer.len());
            let (now, later) = buffer.split_at_mut(count);
            now.copy_from_slice(&rest[..count]);
            from += count as u64;
            buffer = later;
        }
        Ok(())
    }

    #[inline]
    fn read_u8(&mut self) -> Result<u8> {
        self.fuel.burn(1)?;
        let at = self.advance(1)?.start;
        self.rest_of_page(at).map(|rest| rest[0])
    }
}

/// The sections of a file, as gimli wants them.
pub(super) type Dwarf = gimli::Dwarf<Bytes>;
