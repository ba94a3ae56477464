//! What a build without the capture weighs: at most three crates over Tokio's own.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that a package is built from and Tokio is not, itself among them; and Tokio's.
fn crates(package: &str, features: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--no-default-features"])
        .args([
            "--edges",
            "normal,build",
            "--prefix",
            "depth",
            "--no-dedupe",
        ])
        .args(["--format", " {p}", "--features", &features.join(",")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(tree.status.success(), "{tree:?}");
    let (mut all, mut tokios) = (BTreeSet::new(), BTreeSet::new());
    // Depth of the Tokio that the line is under.
    let mut under: Option<usize> = None;
    for line in String::from_utf8_lossy(&tree.stdout).lines() {
        let mut words = line.split(' ');
        let (Some(depth), Some(name), Some(version)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let depth: usize = depth.parse().expect("a depth");
        under = under.filter(|tokio| depth > *tokio);
        if name == "tokio" {
            under = Some(depth);
        }
        let it = format!("{name} {version}");
        if under.is_some() {
            tokios.insert(it.clone());
        }
        all.insert(it);
    }
    (all.difference(&tokios).cloned().collect(), tokios)
}

#[test]
fn without_the_capture_there_are_three_crates_over_tokios_at_most() {
    for (package, features) in [
        ("pollscope", &[][..]),
        ("pollscope", &["process", "test-util"]),
        ("pollscope-tokio", &[]),
        ("pollscope-tokio", &["full"]),
    ] {
        let (over, tokios) = crates(package, features);
        assert!(tokios.len() > 3, "Tokio is there: {tokios:?}");
        assert!(over.len() <= 3, "{package} {features:?}: {over:?}");
    }
}

/// The twin: the count sees what is over Tokio's.
#[test]
fn with_the_capture_there_are_more() {
    let (over, _) = crates("pollscope", &["capture"]);
    assert!(
        over.iter().any(|name| name.starts_with("framehop ")),
        "{over:?}"
    );
    assert!(over.len() > 5, "{over:?}");
}
