//! The live stream of one target: a view goes there, snapshots come back.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pollscope_proto::v1;
use pollscope_proto::v1::inspect_client::InspectClient;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::WatchStream;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use super::merge::{self, Merge};
use super::session::failed;
use super::symbols::Symbols;
use super::{Address, Hello, NetError, wire};
use crate::model::{Snapshot, View};

/// How long a snapshot waits for the names of new frames before it goes out without them.
const NAMES_LIMIT: Duration = Duration::from_millis(100);
/// The same where it is printed once and not drawn again.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream of snapshots of one view at a time.
///
/// Updates that answer an older view are merged (they may carry warnings) and not returned.
pub struct Watch {
    views: watch::Sender<(u32, View)>,
    merge: Merge,
    symbols: Arc<Symbols>,
    client: InspectClient<Channel>,
    address: Address,
    stream: Stream,
    /// Names of frames are being looked up.
    naming: Option<JoinHandle<()>>,
    names_limit: Duration,
}

enum Stream {
    Closed,
    /// Kept, so that whoever gives up waiting does not ask twice.
    Opening(Pin<Box<dyn Future<Output = Opened> + Send>>),
    Open(Box<Streaming<v1::Update>>),
    Ended,
}

type Opened = Result<Response<Streaming<v1::Update>>, Status>;

/// What `next` waited for.
#[expect(
    clippy::large_enum_variant,
    reason = "never stored: a part is taken apart at once"
)]
enum Event {
    Part(Result<Option<v1::Update>, Status>),
    Named,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("address", &self.address)
            .field("view", &*self.views.borrow())
            .finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn new(
        first: View,
        hello: &Hello,
        client: InspectClient<Channel>,
        symbols: Arc<Symbols>,
        address: Address,
    ) -> Self {
        Self {
            views: watch::Sender::new((1, first)),
            merge: Merge::new(hello.target.clone(), hello.runtimes.clone()),
            symbols,
            client,
            address,
            stream: Stream::Closed,
            naming: None,
            names_limit: NAMES_LIMIT,
        }
    }

    /// Waits for the names of all frames before a snapshot is returned: for what is printed once.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.names_limit = PATIENCE;
        self
    }

    /// Replaces the view. The next snapshot answers the new one.
    pub fn set(&self, view: View) {
        self.views.send_if_modified(|(id, current)| {
            let differs = *current != view;
            if differs {
                *id = id.wrapping_add(1).max(1);
                *current = view;
            }
            differs
        });
    }

    /// The next snapshot, or the same again once more frames have names. `None` after the stream ended or failed.
    ///
    /// Cancel safe: what has arrived is kept.
    pub async fn next(&mut self) -> Option<Result<Snapshot, NetError>> {
        loop {
            match self.event().await? {
                Event::Named => return Some(Ok(self.merge.snapshot(&self.symbols))),
                Event::Part(Ok(Some(part))) => {
                    self.symbols.learn(merge::modules(&part));
                    let answered = self.merge.take(part);
                    if answered == Some(self.views.borrow().0) {
                        self.name_frames().await;
                        return Some(Ok(self.merge.snapshot(&self.symbols)));
                    }
                }
                Event::Part(Ok(None)) => {
                    self.stream = Stream::Ended;
                    return Some(Err(NetError::Lost {
                        address: self.address.clone(),
                        why: "the process ended, or closed the connection".to_owned(),
                    }));
                }
                Event::Part(Err(status)) => {
                    self.stream = Stream::Ended;
                    return Some(Err(failed(&self.address, &status)));
                }
            }
        }
    }

    async fn event(&mut self) -> Option<Event> {
        if matches!(self.stream, Stream::Closed) {
            let views = WatchStream::new(self.views.subscribe());
            let views = views.map(|(id, view)| wire::view(id, &view));
            let mut client = self.client.clone();
            let opening = async move { client.watch(views).await };
            self.stream = Stream::Opening(Box::pin(opening));
        }
        if let Stream::Opening(opening) = &mut self.stream {
            match opening.await {
                Ok(stream) => self.stream = Stream::Open(Box::new(stream.into_inner())),
                Err(status) => return Some(Event::Part(Err(status))),
            }
        }
        let Stream::Open(stream) = &mut self.stream else {
            return None;
        };
        let Some(naming) = &mut self.naming else {
            return Some(Event::Part(stream.message().await));
        };
        let event = tokio::select! {
            part = stream.message() => return Some(Event::Part(part)),
            _ = naming => Event::Named,
        };
        self.naming = None;
        Some(event)
    }

    /// Starts to look names up where some are missing, and waits a little.
    async fn name_frames(&mut self) {
        loop {
            if self.naming.is_none() {
                let missing = self.symbols.missing(self.merge.stacks());
                if missing.is_empty() {
                    return;
                }
                let symbols = Arc::clone(&self.symbols);
                self.naming = Some(tokio::spawn(async move { symbols.resolve(missing).await }));
            }
            let Some(naming) = &mut self.naming else {
                return;
            };
            if tokio::time::timeout(self.names_limit, naming)
                .await
                .is_err()
            {
                return;
            }
            self.naming = None;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(naming) = &self.naming {
            naming.abort();
        }
    }
}
