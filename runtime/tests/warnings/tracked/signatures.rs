//! Signatures that are hard to turn into `fn … -> impl Future`: lifetimes, generics, `impl Trait`, patterns.

use std::fmt::{Debug, Display};

use crate::watch::{forgotten, forgotten_in};

struct Holder<'h, T, const N: usize> {
    text: &'h str,
    items: [T; N],
}

#[pollscope::tracked]
impl<'h, T: Clone + Debug, const N: usize> Holder<'h, T, N> {
    async fn all<'a, U>(&'a self, other: &U, shown: impl Display + 'a) -> (usize, &'a str, String)
    where
        U: AsRef<str> + ?Sized,
    {
        (other.as_ref().len() + N, self.text, format!("{shown}"))
    }

    async fn elided(&self, _other: &str) -> &T {
        &self.items[0]
    }

    async fn fresh(text: &'h str, item: T) -> Self
    where
        T: Copy,
    {
        Self {
            text,
            items: [item; N],
        }
    }
}

// The attribute sees only the function: what the `impl` names must still be captured.
impl<'h, T: Debug, const N: usize> Holder<'h, T, N> {
    #[pollscope::tracked]
    async fn alone(&self) -> (&'h str, &T) {
        (self.text, &self.items[N - 1])
    }
}

#[pollscope::tracked]
async fn patterns(
    (a, mut b): (u8, u8),
    [first, ..]: [u8; 3],
    _: String,
    mut own: Vec<u8>,
    _unused: &str,
) -> u8 {
    b += 1;
    own.push(a + b + first);
    own[0]
}

#[pollscope::tracked]
async fn shows(parts: &[impl AsRef<str>], end: impl FnOnce() -> char + Send) -> impl Display {
    let mut text: String = parts.iter().map(AsRef::as_ref).collect();
    text.push(end());
    text
}

#[pollscope::tracked]
async fn boxes(fail: bool) -> Result<u8, Box<dyn std::error::Error>> {
    let n: u8 = "7".parse()?;
    if fail {
        return Err("on purpose".into());
    }
    Ok(n)
}

#[pollscope::tracked]
async fn coerces(which: bool) -> Box<dyn Fn(u8) -> u8> {
    if which {
        return Box::new(|n| n + 1);
    }
    Box::new(|n| n + 2)
}

#[pollscope::tracked]
async fn never() -> ! {
    std::future::pending::<()>().await;
    unreachable!("it never gets here")
}

#[pollscope::tracked]
async fn diverges() -> u8 {
    std::future::pending::<()>().await;
    panic!("it never gets here")
}

/// Recursion needs a box, as ever.
#[pollscope::tracked]
async fn factorial(n: u64) -> u64 {
    if n == 0 {
        1
    } else {
        n * Box::pin(factorial(n - 1)).await
    }
}

#[pollscope::tracked]
#[expect(unsafe_code, reason = "what the test is about")]
async unsafe fn trusting(pointer: *const u8) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { *pointer }
}

#[pollscope::tracked]
async fn lint_attributes(
    #[expect(unused_variables, reason = "stays on the argument")] unused: u8,
) -> u8 {
    1
}

// The last value of a body may borrow from an argument by a temporary.
#[pollscope::tracked]
async fn tail_temporary(locked: std::sync::Mutex<u8>) -> u8 {
    *locked.lock().expect("not poisoned")
}

/// Docs stay, and so does the message.
#[pollscope::tracked]
#[must_use = "an answer"]
#[inline]
#[track_caller]
async fn attributes() -> u8 {
    2
}

static EIGHT: u8 = 8;

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
#[expect(unsafe_code, reason = "calls an unsafe function")]
fn each_compiles_and_gives_what_it_gave() {
    let found = forgotten_in(async {
        let text = String::from("held");
        let holder: Holder<'_, u8, 2> = Holder::fresh(&text, 4).await;
        let (n, text, shown) = is_send(holder.all("four", 'c')).await;
        assert_eq!((n, text, shown.as_str()), (6, "held", "c"));
        assert_eq!(holder.elided("x").await, &4);
        assert_eq!(holder.alone().await, ("held", &4));
        assert_eq!(
            is_send(patterns((1, 2), [3, 0, 0], String::new(), Vec::new(), "")).await,
            7
        );
        assert_eq!(shows(&["a", "b"], || 'c').await.to_string(), "abc");
        assert_eq!(boxes(false).await.expect("a number"), 7);
        assert_eq!(
            boxes(true).await.expect_err("told to").to_string(),
            "on purpose"
        );
        assert_eq!((coerces(true).await(1), coerces(false).await(1)), (2, 3));
        assert_eq!(is_send(factorial(5)).await, 120);
        // SAFETY: a pointer to a value that lives.
        assert_eq!(unsafe { trusting(&raw const EIGHT) }.await, 8);
        assert_eq!(lint_attributes(0).await, 1);
        assert_eq!(tail_temporary(std::sync::Mutex::new(3)).await, 3);
        assert_eq!(attributes().await, 2);
        let soon = std::time::Duration::ZERO;
        assert!(tokio::time::timeout(soon, never()).await.is_err());
        assert!(tokio::time::timeout(soon, diverges()).await.is_err());
    });
    assert_eq!(found, []);
}

#[test]
fn each_reports_the_line_of_its_call() {
    let text = String::from("held");
    let holder: Holder<'_, u8, 1> = Holder {
        text: &text,
        items: [1],
    };
    let line = line!();
    let found = forgotten(|| {
        drop(holder.all("four", 'c'));
        drop(holder.elided("x"));
        drop(holder.alone());
        drop(Holder::<u8, 3>::fresh(&text, 4));
        drop(patterns((1, 2), [3, 0, 0], String::new(), Vec::new(), ""));
        drop(shows(&["a", "b"], || 'c'));
        drop(never());
        drop(factorial(5));
        drop(attributes());
    });
    let expected: Vec<_> = (2..11).map(|after| (line + after, true)).collect();
    assert_eq!(found, expected);
}
