//! `track` as a user runs it: what it prints, how it exits, and what it leaves of a folder.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::cli::{ends, run, text};

const LIB: &str = "pub async fn load() {}\n\nimpl Store {\n    async fn get(&self) {}\n    async fn put(&self) {}\n}\n";
const ROUTES: &str = "#[get(\"/\")]\nasync fn index() {}\n\nhandlers! { async fn one() {} }\n";

fn package(dependencies: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let manifest = format!("[package]\nname = \"a\"\n\n[dependencies]\n{dependencies}\n");
    fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("src/lib.rs"), LIB).unwrap();
    fs::write(dir.path().join("src/routes.rs"), ROUTES).unwrap();
    dir
}

/// What was printed, with the folder's name taken out.
fn said(bytes: &[u8], dir: &Path) -> String {
    text(bytes).replace(dir.to_str().unwrap(), "DIR")
}

#[test]
fn check_lists_what_is_missing_and_changes_nothing() {
    let dir = package("");
    let path = dir.path().to_str().unwrap();
    let output = run(&["track", path, "--check"]);
    ends(&output, 1);
    assert_eq!(
        said(&output.stdout, dir.path()),
        "DIR/src/lib.rs:1: async fn load\n\
         DIR/src/lib.rs:4: async fn Store::get\n\
         DIR/src/lib.rs:5: async fn Store::put\n"
    );
    assert_eq!(
        said(&output.stderr, dir.path()),
        "pollscope: DIR/src/routes.rs:2: async fn index is left alone: what `#[get]` makes of it is not known\n\
         pollscope: DIR/src/routes.rs:4: 1 async function in handlers! is left alone: the text of a macro\n\
         pollscope: DIR/Cargo.toml needs the dependency `pollscope`\n"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("src/lib.rs")).unwrap(),
        LIB
    );
}

#[test]
fn write_writes_once() {
    let dir = package("pollscope = \"0.1\"");
    let path = dir.path().to_str().unwrap();
    let output = run(&["track", path, "--write"]);
    ends(&output, 0);
    assert_eq!(
        text(&output.stdout),
        "3 functions tracked by 2 attributes in 1 file\n"
    );
    assert!(!text(&output.stderr).contains("dependency"));
    let written = fs::read_to_string(dir.path().join("src/lib.rs")).unwrap();
    assert_eq!(
        written,
        LIB.replace("pub async", "#[pollscope::tracked]\npub async")
            .replace("impl", "#[pollscope::tracked]\nimpl")
    );

    let output = run(&["track", path, "--write"]);
    ends(&output, 0);
    assert_eq!(
        text(&output.stdout),
        "0 functions tracked by 0 attributes in 0 files\n"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("src/lib.rs")).unwrap(),
        written
    );
    ends(&run(&["track", path, "--check"]), 0);
}

#[test]
fn a_broken_file_is_told_and_the_others_are_written() {
    let dir = package("pollscope = \"0.1\"");
    fs::write(dir.path().join("src/broken.rs"), "fn f() {}\nfn g( {}\n").unwrap();
    let output = run(&["track", dir.path().to_str().unwrap(), "--write"]);
    ends(&output, 1);
    assert_eq!(
        text(&output.stdout),
        "3 functions tracked by 2 attributes in 1 file\n"
    );
    let told = said(&output.stderr, dir.path());
    assert!(
        told.contains("pollscope: DIR/src/broken.rs:2:5: "),
        "{told}"
    );
}

#[test]
fn json_has_it_all() {
    let dir = package("");
    let output = run(&["track", dir.path().to_str().unwrap(), "--check", "--json"]);
    ends(&output, 1);
    assert!(output.stderr.is_empty());
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["functions"][1]["name"], "async fn Store::get");
    assert_eq!(value["functions"][1]["line"], 4);
    assert_eq!(value["passed"].as_array().unwrap().len(), 2);
    assert_eq!(value["manifests"].as_array().unwrap().len(), 1);
}

#[test]
fn it_must_be_said_what_to_do_and_where() {
    let output = run(&["track", "."]);
    ends(&output, 2);
    assert!(text(&output.stderr).contains("<--check|--write>"));
    ends(&run(&["track", ".", "--check", "--write"]), 2);
    ends(&run(&["track", "--check"]), 2);
    let output = run(&["track", "/nowhere/at/all", "--check"]);
    ends(&output, 2);
    assert!(text(&output.stderr).contains("/nowhere/at/all: No such file"));
}
