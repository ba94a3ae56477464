//! How to step from a frame to its caller, remembered for each address.
//!
//! The unwinder keeps such rules itself, one slot for each address modulo 509: of 32 frames two share a slot more
//! often than not, and each such pair costs two searches of the unwind tables in every walk, microseconds
//! instead of nanoseconds. So on `x86_64` a larger table is kept in front of it. The unwinder does not show its
//! rules; they are learned by watching a step: which words it read, and whether those move when the stack
//! pointer does. What does not fit one of three plain rules is left to the unwinder.
//!
//! An address in this table is also known to be code.

use framehop::{CacheNative, FrameAddress, MustNotAllocateDuringUnwind, Unwinder as _};

use super::arch::Regs;
use super::walk::Unwinder;

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

#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::Rule;
#[cfg(target_arch = "x86_64")]
use x86_64::{Learned, rule_of};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::{Regs, Seen, Step};

    /// A way to the caller's frame. The return address is always the word below it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in super::super) enum Rule {
        /// There is none.
        Root,
        /// Behind the two words the frame pointer points at: the caller's frame pointer, the return address.
        FramePointer,
        /// So many words above the stack pointer; the caller's frame pointer is saved that many above it.
        StackPointer { words: u16, saved: Option<i16> },
    }

    impl Rule {
        /// Takes the step.
        #[inline]
        pub(in super::super) fn step(
            self,
            regs: &mut Regs,
            read: &mut impl FnMut(u64) -> Result<u64, ()>,
        ) -> Step {
            self.try_step(regs, read).unwrap_or(Step::Lost)
        }

        #[inline]
        fn try_step(
            self,
            regs: &mut Regs,
            read: &mut impl FnMut(u64) -> Result<u64, ()>,
        ) -> Result<Step, ()> {
            let (sp, fp) = (regs.sp(), regs.bp());
            let (frame, fp) = match self {
                Self::Root => return Ok(Step::Root),
                Self::FramePointer => {
                    if fp == 0 {
                        return Ok(Step::Root);
                    }
                    let frame = fp.checked_add(16).ok_or(())?;
                    if frame <= sp {
                        return Err(());
                    }
                    (frame, read(fp)?)
                }
                Self::StackPointer { words, saved } => {
                    let frame = sp.checked_add(u64::from(words) * 8).ok_or(())?;
                    let fp = match saved {
                        Some(words) => read(sp.wrapping_add_signed(i64::from(words) * 8))?,
                        None => fp,
                    };
                    (frame, fp)
                }
            };
            let caller = read(frame.wrapping_sub(8))?;
            if caller == 0 {
                return Ok(Step::Root);
            }
            regs.set_ip(caller);
            regs.set_sp(frame);
            regs.set_bp(fp);
            Ok(Step::Caller(caller))
        }
    }

    /// The rule that a step followed, if it is one of those above. `again` repeats the step from other registers.
    pub(super) fn rule_of(
        step: Step,
        before: &Regs,
        after: &Regs,
        seen: &Seen,
        mut again: impl FnMut(&mut Regs, &mut dyn FnMut(u64) -> Result<u64, ()>) -> bool,
    ) -> Option<Rule> {
        if seen.failed {
            return None;
        }
        if step == Step::Root {
            // A zero frame pointer, or a zero return address, ends this stack and says nothing about the code.
            return (seen.count == 0 && before.bp() != 0).then_some(Rule::Root);
        }
        // The same step from eight bytes further down: what is found by the stack pointer moves along.
        let mut moved = *before;
        moved.set_sp(before.sp().checked_sub(8)?);
        let mut reads = Seen::default();
        let stepped = again(&mut moved, &mut |at| {
            reads.note(at, Ok(1));
            Ok(1)
        });
        if !stepped || reads.failed || reads.count != seen.count {
            return None;
        }
        let moves = |n: usize| reads.words[n].0 == seen.words[n].0.wrapping_sub(8);
        let words = after.sp().checked_sub(before.sp())? / 8;
        let last = seen.count.checked_sub(1)?;
        if seen.words[last].0 != after.sp().wrapping_sub(8) {
            return None;
        }
        match seen.count {
            1 if moves(0) && after.bp() == before.bp() => Some(Rule::StackPointer {
                words: words.try_into().ok()?,
                saved: None,
            }),
            2 if moves(0) && moves(1) && after.bp() == seen.words[0].1 => {
                let saved = seen.words[0].0.wrapping_sub(before.sp()) as i64 / 8;
                Some(Rule::StackPointer {
                    words: words.try_into().ok()?,
                    saved: Some(saved.try_into().ok()?),
                })
            }
            2 if !moves(0)
                && !moves(1)
                && seen.words[0] == (before.bp(), after.bp())
                && after.sp() == before.bp().wrapping_add(16) =>
            {
                Some(Rule::FramePointer)
            }
            _ => None,
        }
    }

    const SETS: usize = 512;

    /// Two places for each of 512 hashes: of the few hundred addresses that a thread spawns from, hardly any
    /// three share one.
    pub(super) struct Learned(Box<[[(u64, Rule); 2]; SETS]>);

    impl Learned {
        pub(super) fn new() -> Self {
            Self(Box::new([[(0, Rule::Root); 2]; SETS]))
        }

        pub(super) fn clear(&mut self) {
            *self.0 = [[(0, Rule::Root); 2]; SETS];
        }

        #[inline]
        pub(super) fn find(&self, key: u64) -> Option<Rule> {
            let [first, second] = &self.0[set(key)];
            if first.0 == key {
                Some(first.1)
            } else if second.0 == key {
                Some(second.1)
            } else {
                None
            }
        }

        pub(super) fn insert(&mut self, key: u64, rule: Rule) {
            let places = &mut self.0[set(key)];
            places[1] = places[0];
            places[0] = (key, rule);
        }
    }

    #[inline]
    fn set(key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize % SETS
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use elsewhere::Rule;
#[cfg(not(target_arch = "x86_64"))]
use elsewhere::{Learned, rule_of};

/// Nothing is learned: the unwinder's own table has to do.
#[cfg(not(target_arch = "x86_64"))]
mod elsewhere {
    use super::{Regs, Seen, Step};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in super::super) enum Rule {}

    impl Rule {
        pub(in super::super) fn step(
            self,
            _regs: &mut Regs,
            _read: &mut impl FnMut(u64) -> Result<u64, ()>,
        ) -> Step {
            match self {}
        }
    }

    pub(super) fn rule_of(
        _step: Step,
        _before: &Regs,
        _after: &Regs,
        _seen: &Seen,
        _again: impl FnMut(&mut Regs, &mut dyn FnMut(u64) -> Result<u64, ()>) -> bool,
    ) -> Option<Rule> {
        None
    }

    pub(super) struct Learned;

    #[expect(
        clippy::unused_self,
        reason = "the shape of the table that others have"
    )]
    impl Learned {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn clear(&mut self) {}

        pub(super) fn find(&self, _key: u64) -> Option<Rule> {
            None
        }

        pub(super) fn insert(&mut self, _key: u64, _rule: Rule) {}
    }
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

    fn regs(sp: u64, fp: u64) -> Regs {
        Regs::new(0x1000, sp, fp)
    }

    fn learn(before: Regs, after: Regs, reads: &[(u64, u64)], moved: &[u64]) -> Option<Rule> {
        let mut seen = Seen::default();
        for (at, word) in reads {
            seen.note(*at, Ok(*word));
        }
        rule_of(Step::Caller(7), &before, &after, &seen, |_, read| {
            moved.iter().all(|at| read(*at).is_ok())
        })
    }

    #[test]
    fn what_moves_with_the_stack_pointer_is_a_stack_pointer_rule() {
        let rule = learn(regs(100, 9), regs(124, 9), &[(116, 7)], &[108]);
        let plain = Rule::StackPointer {
            words: 3,
            saved: None,
        };
        assert_eq!(rule, Some(plain));
        let reads = [(108, 55), (116, 7)];
        let rule = learn(regs(100, 9), regs(124, 55), &reads, &[100, 108]);
        let saving = Rule::StackPointer {
            words: 3,
            saved: Some(1),
        };
        assert_eq!(rule, Some(saving));
    }

    #[test]
    fn what_stays_is_a_frame_pointer_rule_only_in_the_usual_place() {
        let reads = [(200, 300), (208, 7)];
        let rule = learn(regs(100, 200), regs(216, 300), &reads, &[200, 208]);
        assert_eq!(rule, Some(Rule::FramePointer));
        let elsewhere = [(216, 300), (224, 7)];
        let rule = learn(regs(100, 200), regs(232, 300), &elsewhere, &[216, 224]);
        assert_eq!(rule, None);
    }
}
