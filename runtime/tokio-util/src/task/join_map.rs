//! `JoinMap`: a set of tasks, each under a key.
//!
//! Keys are kept in buckets by their hash, and a task leads to its bucket: so no key is stored twice, nor need be
//! `Clone`.

mod keys;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};

use pollscope_tokio::runtime::Handle;
use pollscope_tokio::task::{AbortHandle, Id, JoinError, JoinSet, LocalSet};

pub use keys::JoinMapKeys;
use keys::{BucketHasher, Buckets};

/// Tasks under keys, joined as they end, as `tokio_util::task::JoinMap` is.
///
/// A task that is spawned under the key of another aborts that one, whose end is never joined. Dropping the map aborts
/// all of them.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// use pollscope_tokio_util::task::JoinMap;
///
/// let mut map = JoinMap::new();
/// map.spawn("one", async { 1 });
/// map.spawn("two", async { 2 });
/// let mut sum = 0;
/// while let Some((_key, ended)) = map.join_next().await {
///     sum += ended?;
/// }
/// assert_eq!(sum, 3);
/// # Ok::<(), pollscope_tokio::task::JoinError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JoinMap<K, V, S = RandomState> {
    tasks: JoinSet<V>,
    buckets: Buckets<K>,
    /// The bucket of each task's key.
    hashes: HashMap<Id, u64, S>,
}

impl<K, V> JoinMap<K, V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }

    /// An empty map with room for so many tasks.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }
}

impl<K, V, S> JoinMap<K, V, S> {
    /// An empty map that hashes its keys so.
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self::with_capacity_and_hasher(0, hash_builder)
    }

    /// An empty map with room for so many tasks, that hashes its keys so.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        Self {
            tasks: JoinSet::new(),
            buckets: HashMap::with_capacity_and_hasher(capacity, BucketHasher::default()),
            hashes: HashMap::with_capacity_and_hasher(capacity, hash_builder),
        }
    }

    /// How many tasks are in the map.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether no task is in the map.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// For how many tasks there is room.
    pub fn capacity(&self) -> usize {
        self.hashes.capacity()
    }

    /// The keys of all tasks, in no order.
    pub fn keys(&self) -> JoinMapKeys<'_, K, V> {
        JoinMapKeys::new(&self.buckets, self.len())
    }
}

impl<K, V, S> JoinMap<K, V, S>
where
    K: Hash + Eq,
    V: 'static,
    S: BuildHasher,
{
    /// Spawns a task on the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn<F>(&mut self, key: K, task: F)
    where
        F: Future<Output = V> + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn(task);
        self.insert(key, task);
    }

    /// Spawns a task on the runtime of `handle`.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, key: K, task: F, handle: &Handle)
    where
        F: Future<Output = V> + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn_on(task, handle);
        self.insert(key, task);
    }

    /// Runs a closure on the blocking pool of the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, key: K, f: F)
    where
        F: FnOnce() -> V + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn_blocking(f);
        self.insert(key, task);
    }

    /// Runs a closure on the blocking pool of the runtime of `handle`.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, key: K, f: F, handle: &Handle)
    where
        F: FnOnce() -> V + Send + 'static,
        V: Send,
    {
        let task = self.tasks.spawn_blocking_on(f, handle);
        self.insert(key, task);
    }

    /// Spawns a `!Send` task on the current [`LocalSet`] or local runtime.
    ///
    /// # Panics
    /// Outside both, with Tokio's words.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, key: K, task: F)
    where
        F: Future<Output = V> + 'static,
    {
        let task = self.tasks.spawn_local(task);
        self.insert(key, task);
    }

    /// Spawns a `!Send` task on `local_set`.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, key: K, task: F, local_set: &LocalSet)
    where
        F: Future<Output = V> + 'static,
    {
        let task = self.tasks.spawn_local_on(task, local_set);
        self.insert(key, task);
    }

    fn insert(&mut self, key: K, abort: AbortHandle) {
        let (hash, id) = (self.hashes.hasher().hash_one(&key), abort.id());
        let bucket = self.buckets.entry(hash).or_default();
        let same = bucket.iter().position(|(other, _)| *other == key);
        bucket.push((key, abort));
        self.hashes.insert(id, hash);
        if let Some(at) = same {
            // Both tables are as they should be before the old key is dropped, which may panic.
            let (_key, old) = bucket.swap_remove(at);
            self.hashes.remove(&old.id());
            old.abort();
        }
    }

    /// Waits until a task ends, and takes its key and output; `None` when the map is empty.
    ///
    /// # Cancel safety
    /// As tokio-util's: no task is lost when this future is dropped.
    pub async fn join_next(&mut self) -> Option<(K, Result<V, JoinError>)> {
        loop {
            let joined = self.tasks.join_next_with_id().await?;
            if let Some(joined) = self.take(joined) {
                return Some(joined);
            }
        }
    }

    /// Takes the key and output of a task that has ended; `None` when there is none.
    pub fn try_join_next(&mut self) -> Option<(K, Result<V, JoinError>)> {
        loop {
            let joined = self.tasks.try_join_next_with_id()?;
            if let Some(joined) = self.take(joined) {
                return Some(joined);
            }
        }
    }

    /// `None`: another task was spawned under its key.
    fn take(&mut self, joined: Result<(Id, V), JoinError>) -> Option<(K, Result<V, JoinError>)> {
        let (id, ended) = match joined {
            Ok((id, output)) => (id, Ok(output)),
            Err(error) => (error.id(), Err(error)),
        };
        let hash = self.hashes.remove(&id)?;
        let bucket = self.buckets.get_mut(&hash)?;
        let at = bucket.iter().position(|(_, task)| task.id() == id)?;
        let (key, _) = bucket.swap_remove(at);
        if bucket.is_empty() {
            self.buckets.remove(&hash);
        }
        Some((key, ended))
    }

    /// Aborts all tasks and waits until they have ended.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Aborts the task under this key; false where there is none. It is joined as the others are.
    pub fn abort<Q>(&mut self, key: &Q) -> bool
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        let task = self.find(key);
        task.inspect(|task| task.abort()).is_some()
    }

    /// Aborts the tasks whose keys match. They are joined as the others are.
    pub fn abort_matching(&mut self, mut predicate: impl FnMut(&K) -> bool) {
        for (key, task) in self.buckets.values().flatten() {
            if predicate(key) {
                task.abort();
            }
        }
    }

    /// Whether a task is under this key.
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        self.find(key).is_some()
    }

    /// Whether the task with this id is in the map.
    pub fn contains_task(&self, task: &Id) -> bool {
        self.hashes.contains_key(task)
    }

    fn find<Q>(&self, key: &Q) -> Option<&AbortHandle>
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        let bucket = self.buckets.get(&self.hashes.hasher().hash_one(key))?;
        let found = bucket.iter().find(|(other, _)| other.borrow() == key);
        found.map(|(_, task)| task)
    }

    /// Makes room for so many tasks more.
    pub fn reserve(&mut self, additional: usize) {
        self.buckets.reserve(additional);
        self.hashes.reserve(additional);
    }

    /// Gives up room that is not needed.
    pub fn shrink_to_fit(&mut self) {
        self.shrink_to(0);
    }

    /// Gives up room that is not needed, but for so many tasks.
    pub fn shrink_to(&mut self, min_capacity: usize) {
        self.buckets.shrink_to(min_capacity);
        self.hashes.shrink_to(min_capacity);
    }
}

impl<K, V: 'static, S> JoinMap<K, V, S> {
    /// Aborts all tasks. They stay in the map until they are joined.
    #[track_caller]
    pub fn abort_all(&mut self) {
        self.tasks.abort_all();
    }

    /// Takes all tasks out of the map without aborting them.
    pub fn detach_all(&mut self) {
        self.tasks.detach_all();
        self.hashes.clear();
        self.buckets.clear();
    }
}

#[expect(
    clippy::missing_fields_in_debug,
    reason = "as tokio-util's: the other tables say nothing more"
)]
impl<K: fmt::Debug, V, S> fmt::Debug for JoinMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Tasks<'a, K>(&'a Buckets<K>);
        impl<K: fmt::Debug> fmt::Debug for Tasks<'_, K> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let tasks = self.0.values().flatten();
                f.debug_map()
                    .entries(tasks.map(|(key, task)| (key, task.id())))
                    .finish()
            }
        }
        f.debug_struct("JoinMap")
            .field("tasks", &Tasks(&self.buckets))
            .finish()
    }
}

impl<K, V> Default for JoinMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
