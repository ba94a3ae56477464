//! A target of our own: the real protocol over a real socket, with answers that a test chooses.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pollscope_cli::net::Address;
use pollscope_proto::v1;
use pollscope_proto::v1::inspect_server::{Inspect, InspectServer};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// The answers to one view.
type Script = dyn Fn(&v1::View) -> Vec<Result<v1::Update, Status>> + Send + Sync;

/// What the target says.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) hello: Result<v1::HelloReply, Status>,
    pub(crate) updates: Arc<Script>,
    pub(crate) task: v1::TaskReply,
    pub(crate) threads: Vec<v1::ThreadStack>,
    pub(crate) abort: v1::AbortReply,
    pub(crate) configure: Result<v1::ConfigureReply, Status>,
    /// By offset.
    pub(crate) names: HashMap<u64, String>,
    /// So many questions for names are refused before one is answered, and why.
    pub(crate) refuses: Arc<Mutex<(usize, Option<Status>)>>,
    /// It answers no more frames than this at a time.
    pub(crate) answers: usize,
    /// All that was asked to be resolved.
    pub(crate) resolved: Arc<Mutex<Vec<u64>>>,
    /// Every change that was asked for.
    pub(crate) changes: Arc<Mutex<Vec<v1::ConfigureRequest>>>,
}

impl Default for Says {
    fn default() -> Self {
        Self {
            hello: Ok(hello()),
            updates: Arc::new(|view| vec![Ok(update(view, 1))]),
            task: v1::TaskReply::default(),
            threads: Vec::new(),
            abort: v1::AbortReply {
                requested: true,
                refusal: String::new(),
            },
            configure: Ok(v1::ConfigureReply {
                level: v1::Level::Debug.into(),
                slow_poll_ns: 50_000_000,
                log_level: "warn".to_owned(),
                backtrace_depth: 10,
                dedupe: Some(true),
            }),
            names: HashMap::new(),
            refuses: Arc::default(),
            answers: usize::MAX,
            resolved: Arc::default(),
            changes: Arc::default(),
        }
    }
}

/// A friendly hello. Its PID is nobody's, so that nothing is read from a process here.
pub(crate) fn hello() -> v1::HelloReply {
    v1::HelloReply {
        protocol: 1,
        protocol_min: 1,
        protocol_max: 1,
        target: Some(v1::Target {
            pid: 4_194_304,
            name: "orders".to_owned(),
            pollscope_version: "0.1.0".to_owned(),
            tokio_version: "1.54.1".to_owned(),
            level: v1::Level::Debug.into(),
            level_source: "env".to_owned(),
            symbols: "full".to_owned(),
            started_ns: 1_000_000_000,
            ..v1::Target::default()
        }),
        clock: Some(v1::Clock {
            mono_ns: 3_000_000_000,
            unix_ns: 1_763_816_531_000_000_000,
        }),
        rights: v1::Rights::Abort.into(),
        capabilities: vec!["peek".to_owned()],
        modules: vec![v1::Module {
            index: 0,
            path: "/opt/orders".to_owned(),
            build_id: "00".repeat(20),
            bias: 0,
        }],
        ..v1::HelloReply::default()
    }
}

/// A whole update with one task, of one site.
pub(crate) fn update(view: &v1::View, seq: u64) -> v1::Update {
    v1::Update {
        view: view.id,
        seq,
        last: true,
        now_ns: 5_000_000_000,
        totals: Some(v1::Totals {
            tasks: 1,
            running: 1,
            level: v1::Level::Debug.into(),
            level_source: "env".to_owned(),
            ..v1::Totals::default()
        }),
        site_names: vec![v1::Site {
            id: 7,
            file: "src/orders.rs".to_owned(),
            line: 88,
            column: 5,
            type_name: "orders::settle::{async_fn_env#0}".to_owned(),
            kind: v1::TaskKind::Task.into(),
            ..v1::Site::default()
        }],
        tasks: vec![v1::TaskRow {
            id: 17,
            site: 7,
            name: "settle".to_owned(),
            created_ns: 2_000_000_000,
            state: v1::TaskState::Running.into(),
            busy_ns: Some(1_000),
            ..v1::TaskRow::default()
        }],
        matched: 1,
        ..v1::Update::default()
    }
}

pub(crate) fn warning(id: u32, offsets: &[u64]) -> v1::Warning {
    let frames = offsets.iter().map(|offset| v1::Frame {
        module: 0,
        offset: *offset,
    });
    v1::Warning {
        id,
        kind: "slow_poll".to_owned(),
        severity: v1::Severity::Warn.into(),
        certainty: "definite".to_owned(),
        count: 1,
        message: "a poll took 120 ms".to_owned(),
        observed: Some(v1::Place {
            stack: Some(v1::Stack {
                frames: frames.collect(),
                ..v1::Stack::default()
            }),
            ..v1::Place::default()
        }),
        ..v1::Warning::default()
    }
}

/// A running target. Dropped, it is as dead as if it had been killed.
pub(crate) struct Fake {
    runtime: Option<tokio::runtime::Runtime>,
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Fake {
    pub(crate) fn start(says: Says) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("target.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let guard = runtime.enter();
        let listener = UnixListener::bind(&path).unwrap();
        drop(guard);
        runtime.spawn(
            tonic::transport::Server::builder()
                .add_service(InspectServer::new(says))
                .serve_with_incoming(UnixListenerStream::new(listener)),
        );
        Self {
            runtime: Some(runtime),
            _dir: dir,
            path,
        }
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.path.clone())
    }

    /// As a TARGET of a command line.
    pub(crate) fn target(&self) -> String {
        self.address().to_string()
    }

    /// All connections break at once, without a goodbye.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tonic::async_trait]
impl Inspect for Says {
    type WatchStream = ReceiverStream<Result<v1::Update, Status>>;
    type DumpStream = ReceiverStream<Result<v1::ThreadStack, Status>>;

    async fn hello(
        &self,
        _: Request<v1::HelloRequest>,
    ) -> Result<Response<v1::HelloReply>, Status> {
        self.hello.clone().map(Response::new)
    }

    async fn watch(
        &self,
        views: Request<Streaming<v1::View>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (updates, stream) = mpsc::channel(1);
        let script = Arc::clone(&self.updates);
        let mut views = views.into_inner();
        tokio::spawn(async move {
            while let Some(Ok(view)) = views.next().await {
                for update in script(&view) {
                    if updates.send(update).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_task(
        &self,
        _: Request<v1::TaskRequest>,
    ) -> Result<Response<v1::TaskReply>, Status> {
        Ok(Response::new(self.task.clone()))
    }

    async fn configure(
        &self,
        change: Request<v1::ConfigureRequest>,
    ) -> Result<Response<v1::ConfigureReply>, Status> {
        self.changes.lock().unwrap().push(change.into_inner());
        self.configure.clone().map(Response::new)
    }

    async fn abort(
        &self,
        _: Request<v1::AbortRequest>,
    ) -> Result<Response<v1::AbortReply>, Status> {
        Ok(Response::new(self.abort.clone()))
    }

    async fn dump(
        &self,
        _: Request<v1::DumpRequest>,
    ) -> Result<Response<Self::DumpStream>, Status> {
        let (sender, stream) = mpsc::channel(self.threads.len().max(1));
        for thread in self.threads.clone() {
            sender.try_send(Ok(thread)).unwrap();
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn resolve(
        &self,
        request: Request<v1::ResolveRequest>,
    ) -> Result<Response<v1::ResolveReply>, Status> {
        let frames = request.into_inner().frames;
        let offsets = frames.iter().map(|frame| frame.offset);
        self.resolved.lock().unwrap().extend(offsets);
        {
            let mut refuses = self.refuses.lock().unwrap();
            if let (1.., Some(why)) = &*refuses {
                let why = why.clone();
                refuses.0 -= 1;
                return Err(why);
            }
        }
        let frames = frames
            .iter()
            .take(self.answers)
            .map(|frame| v1::ResolvedFrame {
                source: self
                    .names
                    .get(&frame.offset)
                    .map(|name| v1::SourceFrame {
                        function: name.clone(),
                        file: "src/orders.rs".to_owned(),
                        line: 91,
                        inlined: false,
                    })
                    .into_iter()
                    .collect(),
            });
        Ok(Response::new(v1::ResolveReply {
            frames: frames.collect(),
        }))
    }
}

/// Runs a test's future, with an end to it.
pub(crate) fn within<T>(limit: Duration, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let done = runtime.block_on(async { tokio::time::timeout(limit, work).await });
    runtime.shutdown_background();
    done.unwrap_or_else(|_| panic!("not done after {:?}", started.elapsed()))
}
