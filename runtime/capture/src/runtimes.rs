//! The runtimes of the process, as far as they were told to us.
//!
//! Ours are told when they are made and when they go. Others are met, by a handle of theirs, and their end is told by
//! nobody: when there are many, those that were met the longest ago are forgotten. They take no room from ours.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use numbers::{Numbers, Taken};

pub mod closing;
mod numbers;

/// One runtime.
#[derive(Clone)]
pub struct RuntimeInfo {
    /// Its number, from 1.
    pub number: u16,
    /// Its name: given by the builder, or made of its number.
    pub name: Arc<str>,
    /// `current_thread`, `multi_thread` or `local`.
    pub flavor: &'static str,
    /// Worker threads.
    pub workers: u32,
    /// Threads its blocking pool may have at most; 0: not known.
    pub blocking_threads: u32,
    /// Tasks alive in it, spawned through us or not; `None` once it is gone.
    pub alive: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
    /// The runtime's own identity, to find it again; 0: none.
    pub key: u64,
}

impl std::fmt::Debug for RuntimeInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeInfo")
            .field("number", &self.number)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How many runtimes of ours are told apart at a time.
pub const MAX: usize = 256;
/// How many others are.
const MAX_MET: usize = 64;

static RUNTIMES: Mutex<List> = Mutex::new(List::new());
/// How often all numbers were given: what was remembered of a number before says nothing any more.
static ROUND: AtomicU32 = AtomicU32::new(0);
/// Runtimes that got no number.
static REFUSED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct List {
    numbers: Numbers,
    /// Until they are removed.
    told: Vec<RuntimeInfo>,
    /// Those met last come last.
    met: VecDeque<RuntimeInfo>,
}

impl List {
    const fn new() -> Self {
        Self {
            numbers: Numbers::new(),
            told: Vec::new(),
            met: VecDeque::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &RuntimeInfo> {
        self.told.iter().chain(&self.met)
    }

    /// Gives the runtime a number, and a name if it has none; `None` where there are too many.
    fn numbered(&mut self, runtime: RuntimeInfo) -> Option<RuntimeInfo> {
        let Self { numbers, told, met } = self;
        let number = numbers.next(|| {
            // First: what is remembered from now on is asked for anew.
            ROUND.fetch_add(1, Ordering::Relaxed);
            let mut taken = Taken::by_threads_and_tasks();
            for runtime in told.iter().chain(&*met) {
                taken.add(runtime.number);
            }
            taken
        })?;
        let name = match &*runtime.name {
            "" => format!("runtime-{number}").into(),
            _ => runtime.name,
        };
        Some(RuntimeInfo {
            number,
            name,
            ..runtime
        })
    }

    fn add(&mut self, runtime: RuntimeInfo) -> Option<u16> {
        if self.told.len() >= MAX {
            return None;
        }
        let runtime = self.numbered(runtime)?;
        let number = runtime.number;
        self.told.push(runtime);
        Some(number)
    }

    fn meet(&mut self, runtime: RuntimeInfo) -> Option<u16> {
        let again = self.met.iter().position(|met| met.key == runtime.key);
        let runtime = match again.and_then(|at| self.met.remove(at)) {
            Some(known) => known,
            None => self.numbered(runtime)?,
        };
        let number = runtime.number;
        if self.met.len() >= MAX_MET {
            self.met.pop_front();
        }
        self.met.push_back(runtime);
        Some(number)
    }
}

/// Adds a runtime, whose end `remove` will tell, and gives its number; 0 when there are too many.
pub fn add(
    name: Option<&str>,
    flavor: &'static str,
    workers: u32,
    key: u64,
    alive: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
) -> u16 {
    let runtime = described(name, flavor, workers, key, alive);
    let number = list().add(runtime);
    numbered(number)
}

/// The number of the runtime with this key, whoever added it; one that was not known is added, until there are others.
/// How many tasks live in it is not known. 0 when there are too many.
pub fn meet(name: Option<&str>, flavor: &'static str, workers: u32, key: u64) -> u16 {
    let mut list = list();
    if let Some(told) = list.told.iter().find(|told| told.key == key) {
        return told.number;
    }
    let known = list.met.iter().any(|met| met.key == key);
    let number = list.meet(described(name, flavor, workers, key, Arc::new(|| None)));
    drop(list);
    if known {
        number.unwrap_or(0)
    } else {
        numbered(number)
    }
}

fn described(
    name: Option<&str>,
    flavor: &'static str,
    workers: u32,
    key: u64,
    alive: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
) -> RuntimeInfo {
    RuntimeInfo {
        number: 0,
        name: name.unwrap_or_default().into(),
        flavor,
        workers,
        blocking_threads: 0,
        alive,
        key,
    }
}

/// A runtime is new under its number, or has none.
fn numbered(number: Option<u16>) -> u16 {
    match number {
        Some(number) => crate::scope::adopt(number),
        None => _ = REFUSED.fetch_add(1, Ordering::Relaxed),
    }
    number.unwrap_or(0)
}

/// What is known of a runtime once it was built.
pub fn complete(number: u16, key: u64, workers: u32, blocking_threads: u32) {
    let mut list = list();
    let mut told = list.told.iter_mut();
    if let Some(runtime) = told.find(|runtime| runtime.number == number) {
        runtime.key = key;
        runtime.workers = workers;
        runtime.blocking_threads = blocking_threads;
    }
}

/// Takes a runtime out: it was shut down.
pub fn remove(number: u16) {
    closing::end(number);
    list().told.retain(|runtime| runtime.number != number);
}

/// The runtimes now.
pub fn all() -> Vec<RuntimeInfo> {
    let mut all: Vec<RuntimeInfo> = list().all().cloned().collect();
    all.sort_unstable_by_key(|runtime| runtime.number);
    all
}

/// How many runtimes got no number, because there were too many: of those nothing is told that is told by runtime.
pub fn refused() -> u64 {
    REFUSED.load(Ordering::Relaxed)
}

/// Changes when numbers begin to be given again: whoever remembers the number of a runtime it met asks anew.
#[inline]
pub fn round() -> u32 {
    ROUND.load(Ordering::Relaxed)
}

fn list() -> MutexGuard<'static, List> {
    RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(key: u64) -> RuntimeInfo {
        described(None, "current_thread", 1, key, Arc::new(|| None))
    }

    #[test]
    fn others_make_room_for_others_and_take_none_from_ours() {
        let mut list = List::new();
        let first = list.meet(runtime(1));
        for key in 2..=MAX_MET as u64 {
            assert_ne!(list.meet(runtime(key)), first);
        }
        assert_eq!(list.meet(runtime(1)), first, "known, and met again");
        let one_more = list.meet(runtime(1000));
        assert!(one_more.is_some() && list.met.len() == MAX_MET);
        let is_known = |list: &List, key| list.all().any(|runtime| runtime.key == key);
        assert!(is_known(&list, 1) && is_known(&list, 1000));
        assert!(!is_known(&list, 2), "met the longest ago");
        for _ in 0..MAX {
            assert!(list.add(runtime(0)).is_some());
        }
        assert_eq!(list.add(runtime(0)), None, "too many of ours");
        assert!(
            list.meet(runtime(1001)).is_some(),
            "others have their own room"
        );
        assert_eq!(list.all().count(), MAX + MAX_MET);
    }

    #[test]
    fn a_runtime_without_a_name_is_named_by_its_number() {
        let mut list = List::new();
        list.add(runtime(0));
        list.add(described(Some("mine"), "local", 1, 0, Arc::new(|| None)));
        let names: Vec<_> = list.all().map(|runtime| &*runtime.name).collect();
        assert_eq!(names, ["runtime-1", "mine"]);
    }

    #[test]
    fn the_number_of_a_runtime_that_lives_on_is_left_out_when_numbers_come_again() {
        let mut list = List::new();
        let lives = list.add(runtime(0)).expect("room");
        for _ in 1..u16::MAX {
            let number = list.add(runtime(0)).expect("room");
            list.told.retain(|runtime| runtime.number != number);
        }
        let before = round();
        let again = list.add(runtime(0)).expect("room");
        assert_ne!(again, lives);
        assert_ne!(round(), before);
    }
}
