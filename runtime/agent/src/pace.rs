//! How often one record of the table is logged: the first, then at tenfold counts, and else at most once a minute
//! while it grows.

use crate::finding::Severity;

/// The least time between two lines of one record, unless its count has grown tenfold.
const QUIET_NS: u64 = 60_000_000_000;

/// What was logged of one record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    logged: bool,
    at_ns: u64,
    count: u64,
    severity: Option<Severity>,
}

impl Pace {
    /// Whether a line is due now; if so, how many findings went by without one.
    pub(crate) fn turn(
        &mut self,
        now_ns: u64,
        count: u64,
        severity: Severity,
        always: bool,
    ) -> Option<u64> {
        let due = always
            || !self.logged
            || Some(severity) > self.severity
            || count >= self.count.saturating_mul(10)
            || (count > self.count && now_ns.saturating_sub(self.at_ns) >= QUIET_NS);
        if !due {
            return None;
        }
        let left_out = if self.logged {
            count.saturating_sub(self.count + 1)
        } else {
            count.saturating_sub(1)
        };
        *self = Self {
            logged: true,
            at_ns: now_ns,
            count,
            severity: Some(severity),
        };
        Some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn the_first_is_logged_then_tenfold_then_once_a_minute() {
        let mut pace = Pace::default();
        assert_eq!(pace.turn(S, 1, Severity::Warn, false), Some(0));
        assert_eq!(pace.turn(2 * S, 2, Severity::Warn, false), None);
        assert_eq!(pace.turn(3 * S, 10, Severity::Warn, false), Some(8));
        assert_eq!(pace.turn(4 * S, 99, Severity::Warn, false), None);
        assert_eq!(pace.turn(63 * S, 99, Severity::Warn, false), Some(88));
        assert_eq!(
            pace.turn(300 * S, 99, Severity::Warn, false),
            None,
            "nothing new happened"
        );
    }

    #[test]
    fn what_grew_worse_and_what_follows_up_is_logged_at_once() {
        let mut pace = Pace::default();
        assert!(pace.turn(S, 1, Severity::Warn, false).is_some());
        assert!(pace.turn(S, 2, Severity::Error, false).is_some());
        assert!(pace.turn(S, 2, Severity::Error, false).is_none());
        assert!(pace.turn(S, 2, Severity::Error, true).is_some());
    }
}
