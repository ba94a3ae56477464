//! Runs a program, and says at each step who owns what: that is the oracle's knowledge.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use pollscope::runtime::Builder;
use pollscope::task::{AbortHandle, JoinSet};
use tokio::task::yield_now;

use crate::oracle::{self, Boxed, Duty, Fate, happened, owe, track};
use crate::program::{After, Ends, Form, Made, Program, Step};

/// Enough for every program that ends by itself.
const TURNS: usize = 40;

/// A future with the tracked ones that are already made inside it.
struct Built {
    future: Boxed,
    nodes: Vec<usize>,
}

impl Built {
    /// It goes to an owner who gives up what he does not poll, and says so.
    fn given(self) -> Boxed {
        owe(&self.nodes, Duty::Silence);
        self.future
    }

    /// It is forgotten, unless it was polled.
    fn forgotten(self) -> Boxed {
        owe(&self.nodes, Duty::Forgotten);
        self.future
    }
}

/// Who drops what a block still holds while it is suspended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Somebody who says so: a task of ours, a macro of ours, a tracked future.
    Ours,
    /// Somebody who does not: `FuturesUnordered`, `timeout`, or whoever borrowed it to a `select!` and drops it himself.
    Foreign,
}

impl Owner {
    fn duty(self) -> Duty {
        match self {
            Self::Ours => Duty::Silence,
            Self::Foreign => Duty::Foreign,
        }
    }
}

/// What a step says of those after it.
#[derive(PartialEq, Eq)]
enum Flow {
    On,
    Return,
}

/// Runs a program on a runtime of its own, and gives what became of its futures.
pub(crate) fn to_the_end(program: &Program) -> Vec<(Fate, [u64; 2])> {
    pollscope::set_debug(program.debug);
    oracle::begin();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let steps = program.steps.clone();
    runtime
        .block_on(Counted(Box::pin(async move {
            let task = pollscope::spawn(Counted(block(steps, Owner::Ours)));
            for _ in 0..TURNS {
                yield_now().await;
            }
            task.abort();
            let _ = task.await;
            Ok(())
        })))
        .expect("it does not fail");
    drop(runtime);
    oracle::end()
}

/// A task's future: the book of its polls.
struct Counted(Boxed);

impl Future for Counted {
    type Output = Result<(), ()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        happened();
        let polled = self.0.as_mut().poll(cx);
        happened();
        polled
    }
}

/// Makes a future, inside a block that has this owner.
fn build(made: Made, owner: Owner) -> Built {
    match made {
        Made::Leaf { tracked, ends } => tracked_or_not(tracked, Box::pin(leaf(ends)), owner),
        Made::Block { tracked, steps } => {
            // A tracked future says when its drop begins and ends.
            let within = if tracked { Owner::Ours } else { owner };
            tracked_or_not(tracked, block(steps, within), owner)
        }
        Made::Timeout { zero, of } => {
            let Built { future, nodes } = build(*of, Owner::Foreign);
            owe(&nodes, owner.duty());
            let limit = Duration::from_secs(if zero { 0 } else { 3600 });
            let timeout = tokio::time::timeout(limit, future);
            Built {
                future: Box::pin(async { timeout.await.unwrap_or(Err(())) }),
                nodes,
            }
        }
        Made::Unordered { of, take } => {
            let built: Vec<_> = of.into_iter().map(|of| build(of, Owner::Foreign)).collect();
            let nodes: Vec<_> = built.iter().flat_map(|built| built.nodes.clone()).collect();
            owe(&nodes, owner.duty());
            let mut all: FuturesUnordered<_> =
                built.into_iter().map(|built| built.future).collect();
            let rest = nodes.clone();
            let future = async move {
                owe(&rest, Duty::Foreign);
                for _ in 0..take {
                    if all.next().await.is_none() {
                        break;
                    }
                }
                drop(all);
                Ok(())
            };
            Built {
                future: Box::pin(future),
                nodes,
            }
        }
    }
}

fn tracked_or_not(tracked: bool, future: Boxed, owner: Owner) -> Built {
    let (future, node) = if tracked {
        track(future, owner.duty())
    } else {
        (future, None)
    };
    Built {
        future,
        nodes: node.into_iter().collect(),
    }
}

async fn leaf(ends: Ends) -> Result<(), ()> {
    match ends {
        Ends::AtOnce => Ok(()),
        Ends::WithError => Err(()),
        Ends::AfterYields(n) => {
            for _ in 0..n {
                yield_now().await;
            }
            Ok(())
        }
        Ends::Never => std::future::pending().await,
    }
}

fn block(steps: Vec<Step>, owner: Owner) -> Boxed {
    Box::pin(async move {
        match run(steps, owner).await {
            Flow::On => Ok(()),
            Flow::Return => Err(()),
        }
    })
}

fn run(steps: Vec<Step>, owner: Owner) -> Pin<Box<dyn Future<Output = Flow> + Send>> {
    Box::pin(async move {
        for step in steps {
            if one(step, owner).await == Flow::Return {
                return Flow::Return;
            }
        }
        Flow::On
    })
}

async fn one(step: Step, owner: Owner) -> Flow {
    match step {
        Step::Yield => yield_now().await,
        Step::Await(made) => {
            let _ = build(made, owner).future.await;
        }
        Step::Forget(form, made) => forget(form, build(made, owner).forgotten()).await,
        Step::Hold {
            made,
            meanwhile,
            awaited,
        } => {
            let Built { future, nodes } = build(made, owner);
            let flow = run(meanwhile, owner).await;
            if flow == Flow::On && awaited {
                let _ = future.await;
                return flow;
            }
            owe(&nodes, Duty::Forgotten);
            drop(future);
            return flow;
        }
        Step::Return(made) => {
            let _lost = build(made, owner).forgotten();
            return Flow::Return;
        }
        Step::Select {
            biased,
            arms,
            last,
            handler,
        } => {
            select(biased, arms, last, owner).await;
            return run(handler, owner).await;
        }
        Step::Join([a, b]) => {
            let (a, b) = (ours(a), ours(b));
            happened();
            let _ = pollscope::join!(a, b);
            happened();
        }
        Step::TryJoin { biased, of } => {
            let [a, b, c] = of.map(ours);
            happened();
            let _ = if biased {
                pollscope::try_join!(biased; a, b, c)
            } else {
                pollscope::try_join!(a, b, c)
            };
            happened();
        }
        Step::Set { of, take, shutdown } => set(of, take, shutdown).await,
        Step::Spawn {
            made,
            yields,
            after,
        } => spawn(made, yields, after).await,
        Step::Discard(made) => pollscope::discard(build(made, owner).given()),
        Step::Unwind(made) => {
            let future = build(made, owner).given();
            let unwound = catch_unwind(AssertUnwindSafe(move || {
                let _held = future;
                // No panic hook: nothing is printed.
                resume_unwind(Box::new(()));
            }));
            assert!(unwound.is_err());
        }
        Step::Leak(made) => std::mem::forget(build(made, owner).given()),
    }
    Flow::On
}

/// A future for an owner of ours.
fn ours(made: Made) -> Boxed {
    build(made, Owner::Ours).given()
}

#[expect(
    unused_must_use,
    clippy::let_underscore_future,
    reason = "what the test is about"
)]
async fn forget(form: Form, future: Boxed) {
    struct Job {
        _future: Boxed,
        _name: &'static str,
    }
    match form {
        Form::Statement => {
            Box::pin(future);
        }
        Form::Underscore => {
            let moved = move || future;
            let _ = moved();
        }
        Form::Drop => drop(future),
        Form::Vector => drop(vec![future]),
        Form::Field => {
            let _job = Job {
                _future: future,
                _name: "settle",
            };
        }
        Form::Boxed => {
            let _boxed: Option<Box<dyn Send>> = Some(Box::new(future));
        }
        Form::Argument => {
            let takes = |_: Boxed, n: u8| n;
            takes(future, 1);
        }
        Form::EarlyReturn => {
            async fn early(future: Boxed, stop: bool) -> Result<(), ()> {
                if stop {
                    return Err(());
                }
                future.await
            }
            early(future, true).await;
        }
    }
}

async fn select(biased: bool, arms: [Made; 3], last: bool, owner: Owner) {
    // What the third arm borrows is its owner's to drop, and to forget: a plain block tells nobody that it was polled.
    let [a, b, c] = arms;
    let mut kept = build(c, Owner::Foreign);
    owe(&kept.nodes, owner.duty());
    let (a, b) = (ours(a), ours(b));
    happened();
    if biased {
        pollscope::select! {
            biased;
            _ = a => {}
            _ = b => {}
            _ = &mut kept.future, if last => {}
        }
    } else {
        pollscope::select! {
            _ = a => {}
            _ = b => {}
            _ = &mut kept.future, if last => {}
        }
    }
    happened();
    drop(kept.forgotten());
}

async fn set(of: Vec<Made>, take: usize, shutdown: bool) {
    let mut set = JoinSet::new();
    for of in of {
        set.spawn(Counted(ours(of)));
    }
    for _ in 0..take {
        if set.join_next().await.is_none() {
            break;
        }
    }
    if shutdown {
        set.shutdown().await;
    }
}

async fn spawn(made: Made, yields: u8, after: After) {
    let task = pollscope::spawn(Counted(ours(made)));
    for _ in 0..yields {
        yield_now().await;
    }
    let abort: AbortHandle = task.abort_handle();
    match after {
        After::Await => {
            let _ = task.await;
        }
        After::Abort => {
            abort.abort();
            let _ = task.await;
        }
        After::Detach => drop(task),
    }
}
