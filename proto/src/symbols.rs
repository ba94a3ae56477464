//! Names and lines of frames, out of the debug information of executables (feature `symbols`).
//!
//! Cost: the first look-up in a module reads its index of units, about 25 ms and 10 MB for an executable of
//! some size; later ones take microseconds. All caches are bounded and forget everything when full. Not for a
//! hot path, nor for a thread that must answer soon.
//!
//! A module is mapped, not read: one that is truncated in place while it is open can fault. Linux refuses that
//! for a running executable.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use addr2line::Loader;

mod detail;
mod identity;
mod size;
#[cfg(unix)]
mod split;

pub use detail::{Description, Detail, describe, package_of};
pub use identity::{build_id, debug_link, is_object, same_layout};
#[cfg(unix)]
pub use split::leads_elsewhere;

/// Modules held open at a time.
const MAX_MODULES: usize = 16;
/// Machine frames remembered.
const MAX_FRAMES: usize = 16 * 1024;
/// Source frames of one machine frame: deeper inlining is cut at the outer end.
const MAX_INLINED: usize = 32;

/// One function of the source at one machine frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceLine {
    /// Demangled, without the hash; empty where nothing tells it.
    pub function: String,
    /// Empty where there is no line table.
    pub file: String,
    /// 0 where it is not known.
    pub line: u32,
    /// Inlined into the next of the same machine frame.
    pub inlined: bool,
}

/// Which side of a call an offset names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// The instruction itself: the innermost frame of a stack.
    Exact,
    /// The return address: the call is the instruction before it.
    Return,
}

/// Resolves machine frames and remembers what it found.
#[derive(Default)]
pub struct Resolver {
    /// `None`: could not be opened, and is not tried again.
    modules: HashMap<PathBuf, Option<Loader>>,
    frames: HashMap<PathBuf, HashMap<u64, Vec<SourceLine>>>,
    remembered: usize,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("modules", &self.modules.keys())
            .field("remembered", &self.remembered)
            .finish_non_exhaustive()
    }
}

impl Resolver {
    /// A resolver that has opened nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The source frames at an offset of a module, inlined functions first; empty where nothing is known.
    ///
    /// `offset` is in the address space of the file: the address less the load bias.
    pub fn resolve(&mut self, module: &Path, offset: u64, address: Address) -> Vec<SourceLine> {
        let probe = match address {
            Address::Exact => offset,
            Address::Return => offset.saturating_sub(1),
        };
        let known = self.frames.get(module).and_then(|known| known.get(&probe));
        if let Some(known) = known {
            return known.clone();
        }
        let found = self
            .open(module)
            .map_or_else(Vec::new, |loader| look_up(loader, probe));
        if self.remembered >= MAX_FRAMES {
            self.frames.clear();
            self.remembered = 0;
        }
        self.remembered += 1;
        let of_module = self.frames.entry(module.to_owned()).or_default();
        of_module.insert(probe, found.clone());
        found
    }

    /// Closes all modules and forgets all frames.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn open(&mut self, module: &Path) -> Option<&Loader> {
        if !self.modules.contains_key(module) {
            if self.modules.len() >= MAX_MODULES {
                self.modules.clear();
            }
            // A device or a pipe must not be mapped, nor a file that would fill the memory.
            let loader = size::is_sane(module)
                .then(|| Loader::new(module).ok())
                .flatten();
            self.modules.insert(module.to_owned(), loader);
        }
        self.modules.get(module)?.as_ref()
    }
}

fn look_up(loader: &Loader, probe: u64) -> Vec<SourceLine> {
    // A symbol of the C library carries its version: `clock_nanosleep@@GLIBC_2.17`.
    let symbol = loader
        .find_symbol(probe)
        .map(|name| demangled(name.split('@').next().unwrap_or(name)));
    let mut lines = Vec::new();
    if let Ok(mut frames) = loader.find_frames(probe) {
        while let Ok(Some(frame)) = frames.next() {
            if lines.len() == MAX_INLINED {
                break;
            }
            let name = frame
                .function
                .as_ref()
                .and_then(|name| name.raw_name().ok());
            let (file, line) = frame
                .location
                .map_or(("", 0), |at| (at.file.unwrap_or(""), at.line.unwrap_or(0)));
            lines.push(SourceLine {
                function: name.map_or_else(String::new, |name| demangled(&name)),
                file: file.to_owned(),
                line,
                inlined: true,
            });
        }
    }
    if lines.is_empty() && symbol.is_some() {
        lines.push(SourceLine::default());
    }
    if let Some(outermost) = lines.last_mut() {
        outermost.inlined = false;
        // With line tables only, the debug information names it `{async_fn#0}`; the symbol table knows the path.
        if let Some(symbol) = symbol.filter(|_| !has_path(&outermost.function)) {
            outermost.function = symbol;
        }
    }
    lines
}

/// Whether a function is named by its path; that of its generic arguments does not count.
fn has_path(function: &str) -> bool {
    let own = function
        .find('<')
        .filter(|at| *at > 0)
        .map_or(function, |at| &function[..at]);
    own.contains("::")
}

fn demangled(name: &str) -> String {
    addr2line::demangle_auto(name.into(), None).into_owned()
}

#[cfg(test)]
mod tests;
