//! The program, built once with optimisation and then in each form that the profiles of Cargo give it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// One builds and moves at a time: the tests share a target directory.
static BUILDING: Mutex<()> = Mutex::new(());

/// All forms, each in a folder of its own and by the same name.
pub(crate) struct Forms {
    dir: tempfile::TempDir,
    target: PathBuf,
    triple: Option<&'static str>,
}

impl Forms {
    pub(crate) fn new() -> Self {
        Self {
            // On the file system of what is built: it is moved there.
            dir: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary directory"),
            // Kept from run to run: the crates it is made of take a minute.
            target: Path::new(env!("CARGO_TARGET_TMPDIR")).join("shipped"),
            triple: None,
        }
    }

    /// From now on for another target.
    pub(crate) fn of_target(mut self, triple: &'static str) -> Self {
        self.triple = Some(triple);
        self
    }

    /// The folder of a form.
    pub(crate) fn folder(&self, form: &str) -> PathBuf {
        let folder = self.dir.path().join(form);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// The program in a form.
    pub(crate) fn program(&self, form: &str) -> PathBuf {
        self.folder(form).join("shipped")
    }

    /// Builds the program's own crate with some flags of rustc; all others have line tables.
    pub(crate) fn build(&self, form: &str, flags: &[&str]) -> PathBuf {
        self.build_by(form, &["debug='line-tables-only'"], flags)
    }

    /// Builds all crates in a release profile with these settings, and the program's own with flags of rustc.
    pub(crate) fn build_by(&self, form: &str, settings: &[&str], flags: &[&str]) -> PathBuf {
        let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["rustc", "--release", "--quiet"])
            .args(["--package", "pollscope-shipped", "--bin", "shipped"])
            .arg("--target-dir")
            .arg(&self.target);
        for setting in settings {
            cargo.args(["--config", &format!("profile.release.{setting}")]);
        }
        if let Some(triple) = self.triple {
            cargo.args(["--target", triple]);
        }
        // Not every linker gives a build id by itself.
        cargo.args(["--", "-Clink-arg=-Wl,--build-id"]).args(flags);
        let built = cargo.stdout(Stdio::null()).status();
        assert!(built.expect("cargo starts").success(), "{form} is built");
        let release = self.target.join(self.triple.unwrap_or("")).join("release");
        for name in ["shipped", "shipped.dwp"] {
            let from = release.join(name);
            if from.is_file() {
                fs::rename(from, self.folder(form).join(name)).expect("it is moved");
            }
        }
        let program = self.program(form);
        assert!(program.is_file(), "{form} is there");
        program
    }

    /// Makes a form of another by `objcopy`.
    pub(crate) fn convert(args: &[&str], from: &Path, to: &Path) {
        let done = Command::new("objcopy")
            .args(args)
            .arg(from)
            .arg(to)
            .status();
        assert!(
            done.expect("binutils, as for linking").success(),
            "objcopy {args:?}"
        );
    }
}
