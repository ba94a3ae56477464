//! Names and lines of frames, out of the debug information of executables (feature `symbols`).
//!
//! A file is opened once ([`Image`]) and read by page as far as a question needs it ([`Binary`]): nothing is mapped, so
//! that a file which is cut off while it is read is an error and no fault, and nothing of it is believed that could cost
//! more memory or time than the file is worth.
//!
//! Cost: the first look-up in a module reads the heads of its units; see BENCHMARKS.md for how long that takes. Later ones
//! take microseconds, or what one unit takes that nobody asked for yet. All caches are bounded and forget everything when
//! full. Not for a hot path, nor for a thread that must answer soon.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

mod binary;
mod bytes;
mod detail;
mod header;
mod image;
mod names;
mod pages;
mod size;

pub use binary::Binary;
pub use detail::{Description, Detail, describe, package_of};
pub use image::{Image, build_id, is_object};

/// Modules held open at a time.
const MAX_MODULES: usize = 16;
/// Machine frames remembered.
const MAX_FRAMES: usize = 16 * 1024;

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

/// Resolves machine frames of files that are trusted, and remembers what it found.
#[derive(Default)]
pub struct Resolver {
    /// `None`: could not be opened, and is not tried again.
    modules: HashMap<PathBuf, Option<Binary>>,
    frames: HashMap<PathBuf, HashMap<(u64, Address), Vec<SourceLine>>>,
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
        let probe = (offset, address);
        let known = self.frames.get(module).and_then(|known| known.get(&probe));
        if let Some(known) = known {
            return known.clone();
        }
        let found = self
            .open(module)
            .and_then(|binary| binary.resolve(offset, address));
        let found = found.unwrap_or_default();
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

    fn open(&mut self, module: &Path) -> Option<&Binary> {
        if !self.modules.contains_key(module) {
            if self.modules.len() >= MAX_MODULES {
                self.modules.clear();
            }
            let image = Image::open(module).map(Image::trusted);
            self.modules
                .insert(module.to_owned(), image.map(Binary::from));
        }
        self.modules.get(module)?.as_ref()
    }
}

#[cfg(test)]
mod tests;
