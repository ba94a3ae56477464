//! Names and lines of frames: from the files here first, from the target where they cannot be read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pollscope_proto::limits::MAX_RESOLVE_FRAMES;
use pollscope_proto::symbols::{Address, Binary};
use pollscope_proto::v1::inspect_client::InspectClient;
use tonic::Code;
use tonic::transport::Channel;

use super::{clean, wire};
use crate::model::Frame;

mod files;
mod survey;

use files::Found;
pub(super) use files::{Files, is_local};
pub use survey::SymbolsFrom;
pub(super) use survey::{Survey, survey};

/// Resolved machine frames that are remembered. When there are more, all are forgotten.
const MAX_CACHED: usize = 64 * 1024;
/// Modules of a target that are remembered.
const MAX_MODULES: usize = 4096;
/// Files held open at a time. When there are more, all are closed.
const MAX_OPEN: usize = 32;
/// Frames that the target is asked for at a time: names may be long, and all its answer is one message.
const BATCH: usize = 64;
const _: () = assert!(BATCH <= MAX_RESOLVE_FRAMES);
/// How long the target may take for one batch.
const ASK_LIMIT: Duration = Duration::from_secs(10);
/// So many questions in a row that had no answer, and the target is asked no more.
const MAX_FAILURES: u32 = 3;
/// How long one that is too busy is left alone.
const PAUSE: Duration = Duration::from_millis(200);

/// A loaded file of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) index: u32,
    /// Empty where it has none.
    pub(super) build_id: String,
    pub(super) path: PathBuf,
}

/// A frame as the target sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RawFrame {
    pub(super) module: u32,
    /// A return address, so the call is before it. So too at the innermost frame: a thread in the kernel stands
    /// behind its `syscall`, and our own frames were cut off where a task was created.
    pub(super) offset: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RawStack {
    pub(super) frames: Vec<RawFrame>,
    pub(super) exemplar: bool,
}

/// Resolves the frames of one target. Shared by all who hold its session.
pub(super) struct Symbols {
    known: Mutex<HashMap<RawFrame, Arc<[Frame]>>>,
    modules: Mutex<HashMap<u32, Module>>,
    local: Arc<Mutex<Local>>,
    client: InspectClient<Channel>,
    /// How many questions in a row the target did not answer; [`MAX_FAILURES`] where it cannot.
    failures: AtomicU32,
}

/// What only a thread that may block touches.
struct Local {
    files: Files,
    /// `None`: none here is of the module's build, and none is looked for again.
    found: HashMap<u32, Option<Binary>>,
}

impl Symbols {
    pub(super) fn new(files: Files, client: InspectClient<Channel>) -> Self {
        Self {
            known: Mutex::default(),
            modules: Mutex::default(),
            local: Arc::new(Mutex::new(Local {
                files,
                found: HashMap::new(),
            })),
            client,
            failures: AtomicU32::new(0),
        }
    }

    pub(super) fn learn(&self, modules: impl IntoIterator<Item = Module>) {
        let mut known = lock(&self.modules);
        for module in modules {
            if known.len() < MAX_MODULES {
                known.insert(module.index, module);
            }
        }
    }

    /// The frames as far as they are known; the others carry module and offset only.
    pub(super) fn frames(&self, stack: &RawStack) -> Vec<Frame> {
        let known = lock(&self.known);
        let mut frames = Vec::with_capacity(stack.frames.len());
        for raw in &stack.frames {
            match known.get(raw) {
                Some(lines) => frames.extend(lines.iter().cloned()),
                None => frames.push(self.bare(*raw)),
            }
        }
        frames
    }

    /// The frames of these stacks that nobody has looked up yet, each once.
    pub(super) fn missing<'a>(
        &self,
        stacks: impl IntoIterator<Item = &'a RawStack>,
    ) -> Vec<RawFrame> {
        let known = lock(&self.known);
        let mut missing: Vec<_> = stacks
            .into_iter()
            .flat_map(|stack| &stack.frames)
            .filter(|raw| !known.contains_key(raw))
            .copied()
            .collect();
        drop(known);
        missing.sort_unstable_by_key(|raw| (raw.module, raw.offset));
        missing.dedup();
        missing
    }

    /// Looks frames up. What cannot be found is remembered as such and not asked for again; what the target was too busy
    /// for is not.
    pub(super) async fn resolve(&self, frames: Vec<RawFrame>) {
        let mut elsewhere = Vec::new();
        for (raw, lines) in self.look_up_here(frames).await {
            match lines {
                Some(lines) => self.remember(raw, lines),
                None => elsewhere.push(raw),
            }
        }
        let mut rest = elsewhere.as_slice();
        while !rest.is_empty() {
            let batch = &rest[..rest.len().min(BATCH)];
            let Some(answers) = self.ask_target(batch).await else {
                if self.target_cannot() {
                    for raw in rest {
                        self.remember(*raw, Vec::new());
                    }
                }
                return;
            };
            // It may answer the first of them only, if their names are long. One that answers none has nothing to say.
            let answered = answers.len().clamp(1, batch.len());
            let mut answers = answers.into_iter();
            for raw in &batch[..answered] {
                self.remember(*raw, answers.next().unwrap_or_default());
            }
            rest = &rest[answered..];
        }
    }

    /// On a thread that may block; `None` where the file is not here, or is somebody else's and would lead to others or
    /// take too long. What else a file that is here does not tell, the target could not tell either: it is spared the
    /// question.
    ///
    /// If the thread panics, which a hostile executable could bring about, nothing is known.
    async fn look_up_here(&self, frames: Vec<RawFrame>) -> Vec<(RawFrame, Option<Vec<Frame>>)> {
        let modules = lock(&self.modules).clone();
        let local = Arc::clone(&self.local);
        let asked = frames.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut local = lock(&local);
            let look_up = |raw| (raw, local.look_up(raw, &modules));
            frames.into_iter().map(look_up).collect()
        });
        work.await
            .unwrap_or_else(|_| asked.into_iter().map(|raw| (raw, None)).collect())
    }

    /// `None` where the target did not answer.
    async fn ask_target(&self, frames: &[RawFrame]) -> Option<Vec<Vec<Frame>>> {
        if self.target_cannot() {
            return None;
        }
        let mut client = self.client.clone();
        let asking = client.resolve(wire::resolve_request(frames));
        let reply = match tokio::time::timeout(ASK_LIMIT, asking).await {
            Ok(Ok(reply)) => reply.into_inner(),
            Ok(Err(status)) if status.code() != Code::ResourceExhausted => {
                // Built without symbols, for example: once is enough.
                self.failures.store(MAX_FAILURES, Ordering::Relaxed);
                return None;
            }
            Ok(Err(_)) | Err(_) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
                return None;
            }
        };
        self.failures.store(0, Ordering::Relaxed);
        let pairs = reply.frames.iter().zip(frames);
        let answers = pairs
            .map(|(answer, raw)| wire::resolved(answer, &self.module_name(raw.module), raw.offset));
        Some(answers.collect())
    }

    fn target_cannot(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= MAX_FAILURES
    }

    /// A frame that nobody could name is remembered as module and offset.
    fn remember(&self, raw: RawFrame, mut lines: Vec<Frame>) {
        if lines.is_empty() {
            lines.push(self.bare(raw));
        }
        let mut known = lock(&self.known);
        if known.len() >= MAX_CACHED {
            known.clear();
        }
        known.insert(raw, lines.into());
    }

    fn bare(&self, raw: RawFrame) -> Frame {
        Frame {
            module: self.module_name(raw.module),
            offset: raw.offset,
            ..Frame::default()
        }
    }

    fn module_name(&self, index: u32) -> String {
        let modules = lock(&self.modules);
        modules
            .get(&index)
            .map_or_else(String::new, |module| file_name(&module.path))
    }
}

impl Local {
    fn look_up(&mut self, raw: RawFrame, modules: &HashMap<u32, Module>) -> Option<Vec<Frame>> {
        let module = modules.get(&raw.module)?;
        let open = self.found.values().flatten().count();
        if open >= MAX_OPEN && !self.found.contains_key(&raw.module) {
            self.found.clear();
        }
        let files = &self.files;
        let binary = self
            .found
            .entry(raw.module)
            .or_insert_with(|| files.find(module).map(Found::into_binary));
        let name = file_name(&module.path);
        let lines = binary.as_ref()?.resolve(raw.offset, Address::Return)?;
        let frames = lines.iter().filter(|line| !line.function.is_empty());
        let frames = frames.map(|line| {
            let (function, file) = (&line.function, &line.file);
            wire::source_frame(function, file, line.line, line.inlined, &name, raw.offset)
        });
        Some(frames.collect())
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    clean(&name.to_string_lossy(), 256)
}

/// A panic while it was held leaves caches that are at worst incomplete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
