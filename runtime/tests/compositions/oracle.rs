//! What became of every tracked future of a program, by the program's own account, and what was found of it.
//!
//! One thread runs everything, so the books are the thread's, and findings are read from its counters: those are
//! exact where the events of one site are told only now and then.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::Add;
use std::pin::Pin;
use std::task::{Context, Poll};

use pollscope_capture::event::Family;
use pollscope_capture::{SiteId, registry, site, thread};

pub(crate) type Boxed = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;

/// What must be found of a future that was never polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Nothing: it had an owner who gave it up, or who says so.
    Silence,
    /// It was forgotten: once; as definite if, and only if, nothing happened between.
    Forgotten,
    /// Its owner is foreign, and only that owner knows: at most once, and as definite only if nothing happened between.
    Foreign,
}

#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) duty: Duty,
    polled: bool,
    /// `happenings` when it was made and, unless it leaked, when it was dropped.
    made: u64,
    dropped: Option<u64>,
}

/// How many futures of one program are told apart.
const NODES: usize = 32;

thread_local! {
    static FATES: RefCell<Vec<Fate>> = const { RefCell::new(Vec::new()) };
    /// All that speaks against "nothing between": polls of tasks, first polls of tracked futures, turns of our macros.
    static HAPPENINGS: Cell<u64> = const { Cell::new(0) };
    static SITES: RefCell<Vec<SiteId>> = const { RefCell::new(Vec::new()) };
    /// What was found of each number before this program.
    static BEFORE: RefCell<Vec<[u64; 2]>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn happened() {
    HAPPENINGS.set(HAPPENINGS.get() + 1);
}

/// A future of our own inside a tracked one: keeps the book of itself.
struct Node<const N: usize> {
    inner: Boxed,
}

impl<const N: usize> Future for Node<N> {
    type Output = Result<(), ()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let first = FATES.with_borrow_mut(|fates| {
            let fate = fates.get_mut(N);
            fate.is_some_and(|fate| !std::mem::replace(&mut fate.polled, true))
        });
        if first {
            happened();
        }
        self.inner.as_mut().poll(cx)
    }
}

impl<const N: usize> Drop for Node<N> {
    fn drop(&mut self) {
        FATES.with_borrow_mut(|fates| {
            if let Some(fate) = fates.get_mut(N) {
                fate.dropped = Some(HAPPENINGS.get());
            }
        });
    }
}

macro_rules! tracked {
    ($inner:ident, $n:ident: $($number:literal)*) => {
        match $n {
            $($number => Box::pin(pollscope::track(Node::<$number> { inner: $inner })) as Boxed,)*
            _ => $inner,
        }
    };
}

/// The future as a tracked one, where there is still a number for it, and the number.
pub(crate) fn track(inner: Boxed, duty: Duty) -> (Boxed, Option<usize>) {
    let number = FATES.with_borrow_mut(|fates| {
        (fates.len() < NODES).then(|| {
            fates.push(Fate {
                duty,
                polled: false,
                made: HAPPENINGS.get(),
                dropped: None,
            });
            fates.len() - 1
        })
    });
    let n = number.unwrap_or(NODES);
    let future = tracked!(inner, n: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    (future, number)
}

/// Says what must be found of these from now on.
pub(crate) fn owe(nodes: &[usize], duty: Duty) {
    FATES.with_borrow_mut(|fates| {
        for node in nodes {
            fates[*node].duty = duty;
        }
    });
}

/// Opens the books of a program.
pub(crate) fn begin() {
    FATES.with_borrow_mut(Vec::clear);
    BEFORE.set((0..NODES).map(found_of).collect());
}

/// Closes them once everything is gone: what became of each future, and how often it was found, likely and definite.
pub(crate) fn end() -> Vec<(Fate, [u64; 2])> {
    let before = BEFORE.take();
    let fates = FATES.take();
    let found = fates.into_iter().zip(before).enumerate();
    found
        .map(|(node, (fate, before))| {
            let after = found_of(node);
            (fate, [after[0] - before[0], after[1] - before[1]])
        })
        .collect()
}

/// How often this thread found the site of a number, likely and definite.
fn found_of(node: usize) -> [u64; 2] {
    let site = SITES.with_borrow(|sites| sites[node]);
    let tally = thread::current().and_then(|thread| thread.tally(site));
    let found = |family: Family| tally.map_or(0, |tally| tally.found[family as usize].get());
    [found(Family::Unpolled), found(Family::NeverAwaited)]
}

/// Makes one future of each number, so that its site is known.
pub(crate) fn prepare() {
    // The agent does not start in this process.
    registry::set_starter(|| {});
    for _ in 0..NODES {
        let (future, _) = track(Box::pin(async { Ok(()) }), Duty::Silence);
        pollscope::discard(future);
    }
    let site_of = |node: usize| {
        let name = format!("::Node<{node}>");
        (0..site::count())
            .map(SiteId)
            .find(|id| site::get(*id).type_name.ends_with(&name))
            .expect("it was made")
    };
    SITES.set((0..NODES).map(site_of).collect());
}

/// How many futures of each verdict there were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    made: u64,
    polled: u64,
    silent: u64,
    definite: u64,
    likely: u64,
    foreign: u64,
    foreign_definite: u64,
}

impl Summary {
    /// Whether every verdict occurred.
    pub(crate) fn has_all(self) -> bool {
        [
            self.polled,
            self.silent,
            self.definite,
            self.likely,
            self.foreign,
        ]
        .iter()
        .all(|count| *count > 0)
    }
}

impl Add for Summary {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            made: self.made + other.made,
            polled: self.polled + other.polled,
            silent: self.silent + other.silent,
            definite: self.definite + other.definite,
            likely: self.likely + other.likely,
            foreign: self.foreign + other.foreign,
            foreign_definite: self.foreign_definite + other.foreign_definite,
        }
    }
}

/// Whether what was found is what must be.
pub(crate) fn judge(fates: &[(Fate, [u64; 2])]) -> Result<Summary, String> {
    let mut summary = Summary::default();
    for (node, (fate, found)) in fates.iter().enumerate() {
        let between = fate.dropped.is_none_or(|dropped| dropped != fate.made);
        let right = match (fate.polled, fate.duty) {
            (true, _) => {
                summary.polled += 1;
                *found == [0, 0]
            }
            (false, Duty::Silence) => {
                summary.silent += 1;
                *found == [0, 0]
            }
            (false, Duty::Forgotten) if between => {
                summary.likely += 1;
                *found == [1, 0]
            }
            (false, Duty::Forgotten) => {
                summary.definite += 1;
                *found == [0, 1]
            }
            (false, Duty::Foreign) => {
                summary.foreign += 1;
                summary.foreign_definite += found[1];
                found[0] + found[1] <= 1 && (!between || found[1] == 0)
            }
        };
        summary.made += 1;
        if !right {
            return Err(format!(
                "node {node}: {fate:?} was found {found:?} (likely, definite)"
            ));
        }
    }
    Ok(summary)
}
