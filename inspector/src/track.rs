//! `#[pollscope::tracked]` put where it belongs in source files: places are found in the syntax tree, and the
//! attribute is inserted into the text. No line of the user's is printed anew, so none can change.
//!
//! An attribute stands on the smallest number of items that covers all functions: one for an `impl` or a trait with
//! async functions, one for each free function. Inline modules get none of their own: `mod tests` would then track
//! what is meant to be a test, and all that somebody adds later.

mod attributes;
mod edit;
mod files;
mod futures;
mod macros;
mod manifest;
mod places;

pub use files::{Broken, Source, sources, write};
pub use manifest::without_pollscope;
pub use places::{Found, Function, Passed, Place, find};

/// What is inserted.
const ATTRIBUTE: &str = "#[pollscope::tracked]";

#[cfg(test)]
mod tests;
