//! The runtimes of the process, as far as they were told to us.

use std::sync::{Arc, Mutex, PoisonError};

pub mod closing;

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

/// How many runtimes are told apart: programs (and their tests) may make many in a life.
const MAX: usize = 256;

static RUNTIMES: Mutex<(u16, Vec<RuntimeInfo>)> = Mutex::new((0, Vec::new()));

/// Adds a runtime and gives its number; 0 when there are too many. A known key gives the known number.
pub fn add(
    name: Option<&str>,
    flavor: &'static str,
    workers: u32,
    key: u64,
    alive: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
) -> u16 {
    let mut runtimes = RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner);
    let (last, runtimes) = &mut *runtimes;
    if let Some(known) = runtimes
        .iter()
        .find(|runtime| key != 0 && runtime.key == key)
    {
        return known.number;
    }
    if runtimes.len() >= MAX || *last == u16::MAX {
        return 0;
    }
    *last += 1;
    let name = name.map_or_else(|| format!("runtime-{last}").into(), Arc::from);
    runtimes.push(RuntimeInfo {
        number: *last,
        name,
        flavor,
        workers,
        blocking_threads: 0,
        alive,
        key,
    });
    crate::scope::adopt(*last);
    *last
}

/// What is known of a runtime once it was built.
pub fn complete(number: u16, key: u64, workers: u32, blocking_threads: u32) {
    let mut runtimes = RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = runtimes
        .1
        .iter_mut()
        .find(|runtime| runtime.number == number)
    {
        runtime.key = key;
        runtime.workers = workers;
        runtime.blocking_threads = blocking_threads;
    }
}

/// Takes a runtime out: it was shut down.
pub fn remove(number: u16) {
    closing::end(number);
    RUNTIMES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .1
        .retain(|runtime| runtime.number != number);
}

/// The runtimes now.
pub fn all() -> Vec<RuntimeInfo> {
    RUNTIMES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .1
        .clone()
}
