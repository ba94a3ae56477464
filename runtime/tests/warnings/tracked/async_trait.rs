//! Methods that `#[async_trait]` boxes, with `#[tracked]` above it and below it.

use std::rc::Rc;

use async_trait::async_trait;

use crate::watch::{forgotten, forgotten_in};

#[async_trait]
trait Store: Sync {
    async fn load(&self, key: &str) -> Option<String>;

    async fn size(&self) -> usize {
        0
    }
}

struct Above(String);

#[pollscope::tracked]
#[async_trait]
impl Store for Above {
    async fn load(&self, key: &str) -> Option<String> {
        (key == self.0).then(|| self.0.clone())
    }

    async fn size(&self) -> usize {
        self.0.len()
    }
}

struct Below(String);

#[async_trait]
#[pollscope::tracked]
impl Store for Below {
    async fn load(&self, key: &str) -> Option<String> {
        (key == self.0).then(|| self.0.clone())
    }
}

struct NotSend(Rc<u8>);

#[async_trait(?Send)]
trait Local {
    async fn get(&self) -> u8;
}

#[pollscope::tracked]
mod inside {
    use super::{Local, NotSend, async_trait};

    #[async_trait(?Send)]
    impl Local for NotSend {
        async fn get(&self) -> u8 {
            *self.0
        }
    }
}

#[test]
fn each_gives_what_it_gave() {
    let found = forgotten_in(async {
        let stores: [Box<dyn Store>; 2] =
            [Box::new(Above("a".into())), Box::new(Below("a".into()))];
        for (store, size) in stores.iter().zip([1, 0]) {
            assert_eq!(store.load("a").await.as_deref(), Some("a"));
            assert_eq!(store.size().await, size);
        }
        assert_eq!(NotSend(Rc::new(3)).get().await, 3);
    });
    assert_eq!(found, []);
}

#[test]
fn each_reports_the_line_of_its_call() {
    let (above, below, local) = (Above("a".into()), Below("b".into()), NotSend(Rc::new(3)));
    let line = line!();
    let found = forgotten(|| {
        drop(above.load("a"));
        drop(above.size());
        drop(below.load("a"));
        drop(local.get());
    });
    let expected: Vec<_> = (2..6).map(|after| (line + after, true)).collect();
    assert_eq!(found, expected);
}
