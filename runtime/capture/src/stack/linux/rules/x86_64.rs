//! The three plain rules, how one is recognised, and the table of those learned.

use super::{Regs, Seen, Step};

/// A way to the caller's frame. The return address is always the word below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack::linux) enum Rule {
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
    pub(in crate::stack::linux) fn step(
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

#[cfg(test)]
mod tests {
    use super::*;

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
