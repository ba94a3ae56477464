//! The thread that resolves: it comes when it is asked, and goes with all that it holds.

use std::time::Instant;

use super::*;

fn answered(symbols: &Symbols) -> Answer {
    let (tell, told) = mpsc::sync_channel(1);
    let nowhere = Frame {
        module: u32::MAX,
        offset: 1,
    };
    assert!(symbols.ask(vec![nowhere; 3], move |answer| drop(tell.send(answer))));
    told.recv_timeout(Duration::from_secs(20))
        .expect("an answer")
}

#[test]
fn the_thread_ends_when_nobody_asks_and_another_starts_when_somebody_does() {
    let mut symbols = Symbols::new();
    symbols.idle = Duration::from_millis(1);
    for _ in 0..3 {
        assert_eq!(answered(&symbols), vec![Vec::new(); 3]);
        let limit = Instant::now() + Duration::from_secs(20);
        while locked(&symbols.questions).is_some() {
            assert!(Instant::now() < limit, "it still waits");
            std::thread::yield_now();
        }
    }
}

/// One that ends just then must not take a question along.
#[test]
fn no_question_is_lost_between_two_threads() {
    let mut symbols = Symbols::new();
    symbols.idle = Duration::ZERO;
    for _ in 0..500 {
        assert_eq!(answered(&symbols).len(), 3);
    }
}

#[test]
fn past_the_queue_a_question_is_refused() {
    let symbols = Symbols::new();
    let (go, wait) = mpsc::sync_channel::<()>(0);
    let (begun, begins) = mpsc::sync_channel(0);
    let holds = move |_: Answer| {
        begun.send(()).expect("awaited");
        // Until the other end is dropped.
        let _ = wait.recv();
    };
    assert!(symbols.ask(Vec::new(), holds));
    begins.recv().expect("it is asked");
    assert!((0..QUEUE).all(|_| symbols.ask(Vec::new(), drop)));
    assert!(!symbols.ask(Vec::new(), drop));
    drop(go);
}
