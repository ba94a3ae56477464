//! Asks the loader what is mapped: address ranges, unwind tables, build ids.
#![expect(
    unsafe_code,
    reason = "the loader hands out raw pointers to mapped ELF images"
)]
//!
//! Protocol: `dl_iterate_phdr` holds the loader's lock while it calls back, so an image it names cannot be
//! unmapped before the callback returns. Everything is read then. What is kept longer is kept in one of two ways:
//! unwind tables of images that are never unmapped (the executable, libc, the loader, the vDSO) by reference, of
//! all others, which a `dlclose` could unmap under a walk, by copy.

use std::ffi::{CStr, c_int, c_void};
use std::ops::{Deref, Range};
use std::sync::Arc;
use std::{ptr, slice};

/// The most bytes of unwind tables copied for one image, and the most copied in total.
const COPY_ONE: usize = 16 << 20;
const COPY_ALL: usize = 48 << 20;

/// Unwind tables, borrowed for ever or copied.
#[derive(Clone)]
pub(super) enum Section {
    Mapped(&'static [u8]),
    Copied(Arc<[u8]>),
}

/// Empty. The unwinder's builder asks for one.
impl Default for Section {
    fn default() -> Self {
        Self::Mapped(&[])
    }
}

impl Deref for Section {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

/// `.eh_frame_hdr` and `.eh_frame`, each with the address it is mapped at.
pub(super) struct UnwindTables {
    pub(super) hdr_at: u64,
    pub(super) hdr: Section,
    pub(super) eh_frame_at: u64,
    pub(super) eh_frame: Section,
}

/// One mapped image. All ranges are addresses in this process.
pub(super) struct Image {
    pub(super) path: String,
    pub(super) build_id: String,
    pub(super) bias: u64,
    pub(super) range: Range<u64>,
    pub(super) text: Vec<Range<u64>>,
    pub(super) tables: Option<UnwindTables>,
}

/// How often images were mapped and unmapped so far. Equal counters: nothing changed.
pub(super) fn changes() -> (u64, u64) {
    unsafe extern "C" fn first(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        out: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader passes a valid `info`; `out` is the pair below.
        unsafe { *out.cast() = ((*info).dlpi_adds, (*info).dlpi_subs) };
        1
    }
    let mut counters = (0u64, 0u64);
    // SAFETY: the callback has the right type and `counters` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(first), ptr::from_mut(&mut counters).cast()) };
    counters
}

/// Every mapped image. `known` says whether the tables of the image with this bias and path are held already, and
/// need not be read again.
pub(super) fn images(known: &dyn Fn(u64, &str) -> bool) -> Vec<Image> {
    struct Collect<'a> {
        found: Vec<Image>,
        copied: usize,
        known: &'a dyn Fn(u64, &str) -> bool,
    }
    unsafe extern "C" fn each(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        out: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader passes a valid `info`; `out` is the `Collect` below, and only this call has it.
        let (info, collect) = unsafe { (&*info, &mut *out.cast::<Collect<'_>>()) };
        let first = collect.found.is_empty();
        // SAFETY: `info` describes an image that stays mapped during the callback.
        if let Some(image) = unsafe { read(info, first, &mut collect.copied, collect.known) } {
            collect.found.push(image);
        }
        0
    }
    let mut collect = Collect {
        found: Vec::with_capacity(16),
        copied: 0,
        known,
    };
    // SAFETY: the callback has the right type and `collect` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(each), ptr::from_mut(&mut collect).cast()) };
    collect.found
}

/// Where the executable's first instruction is: the root of the main thread lies just behind it.
pub(super) fn entry() -> u64 {
    // SAFETY: `getauxval` only reads what the kernel passed at start.
    unsafe { libc::getauxval(libc::AT_ENTRY) }
}

/// # Safety
/// `info` must describe an image that stays mapped during this call.
unsafe fn read(
    info: &libc::dl_phdr_info,
    first: bool,
    copied: &mut usize,
    known: &dyn Fn(u64, &str) -> bool,
) -> Option<Image> {
    if info.dlpi_phdr.is_null() {
        return None;
    }
    // SAFETY: the loader's array of program headers.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let bias = info.dlpi_addr;
    let at = |header: &libc::Elf64_Phdr| {
        let start = bias.wrapping_add(header.p_vaddr);
        start..start.saturating_add(header.p_memsz)
    };
    let loads = || headers.iter().filter(|h| h.p_type == libc::PT_LOAD);
    let range = loads().map(|h| at(h).start).min()?..loads().map(|h| at(h).end).max()?;
    let text = loads()
        .filter(|h| h.p_flags & libc::PF_X != 0)
        .map(at)
        .collect();
    // SAFETY: notes lie in a loaded segment of this image.
    let build_id = headers
        .iter()
        .filter(|h| h.p_type == libc::PT_NOTE)
        .find_map(|h| build_id(unsafe { bytes(at(h)) }, h.p_align))
        .unwrap_or_default();
    // SAFETY: null, or a C string the loader owns.
    let path = unsafe { path(info.dlpi_name, first, &range) };
    let tables = if known(bias, &path) {
        None
    } else {
        let keep = first || never_unmapped(&range);
        headers
            .iter()
            .find(|h| h.p_type == libc::PT_GNU_EH_FRAME)
            .and_then(|h| {
                let hdr = at(h);
                // SAFETY: the header's segment is mapped, and so is the one it points into.
                unsafe { tables(hdr, loads().map(at), keep, copied) }
            })
    };
    Some(Image {
        path,
        build_id,
        bias,
        range,
        text,
        tables,
    })
}

/// # Safety
/// The range must stay mapped and readable for as long as the slice is used.
unsafe fn bytes(range: Range<u64>) -> &'static [u8] {
    let len = (range.end - range.start) as usize;
    // SAFETY: see above; mapped read-only images are never written again once loaded.
    unsafe { slice::from_raw_parts(range.start as *const u8, len) }
}

/// # Safety
/// `name` must be null or a C string.
unsafe fn path(name: *const libc::c_char, first: bool, range: &Range<u64>) -> String {
    if first {
        return std::fs::read_link("/proc/self/exe")
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
    }
    // SAFETY: `AT_SYSINFO_EHDR` may be asked any time.
    if range.contains(&unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) }) {
        return "[vdso]".to_owned();
    }
    if name.is_null() {
        return String::new();
    }
    // SAFETY: the loader's name of this image.
    unsafe { CStr::from_ptr(name) }
        .to_string_lossy()
        .into_owned()
}

/// Whether this is libc, the loader or the vDSO: they cannot be closed.
fn never_unmapped(range: &Range<u64>) -> bool {
    // SAFETY: `getauxval` only reads what the kernel passed at start.
    let (loader, vdso) = unsafe {
        (
            libc::getauxval(libc::AT_BASE),
            libc::getauxval(libc::AT_SYSINFO_EHDR),
        )
    };
    let libc = libc::getauxval as *const () as u64;
    [loader, vdso, libc]
        .iter()
        .any(|at| *at != 0 && range.contains(at))
}

/// # Safety
/// `hdr` and all of `loads` must be mapped; for ever, if `keep`.
unsafe fn tables(
    hdr: Range<u64>,
    mut loads: impl Iterator<Item = Range<u64>>,
    keep: bool,
    copied: &mut usize,
) -> Option<UnwindTables> {
    // SAFETY: by the caller.
    let header = unsafe { bytes(hdr.clone()) };
    // Version 1, and the encodings every linker writes: pc-relative, then a table relative to the header.
    if header.len() < 12 || header[0] != 1 || header[1] != 0x1b {
        return None;
    }
    let offset = i32::from_le_bytes(header[4..8].try_into().ok()?);
    let eh_frame_at = (hdr.start + 4).checked_add_signed(i64::from(offset))?;
    let segment = loads.find(|load| load.contains(&eh_frame_at))?;
    // SAFETY: from here to the segment's end is mapped, by the caller.
    let eh_frame = unsafe { bytes(eh_frame_at..segment.end) };
    let (hdr_section, eh_frame_section) = if keep {
        (Section::Mapped(header), Section::Mapped(eh_frame))
    } else {
        let eh_frame = up_to_terminator(eh_frame);
        let size = eh_frame.len() + header.len();
        if size > COPY_ONE || *copied + size > COPY_ALL {
            return None;
        }
        *copied += size;
        (
            Section::Copied(header.into()),
            Section::Copied(eh_frame.into()),
        )
    };
    Some(UnwindTables {
        hdr_at: hdr.start,
        hdr: hdr_section,
        eh_frame_at,
        eh_frame: eh_frame_section,
    })
}

/// The section's size is in no program header. Its records carry their lengths, and a zero ends them.
fn up_to_terminator(eh_frame: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(length) = eh_frame.get(at..at + 4) {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        at += 4 + length;
        if length == 0 {
            break;
        }
    }
    &eh_frame[..at.min(eh_frame.len())]
}

/// Finds the `NT_GNU_BUILD_ID` note, in hex.
fn build_id(notes: &[u8], align: u64) -> Option<String> {
    const NT_GNU_BUILD_ID: u32 = 3;
    let align = if align == 8 { 8 } else { 4 };
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(notes.get(at..at + 4)?.try_into().ok()?))
    };
    let mut at = 0usize;
    loop {
        let (name_len, desc_len, kind) =
            (word(at)? as usize, word(at + 4)? as usize, word(at + 8)?);
        let name = at + 12;
        let desc = (name + name_len).next_multiple_of(align);
        if kind == NT_GNU_BUILD_ID && notes.get(name..name + name_len)? == b"GNU\0" {
            let id = notes.get(desc..desc + desc_len)?;
            return Some(id.iter().fold(String::new(), |mut hex, byte| {
                use std::fmt::Write;
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            }));
        }
        at = (desc + desc_len).next_multiple_of(align);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_id_is_found_behind_another_note() {
        let mut notes = Vec::new();
        for (kind, desc) in [(1u32, &[9u8, 9, 9, 9][..]), (3, &[0xab, 0x01, 0xff])] {
            notes.extend(4u32.to_le_bytes());
            notes.extend((desc.len() as u32).to_le_bytes());
            notes.extend(kind.to_le_bytes());
            notes.extend(b"GNU\0");
            notes.extend(desc);
        }
        assert_eq!(build_id(&notes, 4).as_deref(), Some("ab01ff"));
        assert_eq!(build_id(&notes[..20], 4), None);
    }

    #[test]
    fn a_section_ends_at_its_terminator_or_where_its_memory_does() {
        let mut section = vec![4, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 7, 7];
        assert_eq!(up_to_terminator(&section).len(), 12);
        section[0] = 100;
        assert_eq!(up_to_terminator(&section).len(), 14);
    }

    #[test]
    fn the_executable_comes_first_and_has_tables() {
        let images = images(&|_, _| false);
        let here = the_executable_comes_first_and_has_tables as *const () as u64;
        assert!(images[0].text.iter().any(|text| text.contains(&here)));
        assert!(matches!(
            images[0].tables.as_ref().unwrap().eh_frame,
            Section::Mapped(_)
        ));
        assert!(!images[0].build_id.is_empty());
        let exe = std::env::current_exe().unwrap();
        assert_eq!(images[0].path, exe.to_str().unwrap());
    }
}
