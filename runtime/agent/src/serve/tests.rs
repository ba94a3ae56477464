//! The server as a client sees it, over a pipe in memory, with tasks of the test's own.

mod bounds;
mod calls;
mod shared;
mod tasks;
mod watching;

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use pollscope_proto::v1;
use pollscope_proto::v1::inspect_client::InspectClient;
use tokio::io::DuplexStream;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use super::http::{self, Door};
use super::inspect::Inspect;
use super::{Quota, Server};
use crate::config::{Rights, Settings};
use crate::state::Agent;

type Client = InspectClient<Channel>;

const WINDOW: u32 = 65_535;

fn server() -> Arc<Server> {
    pollscope_capture::registry::start();
    Arc::new(Server::new(&Arc::new(Agent::new(Settings::default()))))
}

/// A client whose transport gives up where the server says so, and the server's side of it.
async fn client(door: Door) -> Client {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(http::serve(far, door));
    client_on(near).await
}

async fn client_on(near: DuplexStream) -> Client {
    // As little room as HTTP/2 lets a client offer: a client that does not read takes that much and no more.
    client_with(near, WINDOW, WINDOW).await
}

/// With so much room for each stream, and for all of them together.
async fn client_with(near: DuplexStream, stream: u32, connection: u32) -> Client {
    let mut near = Some(TokioIo::new(near));
    let connector = tower::service_fn(move |_| {
        let near = near
            .take()
            .ok_or_else(|| std::io::Error::other("one connection"));
        std::future::ready(near)
    });
    let endpoint = Endpoint::from_static("http://pipe")
        .initial_stream_window_size(stream)
        .initial_connection_window_size(connection);
    InspectClient::new(
        endpoint
            .connect_with_connector(connector)
            .await
            .expect("connected"),
    )
}

async fn open(server: &Arc<Server>, rights: Rights) -> Client {
    open_within(server, rights, Quota::default()).await
}

async fn open_within(server: &Arc<Server>, rights: Rights, quota: Quota) -> Client {
    client(Door::Open(Inspect::new(Arc::clone(server), rights, quota))).await
}

/// Sends one view; it holds until the stream is dropped.
async fn watch(client: &mut Client, view: v1::View) -> Result<Streaming<v1::Update>, Status> {
    Ok(client.watch(tokio_stream::once(view)).await?.into_inner())
}

/// All parts of the one update of a `once` view.
async fn once(client: &mut Client, view: v1::View) -> Result<Vec<v1::Update>, Status> {
    let mut stream = watch(client, v1::View { once: true, ..view }).await?;
    let mut parts = Vec::new();
    while let Some(part) = stream.next().await {
        parts.push(part?);
    }
    Ok(parts)
}

/// A view of the tasks with this in their name.
fn named(name: &str) -> v1::View {
    v1::View {
        id: 1,
        filter: format!("name:{name}"),
        limit: 1000,
        ..v1::View::default()
    }
}

fn names(parts: &[v1::Update]) -> Vec<&str> {
    parts
        .iter()
        .flat_map(|part| &part.tasks)
        .map(|task| &*task.name)
        .collect()
}
