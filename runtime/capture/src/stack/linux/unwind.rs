//! The calling thread's own stack.
#![expect(
    unsafe_code,
    reason = "reads the thread's own stack between its stack pointer and its top"
)]
//!
//! Protocol: the only raw reads are of aligned words between the stack pointer of the walking function and the
//! top of the thread's stack, as the thread library gave it once. All of that is mapped for as long as the thread
//! runs, and only this thread writes there.
//!
//! Each thread has its own memory of unwind rules (some 50 KB), made at its first walk; after that a walk allocates
//! nothing and takes no lock. Re-entry (an allocator that spawns, a handler that captures) finds the cache taken
//! and gets no frames, and so does a thread that is past its thread-locals' destruction.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::arch;
use super::modules::{self, Snapshot};
use super::rules::Cache;
use super::walk::{Position, walk};
use crate::stack::{End, MAX_FRAMES};

/// What a walk needs of stack below it. Measured: 17 KB for 23 frames, 57 KB without optimisation; making the
/// cache needs about as much. A thread with less left gets no backtrace rather than an overflow.
const HEADROOM: u64 = if cfg!(debug_assertions) {
    160 << 10
} else {
    48 << 10
};

struct Local {
    cache: Cache,
    snapshot: Arc<Snapshot>,
    generation: u64,
    stack: Range<u64>,
}

thread_local! {
    static LOCAL: RefCell<Option<Box<Local>>> = const { RefCell::new(None) };
}

/// Takes the calling function's backtrace: fills `frames` from the front, innermost first, leaves out the
/// innermost `skip` of them, and returns how many it found. Zero where there are none to be had: before
/// [`init`](super::init), on a stack that is not the thread's own, with too little of it left, when re-entered.
///
/// 0.3 µs for 32 frames when the addresses were walked before, up to some 30 µs when not. The first call on a
/// thread allocates its cache; later ones allocate nothing and take no lock.
#[inline(never)]
pub fn capture(frames: &mut [usize; MAX_FRAMES], skip: usize) -> usize {
    if cfg!(miri) {
        return 0;
    }
    // Frame 0 of the walk is this function: `skip` counts from its caller.
    let skip = skip.saturating_add(1);
    let mut len = 0;
    own(arch::here(), |depth, at| {
        if depth >= skip {
            frames[len] = at;
            len += 1;
        }
        len < MAX_FRAMES
    });
    len
}

/// Walks the calling thread's whole stack and returns the return address in its outermost frame, which is the
/// same for as long as the thread lives. `None` if the walk does not get there.
#[inline(never)]
pub(super) fn root() -> Option<u64> {
    if cfg!(miri) {
        return None;
    }
    let (end, last) = own(arch::here(), |_, _| true)?;
    (end == End::Root).then_some(last)
}

/// Walks the calling thread's stack from `context`, which must lie in one of its live frames.
fn own(context: arch::Context, frame: impl FnMut(usize, usize) -> bool) -> Option<(End, u64)> {
    let run = |slot: &RefCell<Option<Box<Local>>>| {
        let mut slot = slot.try_borrow_mut().ok()?;
        let local = match &mut *slot {
            Some(local) => local,
            empty => {
                let stack = stack_range()?;
                if context.sp.saturating_sub(stack.start) < HEADROOM {
                    return None;
                }
                empty.insert(Box::new(Local {
                    cache: Cache::new(),
                    snapshot: modules::current()?,
                    generation: modules::generation(),
                    stack,
                }))
            }
        };
        local.walk(context, frame)
    };
    LOCAL.try_with(run).ok().flatten()
}

impl Local {
    fn walk(
        &mut self,
        context: arch::Context,
        frame: impl FnMut(usize, usize) -> bool,
    ) -> Option<(End, u64)> {
        let generation = modules::generation();
        if generation != self.generation
            && let Some(snapshot) = modules::current()
        {
            self.snapshot = snapshot;
            self.generation = generation;
        }
        let low = context.sp;
        if !self.stack.contains(&low) || low - self.stack.start < HEADROOM {
            return None;
        }
        let last_word = self.stack.end - 8;
        let read = |at: u64| {
            if at < low || at > last_word || !at.is_multiple_of(8) {
                return Err(());
            }
            // SAFETY: an aligned word of this thread's stack, at or above the stack pointer of a function that
            // has not returned, below the top. Volatile: it belongs to other functions' frames.
            Ok(unsafe { (at as *const u64).read_volatile() })
        };
        let regs = arch::regs(&context, self.snapshot.highest_code());
        let mut at = Position::start(context.pc, regs);
        let end = walk(&self.snapshot, &mut self.cache, &mut at, read, frame);
        Some((end, at.ip()))
    }
}

/// The calling thread's stack, lowest address to highest.
pub(super) fn stack_range() -> Option<Range<u64>> {
    // SAFETY: an all-zero attribute object is what `pthread_getattr_np` fills; it is destroyed once, after use.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        let mut start = std::ptr::null_mut();
        let mut size = 0;
        let read =
            libc::pthread_attr_getstack(&raw const attributes, &raw mut start, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        (read == 0).then(|| start as u64..start as u64 + size as u64)
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::hint::black_box;

    use super::*;
    use crate::stack::{function_start, locate};

    #[inline(never)]
    fn inner(frames: &mut [usize; MAX_FRAMES], skip: usize) -> usize {
        black_box(capture(black_box(frames), skip))
    }

    #[inline(never)]
    fn outer(frames: &mut [usize; MAX_FRAMES], skip: usize) -> usize {
        black_box(inner(black_box(frames), skip))
    }

    fn inside(frame: usize, function: *const ()) -> bool {
        function_start(frame) == Some(function as usize)
    }

    #[test]
    fn the_callers_come_in_order_and_skip_leaves_out_the_innermost() {
        super::super::init();
        let mut frames = [0; MAX_FRAMES];
        let len = outer(&mut frames, 0);
        assert!(len > 3, "{len} frames");
        assert!(inside(frames[0], inner as *const ()));
        assert!(inside(frames[1], outer as *const ()));
        assert!(frames[..len].iter().all(|frame| locate(*frame).is_some()));
        let skipped = outer(&mut frames, 1);
        assert!(inside(frames[0], outer as *const ()));
        assert_eq!(skipped, len - 1);
    }

    #[inline(never)]
    fn deep(levels: usize, frames: &mut [usize; MAX_FRAMES]) -> usize {
        if levels == 0 {
            return capture(frames, 0);
        }
        black_box(deep(black_box(levels - 1), frames))
    }

    #[test]
    fn a_deeper_stack_fills_the_buffer_and_stops() {
        super::super::init();
        let mut frames = [0; MAX_FRAMES];
        assert_eq!(deep(200, &mut frames), MAX_FRAMES);
        assert!(frames.iter().all(|frame| inside(*frame, deep as *const ())));
    }

    #[test]
    fn every_thread_finds_its_root_and_threads_share_it() {
        super::super::init();
        let roots: Vec<_> = (0..2)
            .map(|_| std::thread::spawn(root).join().unwrap())
            .collect();
        assert!(roots[0].is_some());
        assert_eq!(roots[0], roots[1]);
        assert_eq!(deep_root(100), root());
    }

    #[inline(never)]
    fn deep_root(levels: usize) -> Option<u64> {
        if levels == 0 {
            return root();
        }
        black_box(deep_root(black_box(levels - 1)))
    }

    #[test]
    fn a_thread_with_little_stack_left_gets_no_frames_and_no_overflow() {
        super::super::init();
        let small = std::thread::Builder::new().stack_size(32 << 10);
        let run = || capture(&mut [0; MAX_FRAMES], 0);
        assert_eq!(small.spawn(run).unwrap().join().unwrap(), 0);
    }

    #[test]
    fn a_walk_within_a_walk_finds_nothing_and_breaks_nothing() {
        super::super::init();
        let mut nested = usize::MAX;
        own(arch::here(), |_, _| {
            nested = capture(&mut [0; MAX_FRAMES], 0);
            false
        });
        assert_eq!(nested, 0);
        assert!(capture(&mut [0; MAX_FRAMES], 0) > 0);
    }
}
