//! The symbol table as an index: where each function starts, and where its name lies. Names stay in the file.

use std::sync::Arc;

use addr2line::gimli::Reader;
use object::elf;

use super::bytes::{Bytes, Fuel};
use super::header::Section;
use super::image::Image;

/// Symbols that are indexed: rustc has some 700,000.
const MAX_SYMBOLS: usize = 4 << 20;
/// How many that start before an address may be looked at: labels in assembly have no size.
const MAX_BACK: usize = 16;

/// Functions by address.
#[derive(Debug)]
pub(super) struct Names {
    symbols: Vec<Symbol>,
    /// The whole file.
    text: Bytes,
}

#[derive(Clone, Copy, Debug)]
struct Symbol {
    address: u64,
    /// 0 where it is not said.
    size: u64,
    /// Where in the file.
    name: u64,
}

impl Names {
    pub(super) fn read(image: &Image, fuel: &Arc<Fuel>) -> Self {
        let mut symbols = Vec::new();
        for (table, names) in image.symbol_tables() {
            let bytes = image.range(table.bytes.clone(), fuel);
            read(bytes, image.header.is_64, names, &mut symbols);
        }
        // Stable, so that of several names for one place the same is taken each time.
        symbols.sort_by_key(|symbol| symbol.address);
        symbols.shrink_to_fit();
        let text = image.range(0..image.metadata().len(), fuel);
        Self { symbols, text }
    }

    /// Bytes of the index.
    pub(super) fn size(&self) -> u64 {
        size_of_val(&*self.symbols) as u64
    }

    /// Whether there is any function's name.
    pub(super) fn is_any(image: &Image, fuel: &Arc<Fuel>) -> bool {
        let mut tables = image.symbol_tables();
        tables.any(|(table, _)| {
            table.kind == elf::SHT_SYMTAB && {
                let size = if image.header.is_64 { 24 } else { 16 };
                // The first is none.
                image.range(table.bytes.clone(), fuel).len() > size
            }
        })
    }

    /// Where the first function starts whose name has this in it.
    #[cfg(test)]
    pub(super) fn address_of(&self, part: &str) -> Option<u64> {
        let mut symbols = self.symbols.iter();
        let found =
            symbols.find(|symbol| self.text(symbol).is_some_and(|name| name.contains(part)));
        found.map(|symbol| symbol.address)
    }

    /// The raw name of the function at an address.
    pub(super) fn at(&self, probe: u64) -> Option<String> {
        let end = self
            .symbols
            .partition_point(|symbol| symbol.address <= probe);
        let before = self.symbols[..end].iter().rev().take(MAX_BACK);
        let mut unsized_one = None;
        let mut found = None;
        for symbol in before {
            if symbol.size == 0 {
                unsized_one = unsized_one.or(Some(symbol));
            } else if probe - symbol.address < symbol.size {
                found = Some(symbol);
                break;
            }
        }
        self.text(found.or(unsized_one)?)
    }

    fn text(&self, symbol: &Symbol) -> Option<String> {
        let mut text = self.text.clone();
        text.skip(usize::try_from(symbol.name).ok()?).ok()?;
        let name = text.read_null_terminated_slice().ok()?;
        Some(name.to_string_lossy().ok()?.into_owned())
    }
}

/// Takes the functions of a table.
fn read(mut bytes: Bytes, is_64: bool, names: &Section, into: &mut Vec<Symbol>) -> Option<()> {
    while into.len() < MAX_SYMBOLS {
        let name = u64::from(bytes.read_u32().ok()?);
        let (kind, section, address, size);
        if is_64 {
            kind = bytes.read_u8().ok()?;
            bytes.skip(1).ok()?;
            section = bytes.read_u16().ok()?;
            address = bytes.read_u64().ok()?;
            size = bytes.read_u64().ok()?;
        } else {
            address = u64::from(bytes.read_u32().ok()?);
            size = u64::from(bytes.read_u32().ok()?);
            kind = bytes.read_u8().ok()?;
            bytes.skip(1).ok()?;
            section = bytes.read_u16().ok()?;
        }
        let is_function = [elf::STT_FUNC.0, elf::STT_GNU_IFUNC.0, elf::STT_NOTYPE.0];
        let name = names.bytes.start.saturating_add(name);
        let is_defined = section != elf::SHN_UNDEF.0 && section != elf::SHN_ABS.0;
        if is_defined && is_function.contains(&(kind & 15)) && names.bytes.contains(&name) {
            into.push(Symbol {
                address,
                size,
                name,
            });
        }
    }
    Some(())
}
