//! What the event loop needs of the network, so that tests can stand in for it.

use std::future::Future;
use std::rc::Rc;

use crate::model::{
    Change, Found, FoundState, Runtime, Snapshot, Target, TaskDetail, ThreadStack, View,
};
use crate::net::{self, Address, NetError, SymbolsFrom};
use crate::report;

/// Where targets are found and attached to.
pub(super) trait Source: 'static {
    type Session: Session;

    fn open(&self, address: &Address) -> impl Future<Output = Result<Self::Session, NetError>>;

    /// Where the program runs again that `target` was an instance of: started within the last `seconds`.
    fn successor(&self, target: &Target, seconds: f64) -> impl Future<Output = Option<Address>>;
}

/// A connection to one target.
pub(super) trait Session: 'static {
    type Watch: Watch;

    fn target(&self) -> (Target, Vec<Runtime>);
    fn watch(&self, view: View) -> Self::Watch;
    fn task(&self, id: u64) -> impl Future<Output = Result<Option<TaskDetail>, NetError>>;
    fn configure(&self, change: &Change) -> impl Future<Output = Result<Change, NetError>>;
    fn abort(&self, id: u64) -> impl Future<Output = Result<(), NetError>>;
    /// What `report` prints of it.
    fn report(&self) -> impl Future<Output = Result<Snapshot, NetError>>;
    fn dump(&self) -> impl Future<Output = Result<Vec<ThreadStack>, NetError>>;
}

/// The live stream of one connection.
pub(super) trait Watch: 'static {
    fn set(&self, view: View);
    /// Cancel safe. `None`: the stream ended.
    fn next(&mut self) -> impl Future<Output = Option<Result<Snapshot, NetError>>>;
}

/// The real one.
#[derive(Debug)]
pub(super) struct Net {
    symbols: SymbolsFrom,
}

impl Net {
    pub(super) const fn new(symbols: SymbolsFrom) -> Self {
        Self { symbols }
    }
}

impl Source for Net {
    type Session = net::Session;

    async fn open(&self, address: &Address) -> Result<net::Session, NetError> {
        net::Session::open_with(address, self.symbols.clone()).await
    }

    async fn successor(&self, target: &Target, seconds: f64) -> Option<Address> {
        let found = discover().await;
        let others = found
            .into_iter()
            .filter(|found| found.pid != Some(target.pid));
        for candidate in others {
            let found = net::probe(candidate).await;
            let young = found.uptime_s.is_some_and(|up| up <= seconds + 1.0);
            let same = found.name == target.name && found.exe == target.exe;
            if found.state == FoundState::Ready && young && same {
                return found.address.parse().ok();
            }
        }
        None
    }
}

/// Discovery reads many files of /proc: not on the thread that draws.
pub(super) async fn discover() -> Vec<Found> {
    tokio::task::spawn_blocking(net::discover)
        .await
        .unwrap_or_default()
}

impl Session for net::Session {
    type Watch = net::Watch;

    fn target(&self) -> (Target, Vec<Runtime>) {
        let hello = self.hello();
        (hello.target.clone(), hello.runtimes.clone())
    }

    fn watch(&self, view: View) -> net::Watch {
        self.watch(view)
    }

    async fn task(&self, id: u64) -> Result<Option<TaskDetail>, NetError> {
        self.task(id).await
    }

    async fn configure(&self, change: &Change) -> Result<Change, NetError> {
        self.configure(change).await
    }

    async fn abort(&self, id: u64) -> Result<(), NetError> {
        self.abort(id).await
    }

    async fn report(&self) -> Result<Snapshot, NetError> {
        self.report(report::TASKS).await
    }

    async fn dump(&self) -> Result<Vec<ThreadStack>, NetError> {
        self.dump(None).await
    }
}

impl Watch for net::Watch {
    fn set(&self, view: View) {
        self.set(view);
    }

    async fn next(&mut self) -> Option<Result<Snapshot, NetError>> {
        self.next().await
    }
}

impl<S: Source> Source for Rc<S> {
    type Session = S::Session;

    fn open(&self, address: &Address) -> impl Future<Output = Result<S::Session, NetError>> {
        S::open(self, address)
    }

    fn successor(&self, target: &Target, seconds: f64) -> impl Future<Output = Option<Address>> {
        S::successor(self, target, seconds)
    }
}
