//! A connection to one target: who it is, and what one can ask of it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pollscope_proto::limits::{MAX_DECODE, PROTOCOL_MAX, PROTOCOL_MIN};
use pollscope_proto::v1;
use pollscope_proto::v1::inspect_client::InspectClient;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::connect;
use super::error::Versions;
use super::symbols::{Files, Module, RawStack, Survey, Symbols, SymbolsFrom, is_local, survey};
use super::wire::{self, Answer};
use super::{Address, NetError, Watch, clean};
use crate::model::{Change, Runtime, Snapshot, Target, TaskDetail, ThreadStack, View};

/// How long the hello may take. The first of a target makes it look at its own executable.
const HELLO_LIMIT: Duration = Duration::from_secs(4);
/// How long it may take to look at the files that are here: one may lie on a network that hangs.
const SURVEY_LIMIT: Duration = Duration::from_secs(4);
/// How long the answer to one question may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long the stacks of all threads may take.
const DUMP_LIMIT: Duration = Duration::from_secs(30);
/// How long an update and the names of its frames may take.
const REPORT_LIMIT: Duration = Duration::from_secs(60);
/// Threads of one dump.
const MAX_THREADS: usize = 16 * 1024;

/// What a target said first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hello {
    pub target: Target,
    pub runtimes: Vec<Runtime>,
    /// The version of the protocol that both speak.
    pub protocol: u32,
    /// The target's PID as this machine counts it; `None` where it is on another.
    pub local_pid: Option<u32>,
}

/// A connection to one target. It does not reconnect by itself.
pub struct Session {
    address: Address,
    client: InspectClient<Channel>,
    hello: Hello,
    symbols: Arc<Symbols>,
    opened: Instant,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("address", &self.address)
            .field("hello", &self.hello)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Connects and says hello, within a few seconds.
    pub async fn open(address: &Address) -> Result<Self, NetError> {
        Self::open_with(address, SymbolsFrom::default()).await
    }

    /// As [`Self::open`], with debug information from elsewhere.
    pub async fn open_with(address: &Address, from: SymbolsFrom) -> Result<Self, NetError> {
        let (mut session, files, modules) = Self::say_hello(address, from).await?;
        // If it panics, which a hostile executable could bring about, the target's own word holds.
        let survey = tokio::task::spawn_blocking(move || survey(&files, &modules));
        if let Ok(Ok(Survey { detail, note })) = timeout(SURVEY_LIMIT, survey).await {
            let target = &mut session.hello.target;
            if let Some(detail) = detail {
                target.symbols = detail.to_string();
            }
            target.symbols_note = clean(&note, 512);
        }
        Ok(session)
    }

    /// As [`Self::open`], without a look at the files of the program: for who will name no frame, and does not want to
    /// wait while large debug information is read. What the hello tells of symbols is the target's own word.
    pub async fn greet(address: &Address) -> Result<Self, NetError> {
        let (session, ..) = Self::say_hello(address, SymbolsFrom::default()).await?;
        Ok(session)
    }

    async fn say_hello(
        address: &Address,
        from: SymbolsFrom,
    ) -> Result<(Self, Files, Vec<Module>), NetError> {
        let connected = connect::connect(address).await?;
        let mut client =
            InspectClient::new(connected.channel).max_decoding_message_size(MAX_DECODE);
        let reply = match timeout(HELLO_LIMIT, client.hello(wire::hello_request())).await {
            Ok(Ok(reply)) => reply.into_inner(),
            Ok(Err(status)) => return Err(no_hello(address, &status)),
            Err(_) => {
                return Err(NetError::Silent {
                    address: address.clone(),
                    limit: HELLO_LIMIT,
                });
            }
        };
        let (protocol, mut target, runtimes, modules) = match wire::answer(reply) {
            Answer::Welcome {
                protocol,
                target,
                runtimes,
                modules,
            } => (protocol, *target, runtimes, modules),
            Answer::Refusal { why, theirs } => return Err(refusal(address, why, theirs)),
        };
        // The kernel knows who is at the end of a socket; over TCP the PID must prove that it is from here.
        let local_pid = connected
            .pid
            .or_else(|| is_local(target.pid, target.start_time_ticks).then_some(target.pid));
        // In a container it has another number than out here, where `kill` and a debugger are asked. At the end of a
        // socket may be a forwarder, too: its start time is another.
        let same = local_pid.filter(|pid| is_local(*pid, target.start_time_ticks));
        if let Some(pid) = same {
            target.pid = pid;
        }
        // A forwarder's files would name frames of the target wrong.
        let files = Files::new(from, same, target.exe.clone().into());
        if target.symbols.is_empty() {
            // Built without the feature `symbols`, and not from here: nobody can tell anything.
            "none".clone_into(&mut target.symbols);
        }
        let symbols = Arc::new(Symbols::new(files.clone(), client.clone()));
        symbols.learn(modules.iter().cloned());
        let session = Self {
            address: address.clone(),
            client,
            hello: Hello {
                target,
                runtimes,
                protocol,
                local_pid,
            },
            symbols,
            opened: Instant::now(),
        };
        Ok((session, files, modules))
    }

    /// What the target said first.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A stream of snapshots. It is opened by the first [`Watch::next`].
    pub fn watch(&self, first: View) -> Watch {
        Watch::new(
            first,
            &self.hello,
            self.client.clone(),
            Arc::clone(&self.symbols),
            self.address.clone(),
        )
    }

    /// Everything known of one task; `None` where there is none (any more).
    pub async fn task(&self, id: u64) -> Result<Option<TaskDetail>, NetError> {
        let mut client = self.client.clone();
        let reply = self
            .answer(ANSWER_LIMIT, client.get_task(v1::TaskRequest { id }))
            .await?;
        let Some(raw) = wire::detail(reply, self.now_ns()) else {
            return Ok(None);
        };
        self.resolve([&raw.created, &raw.now]).await;
        let mut detail = raw.detail;
        detail.created.backtrace = self.symbols.frames(&raw.created);
        if let Some(now) = &mut detail.now {
            now.backtrace = self.symbols.frames(&raw.now);
        }
        Ok(Some(detail))
    }

    /// Changes settings; returns those in force afterwards.
    pub async fn configure(&self, change: &Change) -> Result<Change, NetError> {
        let mut client = self.client.clone();
        let asked = client.configure(wire::change(change));
        let reply = self.answer(ANSWER_LIMIT, asked).await?;
        Ok(wire::settings(&reply))
    }

    /// Asks the runtime to abort a task: it ends at its next yield.
    pub async fn abort(&self, id: u64) -> Result<(), NetError> {
        let mut client = self.client.clone();
        let reply = self
            .answer(ANSWER_LIMIT, client.abort(v1::AbortRequest { id }))
            .await?;
        if reply.requested {
            return Ok(());
        }
        let why = wire::long_text(&reply.refusal);
        Err(NetError::Refused(format!(
            "task {id} was not aborted: {why}"
        )))
    }

    /// The stacks of all threads now, or of the one that polls a task.
    pub async fn dump(&self, task: Option<u64>) -> Result<Vec<ThreadStack>, NetError> {
        let mut client = self.client.clone();
        let request = v1::DumpRequest {
            task: task.unwrap_or(0),
        };
        let collect = async {
            let mut stream = client.dump(request).await?.into_inner();
            let mut threads = Vec::new();
            while let Some(mut thread) = stream.message().await? {
                let modules = std::mem::take(&mut thread.modules);
                self.symbols.learn(modules.iter().map(wire::module));
                if threads.len() < MAX_THREADS {
                    threads.push(wire::thread_stack(&thread));
                }
            }
            Ok(Response::new(threads))
        };
        let raw = self.answer(DUMP_LIMIT, collect).await?;
        self.resolve(raw.iter().map(|raw| &raw.stack)).await;
        let threads = raw.into_iter().map(|raw| {
            let mut thread = raw.thread;
            thread.place.backtrace = self.symbols.frames(&raw.stack);
            thread.tell_rest();
            thread
        });
        Ok(threads.collect())
    }

    /// One update with all there is but for tasks, of which it has the busiest so many, and with the names of all frames.
    pub async fn report(&self, tasks: u32) -> Result<Snapshot, NetError> {
        let view = View {
            limit: tasks,
            ..View::default()
        };
        let mut watch = self.watch(view).patient();
        match timeout(REPORT_LIMIT, watch.next()).await {
            Ok(Some(update)) => update,
            Ok(None) => Err(NetError::Lost {
                address: self.address.clone(),
                why: "it ended the stream".to_owned(),
            }),
            Err(_elapsed) => Err(NetError::Silent {
                address: self.address.clone(),
                limit: REPORT_LIMIT,
            }),
        }
    }

    /// The target's monotonic clock, from what it was at the hello.
    fn now_ns(&self) -> u64 {
        let since = u64::try_from(self.opened.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.hello.target.clock.mono_ns.saturating_add(since)
    }

    async fn resolve<'a>(&self, stacks: impl IntoIterator<Item = &'a RawStack>) {
        let missing = self.symbols.missing(stacks);
        if !missing.is_empty() {
            self.symbols.resolve(missing).await;
        }
    }

    async fn answer<T>(
        &self,
        limit: Duration,
        asked: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, NetError> {
        match timeout(limit, asked).await {
            Ok(Ok(reply)) => Ok(reply.into_inner()),
            Ok(Err(status)) => Err(failed(&self.address, &status)),
            Err(_) => Err(NetError::Silent {
                address: self.address.clone(),
                limit,
            }),
        }
    }
}

/// A call of an open session failed.
pub(super) fn failed(address: &Address, status: &Status) -> NetError {
    let said = clean(status.message(), 500);
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated | Code::FailedPrecondition => {
            NetError::Refused(said)
        }
        Code::InvalidArgument | Code::NotFound => NetError::Invalid(said),
        Code::Unimplemented => NetError::Unsupported(format!(
            "{address} cannot do that: update the pollscope crate of the program"
        )),
        // tonic's word for a message beyond the decoding limit.
        Code::OutOfRange => NetError::Lost {
            address: address.clone(),
            why: "it sent more than the protocol allows in one message".to_owned(),
        },
        _ => NetError::Lost {
            address: address.clone(),
            why: "the process ended, or closed the connection".to_owned(),
        },
    }
}

/// The first call failed: most likely something else listens there.
fn no_hello(address: &Address, status: &Status) -> NetError {
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated => NetError::Denied {
            what: address.to_string(),
            why: clean(status.message(), 500),
        },
        Code::Unimplemented => NetError::NotPollscope {
            address: address.clone(),
            why: "a gRPC server of something else".to_owned(),
        },
        _ => NetError::NotPollscope {
            address: address.clone(),
            why: "it does not answer as a target would".to_owned(),
        },
    }
}

fn refusal(address: &Address, why: String, theirs: Versions) -> NetError {
    let ours = Versions {
        min: PROTOCOL_MIN,
        max: PROTOCOL_MAX,
    };
    let apart = theirs.max < ours.min || theirs.min > ours.max;
    if apart || theirs.max == 0 {
        return NetError::Version {
            address: address.clone(),
            ours,
            theirs,
            theirs_is_newer: theirs.min > ours.max,
            why,
        };
    }
    NetError::Denied {
        what: address.to_string(),
        why,
    }
}
