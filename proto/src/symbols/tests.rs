//! Resolves frames of programs built here, with each amount of debug information.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::symbols::names::Names;

mod damaged;

const SOURCE: &str = "\
#[inline(never)]
pub fn outer(n: u64) -> u64 {
    inner(n) + 1
}
#[inline(always)]
fn inner(n: u64) -> u64 {
    std::hint::black_box(n)
}
fn main() {
    println!(\"{}\", outer(std::env::args().count() as u64));
}
";

/// Builds the program with some flags of rustc.
pub(super) fn build(dir: &Path, flags: &[&str]) -> PathBuf {
    let source = dir.join("probe.rs");
    std::fs::write(&source, SOURCE).unwrap();
    let out = dir.join(format!("probe{}", flags.concat().replace(['=', '-'], "_")));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-name=probe",
            "-Copt-level=1",
            "-Clink-arg=-Wl,--build-id",
        ])
        .args(flags)
        .arg("-o")
        .args([&out, &source])
        .status()
        .unwrap();
    assert!(status.success());
    out
}

/// The address of `outer` in the file.
pub(super) fn address_of_outer(program: &Path) -> u64 {
    let image = Image::open(program).unwrap();
    let fuel = std::sync::Arc::new(bytes::Fuel::new(1 << 20));
    let names = Names::read(&image, &fuel);
    names
        .address_of("outer")
        .expect("it is a function of its own")
}

#[test]
fn debug_one_gives_paths_lines_and_inlined_functions() {
    let dir = tempfile::tempdir().unwrap();
    let program = build(dir.path(), &["-Cdebuginfo=1"]);
    assert_eq!(describe(&program).detail, Detail::Full);

    let start = address_of_outer(&program);
    let mut resolver = Resolver::new();
    let frames = (start..start + 64)
        .map(|at| resolver.resolve(&Module::named(&program), at, Address::Exact))
        .find(|frames| frames.iter().any(|line| line.function == "probe::inner"))
        .expect("the inlined function is somewhere in the first instructions");
    let [.., inner, outer] = frames.as_slice() else {
        panic!("two functions: {frames:?}");
    };
    assert_eq!(inner.function, "probe::inner");
    assert!(inner.inlined && !outer.inlined);
    assert_eq!(outer.function, "probe::outer");
    assert!(outer.file.ends_with("probe.rs"));
    assert_eq!((inner.line, outer.line), (7, 3));
}

#[test]
fn a_return_address_names_the_call_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let program = build(dir.path(), &["-Cdebuginfo=1"]);
    let start = address_of_outer(&program);
    let mut resolver = Resolver::new();
    let before = resolver.resolve(&Module::named(&program), start - 1, Address::Exact);
    assert_eq!(
        resolver.resolve(&Module::named(&program), start, Address::Return),
        before
    );
    let outer = resolver.resolve(&Module::named(&program), start, Address::Exact);
    assert_eq!(outer.last().unwrap().function, "probe::outer");
}

#[test]
fn less_debug_information_is_told_and_still_names_functions() {
    let dir = tempfile::tempdir().unwrap();
    for (flag, detail, line) in [
        ("-Cdebuginfo=line-tables-only", Detail::Lines, true),
        ("-Cdebuginfo=0", Detail::Names, false),
    ] {
        let program = build(dir.path(), &[flag]);
        assert_eq!(describe(&program).detail, detail, "{flag}");
        let frames = Resolver::new().resolve(
            &Module::named(&program),
            address_of_outer(&program),
            Address::Exact,
        );
        let outer = frames.last().unwrap();
        assert_eq!(outer.function, "probe::outer", "{flag}");
        assert_eq!(outer.line > 0, line, "{flag}");
    }
    let stripped = build(dir.path(), &["-Cstrip=symbols", "-Cdebuginfo=0"]);
    assert_eq!(describe(&stripped).detail, Detail::None);
    assert_eq!(
        Resolver::new().resolve(&Module::named(&stripped), 0x4000, Address::Exact),
        []
    );
    let id = build_id(&stripped).unwrap();
    assert!(id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn what_is_no_executable_resolves_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text");
    std::fs::write(&text, "\x7fELF but not really").unwrap();
    for path in [
        text.as_path(),
        dir.path(),
        Path::new("/dev/zero"),
        Path::new("/nowhere"),
    ] {
        assert_eq!(describe(path), Description::default());
        assert_eq!(build_id(path), None);
        let mut resolver = Resolver::new();
        assert_eq!(
            resolver.resolve(&Module::named(path), 1, Address::Exact),
            []
        );
        assert_eq!(
            resolver.resolve(&Module::named(path), 0, Address::Return),
            []
        );
    }
}

/// A build whose units were split off must not make us open what its file names, unless it is ours.
#[test]
#[cfg(target_os = "linux")]
fn only_a_trusted_file_leads_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let split = build(dir.path(), &["-Cdebuginfo=1", "-Csplit-debuginfo=unpacked"]);
    let at = address_of_outer(&split);
    let trusted = Binary::from(Image::open(&split).unwrap().trusted());
    let lines = trusted.resolve(at, Address::Exact).unwrap();
    assert_eq!(lines.last().unwrap().function, "probe::outer");
    assert!(lines.last().unwrap().line > 0);
    let other = Binary::from(Image::open(&split).unwrap());
    assert_eq!(other.resolve(at, Address::Exact), None);

    // What it tells by itself it tells anybody, and a package lies beside it by its own name.
    for flags in [
        &["-Cdebuginfo=1"][..],
        &["-Cdebuginfo=1", "-Csplit-debuginfo=packed"],
    ] {
        let program = build(dir.path(), flags);
        let at = address_of_outer(&program);
        let resolve = |image| Binary::from(image).resolve(at, Address::Exact).unwrap();
        let image = || Image::open(&program).unwrap();
        assert_eq!(resolve(image()), resolve(image().trusted()), "{flags:?}");
        assert!(resolve(image())[0].line > 0, "{flags:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_is_mostly_a_hole_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let program = build(dir.path(), &["-Cdebuginfo=1"]);
    let start = address_of_outer(&program);
    assert_ne!(
        Resolver::new().resolve(&Module::named(&program), start, Address::Exact),
        []
    );
    let file = std::fs::File::options().write(true).open(&program).unwrap();
    file.set_len(1 << 30).unwrap();
    assert_eq!(
        Resolver::new().resolve(&Module::named(&program), start, Address::Exact),
        []
    );
    assert_eq!(build_id(&program), None);
    assert_eq!(describe(&program), Description::default());
    file.set_len(9 << 30).unwrap();
    assert_eq!(
        Resolver::new().resolve(&Module::named(&program), start, Address::Exact),
        []
    );
}

/// To open one for reading waits for somebody who writes.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert!(image::open(&pipe).is_none());
    assert_eq!(describe(&pipe), Description::default());
}
