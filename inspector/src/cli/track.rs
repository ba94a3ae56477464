//! `track`: says where `#[pollscope::tracked]` is missing, or writes it there.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::exit::{print, say};
use super::{Exit, Failure};
use crate::net::clean;
use crate::track::{self, Broken, Source};

/// What was asked for.
pub(super) struct Asked {
    pub(super) paths: Vec<PathBuf>,
    pub(super) write: bool,
    pub(super) json: bool,
}

/// What was found and done, as `--json` prints it.
#[derive(Default, Serialize)]
struct Outcome {
    schema: u32,
    /// Functions that are not tracked; with `--write`, those that are since.
    functions: Vec<Named>,
    /// Functions that could be and are left alone.
    passed: Vec<Named>,
    /// Files that could not be read, understood or written.
    broken: Vec<Unread>,
    attributes: usize,
    files: usize,
    written: bool,
    /// Manifests of packages that need the dependency `pollscope` now.
    manifests: Vec<String>,
}

#[derive(Serialize)]
struct Named {
    file: String,
    line: usize,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Unread {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    why: String,
}

pub(super) fn track(asked: &Asked) -> Result<Exit, Failure> {
    for path in &asked.paths {
        if let Err(error) = std::fs::metadata(path) {
            let why = format!("{}: {error}", shown(path));
            return Err(Failure::Message(Exit::Usage, why));
        }
    }
    let mut outcome = Outcome {
        schema: 1,
        written: asked.write,
        ..Outcome::default()
    };
    let mut changed = Vec::new();
    for source in asked.paths.iter().flat_map(|path| track::sources(path)) {
        match source.and_then(|source| done(source, asked.write)) {
            Ok(source) => outcome.add(&source, &mut changed),
            Err(broken) => outcome.broken.push(Unread::of(&broken)),
        }
    }
    let manifests = track::without_pollscope(changed.iter().map(PathBuf::as_path));
    outcome.manifests = manifests.iter().map(|path| shown(path)).collect();
    if asked.json {
        print(|out| {
            serde_json::to_writer_pretty(&mut *out, &outcome)?;
            Ok(writeln!(out)?)
        })?;
    } else {
        outcome.print()?;
    }
    Ok(outcome.exit())
}

/// Writes what is to be written.
fn done(source: Source, write: bool) -> Result<Source, Broken> {
    if write && !source.found.places.is_empty() {
        track::write(&source).map_err(|error| Broken {
            path: source.path.clone(),
            at: None,
            why: error.to_string(),
        })?;
    }
    Ok(source)
}

impl Outcome {
    fn add(&mut self, source: &Source, changed: &mut Vec<PathBuf>) {
        let file = shown(&source.path);
        let named = |function: &track::Function, why: Option<&String>| Named {
            file: file.clone(),
            line: function.line,
            name: clean(&function.name, 256),
            why: why.map(|why| clean(why, 256)),
        };
        let found = &source.found;
        let functions = found.places.iter().flat_map(|place| &place.functions);
        let mut functions: Vec<_> = functions.map(|function| named(function, None)).collect();
        functions.sort_by_key(|function| function.line);
        self.functions.extend(functions);
        let passed = found.passed.iter();
        self.passed
            .extend(passed.map(|passed| named(&passed.function, Some(&passed.why))));
        self.attributes += found.places.len();
        if !found.places.is_empty() {
            self.files += 1;
            changed.push(source.path.clone());
        }
    }

    /// A line for each function, which a script may read, on stdout; what else is to be known on stderr.
    fn print(&self) -> Result<(), Failure> {
        print(|out| {
            if self.written {
                let (functions, attributes) = (self.functions.len(), self.attributes);
                let files = self.files;
                writeln!(
                    out,
                    "{} tracked by {} in {}",
                    counted(functions, "function"),
                    counted(attributes, "attribute"),
                    counted(files, "file"),
                )?;
            } else {
                for Named {
                    file, line, name, ..
                } in &self.functions
                {
                    writeln!(out, "{file}:{line}: {name}")?;
                }
            }
            Ok(())
        })?;
        for Named {
            file,
            line,
            name,
            why,
        } in &self.passed
        {
            let why = why.as_deref().unwrap_or_default();
            say(&format!("{file}:{line}: {name} is left alone: {why}"));
        }
        for broken in &self.broken {
            let at = match (broken.line, broken.column) {
                (Some(line), Some(column)) => format!("{line}:{column}: "),
                _ => String::new(),
            };
            say(&format!("{}:{at} {}", broken.file, broken.why));
        }
        for manifest in &self.manifests {
            say(&format!("{manifest} needs the dependency `pollscope`"));
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        let missing = !self.written && !self.functions.is_empty();
        if missing || !self.broken.is_empty() {
            Exit::Matched
        } else {
            Exit::Ok
        }
    }
}

impl Unread {
    fn of(broken: &Broken) -> Self {
        Self {
            file: shown(&broken.path),
            line: broken.at.map(|(line, _)| line),
            column: broken.at.map(|(_, column)| column),
            why: clean(&broken.why, 256),
        }
    }
}

/// A path as it may go to a terminal.
fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy(), 4096)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
