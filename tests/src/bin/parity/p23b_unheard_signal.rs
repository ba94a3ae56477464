//! P23: a listener for a signal that nobody polls takes the signal away from everybody.

use std::future::poll_fn;
use std::task::Poll;

use pollscope::runtime::Runtime;
use pollscope::signal::unix::{Signal, SignalKind, signal};

use super::p23_signals::raise;

/// Raises SIGUSR1 and waits until Tokio has told all who listen to it.
async fn raise_and_wait(heard: &mut Signal) {
    raise();
    heard.recv().await.expect("a signal");
}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        let mut heard = signal(SignalKind::user_defined1()).expect("a handler");
        let unheard = signal(SignalKind::user_defined1()).expect("a handler"); // @unheard
        let idle = signal(SignalKind::user_defined2()).expect("a handler"); // @idle
        raise_and_wait(&mut heard).await;
        drop((unheard, idle));
    });
}

/// Polled before or after the signal came, given up, or handed on.
pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        let mut heard = signal(SignalKind::user_defined1()).expect("a handler");
        let mut late = signal(SignalKind::user_defined1()).expect("a handler");
        let mut waits = signal(SignalKind::user_defined2()).expect("a handler");
        let handed_on = signal(SignalKind::user_defined1()).expect("a handler");
        raise_and_wait(&mut heard).await;
        late.recv().await.expect("a signal");
        poll_fn(|cx| {
            assert!(waits.poll_recv(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop((late, waits));
        let mut tokios = handed_on.into_inner().expect("not taken");
        tokios.recv().await.expect("a signal");
    });
}
