//! What the threads of a runtime of ours tell: which they are, and when they park. The program's own hooks are called
//! beside ours.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

#[cfg(tokio_unstable)]
pub(super) use self::tasks::TaskHooks;

use crate::capture::level::{self, Level};
use crate::capture::thread::{self, Role, Thread};

use cores::Cores;

mod cores;
#[cfg(tokio_unstable)]
mod tasks;

/// A hook of the program's.
pub(super) type Callback = Arc<dyn Fn() + Send + Sync>;

/// The program's hooks. Tokio keeps one of each; so do we, and call it beside ours.
#[derive(Clone, Default)]
pub(super) struct UserHooks {
    pub(super) start: Option<Callback>,
    pub(super) stop: Option<Callback>,
    pub(super) park: Option<Callback>,
    pub(super) unpark: Option<Callback>,
    #[cfg(tokio_unstable)]
    pub(super) tasks: TaskHooks,
}

impl fmt::Debug for UserHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserHooks").finish_non_exhaustive()
    }
}

/// What a runtime's threads share.
///
/// Workers and the blocking pool's threads start by the same hook. While the runtime is being built nobody can use
/// its pool, so the first threads, as many as it has workers, are the workers; but `block_in_place` hands a worker's
/// core to a thread of the pool, so a thread that parks is a worker from then on, whatever it was.
#[derive(Debug)]
pub(super) struct Threads {
    runtime: u16,
    multi_thread: bool,
    building: AtomicBool,
    started: AtomicU32,
    workers: AtomicU32,
    cores: Cores,
}

impl Threads {
    pub(super) fn new(runtime: u16, multi_thread: bool) -> Arc<Self> {
        let building = AtomicBool::new(true);
        Arc::new(Self {
            runtime,
            multi_thread,
            building,
            started: AtomicU32::new(0),
            workers: AtomicU32::new(0),
            cores: Cores::default(),
        })
    }

    /// The runtime was built.
    pub(super) fn built(&self, workers: usize) {
        self.workers.store(workers as u32, Ordering::Relaxed);
        // Release: a thread that sees the end of building sees the number of workers.
        self.building.store(false, Ordering::Release);
    }

    fn started(&self) {
        let Some(thread) = thread::current() else {
            return;
        };
        let nth = self.started.fetch_add(1, Ordering::Relaxed);
        let building = self.building.load(Ordering::Acquire);
        let worker = self.multi_thread && (building || nth < self.workers.load(Ordering::Relaxed));
        thread.set_role(
            if worker { Role::Worker } else { Role::Blocking },
            self.runtime,
        );
    }

    #[inline]
    fn parks(&self) {
        let Some(thread) = thread::current() else {
            return;
        };
        match (self.multi_thread, thread.role()) {
            (true, Role::Worker) if self.cores.has(thread) => {}
            (false, Role::Local) => {}
            (true, _) => self.took_a_core(thread),
            (false, _) => thread.set_role(Role::Local, self.runtime),
        }
        thread.set_parked(true);
    }

    /// A thread parks for the first time, or as another worker than before. Where a worker gave it its core in
    /// `block_in_place`, that one will rest in the pool, and look like a worker that hangs: it is a worker no more.
    #[cold]
    fn took_a_core(&self, thread: &'static Thread) {
        thread.set_role(Role::Worker, self.runtime);
        if let Some(before) = self.cores.take(thread)
            && self.is_worker(before)
        {
            before.set_role(Role::Blocking, self.runtime);
        }
        self.doubt(thread);
    }

    /// While there are too many workers, some gave their cores away, and which cannot be asked: an older Tokio does not
    /// tell, and of a worker that never parked nothing is known. So those are workers no more of which nothing else is
    /// known and which do not park; who still is one says so when it parks next.
    fn doubt(&self, thread: &'static Thread) {
        // Runtimes without a number would doubt each other's workers.
        if self.runtime == 0 {
            return;
        }
        let workers = || thread::all().filter(|other| self.is_worker(other));
        if workers().count() <= self.cores.number() {
            return;
        }
        for other in workers() {
            let parked = other.parks().is_some_and(|parks| parks % 2 == 1);
            if !parked && !std::ptr::eq(other, thread) && !self.cores.is_held_by(other) {
                other.set_role(Role::Blocking, self.runtime);
            }
        }
    }

    fn is_worker(&self, thread: &Thread) -> bool {
        thread.role() == Role::Worker && thread.runtime() == self.runtime
    }

    #[inline]
    fn unparks() {
        if let Some(thread) = thread::current() {
            thread.set_parked(false);
        }
    }
}

/// Puts the hooks into Tokio's builder: ours and the program's, or, at level off, the program's alone.
pub(super) fn install(
    builder: &mut tokio::runtime::Builder,
    user: &UserHooks,
    threads: &Arc<Threads>,
) {
    let UserHooks {
        start,
        stop,
        park,
        unpark,
        #[cfg(tokio_unstable)]
        tasks,
    } = user.clone();
    if let Some(stop) = stop {
        builder.on_thread_stop(move || stop());
    }
    if level::level() == Level::Off {
        if let Some(start) = start {
            builder.on_thread_start(move || start());
        }
        if let Some(park) = park {
            builder.on_thread_park(move || park());
        }
        if let Some(unpark) = unpark {
            builder.on_thread_unpark(move || unpark());
        }
        #[cfg(tokio_unstable)]
        tasks.install(builder);
        return;
    }
    #[cfg(all(tokio_unstable, feature = "capture"))]
    tasks.install_beside_ours(builder, threads.runtime);
    let told = Arc::clone(threads);
    builder.on_thread_start(move || {
        told.started();
        call(start.as_ref());
    });
    let told = Arc::clone(threads);
    builder.on_thread_park(move || {
        // What the program does in its hook is done before the thread rests.
        call(park.as_ref());
        told.parks();
    });
    builder.on_thread_unpark(move || {
        Threads::unparks();
        call(unpark.as_ref());
    });
}

#[inline]
fn call(hook: Option<&Callback>) {
    if let Some(hook) = hook {
        hook();
    }
}
