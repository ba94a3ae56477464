//! The service of one connection: checks its rights, and hands each call to who answers it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pollscope_capture::{clock, registry, thread};
use pollscope_proto::limits::MAX_RESOLVE_FRAMES;
use pollscope_proto::v1;
use pollscope_proto::v1::inspect_server;
use prost::Message;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::dump::Seen;
use super::watch::Feed;
use super::{Quota, Server, configure, detail, dump, header, hello, resolve, rights};
use crate::config::Rights;

/// What one connection may ask.
#[derive(Debug)]
pub(super) struct Inspect {
    pub(super) server: Arc<Server>,
    pub(super) rights: Rights,
    pub(super) quota: Quota,
    /// How many modules the client has been told of, by its hello.
    pub(super) modules_told: AtomicUsize,
}

impl Inspect {
    pub(super) fn new(server: Arc<Server>, rights: Rights, quota: Quota) -> Self {
        Self {
            server,
            rights,
            quota,
            modules_told: AtomicUsize::new(0),
        }
    }

    fn new_modules(&self) -> Vec<v1::Module> {
        let mut told = self.modules_told.load(Ordering::Relaxed);
        header::new_modules(&mut told)
    }
}

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl inspect_server::Inspect for Inspect {
    type WatchStream = Feed<Streaming<v1::View>>;
    type DumpStream = Streamed<v1::ThreadStack>;

    async fn hello(
        &self,
        request: Request<v1::HelloRequest>,
    ) -> Result<Response<v1::HelloReply>, Status> {
        Ok(Response::new(hello::answer(self, request.get_ref()).await))
    }

    async fn watch(
        &self,
        request: Request<Streaming<v1::View>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let told = self.modules_told.load(Ordering::Relaxed);
        Ok(Response::new(Feed::new(
            Arc::clone(&self.server),
            self.quota.clone(),
            request.into_inner(),
            told,
        )))
    }

    async fn get_task(
        &self,
        request: Request<v1::TaskRequest>,
    ) -> Result<Response<v1::TaskReply>, Status> {
        let id = request.get_ref().id;
        let describe = || detail::describe(&self.server, id);
        let (mut reply, polled_on) = self.quota.time.admitted(describe).await;
        // Looking at a thread may signal it: more than reading.
        if let Some(thread) = polled_on.filter(|_| self.rights >= Rights::Debug) {
            detail::take_stack(&self.server, thread, &mut reply).await?;
        }
        Ok(Response::new(reply))
    }

    async fn configure(
        &self,
        request: Request<v1::ConfigureRequest>,
    ) -> Result<Response<v1::ConfigureReply>, Status> {
        rights::require(self.rights, Rights::Debug, "changing a setting")?;
        let reply = configure::configure(request.get_ref())?;
        self.server.agent.nudge();
        Ok(Response::new(reply))
    }

    async fn abort(
        &self,
        request: Request<v1::AbortRequest>,
    ) -> Result<Response<v1::AbortReply>, Status> {
        rights::require(self.rights, Rights::Abort, "aborting a task")?;
        let id = request.get_ref().id;
        let abort = || match registry::abort(id) {
            Some(true) => String::new(),
            Some(false) if registry::find(id).is_some() => {
                format!(
                    "task {id} cannot be aborted: only spawned tasks can, not closures that run or block_on"
                )
            }
            Some(false) => format!("there is no task {id} (any more)"),
            None => "this program has no way to abort tasks from outside".to_owned(),
        };
        let refusal = self.quota.time.admitted(abort).await;
        Ok(Response::new(v1::AbortReply {
            requested: refusal.is_empty(),
            refusal,
        }))
    }

    async fn dump(
        &self,
        request: Request<v1::DumpRequest>,
    ) -> Result<Response<Self::DumpStream>, Status> {
        rights::require(self.rights, Rights::Debug, "taking the stacks of threads")?;
        let task = request.get_ref().task;
        let seen = self.seen_polls();
        let mut stacks = self
            .server
            .stacks
            .with(move |live| dump::take(live, task, &seen))
            .await??;
        if let Some(first) = stacks.first_mut() {
            first.modules = self.new_modules();
        }
        let bytes = stacks.iter().map(Message::encoded_len).sum::<usize>();
        // In memory a frame is twice as large.
        let held = self.quota.memory.take(2 * bytes)?;
        let stacks = stacks.into_iter().map(move |stack| {
            let _until_all_are_sent = &held;
            Ok(stack)
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(stacks))))
    }

    async fn resolve(
        &self,
        request: Request<v1::ResolveRequest>,
    ) -> Result<Response<v1::ResolveReply>, Status> {
        let frames = request.into_inner().frames;
        if frames.len() > MAX_RESOLVE_FRAMES {
            return Err(Status::invalid_argument(format!(
                "ask for at most {MAX_RESOLVE_FRAMES} frames at a time"
            )));
        }
        resolve::resolve(&self.server.agent.symbols, &self.quota.names, &frames)
            .await
            .map(Response::new)
    }
}

impl Inspect {
    /// The polls that the watchdog has seen to last.
    fn seen_polls(&self) -> Vec<Seen> {
        let state = self.server.agent.state();
        let now_ns = clock::mono_ns();
        let polls = thread::all().filter_map(|thread| {
            let task = thread.now()?.record.read()?.id;
            let at_least_ns = state.slow_polls.at_least_ns(task, now_ns)?;
            Some(Seen {
                tid: thread.tid(),
                task,
                at_least_ns,
            })
        });
        polls.collect()
    }
}
