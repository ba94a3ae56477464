//! The arrows of ARCHITECTURE.md, held to the code: which crate may know which, and inside the inspector, which
//! folder may use which.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// The sources in a folder, or that one file.
fn sources(under: &Path) -> Vec<PathBuf> {
    if under.is_file() {
        return vec![under.to_owned()];
    }
    assert!(under.is_dir(), "{}: nothing there to hold", under.display());
    let mut found = Vec::new();
    let mut dirs = vec![under.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The code of a file without its comments: prose may name what code may not.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Dependencies that a crate has in a section of its manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
    let mut inside = false;
    let mut names = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]")
                && !line.contains("dev-dependencies")
                && !line.contains("loom");
        } else if inside && let Some((name, _)) = line.split_once('=') {
            names.push(name.trim().to_owned());
        }
    }
    names
}

#[test]
fn crates_know_what_the_architecture_lets_them() {
    let ours: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("proto", &[][..]),
        ("runtime/capture", &[]),
        ("runtime/macros", &[]),
        ("runtime/agent", &["pollscope-capture", "pollscope-proto"]),
        (
            "runtime/tokio",
            &["pollscope-agent", "pollscope-capture", "pollscope-macros"],
        ),
        ("runtime/tokio-util", &["pollscope-tokio"]),
        ("runtime", &["pollscope-macros", "pollscope-tokio"]),
        ("inspector", &["pollscope-demo", "pollscope-proto"]),
        ("inspector/demo", &["pollscope"]),
    ]);
    for (folder, allowed) in ours {
        for name in dependencies(&format!("{folder}/Cargo.toml")) {
            if name.starts_with("pollscope") {
                assert!(
                    allowed.contains(&name.as_str()),
                    "{folder} may not depend on {name}"
                );
            }
        }
    }
    let capture = dependencies("runtime/capture/Cargo.toml");
    for foreign in ["tokio", "tonic", "prost", "hyper"] {
        assert!(
            !capture.iter().any(|name| name == foreign),
            "capture may not know {foreign}"
        );
    }
}

/// Files under `folder` that name one of `words`, but for those under `except`.
fn offenders(folder: &str, words: &[&str], except: &[&str]) -> Vec<String> {
    let root = root();
    sources(&root.join(folder))
        .into_iter()
        .filter_map(|path| {
            let name = path
                .strip_prefix(&root)
                .ok()?
                .to_string_lossy()
                .into_owned();
            let spared = except.iter().any(|spared| name.starts_with(spared));
            let code = code(&path);
            let word = words.iter().find(|word| code.contains(**word))?;
            (!spared).then(|| format!("{name} names {word}"))
        })
        .collect()
}

#[test]
fn only_the_border_files_speak_the_protocol() {
    let messages = ["pollscope_proto::v1", "proto::v1"];
    let none: Vec<String> = Vec::new();
    assert_eq!(
        offenders("runtime/agent/src", &messages, &["runtime/agent/src/serve"]),
        none
    );
    assert_eq!(
        offenders("inspector/src", &messages, &["inspector/src/net"]),
        none
    );
}

/// Edge case 40: a wall clock that is set forward or back by an hour changes no duration, because nothing measures by
/// it. It is read once, for whoever connects, to show the time of day.
#[test]
fn only_the_hello_reads_the_wall_clock() {
    let wall = ["SystemTime", "CLOCK_REALTIME", "unix_ns("];
    let spared = [
        // Where it is read, and for whom.
        "runtime/capture/src/clock.rs",
        "runtime/agent/src/serve/hello.rs",
    ];
    let none: Vec<String> = Vec::new();
    for folder in ["capture", "agent", "tokio", "src"] {
        let folder = format!("runtime/{folder}");
        assert_eq!(offenders(&folder, &wall, &spared), none);
    }
}

#[test]
fn the_inspector_flows_one_way() {
    let none: Vec<String> = Vec::new();
    // The model knows nothing above it.
    assert_eq!(
        offenders(
            "inspector/src/model",
            &["crate::net", "crate::app", "crate::ui", "crate::tui"],
            &[]
        ),
        none
    );
    // State and its changes know neither the net nor the drawing nor the terminal.
    assert_eq!(
        offenders(
            "inspector/src/app",
            &["crate::net", "crate::ui", "crate::tui", "crate::terminal"],
            &[]
        ),
        none
    );
    // Nor do they look at the world: what it has to do are effects.
    let world = ["std::fs", "std::net", "std::env", "std::process", "tokio::"];
    // Of what the fixture shows some is text that looks like it.
    let fixture = ["inspector/src/app/fixture"];
    assert_eq!(offenders("inspector/src/app", &world, &fixture), none);
    // What is printed is a function of the model.
    let beyond = [
        "crate::net",
        "crate::app",
        "crate::ui",
        "crate::tui",
        "crate::cli",
    ];
    assert_eq!(
        offenders(
            "inspector/src/report",
            &[&beyond[..], &world[..]].concat(),
            &["inspector/src/report/tests.rs"]
        ),
        none
    );
    let explain = [
        "crate::app",
        "crate::ui",
        "crate::tui",
        "crate::cli",
        "crate::report",
    ];
    assert_eq!(offenders("inspector/src/explain.rs", &explain, &[]), none);
    // The terminal draws the state, and asks no target.
    let asks = ["crate::net", "crate::tui", "crate::cli", "crate::model"];
    assert_eq!(offenders("inspector/src/terminal", &asks, &[]), none);
    assert_eq!(offenders("inspector/src/terminal.rs", &asks, &[]), none);
    // Commands open screens through `tui`: they draw nothing, and change no state of one.
    let drawing = [
        "crate::ui",
        "crate::app",
        "crate::terminal",
        "ratatui",
        "crossterm",
    ];
    assert_eq!(offenders("inspector/src/cli", &drawing, &[]), none);
    assert_eq!(offenders("inspector/src/cli.rs", &drawing, &[]), none);
    // Drawing knows state, and nothing that could act.
    assert_eq!(
        offenders(
            "inspector/src/ui",
            &["crate::net", "crate::tui", "tokio::", "std::fs"],
            // What writes pictures of screens, for people who review snapshots: tests only.
            &["inspector/src/ui/svg.rs"]
        ),
        none
    );
    assert_eq!(
        offenders(
            "inspector/src/net",
            &["crate::app", "crate::ui", "crate::tui"],
            &[]
        ),
        none
    );
    // Sources are no target's: what reads them knows nothing of one.
    assert_eq!(
        offenders(
            "inspector/src/track",
            &["crate::net", "crate::app", "crate::ui", "crate::cli"],
            &[]
        ),
        none
    );
    // The demo has one door.
    assert_eq!(
        offenders(
            "inspector/src",
            &["pollscope_demo"],
            &["inspector/src/demo.rs"]
        ),
        none
    );
    // And the watched side is never linked in.
    assert_eq!(
        offenders(
            "inspector/src",
            &["pollscope_capture", "pollscope_agent", "pollscope_tokio"],
            // Stacks as text, with our frames in them.
            &["inspector/src/report/tests.rs"]
        ),
        none
    );
}

/// What the inspector says is not detected is named by nothing that could detect it, and all else is.
#[test]
fn kinds_that_nothing_detects_are_those_that_are_said_to_be() {
    let root = root();
    let constants = |text: &str, from: &str| -> Vec<String> {
        let names = text.split(from).skip(1);
        names
            .map(|rest| {
                rest.chars()
                    .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                    .collect()
            })
            .collect()
    };
    let words = code(&root.join("inspector/src/model/kind.rs"));
    let (_, list) = words
        .split_once("UNDETECTED: &[&str] = &[")
        .expect("the list");
    let undetected = constants(list.split(']').next().expect("its end"), "kinds::");
    assert!(undetected.len() > 3, "{undetected:?}");
    let detectors: Vec<String> = sources(&root.join("runtime/agent/src"))
        .iter()
        .map(|path| code(path))
        .collect();
    let kinds = code(&root.join("proto/src/kinds.rs"));
    let (_, all) = kinds.split_once("kinds! {").expect("the kinds");
    for line in all.lines().filter(|line| line.contains(" = \"")) {
        let name = line.split_whitespace().next().expect("a name").to_owned();
        let is_named = detectors.iter().any(|code| {
            constants(code, "kinds::").contains(&name) || constants(code, "Kind::").contains(&name)
        });
        assert_eq!(is_named, !undetected.contains(&name), "{name}");
    }
}

#[test]
fn unsafe_code_stays_in_few_named_files() {
    let root = root();
    let allowed = [
        "runtime/capture/",
        "runtime/agent/src/sys",
        "runtime/src/owned",
        "inspector/src/terminal",
        "tests/",
    ];
    for folder in ["runtime", "proto", "inspector"] {
        for path in sources(&root.join(folder)) {
            let name = path
                .strip_prefix(&root)
                .expect("under the root")
                .to_string_lossy()
                .into_owned();
            // Tests hold text that looks like it, and allocators that need it.
            let is_test = ["/tests/", "/tests.rs", "/benches/", "/examples/"];
            if is_test.iter().any(|part| name.contains(part)) {
                continue;
            }
            let code = code(&path);
            let has = code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("unsafe impl");
            assert!(
                !has || allowed.iter().any(|prefix| name.starts_with(prefix)),
                "unsafe code in {name}"
            );
        }
    }
}

/// `pollscope track` writes the attribute where the macro will take it: both ask which other attributes are macros. The
/// macro's crate can share its list with nobody, so the lists are held together here.
#[test]
fn track_knows_the_attributes_that_the_macro_knows() {
    let list = |file: &str, name: &str| {
        let text = code(&root().join(file));
        let (_, from) = text.split_once(&format!("const {name}: &[&str] = &["))?;
        Some(
            from.split_once(']')?
                .0
                .split_whitespace()
                .collect::<String>(),
        )
    };
    let (track, tracked) = (
        "inspector/src/track/attributes.rs",
        "runtime/macros/src/tracked/attrs.rs",
    );
    for (ours, theirs) in [("WORDS", "INERT"), ("TOOLS", "TOOLS")] {
        let words = list(track, ours).expect("the list of track");
        assert!(words.contains(','), "{words}");
        assert_eq!(Some(words), list(tracked, theirs));
    }
}
