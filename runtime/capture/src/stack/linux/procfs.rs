//! Threads as `/proc` shows them: state, system call, scheduler times, the cgroup's quota.
#![expect(
    unsafe_code,
    reason = "openat relative to a directory opened at start, limits, thread ids and clocks; std offers none of them"
)]
//!
//! Protocol: descriptors are owned by std types; the calls here pass them valid buffers and C strings.
//!
//! `/proc/self/task` is opened once at start, so that threads stay visible after a `chroot`. Of a thread only
//! `syscall` may be kept open, see `files`: it is the one file that may be refused later. The others are world-readable
//! and are opened when asked for.

use std::ffi::CStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::stack::{Sample, State, Wait};

static TASKS: OnceLock<Option<OwnedFd>> = OnceLock::new();
static QUOTA: OnceLock<Option<Quota>> = OnceLock::new();

/// Opens what may not be openable later.
pub(super) fn init() {
    TASKS.get_or_init(|| File::open("/proc/self/task").ok().map(OwnedFd::from));
    QUOTA.get_or_init(Quota::open);
}

/// How many descriptors the process may have; 0 where that cannot be learnt.
pub(super) fn descriptors() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: writes one rlimit.
    let read = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if read == 0 { limit.rlim_cur } else { 0 }
}

/// The system call file of a thread.
pub(super) fn open_syscall(tid: i32) -> Option<File> {
    open(tid, "syscall")
}

fn open(tid: i32, name: &str) -> Option<File> {
    let tasks = TASKS.get()?.as_ref()?;
    let mut path = [0u8; 48];
    write!(&mut path[..47], "{tid}/{name}").ok()?;
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    // SAFETY: a live directory descriptor and a C string.
    let fd = unsafe {
        libc::openat(
            tasks.as_raw_fd(),
            path.as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        )
    };
    // SAFETY: just opened, owned by nobody else.
    (fd >= 0).then(|| unsafe { File::from_raw_fd(fd) })
}

/// Reads the file from its start into `buffer`.
fn read<'b>(file: &File, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let len = file.read_at(buffer, 0).ok()?;
    buffer.get(..len)
}

fn read_task<'b>(tid: i32, name: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    read(&open(tid, name)?, buffer)
}

/// Where a thread is in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InKernel {
    /// Not there: it runs, or could.
    Running,
    /// Asleep.
    Asleep(Asleep),
    /// The thread has ended.
    Gone,
    /// The kernel would not say.
    Refused,
}

/// The user side of a thread asleep in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asleep {
    pub(super) wait: Wait,
    pub(super) sp: u64,
    pub(super) pc: u64,
}

pub(super) fn in_kernel(syscall: &File) -> InKernel {
    let mut buffer = [0u8; 256];
    match syscall.read_at(&mut buffer, 0) {
        Ok(len) => parse_syscall(&buffer[..len]).unwrap_or(InKernel::Refused),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => InKernel::Gone,
        Err(_) => InKernel::Refused,
    }
}

/// `running`, or `-1 SP PC`, or `NR A1 A2 A3 A4 A5 A6 SP PC`; all but the first number in hex.
fn parse_syscall(text: &[u8]) -> Option<InKernel> {
    let mut words = words(text);
    let first = words.next()?;
    if first == "running" {
        return Some(InKernel::Running);
    }
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let wait = if first == "-1" {
        Wait::Fault
    } else {
        let nr = first.parse().ok()?;
        let mut args = [0; 6];
        for arg in &mut args {
            *arg = hex()?;
        }
        Wait::Syscall { nr, args }
    };
    let (sp, pc) = (hex()?, hex()?);
    Some(InKernel::Asleep(Asleep { wait, sp, pc }))
}

fn words(text: &[u8]) -> impl Iterator<Item = &str> {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .filter_map(|word| std::str::from_utf8(word).ok())
}

/// Two numbers that change whenever the thread runs at all, however short: time on a CPU and how often it got
/// one; where the kernel keeps no scheduler statistics, its context switches.
pub(super) fn fingerprint(tid: i32) -> Option<[u64; 2]> {
    let mut buffer = [0u8; 128];
    schedstat(tid, &mut buffer)
        .map(|[run, _, slices]| [run, slices])
        .or_else(|| switches(tid))
}

fn switches(tid: i32) -> Option<[u64; 2]> {
    let mut buffer = [0u8; 4096];
    let status = read_task(tid, "status", &mut buffer)?;
    Some([
        field(status, "voluntary_ctxt_switches:")?,
        field(status, "nonvoluntary_ctxt_switches:")?,
    ])
}

fn schedstat(tid: i32, buffer: &mut [u8]) -> Option<[u64; 3]> {
    parse_schedstat(read_task(tid, "schedstat", buffer)?)
}

/// Time on a CPU, time in the run queue, times given a CPU. All zero: the kernel does not count.
fn parse_schedstat(text: &[u8]) -> Option<[u64; 3]> {
    let mut numbers = words(text).map_while(|word| word.parse().ok());
    let all = [numbers.next()?, numbers.next()?, numbers.next()?];
    (all != [0; 3]).then_some(all)
}

/// The number after `key` at the start of a line.
fn field(text: &[u8], key: &str) -> Option<u64> {
    text.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(key.as_bytes()))
        .and_then(|rest| words(rest).next())
        .and_then(|word| word.parse().ok())
}

/// The letter behind the name in `stat`. The name is in parentheses and may itself hold any of these characters.
fn parse_state(stat: &[u8]) -> State {
    stat.iter()
        .rposition(|byte| *byte == b')')
        .and_then(|end| stat.get(end + 2))
        .map_or(State::Unknown, |letter| State::from_letter(*letter))
}

/// How often the thread waited for a page to be read: the tenth number behind the name in `stat`, after its letter.
fn parse_faults(stat: &[u8]) -> u64 {
    stat.iter()
        .rposition(|byte| *byte == b')')
        .and_then(|end| words(&stat[end + 1..]).nth(9))
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

/// Everything one look at a thread shows.
pub(super) struct Look {
    pub(super) sample: Sample,
    pub(super) in_kernel: InKernel,
    /// See [`fingerprint`]. Read before the rest.
    pub(super) fingerprint: Option<[u64; 2]>,
}

/// Looks at a thread. `syscall`: its open file, if there is one.
pub(super) fn look(tid: i32, syscall: Option<&File>) -> Look {
    let mut buffer = [0u8; 1024];
    let at_ns = monotonic();
    let times = schedstat(tid, &mut buffer);
    let fingerprint = times
        .map(|[run, _, slices]| [run, slices])
        .or_else(|| switches(tid));
    let [run_ns, delay_ns, slices] = times.unwrap_or_else(|| [cpu_time(tid).unwrap_or(0), 0, 0]);
    let (state, faults) = read_task(tid, "stat", &mut buffer).map_or((State::Unknown, 0), |stat| {
        (parse_state(stat), parse_faults(stat))
    });
    let in_kernel = syscall.map_or(InKernel::Refused, in_kernel);
    let wait = match in_kernel {
        InKernel::Running => Wait::Running,
        InKernel::Asleep(asleep) => asleep.wait,
        InKernel::Gone | InKernel::Refused => Wait::Unknown,
    };
    let quota = QUOTA.get().and_then(Option::as_ref);
    Look {
        sample: Sample {
            at_ns,
            state,
            wait,
            run_ns,
            delay_ns,
            slices,
            throttled_ns: quota.map_or(0, Quota::throttled_ns),
            faults,
        },
        in_kernel,
        fingerprint,
    }
}

/// Looks at a thread, but not at what it waits in. `None`: it has ended, or the kernel keeps no scheduler statistics.
pub(super) fn glance(tid: i32) -> Option<Sample> {
    let mut buffer = [0u8; 1024];
    let at_ns = monotonic();
    let [run_ns, delay_ns, slices] = schedstat(tid, &mut buffer)?;
    Some(Sample {
        at_ns,
        state: parse_state(read_task(tid, "stat", &mut buffer)?),
        run_ns,
        delay_ns,
        slices,
        ..Sample::default()
    })
}

/// The name a thread gave itself.
pub(super) fn name(tid: i32) -> String {
    let mut buffer = [0u8; 32];
    read_task(tid, "comm", &mut buffer)
        .map(|name| String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
        .unwrap_or_default()
}

/// All threads of this process.
pub(super) fn tids() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let mut tids: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    tids.sort_unstable();
    tids
}

pub(super) fn current_tid() -> i32 {
    // SAFETY: no arguments, always succeeds.
    unsafe { libc::gettid() }
}

/// The clock of the CPU time of a thread of this process, as the kernel encodes it.
pub(super) fn cpu_clock(tid: i32) -> libc::clockid_t {
    const PER_THREAD: libc::clockid_t = 4;
    const SCHED: libc::clockid_t = 2;
    (!tid << 3) | PER_THREAD | SCHED
}

fn cpu_time(tid: i32) -> Option<u64> {
    clock(cpu_clock(tid))
}

pub(super) fn monotonic() -> u64 {
    clock(libc::CLOCK_MONOTONIC).unwrap_or(0)
}

fn clock(id: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes one timespec.
    let read = unsafe { libc::clock_gettime(id, &raw mut time) };
    (read == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The process's cgroup `cpu.stat`, kept open. Absent without a CPU controller.
struct Quota(File);

impl Quota {
    fn open() -> Option<Self> {
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        quota_files(&own)
            .into_iter()
            .filter_map(|path| File::open(path).ok())
            .map(Self)
            .find(|quota| quota.read().is_some())
    }

    fn throttled_ns(&self) -> u64 {
        self.read().unwrap_or(0)
    }

    fn read(&self) -> Option<u64> {
        let mut buffer = [0u8; 1024];
        parse_cpu_stat(read(&self.0, &mut buffer)?)
    }
}

/// Version 2 counts microseconds, version 1 nanoseconds.
fn parse_cpu_stat(text: &[u8]) -> Option<u64> {
    field(text, "throttled_usec ")
        .map(|us| us.saturating_mul(1000))
        .or_else(|| field(text, "throttled_time "))
}

/// Where the quota of a process with this `/proc/self/cgroup` may be found, most likely first. Inside a
/// container the path named there may not exist: then the mount's own root is the container's group.
fn quota_files(own: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        let mounts: &[&str] = if controllers.is_empty() {
            &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        } else if controllers.split(',').any(|name| name == "cpu") {
            &["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"]
        } else {
            continue;
        };
        for mount in mounts {
            for inside in [path, ""] {
                files.push(PathBuf::from(mount).join(inside).join("cpu.stat"));
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syscall_file_is_read_in_all_its_forms() {
        assert_eq!(parse_syscall(b"running\n"), Some(InKernel::Running));
        let asleep = |wait, sp, pc| Some(InKernel::Asleep(Asleep { wait, sp, pc }));
        assert_eq!(
            parse_syscall(b"-1 0x7ffc 0x55aa\n"),
            asleep(Wait::Fault, 0x7ffc, 0x55aa)
        );
        assert_eq!(
            parse_syscall(b"202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffc 0x55aa\n"),
            asleep(
                Wait::Syscall {
                    nr: 202,
                    args: [1, 2, 3, 4, 5, 6]
                },
                0x7ffc,
                0x55aa
            )
        );
        assert_eq!(parse_syscall(b""), None);
        assert_eq!(parse_syscall(b"202 0x1 0x2\n"), None);
        assert_eq!(parse_syscall(b"what is this\n"), None);
    }

    #[test]
    fn a_thread_name_cannot_fake_a_state() {
        assert_eq!(parse_state(b"7 (a) T (b)) S 1 2"), State::Sleeping);
        assert_eq!(parse_state(b"7 (worker) R 1"), State::Runnable);
        assert_eq!(parse_state(b"7 (worker) t 1"), State::Stopped);
        assert_eq!(parse_state(b"7 (worker)"), State::Unknown);
        assert_eq!(parse_state(b""), State::Unknown);
    }

    #[test]
    fn what_was_read_from_disk_for_a_thread_is_counted() {
        let stat = b"7 (a b) c) S 1 2 3 0 -1 4194560 500 600 17 18 1 1";
        assert_eq!(parse_faults(stat), 17);
        assert_eq!(parse_faults(b"7 (worker) S 1"), 0);
        assert_eq!(parse_faults(b""), 0);
    }

    #[test]
    fn both_cgroup_versions_are_read_in_nanoseconds() {
        let v2 = b"usage_usec 9\nnr_periods 3\nnr_throttled 2\nthrottled_usec 17\n";
        assert_eq!(parse_cpu_stat(v2), Some(17_000));
        let v1 = b"nr_periods 3\nnr_throttled 2\nthrottled_time 17\n";
        assert_eq!(parse_cpu_stat(v1), Some(17));
        assert_eq!(parse_cpu_stat(b"usage_usec 9\n"), None);
    }

    #[test]
    fn the_quota_is_looked_for_where_the_cgroup_says_and_at_the_mount() {
        let files = quota_files("0::/a/b\n");
        assert_eq!(files[0], PathBuf::from("/sys/fs/cgroup/a/b/cpu.stat"));
        assert_eq!(files[1], PathBuf::from("/sys/fs/cgroup/cpu.stat"));
        let files = quota_files("5:memory:/m\n4:cpu,cpuacct:/c\n");
        assert_eq!(files[0], PathBuf::from("/sys/fs/cgroup/cpu/c/cpu.stat"));
        assert!(!files.iter().any(|file| file.ends_with("m/cpu.stat")));
    }

    #[test]
    #[cfg(not(miri))]
    fn context_switches_stand_in_where_the_kernel_keeps_no_statistics() {
        init();
        assert!(switches(current_tid()).is_some());
        assert!(fingerprint(current_tid()).is_some());
        assert_eq!(switches(i32::MAX), None);
    }

    #[test]
    fn a_kernel_that_does_not_count_is_not_taken_for_an_idle_thread() {
        assert_eq!(parse_schedstat(b"0 0 0\n"), None);
        assert_eq!(parse_schedstat(b"5 6 7\n"), Some([5, 6, 7]));
        assert_eq!(parse_schedstat(b"5 6\n"), None);
    }
}
