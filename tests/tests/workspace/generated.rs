//! The manifests of the workspace, and how it is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The crates and what they depend on. All of them depend on Tokio.
pub(crate) const CRATES: &[(&str, &[&str])] = &[
    ("handles", &[]),
    ("join_set", &[]),
    ("local", &[]),
    ("tracker", &["tokio-util"]),
    ("guarded", &["tokio-util"]),
    ("racing", &[]),
    ("fan_out", &[]),
    ("background", &[]),
    ("jobs", &["async-trait"]),
    ("by_value", &[]),
    ("web", &["axum"]),
    ("client", &["http-body-util", "hyper", "hyper-util", "web"]),
    ("rpc", &["tokio-stream", "tonic", "tonic-health"]),
    ("layered", &["tower"]),
    ("pool", &["deadpool"]),
    ("traced", &["tracing", "tracing-subscriber"]),
    ("actor", &[]),
    ("ticker", &["tokio-stream"]),
    ("blocking", &[]),
    (
        "app",
        &[
            "handles",
            "join_set",
            "local",
            "tracker",
            "guarded",
            "racing",
            "fan_out",
            "background",
            "jobs",
            "by_value",
            "web",
            "client",
            "rpc",
            "layered",
            "pool",
            "traced",
            "actor",
            "ticker",
            "blocking",
            "tracing-subscriber",
        ],
    ),
];

/// What others wrote for Tokio, in the versions of our lock file.
const OTHERS: &str = r#"
async-trait = "0.1"
axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }
deadpool = { version = "0.13", default-features = false, features = ["managed"] }
http-body-util = "0.1"
hyper = "1"
hyper-util = { version = "0.1", features = ["client-legacy", "http1", "tokio"] }
tokio-stream = { version = "0.1", default-features = false, features = ["net", "time"] }
tonic = { version = "0.14", default-features = false, features = ["channel", "router", "server"] }
tonic-health = { version = "0.14", default-features = false }
tower = { version = "0.5", default-features = false, features = ["buffer", "limit", "util"] }
tracing = { version = "0.1", default-features = false, features = ["std"] }
tracing-subscriber = { version = "0.3", default-features = false, features = ["fmt", "registry", "std"] }
"#;

/// Those of `full`, each by its name: `full` is one more of Tokio's, not the façade's, and with it all that depends on
/// Tokio would be built twice.
const FEATURES: &str = r#"["fs", "io-std", "io-util", "macros", "net", "parking_lot", "process", "rt", "rt-multi-thread", "signal", "sync", "test-util", "time"]"#;

/// What the workspace means by `tokio`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokio {
    Plain,
    Ported,
}

/// The workspace in a directory of its own. What it builds stays there, for the next run.
pub(crate) struct Workspace {
    dir: PathBuf,
}

fn ours() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Leaves a file alone that has this text: cargo goes by its time.
fn write(path: &Path, text: &[u8]) {
    if fs::read(path).is_ok_and(|before| before == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    fs::write(path, text).expect("the file is written");
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workspace");
        for (name, dependencies) in CRATES {
            let folder = dir.join("crates").join(name);
            let source = fs::read(ours().join(format!("workspace/{name}.rs"))).expect("a source");
            let main = if *name == "app" { "main" } else { "lib" };
            write(&folder.join(format!("src/{main}.rs")), &source);
            let names = ["tokio"].iter().chain(*dependencies);
            let lines: Vec<_> = names
                .map(|name| format!("{name}.workspace = true"))
                .collect();
            let manifest = format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n",
                lines.join("\n")
            );
            write(&folder.join("Cargo.toml"), manifest.as_bytes());
        }
        Self { dir }
    }

    /// Writes the one manifest that differs.
    pub(crate) fn manifest(&self, tokio: Tokio) -> String {
        let runtime = ours().with_file_name("runtime");
        let facade = |package: &str| {
            let path = runtime.join(package.trim_start_matches("pollscope-"));
            format!("package = \"{package}\", path = '{}'", path.display())
        };
        let (tokio, util) = match tokio {
            Tokio::Plain => ("version = \"1\"".to_owned(), "version = \"0.7\"".to_owned()),
            Tokio::Ported => (facade("pollscope-tokio"), facade("pollscope-tokio-util")),
        };
        let own = CRATES
            .iter()
            .map(|(name, _)| format!("{name} = {{ path = \"crates/{name}\" }}"));
        let own: Vec<_> = own.collect();
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n[workspace.dependencies]\n\
             tokio = {{ {tokio}, features = {FEATURES} }}\n\
             tokio-util = {{ {util}, features = [\"rt\"] }}\n{OTHERS}\n{}\n",
            own.join("\n")
        );
        write(&self.dir.join("Cargo.toml"), manifest.as_bytes());
        // Cargo takes out what is not in use, and puts nothing else in.
        let lock = fs::read(ours().with_file_name("Cargo.lock")).expect("our lock file");
        write(&self.dir.join("Cargo.lock"), &lock);
        manifest
    }

    /// Runs cargo; the executables of the workspace that it made or found, each with its crate's name.
    pub(crate) fn build(&self, args: &[&str]) -> Vec<(String, PathBuf)> {
        let output = Command::new(env!("CARGO"))
            .args(args)
            .args(["--message-format", "json"])
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", self.dir.join("target"))
            // Places of spawns need none, and the linker is much faster.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "it does not build: {said}");
        said.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|message| {
                let name = message["target"]["name"].as_str()?.to_owned();
                Some((name, message["executable"].as_str()?.into()))
            })
            .collect()
    }
}
