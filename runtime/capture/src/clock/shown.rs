//! The line that readings are understood by, for whoever asks: all of it belongs together.
//!
//! One thread at a time shows another line, now and then. Two places take turns, so that the one that is shown is never
//! written to; a reader that is overtaken twice finds that out by the place's lives, and tries again. Nobody waits.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::line::{Course, Line, Moment};
use crate::protocol::counter::Counter;
use crate::protocol::lives::Lives;

/// A reader that is overtaken twice, and that so many times, reads slower than a second a word.
const TRIES: usize = 4;

/// A course as words.
#[derive(Debug, Default)]
struct Words([Counter; 3]);

impl Words {
    #[cfg(any(target_arch = "x86_64", test))]
    fn set(&self, course: &Course) {
        let Course { at, scale } = *course;
        for (word, value) in self.0.iter().zip([at.ticks, at.ns, scale]) {
            word.set(value);
        }
    }

    fn get(&self) -> Course {
        let [ticks, ns, scale] = [0, 1, 2].map(|word| self.0[word].get());
        Course {
            at: Moment { ticks, ns },
            scale,
        }
    }
}

#[derive(Debug, Default)]
struct Place {
    lives: Lives,
    now: Words,
    before: Words,
    /// 0: it never jumped, 1: forwards, 2: back.
    jumped: Counter,
}

/// The line that is shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    places: [Place; 2],
    current: AtomicUsize,
}

impl Shown {
    /// Shows another line. One thread at a time.
    #[cfg(any(target_arch = "x86_64", test))]
    pub(super) fn show(&self, line: &Line) {
        let next = 1 - self.current.load(Ordering::Relaxed);
        let place = &self.places[next];
        if place.lives.current() % 2 == 1 {
            place.lives.end();
        }
        place.lives.begin(|| {
            place.now.set(&line.now);
            place.before.set(&line.before.unwrap_or(Course::PLAIN));
            let jumped = match (line.before, line.went_back) {
                (None, _) => 0,
                (Some(_), false) => 1,
                (Some(_), true) => 2,
            };
            place.jumped.set(jumped);
        });
        self.current.store(next, Ordering::Release);
    }

    /// The line that is shown; the plain one where none is.
    pub(super) fn line(&self) -> Line {
        let read = || {
            let place = &self.places[self.current.load(Ordering::Acquire)];
            place.lives.read(|_| {
                let jumped = place.jumped.get();
                Line {
                    now: place.now.get(),
                    before: (jumped > 0).then(|| place.before.get()),
                    went_back: jumped == 2,
                }
            })
        };
        (0..TRIES).find_map(|_| read()).unwrap_or(Line::PLAIN)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn line(number: u64) -> Line {
        let course = Course {
            at: Moment {
                ticks: number,
                ns: number,
            },
            scale: number,
        };
        Line {
            now: course,
            before: (!number.is_multiple_of(3)).then_some(course),
            went_back: number % 3 == 2,
        }
    }

    #[test]
    fn what_is_shown_is_read() {
        let shown = Shown::default();
        assert_eq!(shown.line(), Line::PLAIN);
        for number in 0..7 {
            shown.show(&line(number));
            assert_eq!(shown.line(), line(number));
        }
    }

    #[test]
    fn readers_never_mix_two_lines() {
        let shown = Shown::default();
        let done = AtomicBool::new(false);
        shown.show(&line(1));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 2..20_000 {
                    shown.show(&line(number));
                }
                done.store(true, Ordering::Relaxed);
            });
            while !done.load(Ordering::Relaxed) {
                let read = shown.line();
                // Overtaken time and again, as nobody is by one a second.
                assert!(
                    read == Line::PLAIN || read == line(read.now.scale),
                    "{read:?}"
                );
            }
        });
    }
}
