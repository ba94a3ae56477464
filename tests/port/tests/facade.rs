//! Nothing that Tokio has is missing in the façade: every public path, every method of what the façade has its own of,
//! every feature.
//!
//! What there is follows from Tokio's sources, those of the lock file. The paths are in `items/list.rs`; `paths.rs` does
//! not compile where the façade lacks one. With a new Tokio, `PORT_ITEMS=write cargo test -p pollscope-port --test
//! facade` writes the list anew.

#[path = "items/cfg.rs"]
mod cfg;
#[path = "items/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cfg::Build;
use serde_json::Value;
use source::Crate;

/// Where the sources of the package with this name are.
fn sources_of(package: &str) -> PathBuf {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(cargo.status.success(), "{cargo:?}");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("an array");
    let manifest = packages
        .iter()
        .find(|found| found["name"] == package)
        .and_then(|found| found["manifest_path"].as_str())
        .expect("a package of the lock file");
    Path::new(manifest).parent().expect("a folder").to_owned()
}

fn tokio(build: Build) -> Crate {
    Crate::read(&sources_of("tokio").join("src"), build)
}

#[test]
fn every_path_of_tokio_is_a_path_of_the_facade() {
    let paths = tokio(Build::STABLE).paths();
    assert!(paths.len() > 250, "Tokio is larger than {}", paths.len());
    let head = [
        "//! Every public path of Tokio with feature `full`, on Unix: see `facade.rs`, which wrote this.",
        "",
        "#![expect(unused_imports, reason = \"each asks whether the path is there\")]",
        "",
    ];
    let uses = paths.iter().map(|path| format!("use tokio::{path} as _;"));
    let text: Vec<String> = head.map(str::to_owned).into_iter().chain(uses).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/items/list.rs");
    if std::env::var_os("PORT_ITEMS").is_some() {
        fs::write(&file, text.join("\n") + "\n").expect("the list is written");
    }
    let known = fs::read_to_string(&file).expect("the list");
    let now: BTreeSet<&str> = text.iter().map(String::as_str).collect();
    let then: BTreeSet<&str> = known.lines().collect();
    let new: Vec<_> = now.difference(&then).collect();
    let gone: Vec<_> = then.difference(&now).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "Tokio has changed: write the list anew, see the top of this file; new {new:#?}, gone {gone:#?}"
    );
}

/// Types that the façade has its own of, and methods of Tokio's that it has by `Deref`.
const OURS: &[(&str, &[&str])] = &[
    ("runtime::Builder", &[]),
    ("runtime::Handle", &[]),
    ("runtime::LocalRuntime", &[]),
    ("runtime::Runtime", &[]),
    ("task::JoinHandle", &[]),
    ("task::JoinSet", &[]),
    ("task::LocalSet", &[]),
    ("time::Sleep", &[]),
    ("time::Timeout", &[]),
    (
        "process::Command",
        &[
            "as_std",
            "as_std_mut",
            "get_kill_on_drop",
            "pre_exec",
            "spawn_with",
        ],
    ),
    (
        "process::Child",
        &["id", "kill", "start_kill", "try_wait", "wait"],
    ),
];

/// What needs `--cfg tokio_unstable` and one more feature or flag, and is reached by `inner` and `inner_mut`.
const BEYOND: &[&str] = &["dump", "on_task_poll"];

/// Newer than the oldest Tokio that is supported, which does not have them: reached by `inner_mut`.
const NEWER_METHODS: &[&str] = &[
    "enable_eager_driver_handoff",
    "enable_sharded_blocking_queue",
    "max_io_events_per_busy_tick",
];

#[test]
fn every_method_of_what_is_ours_is_there() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/tokio/src");
    for build in [Build::STABLE, Build::UNSTABLE] {
        let (theirs, ours) = (tokio(build), Crate::read(&ours, build));
        for (path, by_deref) in OURS {
            let name = path.rsplit("::").next().expect("a name");
            let module = path.split("::").next().expect("a module");
            let wanted = theirs.methods(module, name);
            assert!(!wanted.is_empty(), "{path} has methods");
            let has = ours.methods(module, name);
            let missing: Vec<_> = wanted
                .difference(&has)
                .filter(|method| !by_deref.contains(&&***method))
                .filter(|method| !NEWER_METHODS.contains(&&***method))
                .filter(|method| build == Build::STABLE || !BEYOND.contains(&&***method))
                .collect();
            assert!(missing.is_empty(), "{path} lacks {missing:?}");
        }
    }
}

/// Newer than the oldest Tokio that is supported, which would not know them.
const NEWER: &[&str] = &["schedule-latency"];

#[test]
fn every_feature_of_tokio_is_a_feature_of_the_facade() {
    let features = |manifest: &Path| -> BTreeSet<String> {
        let text = fs::read_to_string(manifest).expect("a manifest");
        let (_, rest) = text.split_once("[features]").expect("features");
        let body = rest
            .lines()
            .skip(1)
            .take_while(|line| !line.starts_with('['));
        body.filter(|line| !line.starts_with([' ', '#', ']']))
            .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
            .collect()
    };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/tokio/Cargo.toml");
    let (ours, theirs) = (
        features(&manifest),
        features(&sources_of("tokio").join("Cargo.toml")),
    );
    assert!(theirs.contains("full") && theirs.len() > 10, "{theirs:?}");
    let missing: Vec<_> = theirs
        .difference(&ours)
        .filter(|feature| !NEWER.contains(&feature.as_str()))
        .collect();
    assert!(missing.is_empty(), "the façade lacks {missing:?}");
}
