//! How to step from a frame to its caller, remembered for each address.
//!
//! The unwinder keeps such rules itself, one slot for each address modulo 509: of 32 frames two share a slot more
//! often than not, and each such pair costs two searches of the unwind tables in every walk, microseconds
//! instead of nanoseconds. So on `x86_64` a larger table is kept in front of it. The unwinder does not show its
//! rules; they are learned by watching a step: which words it read, and whether those move when the stack
//! pointer does. What does not fit one of three plain rules is left to the unwinder.
//!
//! An address in this table is also known to be code.

#[cfg(not(target_arch = "x86_64"))]
mod elsewhere;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(not(target_arch = "x86_64"))]
use elsewhere as known;
#[cfg(target_arch = "x86_64")]
use x86_64 as known;

use framehop::{CacheNative, FrameAddress, MustNotAllocateDuringUnwind, Unwinder as _};

use known::{Learned, rule_of};

use super::arch::Regs;
use super::walk::Unwinder;

pub(super) use known::Rule;

/// What one step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A caller's frame, by the address its call returns to.
    Caller(u64),
    /// There is none: the thread began here.
    Root,
    /// It cannot be told.
    Lost,
}

/// The unwinder's own memory, and the table in front of it. One for each thread that walks.
pub(super) struct Cache {
    unwinder: CacheNative<MustNotAllocateDuringUnwind>,
    learned: Learned,
    /// Which module list all this belongs to.
    snapshot: u64,
}

impl Cache {
    /// Allocates some 50 KB; steps allocate nothing.
    pub(super) fn new() -> Self {
        Self {
            unwinder: CacheNative::new_in(),
            learned: Learned::new(),
            snapshot: 0,
        }
    }

    /// Forgets what was learned about other modules than these.
    #[inline]
    pub(super) fn use_for(&mut self, snapshot: u64) {
        if self.snapshot != snapshot {
            self.learned.clear();
            self.snapshot = snapshot;
        }
    }

    /// The rule for this address, if it was learned.
    #[inline]
    pub(super) fn find(&self, address: FrameAddress) -> Option<Rule> {
        self.learned.find(key(address))
    }

    /// Steps by the unwinder, and learns the rule for the next time.
    #[inline(never)]
    pub(super) fn learn(
        &mut self,
        unwinder: &Unwinder,
        address: FrameAddress,
        regs: &mut Regs,
        read: &mut dyn FnMut(u64) -> Result<u64, ()>,
    ) -> Step {
        let before = *regs;
        let mut seen = Seen::default();
        let mut watched = |at: u64| {
            let word = read(at);
            seen.note(at, word);
            word
        };
        let result = unwinder.unwind_frame(address, regs, &mut self.unwinder, &mut watched);
        let step = match result {
            Ok(Some(caller)) => Step::Caller(caller),
            Ok(None) => Step::Root,
            Err(_) => return Step::Lost,
        };
        let again = |regs: &mut Regs, read: &mut dyn FnMut(u64) -> Result<u64, ()>| {
            let stepped =
                unwinder.unwind_frame(address, regs, &mut self.unwinder, &mut |at| read(at));
            matches!(stepped, Ok(Some(_)))
        };
        if let Some(rule) = rule_of(step, &before, regs, &seen, again) {
            self.learned.insert(key(address), rule);
        }
        step
    }
}

/// The words one step read.
#[derive(Default)]
struct Seen {
    words: [(u64, u64); 2],
    count: usize,
    failed: bool,
}

impl Seen {
    fn note(&mut self, at: u64, word: Result<u64, ()>) {
        match (word, self.words.get_mut(self.count)) {
            (Ok(word), Some(slot)) => *slot = (at, word),
            _ => self.failed = true,
        }
        self.count += 1;
    }
}

/// An address stepped from as a program counter may have another rule than as a return address.
fn key(address: FrameAddress) -> u64 {
    address.address() << 1 | u64::from(address.is_return_address())
}

#[cfg(test)]
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod tests {
    use super::*;
    use crate::stack::linux::{arch, modules, unwind};

    /// Every frame of this thread's stack by the unwinder alone, and by rules: the same registers at each step.
    #[inline(never)]
    fn compare(rounds: usize) -> usize {
        crate::stack::init();
        let snapshot = modules::current().unwrap();
        let top = unwind::stack_range().unwrap().end;
        let start = arch::here();
        let words: Vec<u64> = read_up(start.sp, top);
        let mut read = |at: u64| {
            let offset = at.checked_sub(start.sp).ok_or(())?;
            words.get((offset / 8) as usize).copied().ok_or(())
        };
        let mut plain = CacheNative::<MustNotAllocateDuringUnwind>::new_in();
        let mut cache = Cache::new();
        let mut by_rule = 0;
        for _ in 0..rounds {
            let mut address = FrameAddress::from_instruction_pointer(start.pc);
            let mut expected = arch::regs(&start, 0);
            let mut regs = expected;
            loop {
                let next =
                    snapshot
                        .unwinder
                        .unwind_frame(address, &mut expected, &mut plain, &mut read);
                let step = match cache.find(address) {
                    Some(rule) => {
                        by_rule += 1;
                        rule.step(&mut regs, &mut read)
                    }
                    None => cache.learn(&snapshot.unwinder, address, &mut regs, &mut read),
                };
                assert_eq!(regs, expected);
                match next {
                    Ok(Some(caller)) => {
                        assert_eq!(step, Step::Caller(caller));
                        address = FrameAddress::from_return_address(caller).unwrap();
                    }
                    Ok(None) => {
                        assert_eq!(step, Step::Root);
                        break;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        by_rule
    }

    fn read_up(from: u64, to: u64) -> Vec<u64> {
        let mut bytes = vec![0; (to - from) as usize];
        let there: usize = bytes
            .chunks_mut(4096)
            .enumerate()
            .map(|(n, chunk)| crate::stack::linux::memory::read(from + n as u64 * 4096, chunk))
            .sum();
        assert_eq!(there, bytes.len());
        bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| u64::from_le_bytes(*word))
            .collect()
    }

    #[test]
    fn learned_rules_lead_where_the_unwinder_does() {
        assert_eq!(compare(1), 0, "nothing is known at first");
        assert!(compare(3) > 10, "and then nearly everything");
        // From under library code that takes frame pointers, callbacks and all.
        let mut numbers = [3, 1, 2];
        numbers.sort_by_key(|number| (compare(2), *number));
        assert!(std::panic::catch_unwind(|| compare(2)).is_ok());
    }
}
