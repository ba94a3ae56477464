//! System calls by number: the name, and whether waiting in it is waiting for a lock.

/// The name of a system call that can block, on this architecture. `None` for the rest.
pub fn syscall_name(nr: u32) -> Option<&'static str> {
    TABLE
        .iter()
        .find(|(known, _)| *known == i64::from(nr))
        .map(|(_, name)| *name)
}

/// Whether a thread in this call waits for another thread of this process. Mutexes, condition variables, parkers
/// and barriers are all a futex by the time the kernel sees them.
pub(super) fn is_lock(nr: u32) -> bool {
    matches!(
        syscall_name(nr),
        Some("futex" | "futex_waitv" | "futex_wait" | "futex_requeue")
    )
}

#[cfg(not(target_os = "linux"))]
const TABLE: &[(i64, &str)] = &[];

/// Pairs each `SYS_*` constant of libc with its own name.
#[cfg(target_os = "linux")]
macro_rules! table {
    ($($number:ident $name:literal),* $(,)? ; $($raw:literal $raw_name:literal),* $(,)?) => {
        &[
            $((libc::$number as i64, $name),)*
            $(($raw, $raw_name),)*
        ]
    };
}

/// What every architecture has. The last few are younger than the C library's headers; they have one number
/// everywhere.
#[cfg(target_os = "linux")]
macro_rules! with_common {
    ($($number:ident $name:literal),* $(,)?) => {
        table!(
            $($number $name,)*
            SYS_read "read", SYS_write "write", SYS_readv "readv", SYS_writev "writev",
            SYS_pread64 "pread64", SYS_pwrite64 "pwrite64", SYS_preadv "preadv", SYS_pwritev "pwritev",
            SYS_preadv2 "preadv2", SYS_pwritev2 "pwritev2",
            SYS_openat "openat", SYS_openat2 "openat2", SYS_close "close", SYS_close_range "close_range",
            SYS_fsync "fsync", SYS_fdatasync "fdatasync", SYS_sync "sync", SYS_syncfs "syncfs",
            SYS_sync_file_range "sync_file_range", SYS_msync "msync", SYS_ftruncate "ftruncate",
            SYS_truncate "truncate", SYS_fallocate "fallocate", SYS_copy_file_range "copy_file_range",
            SYS_sendfile "sendfile", SYS_splice "splice", SYS_tee "tee", SYS_vmsplice "vmsplice",
            SYS_fstat "fstat", SYS_statx "statx", SYS_statfs "statfs", SYS_getdents64 "getdents64",
            SYS_faccessat "faccessat", SYS_faccessat2 "faccessat2", SYS_readlinkat "readlinkat",
            SYS_unlinkat "unlinkat", SYS_renameat2 "renameat2", SYS_linkat "linkat", SYS_symlinkat "symlinkat",
            SYS_mkdirat "mkdirat", SYS_fchmodat "fchmodat", SYS_fchownat "fchownat",
            SYS_flock "flock", SYS_fcntl "fcntl", SYS_ioctl "ioctl",
            SYS_accept "accept", SYS_accept4 "accept4", SYS_connect "connect", SYS_recvfrom "recvfrom",
            SYS_recvmsg "recvmsg", SYS_recvmmsg "recvmmsg", SYS_sendto "sendto", SYS_sendmsg "sendmsg",
            SYS_sendmmsg "sendmmsg", SYS_shutdown "shutdown", SYS_socket "socket", SYS_bind "bind",
            SYS_ppoll "ppoll", SYS_pselect6 "pselect6", SYS_epoll_pwait "epoll_pwait",
            SYS_epoll_pwait2 "epoll_pwait2", SYS_epoll_ctl "epoll_ctl",
            SYS_io_uring_enter "io_uring_enter", SYS_io_getevents "io_getevents", SYS_io_submit "io_submit",
            SYS_futex "futex", SYS_futex_waitv "futex_waitv",
            SYS_nanosleep "nanosleep", SYS_clock_nanosleep "clock_nanosleep", SYS_sched_yield "sched_yield",
            SYS_wait4 "wait4", SYS_waitid "waitid", SYS_clone "clone", SYS_clone3 "clone3",
            SYS_execve "execve", SYS_execveat "execveat", SYS_exit "exit", SYS_exit_group "exit_group",
            SYS_rt_sigtimedwait "rt_sigtimedwait", SYS_rt_sigsuspend "rt_sigsuspend",
            SYS_semop "semop", SYS_semtimedop "semtimedop", SYS_msgrcv "msgrcv", SYS_msgsnd "msgsnd",
            SYS_mq_timedreceive "mq_timedreceive", SYS_mq_timedsend "mq_timedsend",
            SYS_mmap "mmap", SYS_munmap "munmap", SYS_mremap "mremap", SYS_madvise "madvise",
            SYS_mprotect "mprotect", SYS_brk "brk", SYS_mlock "mlock", SYS_memfd_create "memfd_create",
            SYS_getrandom "getrandom", SYS_membarrier "membarrier", SYS_ptrace "ptrace",
            SYS_process_vm_readv "process_vm_readv", SYS_restart_syscall "restart_syscall",
            SYS_mount "mount", SYS_umount2 "umount2", SYS_prctl "prctl", SYS_bpf "bpf",
            ;
            454 "futex_wake", 455 "futex_wait", 456 "futex_requeue"
        )
    };
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const TABLE: &[(i64, &str)] = with_common!(
    SYS_open "open", SYS_stat "stat", SYS_lstat "lstat", SYS_access "access", SYS_poll "poll",
    SYS_select "select", SYS_epoll_wait "epoll_wait", SYS_pause "pause", SYS_unlink "unlink",
    SYS_rename "rename", SYS_mkdir "mkdir", SYS_rmdir "rmdir", SYS_readlink "readlink", SYS_chmod "chmod",
    SYS_chown "chown", SYS_fork "fork", SYS_vfork "vfork", SYS_getdents "getdents",
);

#[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
const TABLE: &[(i64, &str)] = with_common!();

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_number_and_every_name_is_there_once() {
        let numbers: HashSet<_> = TABLE.iter().map(|(nr, _)| nr).collect();
        let names: HashSet<_> = TABLE.iter().map(|(_, name)| name).collect();
        assert_eq!(numbers.len(), TABLE.len());
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn only_futexes_are_locks() {
        assert!(is_lock(libc::SYS_futex as u32));
        assert!(!is_lock(libc::SYS_clock_nanosleep as u32));
        assert!(!is_lock(libc::SYS_read as u32));
        assert!(!is_lock(9999));
        assert_eq!(syscall_name(9999), None);
    }
}
