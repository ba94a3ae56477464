//! What differs between processors: the registers a walk starts from, and what machine code says about them.
#![expect(
    unsafe_code,
    reason = "reads the thread's own registers, and those the kernel saved for a signal handler"
)]
//!
//! Protocol: the assembly here only copies registers into outputs. The saved context is valid for as long as the
//! handler runs that was given it.

use std::ffi::c_void;

pub(super) type Regs = framehop::UnwindRegsNative;

/// Where a thread was: enough to start a walk.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    pub(super) pc: u64,
    pub(super) sp: u64,
    pub(super) fp: u64,
    #[cfg_attr(
        target_arch = "x86_64",
        expect(dead_code, reason = "x86_64 has no link register")
    )]
    pub(super) lr: u64,
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::{Context, Regs, c_void};

    /// The registers of the function this is inlined into.
    #[expect(clippy::inline_always, reason = "the registers must be its caller's")]
    #[inline(always)]
    pub(in super::super) fn here() -> Context {
        let (pc, sp, fp);
        // SAFETY: copies three registers into outputs; touches neither memory nor flags.
        unsafe {
            std::arch::asm!(
                "lea {pc}, [rip]",
                "mov {sp}, rsp",
                "mov {fp}, rbp",
                pc = out(reg) pc,
                sp = out(reg) sp,
                fp = out(reg) fp,
                options(nomem, nostack, preserves_flags),
            );
        }
        Context { pc, sp, fp, lr: 0 }
    }

    pub(in super::super) fn regs(context: &Context, _highest_code: u64) -> Regs {
        Regs::new(context.pc, context.sp, context.fp)
    }

    /// # Safety
    /// `context` must be what the kernel passed to the running signal handler.
    #[expect(clippy::inline_always, reason = "the handler has little stack")]
    #[inline(always)]
    pub(in super::super) unsafe fn interrupted(context: *const c_void) -> Context {
        // SAFETY: by the caller.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        Context {
            pc: registers[libc::REG_RIP as usize] as u64,
            sp: registers[libc::REG_RSP as usize] as u64,
            fp: registers[libc::REG_RBP as usize] as u64,
            lr: 0,
        }
    }

    /// A frame pointer that no read and no arithmetic survives: a walk that needs it fails there.
    pub(in super::super) const UNKNOWN_FP: u64 = u64::MAX - 7;

    pub(in super::super) fn frame_pointer(regs: &Regs) -> u64 {
        regs.bp()
    }

    pub(in super::super) fn set_frame_pointer(regs: &mut Regs, fp: u64) {
        regs.set_bp(fp);
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::*;

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use framehop::aarch64::PtrAuthMask;

    use super::{Context, Regs, c_void};

    /// The registers of the function this is inlined into.
    #[expect(clippy::inline_always, reason = "the registers must be its caller's")]
    #[inline(always)]
    pub(in super::super) fn here() -> Context {
        let (pc, sp, fp, lr);
        // SAFETY: copies four registers into outputs; touches neither memory nor flags.
        unsafe {
            std::arch::asm!(
                "adr {pc}, .",
                "mov {sp}, sp",
                "mov {fp}, x29",
                "mov {lr}, x30",
                pc = out(reg) pc,
                sp = out(reg) sp,
                fp = out(reg) fp,
                lr = out(reg) lr,
                options(nomem, nostack, preserves_flags),
            );
        }
        Context { pc, sp, fp, lr }
    }

    /// Return addresses may carry an authentication code in the bits above the highest code address.
    pub(in super::super) fn regs(context: &Context, highest_code: u64) -> Regs {
        let mask = PtrAuthMask::from_max_known_address(highest_code.max(1 << 47));
        Regs::new_with_ptr_auth_mask(mask, context.lr, context.sp, context.fp)
    }

    /// # Safety
    /// `context` must be what the kernel passed to the running signal handler.
    #[expect(clippy::inline_always, reason = "the handler has little stack")]
    #[inline(always)]
    pub(in super::super) unsafe fn interrupted(context: *const c_void) -> Context {
        // SAFETY: by the caller.
        let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        Context {
            pc: machine.pc,
            sp: machine.sp,
            fp: machine.regs[29],
            lr: machine.regs[30],
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) use aarch64::*;
