//! Names and lines of the addresses of one file.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::gimli::{self, DwarfPackage, Reader};
use addr2line::{Context, LookupContinuation, LookupResult, SplitDwarfLoad};

use super::bytes::{Bytes, Dwarf, Fuel};
use super::detail::package_of;
use super::image::Image;
use super::names::Names;
use super::size::BYTES_A_READ;
use super::{Address, SourceLine};

/// Source frames of one machine frame: deeper inlining is cut at the outer end.
pub(super) const MAX_INLINED: usize = 32;

/// Reads for all look-ups in a file of somebody else: its tables may be made to take long and to fill the memory, at
/// some 35 bytes a read. An executable of 114 MB takes one million for the heads of its units, and 40,000 a unit.
const FUEL: u64 = 12 << 20;
/// Reads for one look-up in a file that is trusted, for each of its bytes, and as many as above.
const FUEL_FOR_A_BYTE: u64 = 2;
/// Units of a file of somebody else. rustc has some thousands.
const UNITS_OF_OTHERS: usize = 64 * 1024;
/// What the head of a unit takes, however little was read of it.
const BYTES_A_UNIT: u64 = 2400;

/// An opened file with the index of its units.
///
/// Of a file that is not [trusted](Image::trusted) nothing is opened that it names, but the package beside it, and there
/// is an end to what is read of it: what it does not tell within that, it does not tell.
pub struct Binary {
    image: Image,
    fuel: Arc<Fuel>,
    /// Reads so far, where memory is bounded, and those of them that left nothing there.
    reads: Cell<u64>,
    passing: Cell<u64>,
    /// Each at the first question that needs it.
    lines: OnceCell<Option<Context<Bytes>>>,
    names: OnceCell<Names>,
    package_at: PathBuf,
    package: OnceCell<Option<DwarfPackage<Bytes>>>,
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binary")
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

impl From<Image> for Binary {
    fn from(image: Image) -> Self {
        Self {
            package_at: package_of(image.path()),
            image,
            fuel: Arc::new(Fuel::new(FUEL)),
            reads: Cell::new(0),
            passing: Cell::new(0),
            lines: OnceCell::new(),
            names: OnceCell::new(),
            package: OnceCell::new(),
        }
    }
}

impl Binary {
    /// Says beside which name its package (`app.dwp`) lies, where that is not the one it was opened by.
    #[must_use]
    pub fn beside(mut self, executable: &Path) -> Self {
        self.package_at = package_of(executable);
        self
    }

    /// The source frames at an offset, inlined functions first; empty where nothing is known. `None`: the file may know,
    /// but is [not trusted](Image::trusted) and would lead to others, or take more work than it may.
    ///
    /// `offset` is in the address space of the file: the address less the load bias.
    pub fn resolve(&self, offset: u64, address: Address) -> Option<Vec<SourceLine>> {
        if self.image.is_trusted() {
            let len = self.image.metadata().len();
            self.fuel.refill(FUEL + len.saturating_mul(FUEL_FOR_A_BYTE));
        }
        self.look_up(offset, address)
    }

    /// As [`Self::resolve`] of a file that is trusted, and must take no more than `bytes` of memory beyond what it
    /// [holds](Self::held): `None` where it would. It is of no more use then.
    pub(super) fn resolve_within(
        &self,
        bytes: u64,
        offset: u64,
        address: Address,
    ) -> Option<Vec<SourceLine>> {
        let reads = bytes / BYTES_A_READ;
        self.fuel.refill(reads);
        let found = self.look_up(offset, address);
        let read = reads.saturating_sub(self.fuel.left());
        self.reads.set(self.reads.get().saturating_add(read));
        found
    }

    /// The memory that it may hold, in bytes, where all was asked [within](Self::resolve_within) a bound.
    pub(super) fn held(&self) -> u64 {
        let names = self.names.get().map_or(0, Names::size);
        let kept = self.reads.get().saturating_sub(self.passing.get());
        kept.saturating_mul(BYTES_A_READ) + names + self.image.most_held()
    }

    /// Leaves the debug information aside: the symbol table alone tells names.
    #[must_use]
    pub(super) fn without_lines(mut self) -> Self {
        self.lines = OnceCell::from(None);
        self
    }

    fn look_up(&self, offset: u64, address: Address) -> Option<Vec<SourceLine>> {
        let probe = match address {
            Address::Exact => offset,
            Address::Return => offset.saturating_sub(1),
        };
        // No function is at the very end of the address space, and what comes after it does not exist.
        if probe == u64::MAX {
            return Some(Vec::new());
        }
        if self.fuel.is_empty() {
            return None;
        }
        let mut lines = self.lines(probe)?;
        let symbol = |lines: &[SourceLine]| {
            // With line tables only, the debug information names it `{async_fn#0}`; the symbol table knows the path.
            let outermost = lines.last().map_or("", |line| &line.function);
            (!has_path(outermost)).then(|| self.name(probe)).flatten()
        };
        if let Some(symbol) = symbol(&lines) {
            if lines.is_empty() {
                lines.push(SourceLine::default());
            }
            if let Some(outermost) = lines.last_mut() {
                outermost.function = symbol;
            }
        }
        if let Some(outermost) = lines.last_mut() {
            outermost.inlined = false;
        }
        (!self.fuel.is_empty()).then_some(lines)
    }

    /// The function as the symbol table has it.
    fn name(&self, probe: u64) -> Option<String> {
        let names = self.names.get_or_init(|| {
            let before = self.fuel.left();
            let names = Names::read(&self.image, &self.fuel);
            // What is kept of these has a size that can be asked for.
            let read = before.saturating_sub(self.fuel.left());
            self.passing.set(read);
            names
        });
        let name = names.at(probe)?;
        // A symbol of the C library carries its version: `clock_nanosleep@@GLIBC_2.17`.
        Some(demangled(name.split('@').next().unwrap_or(&name)))
    }

    /// What the debug information tells; `None` where it leads elsewhere.
    fn lines(&self, probe: u64) -> Option<Vec<SourceLine>> {
        let lines = self.lines.get_or_init(|| self.index());
        let Some(context) = lines else {
            return Some(Vec::new());
        };
        let mut looking = context.find_frames(probe);
        let frames = loop {
            match looking {
                LookupResult::Output(frames) => break frames,
                LookupResult::Load { load, continuation } => {
                    let found = self.packed(&load).or_else(|| self.unpacked(&load));
                    if found.is_none() && !self.image.is_trusted() {
                        return None;
                    }
                    looking = continuation.resume(found);
                }
            }
        };
        let mut lines = Vec::new();
        let Ok(mut frames) = frames else {
            return Some(lines);
        };
        while let Ok(Some(frame)) = frames.next() {
            if lines.len() == MAX_INLINED {
                break;
            }
            let name = frame.function.as_ref();
            let name = name.and_then(|name| name.raw_name().ok());
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
        Some(lines)
    }

    fn index(&self) -> Option<Context<Bytes>> {
        self.image.header.section(".debug_info")?;
        let mut dwarf = self.dwarf(&self.image, |id| Some(id.name()));
        let most = if self.image.is_trusted() {
            usize::MAX
        } else {
            UNITS_OF_OTHERS
        };
        let units = dwarf.units().count_up_to(most)? as u64;
        let as_reads = units.saturating_mul(BYTES_A_UNIT / BYTES_A_READ);
        self.fuel.burn(as_reads).ok()?;
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        Context::from_dwarf(dwarf).ok()
    }

    fn dwarf(
        &self,
        image: &Image,
        name: impl Fn(gimli::SectionId) -> Option<&'static str>,
    ) -> Dwarf {
        let load = |id| Ok::<_, gimli::Error>(self.section(image, name(id)));
        gimli::Dwarf::load(load).unwrap_or_else(|_| unreachable!("no section is an error"))
    }

    fn section(&self, image: &Image, name: Option<&str>) -> Bytes {
        // No section has no name.
        image.section(name.unwrap_or(""), &self.fuel)
    }

    /// Debug information out of the package beside the executable.
    fn packed(&self, load: &SplitDwarfLoad<Bytes>) -> Option<Arc<Dwarf>> {
        let package = self.package.get_or_init(|| {
            let image = Image::open(&self.package_at)?.led_to_by(&self.image, &self.fuel)?;
            let section = |id: gimli::SectionId| Ok(self.section(&image, id.dwo_name()));
            DwarfPackage::load::<_, gimli::Error>(section, image.range(0..0, &self.fuel)).ok()
        });
        let unit = package
            .as_ref()?
            .find_cu(load.dwo_id, &load.parent)
            .ok()??;
        Some(Arc::new(unit))
    }

    /// Debug information out of the file that the unit names.
    fn unpacked(&self, load: &SplitDwarfLoad<Bytes>) -> Option<Arc<Dwarf>> {
        if !self.image.is_trusted() {
            return None;
        }
        let mut path = PathBuf::new();
        for part in [load.comp_dir.as_ref(), load.path.as_ref()] {
            path.push(&*part?.to_string().ok()?);
        }
        let image = Image::open(&path)?.led_to_by(&self.image, &self.fuel)?;
        let mut dwarf = self.dwarf(&image, gimli::SectionId::dwo_name);
        let header = dwarf.units().next().ok()??;
        let unit = dwarf.unit(header).ok()?;
        if unit.dwo_id != Some(load.dwo_id) {
            return None;
        }
        dwarf.make_dwo(&load.parent);
        Some(Arc::new(dwarf))
    }
}

/// Counts, where there are not too many.
trait CountUpTo {
    fn count_up_to(self, most: usize) -> Option<usize>;
}

impl CountUpTo for gimli::DebugInfoUnitHeadersIter<Bytes> {
    fn count_up_to(mut self, most: usize) -> Option<usize> {
        let mut count = 0;
        while self.next().ok()?.is_some() {
            count += 1;
            if count > most {
                return None;
            }
        }
        Some(count)
    }
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
