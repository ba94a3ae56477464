//! Files that are made to take all memory or all time of whoever looks at them: each leads many times to the same bytes.
//!
//! One test, because it counts what the whole process allocates. What bounds the time is the work that is done, so that
//! nothing here looks at the clock: without the bound this would not end.

#![cfg(feature = "symbols")]
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use pollscope_proto::symbols::{Address, Binary, Image, Module, Resolver, describe};

#[path = "hostile/elf.rs"]
mod elf;

use elf::{Section, lines, object, unit};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does it all; what is added touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

/// The most memory that was held at a time beyond what was held before, in MiB.
fn peak(work: impl FnOnce()) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work();
    (PEAK.load(Ordering::Relaxed) - before) >> 20
}

/// A unit that has nothing but a line program.
const WITH_LINES: &[u8] = &[1, 0x11, 0, 0x10, 0x17, 0, 0, 0];

/// Each unit has the same line program, and no ranges: to find those all rows are read.
fn rows() -> Vec<Section> {
    let units = unit(0, &[1, 0, 0, 0, 0]).repeat(10_000);
    vec![
        (".debug_info", units),
        (".debug_abbrev", WITH_LINES.to_vec()),
        (".debug_line", lines(1 << 20)),
    ]
}

/// Each unit has most of the abbreviations of the one before.
fn abbreviations() -> Vec<Section> {
    let mut table = Vec::new();
    let mut starts = Vec::new();
    for code in 128..16_384_u32 {
        starts.push(table.len() as u32);
        table.extend([code as u8 | 0x80, (code >> 7) as u8, 0x11, 0, 0, 0]);
    }
    table.push(0);
    let units = starts.iter().cycle().take(60_000);
    let units = units
        .map(|start| unit(*start, &[0xff, 0x7f]))
        .collect::<Vec<_>>();
    vec![(".debug_info", units.concat()), (".debug_abbrev", table)]
}

/// Each function has the same long list of ranges.
fn ranges() -> Vec<Section> {
    let mut table = vec![1, 0x11, 1, 0x11, 0x01, 0x12, 0x07, 0, 0];
    table.extend([2, 0x2e, 0, 0x55, 0x17, 0, 0, 0]);
    let mut entries = vec![1];
    entries.extend([0x1000_u64, 0x10_0000].map(u64::to_le_bytes).concat());
    entries.extend([2, 0, 0, 0, 0].repeat(20_000));
    entries.push(0);
    let list = (0..100_000_u64).flat_map(|at| [0x1000 + at, 0x1800 + at]);
    let mut list = list.flat_map(u64::to_le_bytes).collect::<Vec<_>>();
    list.extend([0; 16]);
    vec![
        (".debug_info", unit(0, &entries)),
        (".debug_abbrev", table),
        (".debug_ranges", list),
    ]
}

/// So many units that nothing else has room.
fn units() -> Vec<Section> {
    vec![
        (".debug_info", unit(0, &[1]).repeat(200_000)),
        (".debug_abbrev", vec![1, 0x11, 0, 0, 0, 0]),
    ]
}

fn look_at(image: Image) {
    let binary = Binary::from(image);
    for at in [0x1010, 0x4_0000] {
        let frames = binary.resolve(at, Address::Exact);
        assert!(frames.unwrap_or_default().len() <= 32);
    }
}

#[test]
fn no_file_takes_more_than_it_is_worth() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sections) in [
        ("rows", rows()),
        ("abbreviations", abbreviations()),
        ("ranges", ranges()),
        ("units", units()),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, object(&sections)).unwrap();
        drop(sections);
        let open = |path: &Path| Image::open(path).expect("it is an object");
        let others = peak(|| look_at(open(&path)));
        let own = peak(|| look_at(open(&path).trusted()));
        let in_target = peak(|| {
            let mut resolver = Resolver::new();
            for at in [0x1010, 0x4_0000] {
                resolver.resolve(&Module::named(&path), at, Address::Exact);
            }
        });
        let described = peak(|| {
            describe(&path);
        });
        println!(
            "{name}: {others} MiB, trusted {own}, in the target {in_target}, described {described}"
        );
        assert!(
            others <= 512,
            "{name}: {others} MiB for a file of somebody else"
        );
        assert!(own <= 1024, "{name}: {own} MiB for a trusted file");
        assert!(
            in_target <= 272,
            "{name}: {in_target} MiB in a program that is watched"
        );
        assert!(described <= 64, "{name}: {described} MiB to describe it");
    }
}
