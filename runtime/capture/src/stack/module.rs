//! What a frame's address means outside this process: which file, which build of it, how far into it.

use std::ops::Range;

/// One executable or library that is, or was, mapped into this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleInfo {
    /// Stays the same for as long as the process lives, also after the module was unloaded.
    pub index: u32,
    /// Where its file was when it was loaded. The executable's is resolved; the kernel's vDSO is `[vdso]`.
    pub path: String,
    /// The GNU build id in hex; empty where the linker wrote none.
    pub build_id: String,
    /// What to subtract from an address to get the one the file's own tables use.
    pub base: u64,
    /// The addresses its segments span.
    pub range: Range<u64>,
    /// False once it was unloaded.
    pub loaded: bool,
}
