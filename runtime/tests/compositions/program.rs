//! Programs, and how they are made up.

use proptest::collection::vec;
use proptest::prelude::*;

/// A program: at which level it runs, and what its task does.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) debug: bool,
    pub(crate) steps: Vec<Step>,
}

/// How a future without parts ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    AtOnce,
    WithError,
    AfterYields(u8),
    Never,
}

/// A future. What it is made of is made with it; what a block makes is made when it runs.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    Leaf {
        tracked: bool,
        ends: Ends,
    },
    Block {
        tracked: bool,
        steps: Vec<Step>,
    },
    Timeout {
        zero: bool,
        of: Box<Self>,
    },
    /// A `FuturesUnordered` that takes so many results and drops the rest.
    Unordered {
        of: Vec<Self>,
        take: usize,
    },
}

/// How a future is forgotten on the spot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Statement,
    Underscore,
    Drop,
    Vector,
    Field,
    Boxed,
    Argument,
    EarlyReturn,
}

/// What becomes of a spawned task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum After {
    Await,
    Abort,
    Detach,
}

/// A statement of an async block.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Yield,
    Await(Made),
    Forget(Form, Made),
    /// Made first, and awaited or dropped after other steps; lost where one of those returns.
    Hold {
        made: Made,
        meanwhile: Vec<Self>,
        awaited: bool,
    },
    /// Makes a future, and returns before it is awaited.
    Return(Made),
    Select {
        biased: bool,
        arms: [Made; 3],
        last: bool,
        handler: Vec<Self>,
    },
    Join([Made; 2]),
    TryJoin {
        biased: bool,
        of: [Made; 3],
    },
    Set {
        of: Vec<Made>,
        take: usize,
        shutdown: bool,
    },
    Spawn {
        made: Made,
        yields: u8,
        after: After,
    },
    Discard(Made),
    Unwind(Made),
    Leak(Made),
}

/// Any program.
pub(crate) fn any() -> impl Strategy<Value = Program> {
    let mut made = leaf();
    let mut steps = vec(simple(&made), 1..3).boxed();
    for _ in 0..2 {
        made = compound(&made, &steps);
        steps = vec(
            prop_oneof![1 => simple(&made), 1 => complex(&made, &steps)],
            1..4,
        )
        .boxed();
    }
    (any_bool(), steps).prop_map(|(debug, steps)| Program { debug, steps })
}

fn any_bool() -> impl Strategy<Value = bool> {
    proptest::bool::ANY
}

fn leaf() -> BoxedStrategy<Made> {
    let ends = prop_oneof![
        4 => Just(Ends::AtOnce),
        2 => Just(Ends::WithError),
        4 => (1..3u8).prop_map(Ends::AfterYields),
        1 => Just(Ends::Never),
    ];
    (proptest::bool::weighted(0.8), ends)
        .prop_map(|(tracked, ends)| Made::Leaf { tracked, ends })
        .boxed()
}

fn compound(made: &BoxedStrategy<Made>, steps: &BoxedStrategy<Vec<Step>>) -> BoxedStrategy<Made> {
    prop_oneof![
        4 => leaf(),
        3 => (any_bool(), steps.clone()).prop_map(|(tracked, steps)| Made::Block { tracked, steps }),
        2 => (any_bool(), made.clone())
            .prop_map(|(zero, of)| Made::Timeout { zero, of: Box::new(of) }),
        1 => (vec(made.clone(), 1..4), 0..4usize)
            .prop_map(|(of, take)| Made::Unordered { of, take }),
    ]
    .boxed()
}

fn simple(made: &BoxedStrategy<Made>) -> BoxedStrategy<Step> {
    let form = prop_oneof![
        Just(Form::Statement),
        Just(Form::Underscore),
        Just(Form::Drop),
        Just(Form::Vector),
        Just(Form::Field),
        Just(Form::Boxed),
        Just(Form::Argument),
        Just(Form::EarlyReturn),
    ];
    prop_oneof![
        1 => Just(Step::Yield),
        3 => made.clone().prop_map(Step::Await),
        3 => (form, made.clone()).prop_map(|(form, made)| Step::Forget(form, made)),
        1 => made.clone().prop_map(Step::Return),
        1 => made.clone().prop_map(Step::Discard),
        1 => made.clone().prop_map(Step::Unwind),
        1 => made.clone().prop_map(Step::Leak),
    ]
    .boxed()
}

fn complex(made: &BoxedStrategy<Made>, steps: &BoxedStrategy<Vec<Step>>) -> BoxedStrategy<Step> {
    let three = || [made.clone(), made.clone(), made.clone()];
    let after = prop_oneof![Just(After::Await), Just(After::Abort), Just(After::Detach)];
    prop_oneof![
        3 => (made.clone(), steps.clone(), any_bool())
            .prop_map(|(made, meanwhile, awaited)| Step::Hold { made, meanwhile, awaited }),
        3 => (any_bool(), three(), any_bool(), steps.clone())
            .prop_map(|(biased, arms, last, handler)| Step::Select { biased, arms, last, handler }),
        1 => [made.clone(), made.clone()].prop_map(Step::Join),
        2 => (any_bool(), three()).prop_map(|(biased, of)| Step::TryJoin { biased, of }),
        2 => (vec(made.clone(), 1..4), 0..4usize, any_bool())
            .prop_map(|(of, take, shutdown)| Step::Set { of, take, shutdown }),
        2 => (made.clone(), 0..3u8, after)
            .prop_map(|(made, yields, after)| Step::Spawn { made, yields, after }),
    ]
    .boxed()
}
