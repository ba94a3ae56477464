//! The server inside the watched process: it answers viewers over a Unix socket and, only when asked, over TCP.
//!
//! It runs on the collector's own thread and runtime, so it answers while every worker of the program is blocked,
//! and it never holds the program up: it reads what the hot path publishes. What may wait (a thread that has to
//! take a signal, an executable that has to be read) is done on other threads of ours.
//!
//! Everything a client can make it keep is bounded: connections, streams, requests, one update at a time, and what all
//! of them make it hold and do together ([`memory`], [`share`]).

mod configure;
mod detail;
mod dump;
mod fields;
mod header;
mod hello;
mod http;
mod inspect;
mod live;
mod memory;
mod metered;
mod rehearsal;
mod resolve;
mod rights;
mod rows;
mod scan;
mod share;
mod socket;
mod stacks;
mod update;
mod view;
mod watch;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OnceCell, Semaphore};

use crate::policy;
use crate::state::Agent;

pub use self::rehearsal::Rehearsal;

use self::http::Door;
use self::inspect::Inspect;
use self::live::Stacks;
use self::memory::Memory;
use self::scan::Scan;
use self::share::Share;

/// Connections at a time, over the socket and over TCP each: others cannot use up the owner's.
const MAX_CONNECTIONS: usize = 32;
/// Questions for names that wait at a time, in the same way: both together half of what may.
const MAX_QUESTIONS: usize = 8;
/// How long to wait after an accept failed: most likely the program is out of file descriptors.
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// What the connections over the socket may take together, and those over TCP.
#[derive(Clone, Debug)]
struct Quota {
    memory: Memory,
    time: Arc<Share>,
    /// Questions for names that may wait: our own have to find room beside them.
    names: Arc<Semaphore>,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            memory: Memory::default(),
            time: Arc::default(),
            names: Arc::new(Semaphore::new(MAX_QUESTIONS)),
        }
    }
}

/// What all connections share.
#[derive(Debug)]
struct Server {
    agent: Arc<Agent>,
    /// The buffers of scans: one update is made at a time.
    scan: Mutex<Scan>,
    stacks: Stacks,
    /// What our executable tells of frames, once somebody asked.
    symbols: OnceCell<String>,
    socket: OnceLock<PathBuf>,
    tcp: OnceLock<SocketAddr>,
}

/// Opens the sockets, and then answers whoever comes until the runtime ends. Must be called inside it.
///
/// What cannot be opened is logged in one line: the program runs on, and so does the rest.
pub(crate) async fn start(agent: &Arc<Agent>) {
    let server = Arc::new(Server::new(agent));
    if agent.settings.socket.unwrap_or(!policy::is_alone()) {
        open_socket(&server, socket::Place::of_process()).await;
    }
    if let Some(at) = agent.settings.bind {
        open_tcp(server, at).await;
    }
}

/// Removes the socket: the program ends. From any thread, never waits; does nothing the second time.
pub(crate) fn close() {
    socket::remove();
}

impl Server {
    fn new(agent: &Arc<Agent>) -> Self {
        Self {
            scan: Mutex::default(),
            stacks: Stacks::new(agent.live_options()),
            symbols: OnceCell::new(),
            socket: OnceLock::new(),
            tcp: OnceLock::new(),
            agent: Arc::clone(agent),
        }
    }
}

async fn open_socket(server: &Arc<Server>, place: socket::Place) {
    let (listener, path) = match place.open().await {
        Ok(open) => open,
        Err(why) => {
            crate::emit::say(&format!(
                "no socket to attach to, the program runs on without: {why}"
            ));
            return;
        }
    };
    socket::remember(&path);
    let _ = server.socket.set(path);
    tokio::spawn(accept_unix(Arc::clone(server), listener, place.uid));
}

async fn accept_unix(server: Arc<Server>, listener: UnixListener, owner: u32) {
    let rights = server.agent.settings.rights.unwrap_or_default();
    let (free, quota) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), Quota::default());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&free).try_acquire_owned() else {
            continue;
        };
        // Who cannot be told is a stranger: nobody's uid.
        let peer = stream.peer_cred().map_or(u32::MAX, |peer| peer.uid());
        let door = match rights::admit(peer, owner, || is_closed(&server)) {
            Ok(()) => Door::Open(Inspect::new(Arc::clone(&server), rights, quota.clone())),
            Err(refusal) => Door::Refused(refusal),
        };
        tokio::spawn(async move {
            http::serve(stream, door).await;
            drop(slot);
        });
    }
}

fn is_closed(server: &Server) -> bool {
    server
        .socket
        .get()
        .is_some_and(|path| socket::is_closed(path))
}

async fn open_tcp(server: Arc<Server>, at: SocketAddr) {
    if let Err(why) = rights::may_bind(at) {
        crate::emit::say(&why);
        return;
    }
    let listener = match TcpListener::bind(at).await {
        Ok(listener) => listener,
        Err(error) => {
            crate::emit::say(&format!(
                "not listening on {at}: {error}; set POLLSCOPE_BIND to another port"
            ));
            return;
        }
    };
    let _ = server.tcp.set(listener.local_addr().unwrap_or(at));
    tokio::spawn(accept_tcp(server, listener));
}

async fn accept_tcp(server: Arc<Server>, listener: TcpListener) {
    let (free, quota) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), Quota::default());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&free).try_acquire_owned() else {
            continue;
        };
        // Updates are small and late ones useless: no waiting to fill a packet.
        let _ = stream.set_nodelay(true);
        let door = Door::Open(Inspect::new(
            Arc::clone(&server),
            rights::OVER_TCP,
            quota.clone(),
        ));
        tokio::spawn(async move {
            http::serve(stream, door).await;
            drop(slot);
        });
    }
}

#[cfg(test)]
mod tests;
