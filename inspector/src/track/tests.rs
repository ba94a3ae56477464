//! The attribute in whole files: where it goes, and that nothing else changes.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use quote::quote;

use super::{ATTRIBUTE, Broken, Source, edit, find, macros, sources, write};

fn tracked(source: &str) -> String {
    edit::insert(source, &find(source).unwrap().places)
}

/// The text without what is inserted: each attribute, and the line break or blank that came with it.
fn stripped(edited: &str) -> String {
    let mut text = String::new();
    let mut rest = edited;
    while let Some(at) = rest.find(ATTRIBUTE) {
        text.push_str(&rest[..at]);
        rest = &rest[at + ATTRIBUTE.len()..];
        rest = match rest.strip_prefix(' ') {
            Some(rest) => rest,
            None => rest
                .trim_start_matches(['\r', '\n'])
                .trim_start_matches([' ', '\t']),
        };
    }
    text + rest
}

#[test]
fn service() {
    let before = include_str!("tests/service.rs");
    let found = find(before).unwrap();
    let after = edit::insert(before, &found.places);
    let mut shown = String::new();
    for function in found.places.iter().flat_map(|place| &place.functions) {
        writeln!(shown, "{}: {}", function.line, function.name).unwrap();
    }
    shown.push('\n');
    for passed in &found.passed {
        let (line, name) = (passed.function.line, &passed.function.name);
        writeln!(shown, "{line}: {name}: {}", passed.why).unwrap();
    }
    insta::assert_snapshot!(shown + "\n" + &after);
    assert_eq!(find(&after).unwrap().places, []);
}

#[test]
fn each_kind_of_line_keeps_its_ending_and_its_indentation() {
    for (before, after) in [
        ("async fn f() {}", "#[pollscope::tracked]\nasync fn f() {}"),
        (
            "mod a {\r\n\tasync fn f() {}\r\n}\r\n",
            "mod a {\r\n\t#[pollscope::tracked]\r\n\tasync fn f() {}\r\n}\r\n",
        ),
        // Of a file with both, the line's own.
        (
            "use a::b;\r\nasync fn f() {}\n",
            "use a::b;\r\n#[pollscope::tracked]\nasync fn f() {}\n",
        ),
        (
            "use a::b;\r\nasync fn f() {}",
            "use a::b;\r\n#[pollscope::tracked]\r\nasync fn f() {}",
        ),
        (
            "\u{feff}async fn f() {}\n",
            "\u{feff}#[pollscope::tracked]\nasync fn f() {}\n",
        ),
        (
            "\u{feff}#!/usr/bin/env run\nasync fn f() {}\n",
            "\u{feff}#!/usr/bin/env run\n#[pollscope::tracked]\nasync fn f() {}\n",
        ),
        (
            "#!/usr/bin/env run\r\n//! ä\r\n  async fn f() {}\r\n",
            "#!/usr/bin/env run\r\n//! ä\r\n  #[pollscope::tracked]\r\n  async fn f() {}\r\n",
        ),
        (
            "const A: &str = \"日本\n async fn g() {}\"; async fn größe() {}",
            "const A: &str = \"日本\n async fn g() {}\"; #[pollscope::tracked] async fn größe() {}",
        ),
        (
            "/* 🦀 */ #[inline] /* a */ pub async fn f() {} impl A { async fn g() {} }",
            "/* 🦀 */ #[inline] /* a */ #[pollscope::tracked] pub async fn f() {} \
             #[pollscope::tracked] impl A { async fn g() {} }",
        ),
    ] {
        assert_eq!(tracked(before), after);
        assert_eq!(stripped(after), before);
    }
}

#[test]
fn a_mistake_is_told_by_line_and_column() {
    let (line, column, why) = find("#!/bin/sh\nfn f() {\n    let ü = );\n}\n").unwrap_err();
    assert_eq!((line, column), (3, 13), "{why}");
    assert!(find("fn f() {").is_err());
    assert!(find("\"").is_err());
}

#[test]
fn async_functions_in_macros_are_counted_at_any_depth() {
    let tokens = quote! {
        ($name:ident) => {
            pub async fn $name() { async move { f().await } }
            mod a { async unsafe fn b() {} async extern "C" fn c() {} }
            fn async_d() -> impl Future { async { } }
        };
    };
    assert_eq!(macros::async_functions(&tokens), 3);
}

/// Text that comes between items, and items with functions at various places of a line.
fn file() -> impl Strategy<Value = String> {
    let between = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("\n\n\t"),
        Just(" "),
        Just("// größer 日本\n"),
        Just("/* 🦀\r\n */ "),
        Just("/// doc\r\n#[inline] "),
        Just("#[allow(\n    unused\n)]\n    "),
    ];
    let item = prop_oneof![
        Just("async fn f() {}"),
        Just("pub(crate) async fn größe(a: &str) -> u8 {\n\t0 }"),
        Just("fn f() -> impl Future<Output = ()> {\r\n async {}\r\n}"),
        Just("impl A { async fn f() {}\n async fn g() { async fn h() {} } }"),
        Just("trait T {\r\n  async fn f();\r\n  async fn g() {}\r\n}"),
        Just("mod m { /* é */ async fn f() {}\n}"),
        Just("const S: &str = \"\r\n async fn no() {}\";"),
        Just("m! { async fn no() {} }"),
        Just("fn f() {}"),
    ];
    let start = prop_oneof![Just(""), Just("\u{feff}"), Just("#!/bin/run\r\n")];
    let items = prop::collection::vec((between, item), 0..12);
    (start, items).prop_map(|(start, items)| {
        let mut file = start.to_owned();
        for (between, item) in items {
            file.push_str(between);
            file.push_str(item);
        }
        file
    })
}

proptest! {
    #[test]
    fn nothing_changes_but_what_is_inserted(before in file()) {
        let after = tracked(&before);
        prop_assert_eq!(stripped(&after), before.clone());
        prop_assert_eq!(after.matches(ATTRIBUTE).count(), find(&before).unwrap().places.len());
        prop_assert_eq!(find(&after).unwrap().places, vec![]);
    }
}

fn all(path: &Path) -> Vec<Result<Source, Broken>> {
    sources(path).collect()
}

fn names(path: &Path) -> Vec<String> {
    let name = |source: &Source| {
        let path = source.path.strip_prefix(path).unwrap();
        path.to_str().unwrap().to_owned()
    };
    all(path)
        .iter()
        .map(|source| name(source.as_ref().unwrap()))
        .collect()
}

const ASYNC: &str = "async fn f() {}\n";

#[test]
fn a_folder_is_looked_through_as_git_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let file = |name: &str, text: &str| {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), text).unwrap();
    };
    file(".gitignore", "generated.rs\n");
    file("generated.rs", ASYNC);
    file("src/lib.rs", ASYNC);
    file("src/target/mod.rs", ASYNC);
    file("target/CACHEDIR.TAG", "");
    file("target/debug/build.rs", ASYNC);
    file(".hidden/a.rs", ASYNC);
    file("notes.txt", ASYNC);
    symlink(root.join("src/lib.rs"), root.join("src/link.rs")).unwrap();
    symlink(root.join("src"), root.join("more")).unwrap();
    assert_eq!(names(root), ["src/lib.rs", "src/target/mod.rs"]);
    // What is named is meant.
    assert_eq!(all(&root.join("notes.txt")).len(), 1);
    assert_eq!(all(&root.join("src/link.rs")).len(), 1);
}

#[test]
fn a_file_that_is_no_rust_is_told_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.rs"), "fn f( {}").unwrap();
    fs::write(dir.path().join("b.rs"), b"// \xff\n").unwrap();
    fs::write(dir.path().join("c.rs"), ASYNC).unwrap();
    let [a, b, c] = <[_; 3]>::try_from(all(dir.path())).unwrap();
    assert_eq!(a.unwrap_err().at, Some((1, 5)));
    assert_eq!(b.unwrap_err().why, "not UTF-8: left alone");
    assert_eq!(c.unwrap().text, ASYNC);
}

#[test]
fn a_file_is_written_once_and_keeps_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let (path, link) = (dir.path().join("a.rs"), dir.path().join("link.rs"));
    fs::write(&path, ASYNC).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    // Through a link that is named: it stays one.
    write(&all(&link).remove(0).unwrap()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), tracked(ASYNC));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(all(&path).remove(0).unwrap().found.places, []);
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        2,
        "nothing is left beside it"
    );
}

fn only_source(path: &Path) -> Source {
    all(path).pop().unwrap().unwrap()
}

#[test]
fn a_file_that_nobody_may_write_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rs");
    fs::write(&path, ASYNC).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let error = write(&only_source(&path)).unwrap_err().to_string();
    assert!(error.contains("read-only"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), ASYNC);
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_was_changed_meanwhile_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rs");
    fs::write(&path, ASYNC).unwrap();
    let source = only_source(&path);
    fs::write(&path, "async fn other() {}\n").unwrap();
    let error = write(&source).unwrap_err().to_string();
    assert!(error.contains("changed"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "async fn other() {}\n");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_file_keeps_its_owner() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.rs");
    fs::write(&path, ASYNC).unwrap();
    // Only root may give it away; of others it is theirs before and after.
    let _ = std::os::unix::fs::chown(&path, Some(4711), Some(4712));
    let owner = |path| fs::metadata(path).map(|meta| (meta.uid(), meta.gid()));
    let before = owner(&path).unwrap();
    write(&only_source(&path)).unwrap();
    assert_eq!(owner(&path).unwrap(), before);
}

#[test]
fn an_unknown_macro_on_one_function_leaves_the_block_alone() {
    let source = "impl A {\n    async fn f() {}\n    #[rewrite] async fn g() {}\n}\n";
    assert_eq!(
        tracked(source),
        "impl A {\n    #[pollscope::tracked]\n    async fn f() {}\n    #[rewrite] async fn g() {}\n}\n"
    );
    let passed = find(source).unwrap().passed;
    assert_eq!(passed.len(), 1);
    assert_eq!(passed[0].function.name, "async fn A::g");
    assert!(passed[0].why.contains("#[rewrite]"));
}
