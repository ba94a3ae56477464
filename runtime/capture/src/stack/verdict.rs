//! What a stuck thread is doing, told from two samples of its scheduler state. Pure: no system call here.
//!
//! CPU time alone says little: a thread that got none may wait for a lock, sit in a system call, be stopped, be
//! crowded out by others, or belong to a cgroup that used up its quota. Each of these has another cure, so each
//! is another verdict, and each needs its own evidence.

use super::syscalls::{is_lock, syscall_name};

/// The kernel's word for a thread's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// On a CPU or waiting for one.
    Runnable,
    /// Asleep, and a signal would wake it.
    Sleeping,
    /// Asleep, and nothing but the event wakes it: mostly disk.
    Uninterruptible,
    /// Stopped by a signal or a debugger.
    Stopped,
    /// Ended.
    Dead,
    /// Could not be read.
    #[default]
    Unknown,
}

impl State {
    /// From the letter in `/proc/…/stat`.
    #[cfg(target_os = "linux")]
    pub(super) fn from_letter(letter: u8) -> Self {
        match letter {
            b'R' => Self::Runnable,
            b'S' | b'I' => Self::Sleeping,
            b'D' => Self::Uninterruptible,
            b'T' | b't' => Self::Stopped,
            b'X' | b'x' | b'Z' => Self::Dead,
            _ => Self::Unknown,
        }
    }
}

/// What a thread that is not on a CPU waits in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// It does not wait: it runs, or could.
    Running,
    /// In this system call.
    Syscall {
        /// Its number on this architecture.
        nr: u32,
        /// Its arguments.
        args: [u64; 6],
    },
    /// In the kernel, but not by a system call: a page fault.
    Fault,
    /// The kernel would not say.
    #[default]
    Unknown,
}

/// One look at a thread's scheduler state. Times only grow; what the kernel does not offer stays zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// When, on the monotonic clock, in nanoseconds.
    pub at_ns: u64,
    /// The kernel's word.
    pub state: State,
    /// What it waits in.
    pub wait: Wait,
    /// Time on a CPU since the thread began.
    pub run_ns: u64,
    /// Time it could have run but had no CPU.
    pub delay_ns: u64,
    /// How many times it was given a CPU.
    pub slices: u64,
    /// Time its cgroup was held back by a CPU quota.
    pub throttled_ns: u64,
    /// How often it waited for a page to be read.
    pub faults: u64,
}

/// What the thread was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It computed.
    OnCpu,
    /// It waited in a system call that is no lock.
    Syscall,
    /// It waited for a lock, a condition variable or a parker.
    Lock,
    /// It waited for a lock, and a thread that may hold it got no CPU.
    LockStarved,
    /// It, or the whole process, was stopped by a signal or a debugger.
    Stopped,
    /// It could have run, but other threads had the CPUs.
    Descheduled,
    /// Its cgroup's CPU quota was used up.
    Throttled,
}

impl Activity {
    /// The word used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnCpu => "on_cpu",
            Self::Syscall => "syscall",
            Self::Lock => "lock",
            Self::LockStarved => "lock_starved",
            Self::Stopped => "stopped",
            Self::Descheduled => "descheduled",
            Self::Throttled => "throttled",
        }
    }
}

/// [`Activity`] and, where it is one, the system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the thread was doing.
    pub activity: Activity,
    /// The system call it was in.
    pub syscall: Option<u32>,
}

impl Verdict {
    fn plain(activity: Activity) -> Self {
        Self {
            activity,
            syscall: None,
        }
    }

    /// The system call's name, if it was in one that has a name here.
    pub fn syscall_name(&self) -> Option<&'static str> {
        self.syscall.and_then(syscall_name)
    }
}

/// Says what a thread did between two samples of it, the second being now.
///
/// A thread that waits is judged by what it waits in now, unless it spent most of the time in the run queue. One that
/// could run is judged by where its time went: on a CPU, in the run queue, or held back by a quota.
pub fn judge(before: &Sample, after: &Sample) -> Verdict {
    if after.state == State::Stopped {
        return Verdict::plain(Activity::Stopped);
    }
    let wall = after.at_ns.saturating_sub(before.at_ns);
    let counted = after.delay_ns.saturating_sub(before.delay_ns);
    if counted > wall / 2 {
        return Verdict::plain(share(before, after));
    }
    match after.wait {
        Wait::Syscall { nr, .. } => Verdict {
            activity: if is_lock(nr) {
                Activity::Lock
            } else {
                Activity::Syscall
            },
            syscall: Some(nr),
        },
        Wait::Fault => Verdict::plain(Activity::Syscall),
        Wait::Unknown if matches!(after.state, State::Sleeping | State::Uninterruptible) => {
            Verdict::plain(Activity::Syscall)
        }
        Wait::Running | Wait::Unknown => Verdict::plain(share(before, after)),
    }
}

/// Says why a thread that only sleeps for `expected_ns` at a time came back so late, from its own two samples:
/// the whole process was stopped, or it got no CPU. `None`: it was not late by more than `tolerance_ns`.
///
/// [`Activity::Stopped`] is what is left where it neither ran nor waited for a CPU; where the kernel does not count
/// waits, nothing is left over, and it got none. Of a thread that does more than to sleep it may have waited for
/// something else: who calls must know that it did not.
///
/// This is how a stop of the whole process is seen at all: while it lasts, nobody here runs to see it. Let each
/// sample end one gap and begin the next, so that a stop cannot fall between two.
pub fn judge_gap(
    before: &Sample,
    after: &Sample,
    expected_ns: u64,
    tolerance_ns: u64,
) -> Option<Activity> {
    let wall = after.at_ns.saturating_sub(before.at_ns);
    let late = wall.saturating_sub(expected_ns);
    if late <= tolerance_ns {
        return None;
    }
    let delay = after.delay_ns.saturating_sub(before.delay_ns);
    let throttled = after.throttled_ns.saturating_sub(before.throttled_ns);
    let run = after.run_ns.saturating_sub(before.run_ns);
    Some(if run >= late / 2 {
        Activity::OnCpu
    } else if throttled >= late / 2 {
        Activity::Throttled
    } else if delay >= late / 2 || before.slices == 0 {
        Activity::Descheduled
    } else {
        Activity::Stopped
    })
}

/// Says where a thread's time went between two samples, whatever it does now. Of what it slept it tells nothing: a
/// thread that only slept is [`Activity::OnCpu`], as one that nobody kept from running.
pub fn judge_span(before: &Sample, after: &Sample) -> Verdict {
    let awake = Sample {
        slices: before.slices.wrapping_add(1),
        ..*after
    };
    Verdict::plain(share(before, &awake))
}

/// Whether a thread, any that may hold a lock, kept it for want of a CPU between two samples: for most of the time it
/// could have run and did not, and it ran for less than `busy_ns`, beyond which it is to blame for what it did.
pub fn is_starved(before: &Sample, after: &Sample, busy_ns: u64) -> bool {
    let wall = after.at_ns.saturating_sub(before.at_ns);
    let run = after.run_ns.saturating_sub(before.run_ns);
    run < busy_ns && kept_ns(before, after) > wall / 2
}

/// How long a thread could have run between two samples and had no CPU, in nanoseconds. Nothing where the kernel does
/// not count it, or would not say.
pub fn kept_ns(before: &Sample, after: &Sample) -> u64 {
    if before.slices == 0 {
        return 0;
    }
    // Of one that sleeps, and was not given a CPU, the missing time is no wait for one.
    if after.state == State::Runnable {
        queued(before, after)
    } else {
        after.delay_ns.saturating_sub(before.delay_ns)
    }
}

/// Where the time of a thread that could run went.
fn share(before: &Sample, after: &Sample) -> Activity {
    let run = after.run_ns.saturating_sub(before.run_ns);
    let delay = queued(before, after);
    let throttled = after.throttled_ns.saturating_sub(before.throttled_ns);
    // Most of the time it could have run it did: whatever else happened, this is a busy thread.
    if run >= delay && run >= throttled {
        return Activity::OnCpu;
    }
    // A throttled thread waits in the run queue too, so the quota is asked first. Its counter belongs to the
    // whole cgroup and grows on every CPU: it counts when it covers half of this thread's wait.
    if throttled > 0 && throttled >= delay / 2 {
        return Activity::Throttled;
    }
    Activity::Descheduled
}

/// How long a thread that can run waited for a CPU.
///
/// The kernel counts a wait in the run queue when it ends. Of a thread that was given no CPU since the first sample
/// what is missing is the wait that it is still in: such a thread used no CPU, and yet has no wait to show for it.
fn queued(before: &Sample, after: &Sample) -> u64 {
    let counted = after.delay_ns.saturating_sub(before.delay_ns);
    if after.slices != before.slices {
        return counted;
    }
    let wall = after.at_ns.saturating_sub(before.at_ns);
    let run = after.run_ns.saturating_sub(before.run_ns);
    counted.max(wall.saturating_sub(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn runnable(at: u64, run: u64, delay: u64, throttled: u64) -> Sample {
        Sample {
            at_ns: at * MS,
            state: State::Runnable,
            wait: Wait::Running,
            run_ns: run * MS,
            delay_ns: delay * MS,
            slices: 1,
            throttled_ns: throttled * MS,
            ..Sample::default()
        }
    }

    fn waiting(nr: u32) -> Sample {
        Sample {
            state: State::Sleeping,
            wait: Wait::Syscall { nr, args: [0; 6] },
            ..runnable(20, 1, 0, 0)
        }
    }

    #[test]
    fn time_on_a_cpu_is_on_cpu_even_with_some_waiting() {
        let verdict = judge(&runnable(0, 0, 0, 0), &runnable(20, 12, 8, 0));
        assert_eq!(verdict.activity, Activity::OnCpu);
        assert_eq!(verdict.syscall, None);
    }

    #[test]
    fn a_full_run_queue_is_descheduled_and_not_on_cpu() {
        let verdict = judge(&runnable(0, 0, 0, 0), &runnable(20, 1, 19, 0));
        assert_eq!(verdict.activity, Activity::Descheduled);
    }

    #[test]
    fn a_wait_for_a_cpu_that_is_not_over_is_not_counted_yet_and_is_one() {
        let verdict = judge(&runnable(0, 3, 5, 0), &runnable(50, 3, 5, 0));
        assert_eq!(verdict.activity, Activity::Descheduled);
        // On a CPU all the time, as of the kernel's last tick.
        let verdict = judge(&runnable(0, 3, 5, 0), &runnable(50, 43, 5, 0));
        assert_eq!(verdict.activity, Activity::OnCpu);
        // Given a CPU meanwhile: what is neither counted as run nor as wait, it slept.
        let woken = Sample {
            slices: 2,
            ..runnable(50, 6, 6, 0)
        };
        let verdict = judge(&runnable(0, 3, 5, 0), &woken);
        assert_eq!(verdict.activity, Activity::OnCpu);
    }

    #[test]
    fn a_thread_that_mostly_waited_for_a_cpu_does_not_wait_for_the_lock_it_just_met() {
        let late = Sample {
            run_ns: 2 * MS,
            delay_ns: 15 * MS,
            ..waiting(libc::SYS_futex as u32)
        };
        let verdict = judge(&runnable(0, 1, 0, 0), &late);
        assert_eq!(verdict.activity, Activity::Descheduled);
        let short = Sample {
            delay_ns: 9 * MS,
            ..late
        };
        let verdict = judge(&runnable(0, 1, 0, 0), &short);
        assert_eq!(verdict.activity, Activity::Lock);
    }

    #[test]
    fn a_thread_without_a_cpu_is_starved_and_one_that_sleeps_or_computes_is_not() {
        let start = runnable(0, 0, 0, 0);
        let starved = |after: Sample| is_starved(&start, &after, 100 * MS);
        let given = |at, run, delay| Sample {
            slices: 9,
            ..runnable(at, run, delay, 0)
        };
        assert!(starved(given(200, 20, 101)));
        assert!(!starved(given(200, 99, 100)), "half of the time, not most");
        assert!(
            !starved(given(900, 100, 800)),
            "it computed for long enough"
        );
        // Still in the run queue, which is counted when it ends.
        assert!(starved(runnable(200, 0, 0, 0)));
        // Asleep, since before the first sample or again.
        let asleep = |sample| Sample {
            state: State::Sleeping,
            ..sample
        };
        assert!(!starved(asleep(runnable(200, 0, 0, 0))));
        assert!(!starved(asleep(given(200, 20, 100))));
        assert!(starved(asleep(given(200, 20, 101))), "until just now");
    }

    #[test]
    fn a_used_up_quota_is_throttled_and_not_descheduled() {
        let verdict = judge(&runnable(0, 0, 0, 0), &runnable(20, 1, 19, 17));
        assert_eq!(verdict.activity, Activity::Throttled);
    }

    #[test]
    fn a_quota_that_held_back_only_others_blames_nobody_here() {
        let verdict = judge(&runnable(0, 0, 0, 0), &runnable(20, 19, 1, 3));
        assert_eq!(verdict.activity, Activity::OnCpu);
        let verdict = judge(&runnable(0, 0, 0, 0), &runnable(20, 1, 19, 3));
        assert_eq!(verdict.activity, Activity::Descheduled);
    }

    #[test]
    fn a_thread_in_a_system_call_is_in_it_however_much_it_ran_before() {
        let verdict = judge(&runnable(0, 0, 0, 0), &waiting(0));
        assert_eq!(verdict.activity, Activity::Syscall);
        assert_eq!(verdict.syscall, Some(0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_futex_is_a_lock_and_a_sleep_is_not() {
        let futex = judge(&runnable(0, 0, 0, 0), &waiting(libc::SYS_futex as u32));
        assert_eq!(futex.activity, Activity::Lock);
        assert_eq!(futex.syscall_name(), Some("futex"));
        let sleep = judge(
            &runnable(0, 0, 0, 0),
            &waiting(libc::SYS_clock_nanosleep as u32),
        );
        assert_eq!(sleep.activity, Activity::Syscall);
        assert_eq!(sleep.syscall_name(), Some("clock_nanosleep"));
    }

    #[test]
    fn stopped_wins_over_the_system_call_it_was_stopped_in() {
        let stopped = Sample {
            state: State::Stopped,
            ..waiting(0)
        };
        let verdict = judge(&runnable(0, 0, 0, 0), &stopped);
        assert_eq!(verdict, Verdict::plain(Activity::Stopped));
    }

    #[test]
    fn a_sleeper_the_kernel_says_no_more_about_is_not_called_busy() {
        let unknown = Sample {
            state: State::Uninterruptible,
            wait: Wait::Unknown,
            ..runnable(20, 0, 0, 0)
        };
        let verdict = judge(&runnable(0, 0, 0, 0), &unknown);
        assert_eq!(verdict, Verdict::plain(Activity::Syscall));
    }

    #[test]
    fn a_gap_is_blamed_on_what_filled_it() {
        let start = runnable(0, 0, 0, 0);
        let gap = |run, delay, throttled| {
            judge_gap(
                &start,
                &runnable(5010, run, delay, throttled),
                10 * MS,
                50 * MS,
            )
        };
        assert_eq!(gap(0, 0, 0), Some(Activity::Stopped));
        assert_eq!(gap(0, 4900, 0), Some(Activity::Descheduled));
        assert_eq!(gap(0, 4900, 4800), Some(Activity::Throttled));
        assert_eq!(gap(4900, 0, 0), Some(Activity::OnCpu));
        assert_eq!(
            judge_gap(&start, &runnable(15, 0, 0, 0), 10 * MS, 50 * MS),
            None
        );
        // A kernel without scheduler statistics says of no thread that it waited for a CPU.
        let uncounted = |at| Sample {
            slices: 0,
            ..runnable(at, 0, 0, 0)
        };
        assert_eq!(
            judge_gap(&uncounted(0), &uncounted(5010), 10 * MS, 50 * MS),
            Some(Activity::Descheduled)
        );
    }
}
