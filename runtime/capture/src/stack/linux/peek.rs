//! The peek: the stack of a thread asleep in the kernel, read without its notice.
//!
//! The kernel tells such a thread's stack pointer and program counter. Its stack lies in our own memory. What is
//! missing is the frame pointer, and the certainty that the thread did not run meanwhile.
//!
//! Certainty: system call, arguments, stack pointer and program counter are the same after as before, and so are
//! the kernel's counters of how long and how often the thread ran. A thread that did not run did not change its
//! stack. On top of that the caller's own word, `still`: the same poll as before.
//!
//! The frame pointer: see `frame_pointer`. Whatever is tried, only a walk that ends in the thread's own root is
//! believed.

use super::arch::{Context, regs};
use super::memory::StackCopy;
use super::modules::Snapshot;
use super::procfs::{self, Asleep, InKernel, Look};
use super::rules::Cache;
use super::thread::ThreadHandle;
use super::walk::{Position, walk};
use crate::stack::{End, LIVE_FRAMES, Missed};

/// Frames as a walk finds them.
#[derive(Clone)]
pub(super) struct Frames {
    pub(super) kept: [usize; LIVE_FRAMES],
    pub(super) depth: usize,
}

impl Frames {
    pub(super) fn new(pc: u64) -> Self {
        let mut kept = [0; LIVE_FRAMES];
        kept[0] = pc as usize;
        Self { kept, depth: 1 }
    }

    /// Takes frame `number`; whatever was at that place or further out is replaced.
    pub(super) fn put(&mut self, number: usize, frame: usize) {
        if let Some(slot) = self.kept.get_mut(number) {
            *slot = frame;
        }
        self.depth = number + 1;
    }

    pub(super) fn len(&self) -> usize {
        self.depth.min(LIVE_FRAMES)
    }
}

/// What walks of copied stacks need. One for each thread that captures.
pub(super) struct Walker {
    pub(super) cache: Cache,
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "only the peek copies stacks")
    )]
    pub(super) copy: StackCopy,
}

impl Walker {
    pub(super) fn new() -> Self {
        Self {
            cache: Cache::new(),
            copy: StackCopy::new(),
        }
    }
}

/// What a thread that did not run cannot have changed. Its counters are read before everything else, and once
/// more after everything else.
#[derive(PartialEq, Eq)]
pub(super) struct Stillness {
    asleep: Asleep,
    fingerprint: [u64; 2],
}

impl Stillness {
    /// As a first look found the thread. `None` where the kernel does not count.
    pub(super) fn of(look: &Look, asleep: Asleep) -> Option<Self> {
        Some(Self {
            asleep,
            fingerprint: look.fingerprint?,
        })
    }

    /// Whether nothing moved since.
    pub(super) fn holds(&self, handle: &ThreadHandle) -> Result<(), Missed> {
        let syscall = handle.syscall().ok_or(Missed::Asleep)?;
        let asleep = match procfs::in_kernel(&syscall) {
            InKernel::Asleep(asleep) => asleep,
            InKernel::Gone => return Err(Missed::Gone),
            InKernel::Running | InKernel::Refused => return Err(Missed::Changed),
        };
        let fingerprint = procfs::fingerprint(handle.tid()).ok_or(Missed::Gone)?;
        if *self
            == (Self {
                asleep,
                fingerprint,
            })
        {
            Ok(())
        } else {
            Err(Missed::Changed)
        }
    }
}

/// Walks the stack of a sleeping thread. The result is worth nothing unless [`Stillness`] held around it.
#[cfg(target_arch = "x86_64")]
pub(super) fn walk_asleep(
    walker: &mut Walker,
    snapshot: &Snapshot,
    handle: &ThreadHandle,
    asleep: &Asleep,
) -> Result<(Frames, End), Missed> {
    use super::arch;
    use super::frame_pointer::Search;

    let stack = handle.stack_from(asleep.sp)?;
    let Walker { cache, copy } = walker;
    copy.reset(stack.start, stack.end);
    let context = Context {
        pc: asleep.pc,
        sp: asleep.sp,
        fp: arch::UNKNOWN_FP,
        lr: 0,
    };
    let mut frames = Frames::new(asleep.pc);
    let mut at = Position::start(asleep.pc, regs(&context, snapshot.highest_code()));
    let mut attempt = |at: &mut Position, copy: &mut StackCopy, frames: &mut Frames, sure| {
        let read = |word| copy.word(word);
        let end = walk(snapshot, cache, at, read, |number, frame| {
            frames.put(number, frame);
            true
        });
        match end {
            End::Root if handle.is_root(at.ip()) => Some(End::Root),
            // Deeper than the copy holds. What a walk found without a guess is right as far as it goes.
            End::Lost | End::Cut if sure && copy.is_cut() => Some(End::Cut),
            _ => None,
        }
    };
    let whole = attempt(&mut at, copy, &mut frames, false);
    if let Some(end) = whole {
        return Ok((frames, end));
    }
    if arch::frame_pointer(&at.regs) == arch::UNKNOWN_FP
        && let Some(search) = Search::new(snapshot, &at)
    {
        let mut from = |fp, copy: &mut StackCopy, sure| {
            let mut at = at.clone();
            arch::set_frame_pointer(&mut at.regs, fp);
            let end = attempt(&mut at, copy, &mut frames, sure)?;
            Some((frames.clone(), end))
        };
        let exact = search.exact(&mut |at| copy.word(at));
        if let Some(found) = exact.and_then(|fp| from(fp, copy, true)) {
            return Ok(found);
        }
        let places = search.places(&mut |at| copy.word(at));
        let mut found = places.into_iter().filter_map(|fp| from(fp, copy, false));
        if let (Some(only), None) = (found.next(), found.next()) {
            return Ok(only);
        }
    }
    // The poisoned walk may have taught the cache a wrong rule for a rare kind of function.
    *cache = Cache::new();
    Err(Missed::NoRoot)
}

/// Here the kernel gives neither frame pointer nor link register: no walk can start.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn walk_asleep(
    _walker: &mut Walker,
    _snapshot: &Snapshot,
    _handle: &ThreadHandle,
    _asleep: &Asleep,
) -> Result<(Frames, End), Missed> {
    Err(Missed::Asleep)
}

/// Walks a stack that was copied together with all registers.
pub(super) fn walk_copied(
    cache: &mut Cache,
    snapshot: &Snapshot,
    context: &Context,
    stack: &[u8],
    cut: bool,
) -> (Frames, End, u64) {
    let mut frames = Frames::new(context.pc);
    let highest = snapshot.highest_code();
    let mut at = Position::start(context.pc, regs(context, highest));
    let mut beyond = false;
    let read = |word: u64| {
        let found = word
            .checked_sub(context.sp)
            .and_then(|offset| stack.get(offset as usize..)?.first_chunk::<8>());
        beyond |= found.is_none() && word >= context.sp;
        found.map(|bytes| u64::from_le_bytes(*bytes)).ok_or(())
    };
    let mut end = walk(snapshot, cache, &mut at, read, |number, frame| {
        frames.put(number, frame);
        true
    });
    if end == End::Lost && beyond && cut {
        end = End::Cut;
    }
    (frames, end, at.ip())
}
