//! Finding the frame pointer of a sleeping thread, which the kernel does not tell.
//!
//! System call wrappers of the C library do without it, so a walk gets some way up. It fails at the first function
//! compiled to use one: the standard library's, or the user's own with `force-frame-pointers`. In that function's
//! frame the register holds the address of two words: the caller's frame pointer and the return address.
//!
//! Three kinds of evidence, the strongest first:
//! 1. the function's own first instructions: `push rbp; mov rbp, rsp; push …; sub rsp, N` say how far above the
//!    stack pointer that place is;
//! 2. a word on the stack that is a return address right behind a call *of this very function*;
//! 3. a word that is a return address behind a call whose target cannot be told (through a register), or which
//!    calls something else (that jumped here).
//!
//! None of this is believed before a walk from there reaches the thread's root.
#![cfg(target_arch = "x86_64")]

use super::memory;
use super::modules::Snapshot;
use super::walk::Position;

/// How far above the stack pointer a frame's end is looked for. Larger frames than this are found by kind 1.
const SCAN: u64 = 32 << 10;
/// How many candidates are worth a walk.
const MOST: usize = 64;

/// Where the frame pointer may point, best first, for a walk that stopped at `at` for want of it.
pub(super) fn candidates(
    snapshot: &Snapshot,
    at: &Position,
    word: &mut dyn FnMut(u64) -> Result<u64, ()>,
) -> Vec<Candidate> {
    let sp = at.regs.sp();
    let lookup = at.address.address_for_lookup();
    let function = snapshot.function_start(lookup);
    let exact = function.and_then(|start| {
        let mut code = [0; 96];
        let len = memory::read(start, &mut code);
        frame_size(&code[..len], lookup - start).map(|size| sp + size)
    });
    let mut found: Vec<(Evidence, u64)> = Vec::new();
    let scanned = (0..SCAN / 8).map(|n| sp + n * 8);
    for slot in exact.into_iter().chain(scanned) {
        let Ok(back) = word(slot.saturating_add(8)) else {
            // Only the scan ends here; `exact` may lie beyond it.
            if Some(slot) == exact {
                continue;
            }
            break;
        };
        if back == 0 || !snapshot.is_code(back - 1) {
            continue;
        }
        let Some(call) = call_before(back) else {
            continue;
        };
        let evidence = if Some(slot) == exact {
            Evidence::Prologue
        } else {
            match call {
                Call::Of(target) if Some(target) == function => Evidence::CalledHere,
                Call::Unknown => Evidence::CalledUnknown,
                Call::Of(_) => Evidence::CalledOther,
            }
        };
        found.push((evidence, slot));
    }
    // Stable: within one kind, the lowest address first.
    found.sort_by_key(|(evidence, _)| *evidence);
    found.truncate(MOST);
    found
        .into_iter()
        .map(|(evidence, fp)| Candidate {
            fp,
            exact: evidence == Evidence::Prologue,
        })
        .collect()
}

/// A value the frame pointer may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) fp: u64,
    /// Computed, not found.
    pub(super) exact: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    Prologue,
    CalledHere,
    CalledUnknown,
    CalledOther,
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

/// How far above the stack pointer, inside the function's body, its frame pointer points. `None` where the
/// function does not start the usual way, or `at` (from its start) still lies in those instructions.
fn frame_size(code: &[u8], at: u64) -> Option<u64> {
    let mut rest = code;
    let mut take = |bytes: &[u8]| match rest.strip_prefix(bytes) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    };
    take(&[0xf3, 0x0f, 0x1e, 0xfa]);
    if !take(&[0x55]) || !(take(&[0x48, 0x89, 0xe5]) || take(&[0x48, 0x8b, 0xec])) {
        return None;
    }
    let mut size = 0u64;
    loop {
        match rest {
            [0x50..=0x57, after @ ..] | [0x41, 0x50..=0x57, after @ ..] => {
                size += 8;
                rest = after;
            }
            [0x48, 0x83, 0xec, n, after @ ..] => {
                size += u64::from(*n);
                rest = after;
            }
            [0x48, 0x81, 0xec, a, b, c, d, after @ ..] => {
                size += u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
                rest = after;
            }
            // Touches each page of a large frame.
            [0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, after @ ..] => rest = after,
            // `and rsp, …`: what was aligned away is not known.
            [0x48, 0x81 | 0x83, 0xe4, ..] | [] => return None,
            _ => break,
        }
    }
    ((code.len() - rest.len()) as u64 <= at).then_some(size)
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
        assert_eq!(frame_size(&code, 20), Some(3 * 8 + 0x28));
        assert_eq!(frame_size(&code, 5), None, "still in the prologue");
        let large = [
            0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0, 2, 0, 0, 0x90,
        ];
        assert_eq!(frame_size(&large, 40), Some(0x200));
    }

    #[test]
    fn other_beginnings_give_nothing() {
        assert_eq!(frame_size(&[0x48, 0x83, 0xec, 0x28, 0x90], 20), None);
        let aligned = [0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xe4, 0xe0, 0x90];
        assert_eq!(frame_size(&aligned, 20), None);
    }
}
