//! Frames of many modules of one's own, remembered.

use std::collections::HashMap;
use std::fmt;

use super::{Address, Binary, Module, SourceLine};

/// Bytes of memory that all modules may take together: the heads of the units of 500 MB of debug information.
const MAX_HELD: u64 = 256 << 20;
/// Bytes of names that are remembered.
const MAX_TEXT: usize = 8 << 20;

/// Modules held open at a time.
const MAX_MODULES: usize = 16;
/// Machine frames remembered.
const MAX_FRAMES: usize = 16 * 1024;

/// Resolves machine frames of files that are trusted, and remembers what it found.
///
/// For a process that has other things to do with its memory: it takes 256 MiB at the most, of which debug information
/// needs half a byte for each of its own, and gives all of it back when it is dropped. When that is full it closes
/// everything and begins again; what alone would take more is named by its symbol table, without lines.
pub struct Resolver {
    /// Bytes of memory that all modules may take.
    most: u64,
    /// `None`: could not be opened, or is of another build; not tried again.
    modules: HashMap<Module, Option<Binary>>,
    frames: HashMap<Module, HashMap<(u64, Address), Vec<SourceLine>>>,
    remembered: usize,
    /// Bytes of what is remembered.
    text: usize,
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
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
        Self {
            most: MAX_HELD,
            modules: HashMap::new(),
            frames: HashMap::new(),
            remembered: 0,
            text: 0,
        }
    }

    /// The source frames at an offset of a module, inlined functions first; empty where nothing is known, and where
    /// the file is not of the module's [build](super::Build).
    ///
    /// `offset` is in the address space of the file: the address less the load bias.
    pub fn resolve(&mut self, module: &Module, offset: u64, address: Address) -> Vec<SourceLine> {
        let probe = (offset, address);
        let known = self.frames.get(module).and_then(|known| known.get(&probe));
        if let Some(known) = known {
            return known.clone();
        }
        let found = self.look_up(module, probe);
        if self.remembered >= MAX_FRAMES || self.text >= MAX_TEXT {
            self.frames.clear();
            (self.remembered, self.text) = (0, 0);
        }
        self.remembered += 1;
        self.text += found.iter().map(size).sum::<usize>();
        let of_module = self.frames.entry(module.clone()).or_default();
        of_module.insert(probe, found.clone());
        found
    }

    /// Within the bound: what does not fit beside what is held is tried alone, and then without its lines.
    fn look_up(&mut self, module: &Module, probe: (u64, Address)) -> Vec<SourceLine> {
        if let Ok(found) = self.look_up_within(module, probe) {
            return found;
        }
        self.modules.clear();
        if let Ok(found) = self.look_up_within(module, probe) {
            return found;
        }
        let without_lines = open(module).map(Binary::without_lines);
        self.modules.clear();
        self.modules.insert(module.clone(), without_lines);
        self.look_up_within(module, probe).unwrap_or_else(|Full| {
            self.modules.insert(module.clone(), None);
            Vec::new()
        })
    }

    fn look_up_within(
        &mut self,
        module: &Module,
        (offset, address): (u64, Address),
    ) -> Result<Vec<SourceLine>, Full> {
        if !self.modules.contains_key(module) {
            if self.modules.len() >= MAX_MODULES {
                self.modules.clear();
            }
            self.modules.insert(module.clone(), open(module));
        }
        let left = self.most.saturating_sub(self.held());
        match self.modules.get(module) {
            Some(Some(binary)) => binary.resolve_within(left, offset, address).ok_or(Full),
            _ => Ok(Vec::new()),
        }
    }

    fn held(&self) -> u64 {
        self.modules.values().flatten().map(Binary::held).sum()
    }
}

/// It would take more memory than there is for it.
struct Full;

fn open(module: &Module) -> Option<Binary> {
    let image = module.open()?.trusted();
    Some(Binary::from(image).beside(&module.name))
}

fn size(line: &SourceLine) -> usize {
    size_of::<SourceLine>() + line.function.len() + line.file.len()
}

#[cfg(test)]
mod tests;
