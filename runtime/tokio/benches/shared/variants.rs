//! What is compared: plain Tokio, our levels, and console-subscriber where the build has it.
//!
//! A level is latched at its first use, so each variant is this program once more, told by an environment variable
//! what it is to measure.

use std::process::Command;

/// The first is what the others are compared with.
pub(crate) const VARIANTS: &[&str] = &[
    "plain",
    "off",
    "quiet",
    "debug",
    #[cfg(all(tokio_unstable, pollscope_peer))]
    "console",
];

/// Tells a child of the bench what it is.
const CHILD: &str = "POLLSCOPE_BENCH_CHILD";

/// What this process was told to measure; `None`: it is the bench itself.
pub(crate) fn told() -> Option<String> {
    std::env::var(CHILD).ok()
}

/// Runs this program again, told `what`, at the variant's level; gives what it printed.
pub(crate) fn run(variant: &str, what: &str, real: bool) -> String {
    let level = if matches!(variant, "quiet" | "debug") {
        variant
    } else {
        "off"
    };
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(real.then_some("--bench"))
        .env(CHILD, what)
        .env("POLLSCOPE", level)
        .output()
        .expect("it can be run again");
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("it prints numbers")
}

/// Whether tasks are spawned by us.
pub(crate) fn is_watched(variant: &str) -> bool {
    !matches!(variant, "plain" | "console")
}

/// Starts console-subscriber as its users do, where that is the variant.
pub(crate) fn start_peer(variant: &str) {
    #[cfg(all(tokio_unstable, pollscope_peer))]
    if variant == "console" {
        console_subscriber::ConsoleLayer::builder()
            .retention(std::time::Duration::from_secs(1))
            .server_addr(([127, 0, 0, 1], 0))
            .init();
    }
    let _ = variant;
}
