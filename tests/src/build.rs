//! The inspector's binary, built once with the profile of the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Path of the `pollscope` binary.
///
/// # Panics
/// It does not build.
pub fn inspector() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    if cfg!(debug_assertions) {
        // As a part of that test, and with the features that the whole workspace has: `cargo test --workspace` has
        // built it so, and all it stands on would be compiled once more for any other set.
        cargo.args(["test", "--workspace", "--test", "it", "--no-run"]);
    } else {
        cargo.args(["build", "--release", "--package", "pollscope-cli"]);
    }
    cargo.args(["--message-format", "json"]);
    let built = cargo
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "the inspector does not build");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact"
                && message["target"]["name"] == "pollscope"
                && message["target"]["kind"][0] == "bin"
        })
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable")
}
