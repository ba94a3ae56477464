//! When to draw: at once if nothing was drawn lately, else at most 30 times a second; never without a reason.

use std::time::Duration;

const FRAME: Duration = Duration::from_millis(33);

#[derive(Debug, Default)]
pub(super) struct Pace {
    drawn: Option<Duration>,
    due: Option<Duration>,
}

impl Pace {
    /// Something changed: it is to be drawn, now or when the frame allows it.
    pub(super) fn ask(&mut self, now: Duration) {
        if self.due.is_none() {
            let earliest = self.drawn.map_or(now, |drawn| drawn + FRAME);
            self.due = Some(earliest.max(now));
        }
    }

    /// When the next drawing is due, if one is.
    pub(super) const fn due(&self) -> Option<Duration> {
        self.due
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    pub(super) fn drawn(&mut self, now: Duration) {
        self.due = None;
        self.drawn = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_is_drawn_at_once_and_repeats_wait_for_their_frame() {
        let mut pace = Pace::default();
        assert!(!pace.is_due(ms(0)), "nothing to draw");
        pace.ask(ms(5));
        assert!(pace.is_due(ms(5)));
        pace.drawn(ms(6));
        pace.ask(ms(10));
        assert!(!pace.is_due(ms(10)));
        assert_eq!(pace.due(), Some(ms(39)));
        pace.ask(ms(38));
        assert!(pace.is_due(ms(39)), "later reasons do not push it back");
        pace.drawn(ms(39));
        pace.ask(ms(500));
        assert!(pace.is_due(ms(500)), "after a pause there is no waiting");
    }

    #[test]
    fn a_key_held_down_is_drawn_30_times_a_second() {
        let mut pace = Pace::default();
        let mut frames = 0;
        for now in (0..1000).map(ms) {
            pace.ask(now);
            if pace.is_due(now) {
                frames += 1;
                pace.drawn(now);
            }
        }
        assert!((29..=31).contains(&frames), "{frames}");
    }
}
