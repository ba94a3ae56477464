//! What pollscope itself costs: CPU of our threads, bytes of our tables.

use pollscope_capture::stack::intern_stats;
use pollscope_capture::tally::Tally;
use pollscope_capture::thread::{self, Role};
use pollscope_capture::{clock, slab};

use crate::figures::{SelfCost, SiteFigures, Spreads};

/// An interned backtrace: its entry and some twenty frames.
const STACK_BYTES: u64 = 200;

/// Follows the CPU time of our threads.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    cpu_ns: u64,
    at_ns: u64,
    ratio: f64,
}

impl Meter {
    /// Reads the clocks of our threads; call it about once a second.
    pub(crate) fn read(&mut self, now_ns: u64) {
        let cpu_ns = thread::all()
            .filter(|thread| thread.role() == Role::Ours)
            .filter_map(|thread| clock::thread_cpu_ns(thread.tid()))
            .sum();
        if self.at_ns != 0 && now_ns > self.at_ns {
            // A thread of ours that ended takes its time with it.
            self.ratio = self::ratio(
                u64::saturating_sub(cpu_ns, self.cpu_ns),
                now_ns - self.at_ns,
            );
        }
        (self.cpu_ns, self.at_ns) = (cpu_ns, now_ns);
    }

    /// The cost by now; `tallies` is how many there are, `other` bytes of tables that know their own size.
    pub(crate) fn cost(&self, tallies: u64, sites: &[SiteFigures], other: u64) -> SelfCost {
        let spreads =
            sites.iter().filter(|site| site.spreads.is_some()).count() * size_of::<Spreads>();
        let figures = size_of_val(sites) + spreads;
        let bytes = slab::bytes()
            + tallies * size_of::<Tally>() as u64
            + u64::from(intern_stats().held) * STACK_BYTES
            + figures as u64
            + other;
        SelfCost {
            cpu_ratio: self.ratio,
            bytes,
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
