//! What frames of a target can tell with the files that are here, and what would make them tell more.

use std::path::{Path, PathBuf};

use pollscope_proto::symbols::{Description, Detail, build_id, is_object};

use super::Module;
use super::files::Files;

/// Where `--symbols` says debug information lies: an executable, or a directory of such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolsFrom(pub Option<PathBuf>);

impl SymbolsFrom {
    /// Whether there can be debug information, as far as that is to be seen without a target.
    ///
    /// # Errors
    /// One line that says what is wrong, and what to give instead.
    pub fn check(&self) -> Result<(), String> {
        let Some(path) = self.0.as_deref().filter(|path| !path.is_dir()) else {
            return Ok(());
        };
        let name = path.display();
        if let Err(error) = path.metadata() {
            return Err(format!("--symbols {name}: {error}"));
        }
        if !is_object(path) {
            return Err(format!(
                "--symbols {name}: is no executable and no debug file: give the executable as it was before \
                 `strip`, its .debug file, or a directory with either"
            ));
        }
        Ok(())
    }
}

/// What was found for the target's executable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::net) struct Survey {
    /// `None`: no file here is of its build, so that the target's own word holds.
    pub(in crate::net) detail: Option<Detail>,
    /// What is wrong with `--symbols`, or missing in what was found, in one line.
    pub(in crate::net) note: String,
}

/// Looks at the files for the executable among `modules`. Reads files: for a thread that may block.
pub(in crate::net) fn survey(files: &Files, modules: &[Module]) -> Survey {
    let Some(exe) = modules.iter().find(|module| files.is_exe(module)) else {
        return Survey::default();
    };
    let found = files.find(exe).map(|found| found.describe());
    let note = match &files.from().0 {
        Some(from) if !files.is_given(exe) && !fits_another(files, modules) => {
            not_fitting(from, exe)
        }
        Some(_) if files.is_unchecked(exe) => {
            "the program has no build id: that --symbols is of this build is not checked".to_owned()
        }
        Some(from) => found.map_or_else(String::new, |found| lacking(found, Some(from))),
        None => found.map_or_else(String::new, |found| lacking(found, None)),
    };
    Survey {
        detail: found.map(|found| found.detail),
        note,
    }
}

/// It may be a library that `--symbols` is about.
fn fits_another(files: &Files, modules: &[Module]) -> bool {
    modules
        .iter()
        .any(|module| !module.build_id.is_empty() && files.is_given(module))
}

fn not_fitting(from: &Path, exe: &Module) -> String {
    let name = from.display();
    let theirs = short(&exe.build_id);
    if from.is_dir() {
        let file = exe.path.file_name().unwrap_or_default().display();
        return format!(
            "--symbols {name} has no file of this build (build id {theirs}) by the name {file}, {file}.debug or \
             .build-id/…: not used"
        );
    }
    match build_id(from) {
        Some(id) => format!(
            "--symbols {name} is of another build (build id {}, the program's is {theirs}): not used",
            short(&id)
        ),
        None if exe.build_id.is_empty() => {
            format!("--symbols {name} is of another build: not used")
        }
        None => format!(
            "--symbols {name} has no build id to compare with the program's ({theirs}): not used"
        ),
    }
}

/// What the found file itself lacks, where the header's general words would mislead.
fn lacking(found: Description, from: Option<&PathBuf>) -> String {
    if found.split_off {
        return "its debug information was split off: keep the .dwp beside the executable, or the .dwo files"
            .to_owned();
    }
    match from {
        Some(from) if found.detail == Detail::None => format!(
            "--symbols {} is stripped as well: give the executable as it was before `strip`",
            from.display()
        ),
        _ => String::new(),
    }
}

/// As much of a build id as tells two apart.
fn short(id: &str) -> &str {
    match id.get(..12) {
        Some(start) => start,
        None if id.is_empty() => "none",
        None => id,
    }
}
