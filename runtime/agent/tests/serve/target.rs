//! A watched process of the test's own: this test binary once more, as the test `target`, with an environment that
//! the test chooses. It lives until its standard input ends.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::instrument;
use pollscope_capture::registry;
use pollscope_capture::task::{Asks, Meta};
use pollscope_proto::sockets::SocketName;
use pollscope_proto::v1::inspect_client::InspectClient;
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint};

pub(crate) type Client = InspectClient<Channel>;

/// The task that waits in the target, by our id; the only one that can be aborted.
static WAITS: AtomicU64 = AtomicU64::new(0);

/// How many tasks more there are in the target, where they are asked for.
pub(crate) const MORE_TASKS: &str = "MORE_TASKS";

/// What the target does: a task that waits, one that hangs in its poll, and nothing else until its input ends.
pub(crate) fn be_the_target() {
    registry::set_starter(pollscope_agent::start);
    registry::set_abort(|id| id == WAITS.load(Ordering::Relaxed));
    let meta = |name| Meta {
        location: std::panic::Location::caller(),
        kind: TaskKind::Task,
        name: Some(name),
        runtime: 0,
        asks: Asks::Caller,
    };
    let (waits, _) = instrument(
        std::future::pending::<()>(),
        pollscope_capture::instrumented::Untold,
        &meta("waits"),
    );
    WAITS.store(waits.id(), Ordering::Relaxed);
    let mut waits = Box::pin(waits);
    assert!(
        waits
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    let more = std::env::var(MORE_TASKS).ok();
    for number in 0..more.and_then(|more| more.parse().ok()).unwrap_or(0) {
        let name = format!("one-more-{number}-{}", "x".repeat(90));
        let (one_more, _) = instrument(
            std::future::pending::<()>(),
            pollscope_capture::instrumented::Untold,
            &Meta {
                name: Some(&name),
                ..meta("")
            },
        );
        // For as long as the process lives.
        std::mem::forget(one_more);
    }
    let hang = async {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    };
    let (hangs, _) = instrument(
        hang,
        pollscope_capture::instrumented::Untold,
        &meta("hangs"),
    );
    let mut hangs = Box::pin(hangs);
    assert!(
        hangs
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    );
    // As a program ends that returns from main; the harness would go on to print.
    std::process::exit(0);
}

/// The running target.
pub(crate) struct Target {
    process: Child,
    dirs: Vec<PathBuf>,
}

impl Target {
    /// Starts it with its sockets below `home`, and this beside in its environment.
    pub(crate) fn start(home: &Path, env: &[(&str, &str)]) -> Self {
        let process = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "target", "--ignored", "--nocapture"])
            .env_remove("POLLSCOPE")
            .env_remove("POLLSCOPE_BIND")
            .env_remove("POLLSCOPE_RIGHTS")
            .env("XDG_RUNTIME_DIR", home)
            .env("TMPDIR", home)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        Self {
            process,
            dirs: vec![home.join("pollscope")],
        }
    }

    /// Where it may put its socket beside the usual place.
    pub(crate) fn or_in(mut self, dirs: Vec<PathBuf>) -> Self {
        self.dirs.extend(dirs);
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Its socket, once it is there.
    pub(crate) fn socket(&self) -> PathBuf {
        until("a socket", || self.sockets().into_iter().next())
    }

    /// The sockets it has now.
    pub(crate) fn sockets(&self) -> Vec<PathBuf> {
        let entries = self
            .dirs
            .iter()
            .filter_map(|dir| fs::read_dir(dir).ok())
            .flatten()
            .flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.and_then(|name| name.parse::<SocketName>().ok())
                    .is_some_and(|name| name.pid == self.pid())
            })
            .collect()
    }

    pub(crate) async fn attach(&self) -> Client {
        let socket = self.socket();
        // The file is there a moment before somebody listens.
        until("an answer", || {
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
        over_unix(socket).await
    }

    /// Ends it as a program ends that returns from main; what it printed.
    pub(crate) fn end(mut self) -> Output {
        drop(self.process.stdin.take().map(|mut stdin| stdin.flush()));
        self.process.wait_with_output().expect("it ends")
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("it ends");
    }
}

/// A client that gives no stream more room than for the beginning of an answer.
pub(crate) async fn stingy(path: PathBuf) -> Client {
    let endpoint = Endpoint::from_static("http://target")
        .initial_stream_window_size(16)
        .initial_connection_window_size(1 << 20);
    connect(endpoint, path).await
}

pub(crate) async fn over_unix(path: PathBuf) -> Client {
    connect(Endpoint::from_static("http://target"), path).await
}

async fn connect(endpoint: Endpoint, path: PathBuf) -> Client {
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    InspectClient::new(
        endpoint
            .connect_with_connector(connector)
            .await
            .expect("connected"),
    )
}

pub(crate) async fn over_tcp(at: String) -> Client {
    let connector = tower::service_fn(move |_| {
        let at = at.clone();
        async move { TcpStream::connect(at).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://target");
    InspectClient::new(
        endpoint
            .connect_with_connector(connector)
            .await
            .expect("connected"),
    )
}

/// Waits until `condition` gives something.
///
/// # Panics
/// It gives nothing within half a minute.
pub(crate) fn until<R>(what: &str, condition: impl Fn() -> Option<R>) -> R {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{what}: not within half a minute"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}
