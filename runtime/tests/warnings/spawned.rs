//! What is told of an error that a task returned and nobody read.

use std::fmt;

use pollscope::spawn;
use pollscope_capture::event::ErrorText;

use crate::watch::{What, during_task};

/// The one leaked error of a task.
fn leaked(future: impl Future<Output = ()>) -> (u32, ErrorText) {
    let mut found = during_task(future);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = found.remove(0);
    match found.what {
        What::Error(text) => (found.line, text),
        other => panic!("{other:?}"),
    }
}

/// Lets what was spawned run to its end.
async fn settle() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

struct Silent;

#[derive(Debug)]
struct OnlyDebug;

struct OnlyDisplay;

impl fmt::Display for OnlyDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only displayed")
    }
}

#[test]
fn the_macro_reads_both_texts() {
    let at = line!() + 2;
    let (line, text) = leaked(async {
        drop(spawn!(async {
            Err::<u64, _>(std::io::Error::other("no disk"))
        }));
        settle().await;
    });
    assert_eq!(line, at);
    assert_eq!(text.display.as_deref(), Some("no disk"));
    assert_eq!(
        text.debug.as_deref(),
        Some("Custom { kind: Other, error: \"no disk\" }")
    );
    assert_eq!(
        text.type_name,
        std::any::type_name::<Result<u64, std::io::Error>>()
    );
}

#[test]
fn the_macro_reads_what_there_is() {
    let (_, text) = leaked(async {
        drop(spawn!(async { Err::<(), _>(OnlyDebug) }));
        settle().await;
    });
    assert_eq!(
        (text.display.as_deref(), text.debug.as_deref()),
        (None, Some("OnlyDebug"))
    );
    let (_, text) = leaked(async {
        drop(spawn!(async { Err::<(), _>(OnlyDisplay) }));
        settle().await;
    });
    assert_eq!(
        (text.display.as_deref(), text.debug.as_deref()),
        (Some("only displayed"), None)
    );
    let (_, text) = leaked(async {
        drop(spawn!(async { Err::<(), _>(Silent) }));
        settle().await;
    });
    assert_eq!(
        (text.display.as_deref(), text.debug.as_deref()),
        (None, None)
    );
    assert!(
        text.type_name.ends_with("spawned::Silent>"),
        "{}",
        text.type_name
    );
}

#[test]
fn the_macro_takes_any_output_and_any_expression() {
    async fn fallible() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        tokio::task::yield_now().await;
        Ok("1".parse()?)
    }
    let found = during_task(async {
        assert_eq!(spawn!(async { 6 * 7 }).await.expect("no panic"), 42);
        assert_eq!(spawn!(async {},).await.expect("no panic"), ());
        assert_eq!(
            spawn!(fallible())
                .await
                .expect("no panic")
                .expect("a number"),
            1
        );
        assert!(spawn!(async { Silent }).await.is_ok());
        let text = String::from("moved");
        let handle = spawn!(async move { text.len() });
        assert_eq!(handle.await.expect("no panic"), 5);
        assert!(
            spawn!(Box::pin(async { Err::<(), _>(1) }))
                .await
                .expect("no panic")
                .is_err()
        );
    });
    assert_eq!(found, []);
}

#[test]
fn within_generics_the_bounds_decide() {
    fn bounded<E: fmt::Debug + Send + 'static>(error: E) {
        drop(spawn!(async move { Err::<(), _>(error) }));
    }
    fn unbounded<E: Send + 'static>(error: E) {
        drop(spawn!(async move { Err::<(), _>(error) }));
    }
    let (_, text) = leaked(async {
        bounded("seen");
        settle().await;
    });
    assert_eq!(
        (text.display.as_deref(), text.debug.as_deref()),
        (None, Some("\"seen\""))
    );
    let (_, text) = leaked(async {
        unbounded("not seen");
        settle().await;
    });
    assert_eq!(
        (text.display.as_deref(), text.debug.as_deref()),
        (None, None)
    );
    assert_eq!(text.type_name, std::any::type_name::<Result<(), &str>>());
}

#[test]
fn the_function_of_the_same_name_names_the_type() {
    let at = line!() + 2;
    let (line, text) = leaked(async {
        drop(spawn(async { Err::<u64, _>(OnlyDebug) }));
        settle().await;
    });
    assert_eq!(line, at);
    assert_eq!((text.display, text.debug), (None, None));
    assert_eq!(
        text.type_name,
        std::any::type_name::<Result<u64, OnlyDebug>>()
    );
}

#[test]
fn an_error_that_was_read_is_silent() {
    let found = during_task(async {
        assert!(
            spawn!(async { Err::<(), _>(OnlyDebug) })
                .await
                .expect("no panic")
                .is_err()
        );
        assert!(
            spawn(async { Err::<(), _>(OnlyDebug) })
                .await
                .expect("no panic")
                .is_err()
        );
        drop(spawn!(async { Ok::<(), OnlyDebug>(()) }));
        settle().await;
    });
    assert_eq!(found, []);
}

/// Edge case 29: the way out for errors that are values.
#[test]
fn an_error_that_is_a_value_is_silent_and_its_twin_is_not() {
    let drops = |expected: bool| {
        during_task(async move {
            let mut builder = pollscope::task::Builder::new().name("probe");
            if expected {
                builder = builder.expect_errors();
            }
            let probe = builder.spawn(async { Err::<(), _>("no answer") });
            let probe = probe.expect("a task");
            settle().await;
            assert!(probe.is_finished());
            drop(probe);
        })
    };
    assert_eq!(drops(true), []);
    assert_eq!(drops(false).len(), 1);
}
