//! The numbers of runtimes. They have 16 bits, so a program that makes a runtime a second has given all of them in 18 hours,
//! and gives them again: each after all others, and none that anything still has.

use crate::{registry, thread};

/// Gives one number after the other.
#[derive(Debug)]
pub(super) struct Numbers {
    last: u16,
    /// Those to be left out, as of when all had been given; `None` the first time round.
    taken: Option<Taken>,
}

impl Numbers {
    pub(super) const fn new() -> Self {
        Self {
            last: 0,
            taken: None,
        }
    }

    /// The next number; `None` where all are taken. `taken` is asked where all were given since it was asked last.
    pub(super) fn next(&mut self, taken: impl FnOnce() -> Taken) -> Option<u16> {
        let mut taken = Some(taken);
        loop {
            if self.last == u16::MAX {
                self.taken = Some(taken.take()?());
                self.last = 0;
            }
            self.last += 1;
            let is_taken = |known: &Taken| known.has(self.last);
            if !self.taken.as_ref().is_some_and(is_taken) {
                return Some(self.last);
            }
        }
    }
}

/// Numbers that something has: a bit each.
#[derive(Debug)]
pub(super) struct Taken(Box<[u64]>);

impl Taken {
    /// What a thread works for, and what the record of a task names, be its runtime on the list or not: a closure may
    /// outlive its runtime. Reads every record.
    pub(super) fn by_threads_and_tasks() -> Self {
        let mut taken = Self::none();
        for thread in thread::all() {
            taken.add(thread.runtime());
        }
        registry::tasks(|_, task| taken.add(task.runtime));
        taken
    }

    fn none() -> Self {
        Self(vec![0; (u16::MAX as usize + 1) / 64].into())
    }

    pub(super) fn add(&mut self, number: u16) {
        self.0[usize::from(number) / 64] |= 1 << (number % 64);
    }

    fn has(&self, number: u16) -> bool {
        self.0[usize::from(number) / 64] & 1 << (number % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::TaskKind;
    use crate::instrumented::{Untold, instrument};
    use crate::task::{Asks, Meta};

    fn never() -> Taken {
        panic!("not all were given");
    }

    #[test]
    fn a_number_comes_again_after_all_others_and_not_while_something_has_it() {
        let mut numbers = Numbers::new();
        for number in 1..=u16::MAX {
            assert_eq!(numbers.next(never), Some(number));
        }
        let second = || {
            let mut taken = Taken::none();
            for number in [1, 2, 64, u16::MAX] {
                taken.add(number);
            }
            taken
        };
        assert_eq!(numbers.next(second), Some(3));
        for number in 4..u16::MAX {
            if number != 64 {
                assert_eq!(numbers.next(never), Some(number));
            }
        }
        assert_eq!(numbers.next(Taken::none), Some(1), "nobody has it any more");
    }

    #[test]
    fn where_all_are_taken_there_is_none_until_one_is_given_back() {
        let mut numbers = Numbers::new();
        while numbers.last != u16::MAX {
            numbers.next(never);
        }
        let all = || Taken(vec![u64::MAX; 1024].into());
        assert_eq!(numbers.next(all), None);
        assert_eq!(numbers.next(all), None);
        let but_one = || {
            let mut taken = all();
            taken.0[1] = u64::MAX - 4;
            taken
        };
        assert_eq!(numbers.next(but_one), Some(66));
    }

    #[test]
    fn tasks_and_threads_have_the_numbers_of_their_runtimes() {
        const OF_A_TASK: u16 = 61_234;
        const OF_A_THREAD: u16 = 61_235;
        registry::start();
        let has = |number| Taken::by_threads_and_tasks().has(number);
        assert!(!has(OF_A_TASK) && !has(OF_A_THREAD));
        let meta = Meta {
            location: Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: OF_A_TASK,
            asks: Asks::Handle,
        };
        let task = instrument(std::future::pending::<()>(), Untold, &meta);
        assert!(has(OF_A_TASK), "though no such runtime is on the list");
        drop(task);
        assert!(!has(OF_A_TASK));
        let here = thread::current().expect("a slot");
        let before = (here.role(), here.runtime());
        here.set_role(before.0, OF_A_THREAD);
        assert!(has(OF_A_THREAD));
        here.set_role(before.0, before.1);
        assert!(!has(OF_A_THREAD));
    }
}
