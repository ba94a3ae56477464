//! Files that are damaged, or made to do damage: nothing may panic, and no file may make us take its word for a size.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::super::*;
use super::address_of_outer;

/// A library without the standard library: some kilobytes, all of which matter.
const SOURCE: &str = "\
#![no_std]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
#[inline(always)]
fn inner(n: u64) -> u64 {
    n.rotate_left(3) ^ 7
}
#[unsafe(no_mangle)]
pub extern \"C\" fn outer(n: u64) -> u64 {
    inner(n) + 1
}
";

fn build(dir: &Path) -> PathBuf {
    let source = dir.join("small.rs");
    fs::write(&source, SOURCE).unwrap();
    let out = dir.join("small.so");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition=2024", "--crate-type=cdylib", "-Cpanic=abort"])
        .args(["-Copt-level=1", "-Cdebuginfo=1", "-Clink-arg=-nostdlib"])
        .args(["-Clink-arg=-Wl,--build-id", "-o"])
        .args([&out, &source])
        .status()
        .unwrap();
    assert!(status.success());
    out
}

fn whole() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let small = build(dir.path());
        assert_eq!(
            describe(&small).detail,
            Detail::Full,
            "there is something to damage"
        );
        fs::read(small).unwrap()
    })
}

/// All that can be asked of a file, as of one's own and as of somebody else's.
fn look_at(path: &Path) {
    let _ = (describe(path), build_id(path), is_object(path));
    let Some(image) = Image::open(path) else {
        return;
    };
    let _ = (
        image.debug_link(),
        image.same_layout(&image),
        image.describe(path),
    );
    let (own, other) = (Image::open(path).unwrap().trusted(), image);
    for binary in [Binary::from(own), Binary::from(other)] {
        for at in (0..0x2000).step_by(0x80).chain([u64::MAX, 1 << 47]) {
            let frames = binary.resolve(at, Address::Return).unwrap_or_default();
            assert!(frames.len() <= binary::MAX_INLINED);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_truncated_file_does_no_harm(part in 0.0..1.0_f64) {
        let whole = whole();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, &whole[..(whole.len() as f64 * part) as usize]).unwrap();
        look_at(file.path());
    }

    #[test]
    fn a_damaged_file_does_no_harm(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..64),
        // Headers are small and steer everything.
        headers in prop::collection::vec((0..512_usize, any::<u8>()), 0..4),
    ) {
        let mut bytes = whole().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for (at, byte) in headers {
            bytes[at] = byte;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, bytes).unwrap();
        look_at(file.path());
    }
}

#[test]
fn a_section_that_would_fill_the_memory_is_not_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let small = build(dir.path());
    let packed = dir.path().join("packed.so");
    let objcopy = Command::new("objcopy")
        .arg("--compress-debug-sections=zlib")
        .args([&small, &packed])
        .status();
    assert!(objcopy.expect("binutils, as for linking").success());
    assert_eq!(describe(&packed).detail, Detail::Full);

    let mut bytes = fs::read(&packed).unwrap();
    let headers: Vec<_> = {
        let header = Image::open(&packed).unwrap().header;
        let packed = header
            .sections
            .iter()
            .filter(|section| section.packed.is_some());
        // Behind `Elf64_Chdr`.
        packed
            .map(|section| section.bytes.start as usize - 24)
            .collect()
    };
    assert!(!headers.is_empty());
    for header in headers {
        // `ch_size`: behind the type of the compression and four bytes of nothing.
        bytes[header + 8..header + 16].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    }
    fs::write(&packed, bytes).unwrap();
    assert!(describe(&packed).detail < Detail::Lines);
    let lines = Resolver::new().resolve(
        &Module::named(&packed),
        address_of_outer(&packed),
        Address::Exact,
    );
    assert!(lines.iter().all(|line| line.line == 0), "{lines:?}");
}
