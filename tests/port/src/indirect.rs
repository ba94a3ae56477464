//! Spawns that stand where a line is not simply a line: in generic code, in macros, in traits, as a value.

use std::future::pending;

use tokio::task::JoinHandle;

pub(crate) fn start() -> Vec<JoinHandle<()>> {
    let mut handles = Vec::new();
    handles.extend(fan_out::<2>());
    handles.push(background!(pending())); // @macro_rules
    handles.push(Nightly.run());
    handles.extend([waits_as_a_value()].map(tokio::spawn));
    handles
}

fn fan_out<const N: usize>() -> [JoinHandle<()>; N] {
    std::array::from_fn(|_| tokio::spawn(pending())) // @const_generic
}

macro_rules! background {
    ($work:expr) => {
        tokio::spawn($work)
    };
}
use background;

trait Job {
    fn run(&self) -> JoinHandle<()> {
        tokio::spawn(pending()) // @trait_default
    }
}

struct Nightly;

impl Job for Nightly {}

async fn waits_as_a_value() {
    pending::<()>().await;
}
