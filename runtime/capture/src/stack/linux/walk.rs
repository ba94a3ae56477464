//! One walk up a stack: registers and a way to read memory in, frames out.
//!
//! The unwinder guesses by frame pointer where it has no table. A guess is no evidence, so the walk here ends at
//! the first address that is in no loaded module (JIT code, a smashed stack) instead of going on.

use framehop::{FrameAddress, MustNotAllocateDuringUnwind, UnwinderNative};

use super::arch::Regs;
use super::elf::Section;
use super::modules::Snapshot;
use super::rules::{Cache, Step};
use crate::stack::End;

pub(super) type Unwinder = UnwinderNative<Section, MustNotAllocateDuringUnwind>;

/// No real stack is deeper; what is deeper is a loop.
const MAX_DEPTH: usize = 4096;

/// Where a walk is, and so also where it can go on.
#[derive(Clone)]
pub(super) struct Position {
    pub(super) address: FrameAddress,
    pub(super) regs: Regs,
    /// Frames seen so far, this one included.
    pub(super) depth: usize,
}

impl Position {
    /// At the innermost frame.
    pub(super) fn start(pc: u64, regs: Regs) -> Self {
        Self {
            address: FrameAddress::from_instruction_pointer(pc),
            regs,
            depth: 1,
        }
    }

    /// The raw address: for all but the innermost frame, the one the call returns to.
    pub(super) fn ip(&self) -> u64 {
        self.address.address()
    }
}

/// Walks on from `at` until the root, until `frame` says no, or until there is nothing to go by. Calls `frame`
/// with each new frame's number and lookup address.
///
/// On [`End::Lost`] `at` is left at the last good frame.
#[inline]
pub(super) fn walk(
    snapshot: &Snapshot,
    cache: &mut Cache,
    at: &mut Position,
    mut read: impl FnMut(u64) -> Result<u64, ()>,
    mut frame: impl FnMut(usize, usize) -> bool,
) -> End {
    cache.use_for(snapshot.id);
    let mut rule = cache.find(at.address);
    if rule.is_none() && !snapshot.is_code(at.address.address_for_lookup()) {
        return End::Lost;
    }
    while at.depth < MAX_DEPTH {
        let step = match rule {
            Some(rule) => rule.step(&mut at.regs, &mut read),
            None => cache.learn(&snapshot.unwinder, at.address, &mut at.regs, &mut read),
        };
        let next = match step {
            Step::Caller(next) => next,
            Step::Root => return End::Root,
            Step::Lost => return End::Lost,
        };
        let Some(address) = FrameAddress::from_return_address(next) else {
            return End::Root;
        };
        let lookup = address.address_for_lookup();
        rule = cache.find(address);
        // What a rule was learned for is code.
        if rule.is_none() && !snapshot.is_code(lookup) {
            return End::Lost;
        }
        at.address = address;
        at.depth += 1;
        if !frame(at.depth - 1, lookup as usize) {
            return End::Cut;
        }
    }
    End::Cut
}
