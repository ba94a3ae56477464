//! Names and lines of frames, out of the debug information of executables (feature `symbols`).
//!
//! A file is opened once ([`Image`]) and read by page as far as a question needs it ([`Binary`]): nothing is mapped, so
//! that a file which is cut off while it is read is an error and no fault, and nothing of it is believed that could cost
//! more memory or time than the file is worth.
//!
//! Cost: the first look-up in a module reads the heads of its units; see BENCHMARKS.md for how long that takes. Later ones
//! take microseconds, or what one unit takes that nobody asked for yet. All caches are bounded and forget everything when
//! full. Not for a hot path, nor for a thread that must answer soon.

mod binary;
mod bytes;
mod detail;
mod header;
mod image;
mod module;
mod names;
mod pages;
mod resolver;
mod size;

pub use binary::Binary;
pub use detail::{Description, Detail, describe, package_of};
pub use image::{Image, build_id, is_object};
pub use module::{Build, Module};
pub use resolver::Resolver;

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

#[cfg(test)]
mod tests;
