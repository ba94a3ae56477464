//! What a look may cost: one that takes long is taken seldom, and what it found last serves meanwhile.

/// A look may cost a twentieth of the time until the next.
const SHARE: u64 = 20;

/// The last look of one sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    looked_ns: u64,
    cost_ns: u64,
}

impl Budget {
    /// Whether there is time for another look.
    pub(super) fn is_due(&self, now_ns: u64) -> bool {
        let passed = now_ns.saturating_sub(self.looked_ns);
        self.looked_ns == 0 || passed >= self.cost_ns.saturating_mul(SHARE)
    }

    /// A look was taken.
    pub(super) fn spend(&mut self, begun_ns: u64, ended_ns: u64) {
        self.looked_ns = ended_ns;
        self.cost_ns = ended_ns.saturating_sub(begun_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_much_is_taken_seldom_and_what_costs_nothing_at_any_time() {
        let mut budget = Budget::default();
        assert!(budget.is_due(5), "none was taken yet");
        budget.spend(1000, 1000);
        assert!(budget.is_due(1000));
        budget.spend(1000, 1100);
        assert!(!budget.is_due(1100 + 100 * SHARE - 1));
        assert!(budget.is_due(1100 + 100 * SHARE));
    }

    /// Rounds of a millisecond that all want a look of 2.5.
    #[test]
    fn looks_in_every_round_take_no_more_than_their_share() {
        let (mut budget, mut now, mut spent) = (Budget::default(), 1, 0);
        while now < 10_000_000_000 {
            if budget.is_due(now) {
                budget.spend(now, now + 2_500_000);
                now += 2_500_000;
                spent += 2_500_000;
            }
            now += 1_000_000;
        }
        assert!(spent * SHARE <= now + 2_500_000 * SHARE, "{spent} of {now}");
    }
}
