//! Which file is taken for a module, which is refused, and which may lead to others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice::from_ref;

use pollscope_proto::symbols::{Address, build_id};
use tempfile::TempDir;

use super::*;
use crate::net::symbols::survey;

fn own_module() -> Module {
    let exe = std::env::current_exe().unwrap();
    Module {
        index: 0,
        build_id: build_id(&exe).expect("the linker writes one"),
        path: exe,
    }
}

fn files(from: Option<PathBuf>, pid: Option<u32>) -> Files {
    Files::new(SymbolsFrom(from), pid, std::env::current_exe().unwrap())
}

fn found(files: &Files, module: &Module) -> Option<PathBuf> {
    Some(files.find(module)?.image.path().to_owned())
}

fn running(from: Option<PathBuf>) -> Files {
    files(from, Some(std::process::id()))
}

#[test]
fn the_running_executable_is_found_by_pid() {
    let module = own_module();
    let exe = format!("/proc/{}/exe", std::process::id());
    assert_eq!(found(&running(None), &module), Some(exe.into()));
    assert_eq!(found(&files(None, None), &module), None);
}

#[test]
fn given_files_go_first() {
    let module = own_module();
    let given = running(Some(module.path.clone()));
    assert_eq!(found(&given, &module), Some(module.path.clone()));
    let dir = module.path.parent().unwrap().to_owned();
    assert_eq!(found(&files(Some(dir), None), &module), Some(module.path));
}

/// Neither the file that runs nor a given one, nor what was put in place of one that fitted.
#[test]
fn another_build_is_refused_and_said() {
    let module = Module {
        build_id: "00".repeat(20),
        ..own_module()
    };
    assert_eq!(found(&running(None), &module), None);
    let given = files(Some(module.path.clone()), None);
    assert_eq!(found(&given, &module), None);
    let note = survey(&given, from_ref(&module)).note;
    let own = &build_id(&module.path).unwrap()[..12];
    let said =
        format!(" is of another build (build id {own}, the program's is 000000000000): not used");
    assert!(
        note.starts_with("--symbols /") && note.ends_with(&said),
        "{note}"
    );

    let dir = module.path.parent().unwrap().to_owned();
    let note = survey(&files(Some(dir), None), &[module]).note;
    assert!(
        note.contains(" has no file of this build (build id 000000000000) by the name "),
        "{note}"
    );
}

/// Our own executable without its build id, as `objcopy` makes it.
fn without_id(dir: &TempDir) -> PathBuf {
    let bare = dir.path().join("bare");
    let objcopy = Command::new("objcopy")
        .args(["--remove-section", ".note.gnu.build-id"])
        .arg(std::env::current_exe().unwrap())
        .arg(&bare)
        .status();
    assert!(objcopy.expect("binutils, as for linking").success());
    assert_eq!(build_id(&bare), None);
    bare
}

#[test]
fn without_a_build_id_the_layout_decides_and_what_cannot_be_compared_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let bare = without_id(&dir);
    let module = Module {
        build_id: String::new(),
        ..own_module()
    };
    // Nothing here is of the program: the user's word holds, and it is said that it does.
    let unchecked = files(Some(bare.clone()), None);
    assert_eq!(found(&unchecked, &module), Some(bare.clone()));
    let note = survey(&unchecked, from_ref(&module)).note;
    assert!(
        note.contains("has no build id") && note.contains("not checked"),
        "{note}"
    );

    // The program runs here, and its sections lie elsewhere: one of them was taken out.
    let checked = running(Some(bare.clone()));
    assert!(!checked.is_given(&module));
    let note = survey(&checked, from_ref(&module)).note;
    assert!(note.ends_with(" is of another build: not used"), "{note}");

    // A program with a build id is not named by a file that has none.
    let note = survey(&files(Some(bare), None), &[own_module()]).note;
    assert!(
        note.contains(" has no build id to compare with the program's ("),
        "{note}"
    );
}

/// Whoever may write where the file lies may put another there at any time: what was compared is what is read.
#[test]
fn a_file_that_is_exchanged_after_it_was_compared_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let module = own_module();
    let given = dir.path().join("given");
    fs::copy(&module.path, &given).unwrap();
    let files = files(Some(given.clone()), None);
    let found = files.find(&module).expect("it is of the build");
    fs::remove_file(&given).unwrap();
    fs::write(&given, "another").unwrap();
    assert_eq!(found.image.build_id(), Some(&*module.build_id));
    let binary = found.into_binary();
    let text = (0x1000..0x20_0000)
        .step_by(0x1000)
        .filter_map(|at| binary.resolve(at, Address::Return));
    assert!(
        text.flatten().any(|line| !line.function.is_empty()),
        "it still names functions"
    );
    assert!(
        files.find(&module).is_none(),
        "the other is no file of any build"
    );
}

/// Files that are not those of a program's build, or no files at all, by whatever way they were given.
#[test]
fn what_is_no_file_of_the_build_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let module = own_module();
    let name = module.path.file_name().unwrap();
    let (garbage, pipe) = (dir.path().join("garbage"), dir.path().join("pipe"));
    fs::write(&garbage, [0x7f; 4096]).unwrap();
    let mkfifo = Command::new("mkfifo").arg(&pipe).status();
    assert!(mkfifo.unwrap().success());
    for given in [
        &*garbage,
        &*pipe,
        Path::new("/dev/zero"),
        Path::new("/nowhere"),
    ] {
        assert!(
            SymbolsFrom(Some(given.to_owned())).check().is_err(),
            "{}",
            given.display()
        );
        assert_eq!(found(&files(Some(given.to_owned()), None), &module), None);
    }

    // The same by the names that are looked for in a directory, and one that contains itself.
    for bad in ["garbage", "pipe", "/dev/zero", "."] {
        let folder = tempfile::tempdir_in(dir.path()).unwrap();
        let link = |name: &Path| {
            std::os::unix::fs::symlink(dir.path().join(bad), folder.path().join(name))
        };
        link(Path::new(name)).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join(".build-id")).unwrap();
        let from = SymbolsFrom(Some(folder.path().to_owned()));
        assert_eq!(from.check(), Ok(()));
        assert_eq!(found(&files(from.0, None), &module), None, "{bad}");
    }
}

/// Where the file is somebody else's, it must not make us open what it names.
#[test]
fn only_what_is_ours_may_lead_to_other_files() {
    let module = own_module();
    let is_trusted = |pid| {
        let own = files(None, pid).own_file(&module).expect("it runs");
        format!("{own:?}").contains("is_trusted: true")
    };
    assert!(is_trusted(Some(std::process::id())));
    let given = files(Some(module.path.clone()), None)
        .find(&module)
        .unwrap();
    assert!(
        format!("{given:?}").contains("is_trusted: true"),
        "given by the user"
    );
    // Of a target whose namespace nobody sees, nothing is trusted.
    let image = Image::open(&module.path).unwrap();
    let judged = files(None, None).judged(image);
    assert!(format!("{judged:?}").contains("is_trusted: false"));
}

#[test]
fn a_pid_of_another_machine_is_not_ours() {
    let own = std::process::id();
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = pollscope_proto::sockets::start_time(&stat).unwrap();
    assert!(is_local(own, ticks));
    assert!(!is_local(own, ticks + 1));
    assert!(!is_local(own, 0));
}
