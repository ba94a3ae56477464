//! What is remembered, and which file is read for a module.

use std::fs;
use std::process::Command;

use super::super::tests::{address_of_outer, build};
use super::super::{Build, build_id};
use super::*;

#[test]
fn caches_are_bounded() {
    let mut resolver = Resolver::new();
    for at in 0..MAX_FRAMES as u64 + 10 {
        resolver.resolve(&Module::named("/nowhere"), at, Address::Exact);
    }
    assert!(resolver.remembered <= MAX_FRAMES);
    for at in 0..MAX_MODULES * 2 {
        let module = Module::named(format!("/nowhere/{at}"));
        resolver.resolve(&module, 0, Address::Exact);
    }
    assert!(resolver.modules.len() <= MAX_MODULES);
}

/// The agent resolves on a thread of its own, the viewer in a blocking pool.
#[test]
fn a_resolver_can_change_threads() {
    fn is_send<T: Send>() {}
    is_send::<Resolver>();
}

/// With less memory lines go first, then names; no answer is a wrong one.
#[test]
#[cfg(target_os = "linux")]
fn what_does_not_fit_is_named_by_less() {
    let dir = tempfile::tempdir().unwrap();
    let program = build(dir.path(), &["-Cdebuginfo=1"]);
    let (at, module) = (address_of_outer(&program), Module::named(&program));
    let within = |most| Resolver {
        most,
        ..Resolver::new()
    };
    let mut full = Resolver::new();
    let lines = full.resolve(&module, at, Address::Exact);
    assert!(lines.last().unwrap().line > 0);
    let mut seen = [false; 3];
    for twentieth in 0..=60 {
        let most = full.held() / 20 * twentieth;
        let mut resolver = within(most);
        let found = resolver.resolve(&module, at, Address::Exact);
        match found.as_slice() {
            [] => seen[0] = true,
            [name] if name.line == 0 => {
                assert_eq!(name.function, "probe::outer");
                seen[1] = true;
            }
            _ => {
                assert_eq!(found, lines);
                seen[2] = true;
            }
        }
        let open = resolver.modules.values().flatten().count();
        assert!(open == 0 || resolver.held() <= most, "{twentieth}");
    }
    assert_eq!(seen, [true; 3]);

    // One fits, two do not: each that is asked for closes the other.
    let copy = dir.path().join("copy");
    fs::copy(&program, &copy).unwrap();
    let mut resolver = within(full.held() * 3 / 2);
    for at in [at, at + 1, at + 2] {
        for module in [&module, &Module::named(&copy)] {
            let found = resolver.resolve(module, at, Address::Exact);
            assert_eq!(found.last().unwrap().function, "probe::outer");
            assert!(found[0].line > 0 && resolver.modules.len() == 1);
        }
    }
}

/// A program goes on running when it is deployed anew, and so does one whose library is.
#[test]
#[cfg(target_os = "linux")]
fn a_file_of_another_build_names_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = build(dir.path(), &["-Cdebuginfo=1"]);
    let newer = build(dir.path(), &["-Cdebuginfo=2", "-Copt-level=0"]);
    let (at, at_newer) = (address_of_outer(&loaded), address_of_outer(&newer));
    let module = Module {
        build: Build::Id(build_id(&loaded).unwrap()),
        ..Module::named(&loaded)
    };
    let name = |module: &Module, at| Resolver::new().resolve(module, at, Address::Exact);
    assert_eq!(name(&module, at).last().unwrap().function, "probe::outer");

    fs::rename(&newer, &loaded).unwrap();
    for at in [at, at_newer] {
        assert_eq!(name(&module, at), [], "its addresses are others");
    }
    assert_ne!(name(&Module::named(&loaded), at_newer), [], "it has names");
}

/// Without a build id a library is known by its name, as long as nothing else was put there.
#[test]
#[cfg(target_os = "linux")]
fn without_a_build_id_it_must_be_the_very_file() {
    use std::os::unix::fs::MetadataExt;

    let dir = tempfile::tempdir().unwrap();
    let with_id = build(dir.path(), &["-Cdebuginfo=1"]);
    let bare = dir.path().join("bare");
    let objcopy = Command::new("objcopy")
        .args(["--remove-section", ".note.gnu.build-id"])
        .args([&with_id, &bare])
        .status();
    assert!(objcopy.expect("binutils, as for linking").success());
    let at = address_of_outer(&bare);
    let loaded = |path| Module {
        build: Build::Inode(fs::metadata(path).unwrap().ino()),
        ..Module::named(path)
    };
    let name = |module: &Module| Resolver::new().resolve(module, at, Address::Exact);
    let module = loaded(&bare);
    assert_eq!(name(&module).last().unwrap().function, "probe::outer");
    let next = dir.path().join("next");
    fs::copy(&bare, &next).unwrap();
    fs::rename(&next, &bare).unwrap();
    assert_eq!(name(&module), [], "another has its name");
    assert_eq!(name(&loaded(&with_id)), [], "what was loaded had no id");
}
