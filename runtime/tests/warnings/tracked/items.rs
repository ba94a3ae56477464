//! Free functions, methods, traits, modules, and functions that are not async.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use crate::watch::{forgotten, forgotten_in};

#[pollscope::tracked]
async fn free() {}

#[pollscope::tracked]
fn returns_impl(stop: bool) -> impl Future<Output = u8> + Send {
    if stop {
        return std::future::ready(0);
    }
    std::future::ready(1)
}

#[pollscope::tracked]
fn returns_box<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { text.len() })
}

#[pollscope::tracked]
fn returns_box_early(stop: bool) -> Pin<Box<dyn Future<Output = u8>>> {
    if stop {
        return Box::pin(async { 0 });
    }
    Box::into_pin(Box::new(async { 1 }))
}

struct Account {
    name: String,
}

#[pollscope::tracked]
impl Account {
    const LIMIT: usize = 3;

    fn new() -> Self {
        Self {
            name: "a".to_owned(),
        }
    }

    async fn len(&self) -> usize {
        self.name.len()
    }

    async fn grow(&mut self, by: usize) -> &mut Self {
        self.name.push_str(&"x".repeat(by.min(Self::LIMIT)));
        self
    }

    async fn close(mut self, suffix: &str) -> String {
        self.name.push_str(suffix);
        self.name
    }

    async fn boxed(self: Box<Self>) -> usize {
        self.name.len()
    }
}

impl Account {
    #[pollscope::tracked]
    fn lends(&mut self, by: usize) -> impl Future<Output = &mut Self> {
        self.grow(by)
    }
}

trait Store {
    async fn load(&self, key: &str) -> Option<String>;
    fn send(&self) -> impl Future<Output = u8> + Send;
    async fn defaulted(&self) -> u8;
}

#[pollscope::tracked]
impl Store for Account {
    async fn load(&self, key: &str) -> Option<String> {
        (key == self.name).then(|| self.name.clone())
    }

    async fn send(&self) -> u8 {
        1
    }

    async fn defaulted(&self) -> u8 {
        2
    }
}

#[pollscope::tracked]
trait Defaults {
    fn id(&self) -> u8;

    async fn declared(&self) -> u8;

    async fn defaulted(&self) -> u8 {
        self.id()
    }
}

impl Defaults for Account {
    fn id(&self) -> u8 {
        9
    }

    async fn declared(&self) -> u8 {
        8
    }
}

#[pollscope::tracked]
mod module {
    pub(super) async fn outer() {}

    pub(super) fn not_async() -> u8 {
        5
    }

    pub(super) mod deeper {
        pub(in super::super) struct Inner;

        impl Inner {
            pub(in super::super) async fn method(&self) {}
        }
    }

    #[cfg(test)]
    pub(super) use deeper::Inner;
}

#[test]
fn each_reports_the_line_of_its_call() {
    let mut account = Account::new();
    let line = line!();
    let found = forgotten(|| {
        drop(free());
        drop(returns_impl(false));
        drop(returns_impl(true));
        drop(returns_box("abc"));
        drop(returns_box_early(true));
        drop(account.len());
        drop(account.grow(1));
        drop(Box::new(Account::new()).boxed());
        drop(Account::new().close("!"));
        drop(account.load("a"));
        drop(account.send());
        drop(Defaults::defaulted(&account));
        drop(module::outer());
        drop(module::Inner.method());
    });
    let expected: Vec<_> = (2..16).map(|after| (line + after, true)).collect();
    assert_eq!(found, expected);
}

#[test]
fn each_does_what_it_did_and_is_silent_when_awaited() {
    let found = forgotten_in(async {
        free().await;
        assert_eq!(
            (returns_impl(true).await, returns_impl(false).await),
            (0, 1)
        );
        assert_eq!(returns_box("abc").await, 3);
        assert_eq!(
            (
                returns_box_early(true).await,
                returns_box_early(false).await
            ),
            (0, 1)
        );
        let mut account = Account::new();
        assert_eq!(account.grow(9).await.len().await, 4);
        assert_eq!(account.load("axxx").await.as_deref(), Some("axxx"));
        assert_eq!(
            (account.send().await, Store::defaulted(&account).await),
            (1, 2)
        );
        assert_eq!(
            (
                Defaults::defaulted(&account).await,
                account.declared().await
            ),
            (9, 8)
        );
        assert_eq!(account.lends(1).await.name, "axxxx");
        assert_eq!(account.close("!").await, "axxxx!");
        assert_eq!(Box::new(Account::new()).boxed().await, 1);
        module::outer().await;
        module::Inner.method().await;
        assert_eq!(module::not_async(), 5);
    });
    assert_eq!(found, []);
}

#[test]
fn a_panic_in_a_function_that_is_not_async_names_its_own_line() {
    #[pollscope::tracked]
    fn picky(text: &str) -> impl Future<Output = u8> + use<> {
        let n: u8 = text.parse().expect("a number");
        std::future::ready(n)
    }
    let line = line!() - 3;
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let found = forgotten(|| {
        let before = std::panic::take_hook();
        let note = std::sync::Arc::clone(&seen);
        std::panic::set_hook(Box::new(move |info| {
            note.store(
                info.location().map_or(0, std::panic::Location::line),
                std::sync::atomic::Ordering::Relaxed,
            );
        }));
        let caught = std::panic::catch_unwind(|| picky("x"));
        std::panic::set_hook(before);
        assert!(caught.is_err());
    });
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), line);
    assert_eq!(found, []);
}

// `async_trait` and `instrument` are such macros: here one of ours stands for them.
#[pollscope::tracked]
#[pollscope::tracked]
async fn twice() -> Poll<u8> {
    Poll::Ready(1)
}

#[test]
fn attribute_macros_on_the_same_function_run_first() {
    let line = line!() + 1;
    let found = forgotten(|| drop(twice()));
    assert!(found.contains(&(line, true)), "{found:?}");
}
