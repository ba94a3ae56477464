//! Finding the frame pointer of a sleeping thread, which the kernel does not tell.
//!
//! System call wrappers of the C library do without it, so a walk gets some way up. It fails at the first function
//! compiled to use one: the standard library's, or the user's own with `force-frame-pointers`. In that function's
//! frame the register holds the address of two words: the caller's frame pointer and the return address.
//!
//! * Mostly the function's own first instructions tell where that is: `push rbp; mov rbp, rsp; push …; sub rsp, N`
//!   put it a fixed way above the stack pointer.
//! * Where they align the stack, the place is one of a few.
//! * Where a function starts some other way, a word on the stack counts that is a return address right behind a
//!   direct call of this very function.
//!
//! Anything less is not enough. Stacks are full of dead frames, whose words still lead into live ones: taking any
//! return address for evidence gave one wrong stack in four under stress. And none of this is believed before a
//! walk from there reaches the thread's root; of places that are not computed, only if one alone does.
#![cfg(target_arch = "x86_64")]

use std::ops::RangeInclusive;

use super::memory;
use super::modules::Snapshot;
use super::walk::Position;

/// How far above the stack pointer a frame's end is looked for.
const SCAN: u64 = 32 << 10;
/// How many candidates are worth a walk.
const MOST: usize = 32;

/// What is known about the frame pointer of a walk that stopped for want of it.
pub(super) struct Search<'s> {
    snapshot: &'s Snapshot,
    sp: u64,
    function: u64,
    size: Option<RangeInclusive<u64>>,
}

impl<'s> Search<'s> {
    /// Looks at the function that the walk stopped in. `None` if it cannot be told which that is.
    pub(super) fn new(snapshot: &'s Snapshot, at: &Position) -> Option<Self> {
        let lookup = at.address.address_for_lookup();
        let function = snapshot.function_start(lookup)?;
        let mut code = [0; 128];
        let len = memory::read(function, &mut code);
        Some(Self {
            snapshot,
            sp: at.regs.sp(),
            function,
            size: frame_size(&code[..len], lookup - function),
        })
    }

    /// The frame pointer as the function's first instructions give it.
    pub(super) fn exact(&self, word: &mut dyn FnMut(u64) -> Result<u64, ()>) -> Option<u64> {
        let size = self.size.as_ref()?;
        let slot = self.sp.saturating_add(*size.start());
        (size.start() == size.end() && self.call_at(slot, word).is_some()).then_some(slot)
    }

    /// Where else it may point. To be believed only if one alone leads to the root.
    pub(super) fn places(&self, word: &mut dyn FnMut(u64) -> Result<u64, ()>) -> Vec<u64> {
        // One of a few places, any call will do; or anywhere, and then a call of this function.
        let (places, any_call) = match &self.size {
            Some(size) if size.start() != size.end() => (size.clone(), true),
            _ => (0..=SCAN, false),
        };
        let mut found = Vec::new();
        for offset in places.step_by(8) {
            let slot = self.sp.saturating_add(offset);
            if found.len() == MOST || word(slot.saturating_add(8)).is_err() {
                break;
            }
            let call = self.call_at(slot, word);
            if call.is_some_and(|call| any_call || call == Call::Of(self.function)) {
                found.push(slot);
            }
        }
        found
    }

    /// The call that the return address above `slot` belongs to, if there is one.
    fn call_at(&self, slot: u64, word: &mut dyn FnMut(u64) -> Result<u64, ()>) -> Option<Call> {
        let back = word(slot.checked_add(8)?).ok()?;
        let is_code = self.snapshot.is_code(back.checked_sub(1)?);
        is_code.then(|| call_before(back))?
    }
}

/// The call in front of a return address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Of(u64),
    Unknown,
}

fn call_before(back: u64) -> Option<Call> {
    let mut code = [0; 7];
    if memory::read(back - 7, &mut code) != 7 {
        return None;
    }
    decode_call(code, back, |at| {
        let mut target = [0; 8];
        (memory::read(at, &mut target) == 8).then(|| u64::from_le_bytes(target))
    })
}

/// Decodes a call that ends with the last of these seven bytes, at `back`.
fn decode_call(code: [u8; 7], back: u64, load: impl Fn(u64) -> Option<u64>) -> Option<Call> {
    let relative = || {
        let offset = i32::from_le_bytes([code[3], code[4], code[5], code[6]]);
        back.wrapping_add_signed(i64::from(offset))
    };
    if code[2] == 0xe8 {
        return Some(Call::Of(relative()));
    }
    // `call [rip + offset]`: through the table of imported addresses.
    if code[1] == 0xff && code[2] == 0x15 {
        return Some(load(relative()).map_or(Call::Unknown, Call::Of));
    }
    // `ff /2` with each length its operand can have.
    let indirect = (2..=7).any(|len| {
        let at = 7 - len;
        code[at] == 0xff && (code[at + 1] >> 3) & 7 == 2 && operand_len(code[at + 1]) == Some(len)
    });
    indirect.then_some(Call::Unknown)
}

/// Length of `ff` with this operand byte, by its addressing mode. The one with a base in the next byte and no
/// displacement can be longer by four; it is not used for calls.
fn operand_len(modrm: u8) -> Option<usize> {
    let has_sib = usize::from(modrm & 7 == 4);
    match modrm >> 6 {
        0 if modrm & 7 == 5 => Some(6),
        0 => Some(2 + has_sib),
        1 => Some(3 + has_sib),
        2 => Some(6 + has_sib),
        3 => Some(2),
        _ => None,
    }
}

/// How far above the stack pointer, inside the function's body, its frame pointer points: one place, or several
/// eight bytes apart where the stack was aligned. `None` where the function does not start the usual way, or `at`
/// (counted from its start) still lies in those instructions.
fn frame_size(code: &[u8], at: u64) -> Option<RangeInclusive<u64>> {
    const PUSH_RBP: &[u8] = &[0x55];
    const ENDBR64: &[u8] = &[0xf3, 0x0f, 0x1e, 0xfa];
    let start = code.strip_prefix(ENDBR64).unwrap_or(code);
    let start = start.strip_prefix(PUSH_RBP)?;
    // mov rbp, rsp, in its two encodings
    let ([0x48, 0x89, 0xe5, rest @ ..] | [0x48, 0x8b, 0xec, rest @ ..]) = start else {
        return None;
    };
    let mut rest = rest;
    let word = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
    let (mut size, mut padding) = (0u64, 0u64);
    loop {
        rest = match rest {
            // push
            [0x50..=0x57, rest @ ..] | [0x41, 0x50..=0x57, rest @ ..] => {
                size += 8;
                rest
            }
            // sub rsp, N
            [0x48, 0x83, 0xec, n, rest @ ..] => {
                size += u64::from(*n);
                rest
            }
            [0x48, 0x81, 0xec, a, b, c, d, rest @ ..] => {
                size += word([*a, *b, *c, *d]);
                rest
            }
            // and rsp, -N: up to N - 8 bytes more
            [0x48, 0x83, 0xe4, n @ 0x80..=0xf8, rest @ ..] => {
                padding = padding.max(u64::from(n.wrapping_neg()).saturating_sub(8));
                rest
            }
            // mov qword [rsp], 0: touches a page of a large frame
            [0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, rest @ ..] => rest,
            // lea r11, [rsp - N], and the loop that goes there page by page
            [
                0x4c,
                0x8d,
                0x9c,
                0x24,
                a,
                b,
                c,
                d, //
                0x48,
                0x81,
                0xec,
                _,
                _,
                _,
                _, //
                0x48,
                0xc7,
                0x04,
                0x24,
                0,
                0,
                0,
                0, //
                0x4c,
                0x39,
                0xdc,
                0x75,
                _,
                rest @ ..,
            ] => {
                size += word([*a, *b, *c, *d].map(|byte| !byte)) + 1;
                rest
            }
            // and rsp, with a large alignment: too many places
            [0x48, 0x81, 0xe4, ..] | [] => return None,
            _ => break,
        };
    }
    let past = (code.len() - rest.len()) as u64 <= at;
    past.then_some(size..=size + padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tail: &[u8]) -> Option<Call> {
        let mut code = [0x90; 7];
        code[7 - tail.len()..].copy_from_slice(tail);
        decode_call(code, 0x1000, |at| (at == 0x1010).then_some(0x4242))
    }

    #[test]
    fn a_direct_call_names_its_target() {
        assert_eq!(call(&[0xe8, 0x10, 0, 0, 0]), Some(Call::Of(0x1010)));
        assert_eq!(call(&[0xe8, 0xf0, 0xff, 0xff, 0xff]), Some(Call::Of(0xff0)));
    }

    #[test]
    fn a_call_through_the_import_table_names_what_is_there() {
        assert_eq!(call(&[0xff, 0x15, 0x10, 0, 0, 0]), Some(Call::Of(0x4242)));
        assert_eq!(call(&[0xff, 0x15, 0x20, 0, 0, 0]), Some(Call::Unknown));
    }

    #[test]
    fn a_call_through_a_register_or_a_vtable_is_a_call() {
        assert_eq!(call(&[0xff, 0xd0]), Some(Call::Unknown));
        assert_eq!(call(&[0x41, 0xff, 0xd7]), Some(Call::Unknown));
        assert_eq!(call(&[0xff, 0x50, 0x18]), Some(Call::Unknown));
        assert_eq!(call(&[0xff, 0x54, 0x24, 0x18]), Some(Call::Unknown));
        assert_eq!(call(&[0xff, 0x90, 1, 2, 0, 0]), Some(Call::Unknown));
    }

    #[test]
    fn what_is_not_a_call_is_not_taken_for_one() {
        assert_eq!(call(&[0x90, 0x90]), None);
        // `jmp rax`, `push [rax]`
        assert_eq!(call(&[0xff, 0xe0]), None);
        assert_eq!(call(&[0xff, 0x30]), None);
    }

    #[test]
    fn a_prologue_gives_the_size_of_its_frame() {
        let code = [
            0x55, 0x48, 0x89, 0xe5, 0x41, 0x57, 0x41, 0x56, 0x53, 0x48, 0x83, 0xec, 0x28, 0x90,
        ];
        assert_eq!(frame_size(&code, 20), Some(0x40..=0x40));
        assert_eq!(frame_size(&code, 5), None, "still in the prologue");
        let large = [
            0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0, 2, 0, 0, 0x90,
        ];
        assert_eq!(frame_size(&large, 40), Some(0x200..=0x200));
    }

    #[test]
    fn a_frame_that_is_touched_page_by_page_has_its_whole_size() {
        let unrolled = [
            0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0, 0x10, 0, 0, 0x48, 0xc7, 0x04, 0x24, 0, 0,
            0, 0, 0x48, 0x83, 0xec, 0x10, 0x90,
        ];
        assert_eq!(frame_size(&unrolled, 40), Some(0x1010..=0x1010));
        // lea r11, [rsp - 0x5000]; the loop; sub rsp, 0x20
        let looped = [
            0x55, 0x48, 0x89, 0xe5, 0x53, 0x4c, 0x8d, 0x9c, 0x24, 0, 0xb0, 0xff, 0xff, 0x48, 0x81,
            0xec, 0, 0x10, 0, 0, 0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, 0x4c, 0x39, 0xdc, 0x75, 0xec,
            0x48, 0x83, 0xec, 0x20, 0x90,
        ];
        assert_eq!(frame_size(&looped, 60), Some(0x5028..=0x5028));
    }

    #[test]
    fn an_aligned_stack_leaves_a_few_places() {
        let aligned = [
            0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xe4, 0xe0, 0x48, 0x83, 0xec, 0x60, 0x90,
        ];
        assert_eq!(frame_size(&aligned, 20), Some(0x60..=0x78));
    }

    #[test]
    fn other_beginnings_give_nothing() {
        assert_eq!(frame_size(&[0x48, 0x83, 0xec, 0x28, 0x90], 20), None);
        let page = [
            0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xe4, 0, 0xf0, 0xff, 0xff,
        ];
        assert_eq!(frame_size(&page, 20), None);
    }
}
