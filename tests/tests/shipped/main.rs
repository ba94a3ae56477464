//! A program in each form that people ship: what the inspector names of a blocking call, and what it says is missing.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pollscope_tests::wait_until;

mod build;
mod seen;

use build::Forms;
use seen::Running;

/// What is seen of a form, without `--symbols`.
fn seen(program: &Path) -> String {
    Running::start(program).seen(None)
}

#[test]
fn each_form_shows_what_it_has_names_for() {
    let forms = Forms::new();
    let full = forms.build("full", &["-Cdebuginfo=1"]);
    let all = seen(&full);
    insta::assert_snapshot!("debug_1", all);

    let lines = forms.build("lines", &[]);
    insta::assert_snapshot!("line_tables_only", seen(&lines));

    // What Cargo's default profile does: `debug = 0` also strips what the standard library brings.
    let names = forms.program("names");
    Forms::convert(&["--strip-debug"], &lines, &names);
    insta::assert_snapshot!("debug_0", seen(&names));

    let stripped = forms.program("stripped");
    Forms::convert(&["--strip-all"], &full, &stripped);
    let running = Running::start(&stripped);
    insta::assert_snapshot!("stripped", running.seen(None));

    // All that a stripped program lacks comes back from a file of its build.
    let debug = forms.folder("debug").join("shipped.debug");
    Forms::convert(&["--only-keep-debug"], &full, &debug);
    let folder = full.parent().expect("a folder");
    for given in [&*full, folder, &*debug, debug.parent().expect("a folder")] {
        assert_eq!(running.seen(Some(given)), all, "{}", given.display());
    }
    let by_id = by_build_id(&forms, &debug);
    assert_eq!(running.seen(Some(&by_id)), all);

    // And from none that is not.
    for (given, why) in [
        (&*lines, " is of another build (build id "),
        (&*stripped, " is stripped as well: "),
        (
            by_id.parent().expect("a folder"),
            " has no file of this build (build id ",
        ),
    ] {
        let wrong = running.seen(Some(given));
        assert!(wrong.starts_with("symbols: none\n"), "{wrong}");
        assert!(wrong.contains(why), "{wrong}");
        assert!(!wrong.contains("shipped::charge"), "{wrong}");
    }
    drop(running);

    // Debug information that was split off is found where it is said to be.
    let linked = forms.program("linked");
    let link = format!("--add-gnu-debuglink={}", debug.display());
    Forms::convert(&[&link], &stripped, &linked);
    assert!(seen(&linked).starts_with("symbols: none\n"));
    fs::copy(&debug, linked.with_file_name("shipped.debug")).expect("a copy");
    assert_eq!(seen(&linked), all, "a debug file beside the program");

    let packed = forms.build("packed", &["-Cdebuginfo=1", "-Csplit-debuginfo=packed"]);
    assert_eq!(seen(&packed), all, "a package beside the program");
    fs::remove_file(packed.with_file_name("shipped.dwp")).expect("there is one");
    insta::assert_snapshot!("split_off", seen(&packed));

    let compressed = forms.program("compressed");
    let zlib = "--compress-debug-sections=zlib";
    Forms::convert(&[zlib], &full, &compressed);
    assert_eq!(seen(&compressed), all, "compressed sections");

    let fixed = forms.build("fixed", &["-Cdebuginfo=1", "-Crelocation-model=static"]);
    assert_eq!(seen(&fixed), all, "at a fixed address");
}

/// The lines that name the program's own functions: the others are the C library's, of which these forms have another.
fn own(seen: &str) -> Vec<&str> {
    let own = seen.lines().filter(|line| line.contains("shipped::"));
    own.collect()
}

#[test]
#[ignore = "compiles the program four times over: cargo test -p pollscope-tests --test shipped -- --ignored"]
fn forms_of_the_whole_program_show_the_same() {
    let forms = Forms::new();
    let debug = "debug=1";
    let all = seen(&forms.build_by("full", &[debug], &[]));
    assert!(own(&all).len() > 5, "{all}");

    let unpacked = forms.build_by("unpacked", &[debug], &["-Csplit-debuginfo=unpacked"]);
    assert_eq!(seen(&unpacked), all);
    let fixed = ["-Ctarget-feature=+crt-static", "-Crelocation-model=static"];
    for (form, settings, flags) in [
        (
            "static",
            &[debug][..],
            &["-Ctarget-feature=+crt-static"][..],
        ),
        ("static_at_a_fixed_address", &[debug], &fixed),
        ("abort", &[debug, "panic='abort'"], &[]),
        ("lto", &[debug, "lto='thin'", "codegen-units=1"], &[]),
    ] {
        let seen = seen(&forms.build_by(form, settings, flags));
        assert_eq!(own(&seen), own(&all), "{form}: {seen}");
    }
}

/// musl's libc is shipped without unwind tables: from inside of it nobody finds the way up, so that a thread that sleeps
/// in one of its system calls has no stack. All else is as everywhere.
#[test]
#[ignore = "rustup target add x86_64-unknown-linux-musl; cargo test -p pollscope-tests --test shipped -- --ignored"]
fn a_static_program_of_musl_shows_the_same_but_the_stack_of_a_sleeper() {
    let forms = Forms::new();
    let all = seen(&forms.build_by("full", &["debug=1"], &[]));
    let (made, _) = all.split_once("  observed").expect("two stacks");
    // Its folder lives as long as this does.
    let forms = forms.of_target("x86_64-unknown-linux-musl");
    let musl = forms.build_by("musl", &["debug=1"], &[]);
    let running = Running::start(&musl);
    let (text, warning) = running.warned(&["created"]);
    assert_eq!(own(&text), own(made), "{text}");
    let observed = warning["observed"]["backtrace"].as_array();
    assert_eq!(observed.map_or(0, Vec::len), 0, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(message.contains(" in clock_nanosleep,"), "{message}");
}

/// A deploy writes the new program over the old one, which runs on: it is read as it runs.
#[test]
fn a_replaced_program_is_read_all_the_same() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = dir.path().join("service");
    fs::copy(env!("CARGO_BIN_EXE_hung"), &program).expect("a copy");
    let running = Running::start(&program);
    fs::remove_file(&program).expect("it is there");
    fs::copy(env!("CARGO_BIN_EXE_idle"), &program).expect("a copy");
    let report = wait_until("the blocking call by name", Duration::from_secs(20), || {
        let report = running.json(None);
        let warnings = report["warnings"].to_string();
        warnings.contains("hung::hang").then_some(report)
    });
    assert_eq!(report["target"]["symbols"], "lines", "{report:#}");
}

/// A directory as distributions keep debug information: `.build-id/ab/cdef….debug`.
fn by_build_id(forms: &Forms, debug: &Path) -> PathBuf {
    let id = build_id(debug);
    let folder = forms.folder("by_id/lib");
    let file = folder.join(".build-id").join(&id[..2]);
    fs::create_dir_all(&file).expect("a folder");
    fs::copy(debug, file.join(format!("{}.debug", &id[2..]))).expect("a copy");
    folder
}

fn build_id(file: &Path) -> String {
    let notes = Command::new("readelf").arg("-n").arg(file).output();
    let notes = notes.expect("binutils, as for linking").stdout;
    let notes = String::from_utf8_lossy(&notes).into_owned();
    let (_, id) = notes.split_once("Build ID: ").expect("a build id");
    id.split_whitespace().next().expect("digits").to_owned()
}
