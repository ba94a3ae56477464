//! Spawn sites: a place in the source and the type of the future made there, interned to a small number.
//!
//! The hot path finds a site by two pointers in a small table of its thread; only a miss takes the lock. Sites
//! are never freed and are capped: past the cap everything is `SiteId::OTHER`.

mod named;

pub(crate) use named::NamedCache;
pub use named::{MAX_NAMES, REST};

use std::any::type_name;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::TaskKind;

/// The number of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u32);

impl SiteId {
    /// All that did not fit into the table.
    pub const OTHER: Self = Self(0);
}

/// How many sites are told apart.
pub const MAX_SITES: usize = 4096;

/// One site.
#[derive(Debug)]
pub struct Site {
    /// Its number.
    pub id: SiteId,
    /// Path of the source file, as the compiler saw it; empty for `OTHER`.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Type name of the future (or closure) made here.
    pub type_name: &'static str,
    /// What is made here.
    pub kind: TaskKind,
    /// Size of that future.
    pub future_bytes: u32,
    /// What the requests made here are called: a place that makes those of many routes is a site for each, and one
    /// called [`REST`] for those past [`MAX_NAMES`]. Empty: whatever they are called.
    pub name: &'static str,
    /// The first creation backtrace taken here; 0: none yet.
    pub(crate) exemplar: AtomicU32,
}

impl Site {
    /// Keeps a creation backtrace as the site's, if it is the first.
    pub(crate) fn offer_exemplar(&self, stack: crate::StackId) {
        let _ = self
            .exemplar
            .compare_exchange(0, stack.0, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether all requests of this site are called the same.
    pub fn is_of_one_name(&self) -> bool {
        !self.name.is_empty() && self.name != REST
    }

    /// The first creation backtrace taken here.
    pub fn exemplar(&self) -> crate::StackId {
        crate::StackId(self.exemplar.load(Ordering::Relaxed))
    }
}

static OTHER: Site = Site {
    id: SiteId::OTHER,
    file: "",
    line: 0,
    column: 0,
    type_name: "(other sites)",
    kind: TaskKind::Task,
    future_bytes: 0,
    name: "",
    exemplar: AtomicU32::new(0),
};

/// Published by `intern` with Release, read by `get` with Acquire.
static SITES: [AtomicPtr<Site>; MAX_SITES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_SITES];
/// How many are published, `OTHER` included.
static COUNT: AtomicU32 = AtomicU32::new(1);

/// What tells sites apart: by value, because one place may have several `Location`s in memory.
type Key = (&'static str, u32, u32, &'static str, TaskKind);
static BY_KEY: Mutex<Option<HashMap<Key, SiteId>>> = Mutex::new(None);

/// How many sites there are: their numbers are below this.
pub fn count() -> u32 {
    COUNT.load(Ordering::Acquire)
}

/// The site with this number; `OTHER` where there is none.
#[expect(unsafe_code, reason = "sites are leaked and read through their table")]
pub fn get(id: SiteId) -> &'static Site {
    let Some(entry) = SITES.get(id.0 as usize) else {
        return &OTHER;
    };
    let site = entry.load(Ordering::Acquire);
    if site.is_null() {
        return &OTHER;
    }
    // SAFETY: a non-null entry was leaked from a Box by `intern` and is never freed or written again.
    unsafe { &*site }
}

/// Entries of a thread's own table: enough for the sites a thread is busy with.
const CACHED: usize = 64;

/// A thread's own table of sites, found by the addresses of location and type name.
#[derive(Debug)]
pub(crate) struct Cache([std::cell::Cell<(usize, usize, SiteId)>; CACHED]);

impl Cache {
    pub(crate) const fn new() -> Self {
        Self([const { std::cell::Cell::new((0, 0, SiteId::OTHER)) }; CACHED])
    }

    /// The site of a future of type `T` made at `location`.
    #[inline]
    pub(crate) fn find<T>(&self, location: &'static Location<'static>, kind: TaskKind) -> SiteId {
        self.find_named(location, type_name::<T>(), size_of::<T>(), kind)
    }

    /// The site of a future of which the name of its type is known, and its size; 0: not known.
    #[inline]
    pub(crate) fn find_named(
        &self,
        location: &'static Location<'static>,
        name: &'static str,
        bytes: usize,
        kind: TaskKind,
    ) -> SiteId {
        let place = std::ptr::from_ref(location) as usize;
        // A type name is never empty, so its address is its own; the kind tells `block_on` from `spawn` of one type.
        let made = (name.as_ptr() as usize) ^ ((kind as usize) << 56);
        let entry = &self.0[((place >> 3) ^ (made >> 4)) % CACHED];
        let (cached_place, cached_made, id) = entry.get();
        if cached_place == place && cached_made == made {
            return id;
        }
        let id = intern(location, name, bytes as u32, kind);
        entry.set((place, made, id));
        id
    }
}

/// The number of this site, a new one if it is new. Takes a lock: not for the hot path.
#[cold]
#[inline(never)]
pub fn intern(
    location: &'static Location<'static>,
    type_name: &'static str,
    future_bytes: u32,
    kind: TaskKind,
) -> SiteId {
    let (file, line, column) = (location.file(), location.line(), location.column());
    intern_key((file, line, column, type_name, kind), future_bytes)
}

fn intern_key(key: Key, future_bytes: u32) -> SiteId {
    let mut by_key = BY_KEY.lock().unwrap_or_else(PoisonError::into_inner);
    let by_key = by_key.get_or_insert_with(HashMap::new);
    if let Some(id) = by_key.get(&key) {
        return *id;
    }
    let Some(id) = publish(key, future_bytes, "") else {
        return SiteId::OTHER;
    };
    by_key.insert(key, id);
    id
}

/// A new site at the place of another, for the requests of this name; `None` where there is no room.
fn intern_name(place: SiteId, name: &'static str) -> Option<SiteId> {
    let _one = BY_KEY.lock().unwrap_or_else(PoisonError::into_inner);
    let of = get(place);
    let key = (of.file, of.line, of.column, of.type_name, of.kind);
    publish(key, of.future_bytes, name)
}

/// Shows a new site; `None` where there is no room. The caller holds the lock of `BY_KEY`.
fn publish(key: Key, future_bytes: u32, name: &'static str) -> Option<SiteId> {
    let id = COUNT.load(Ordering::Relaxed);
    if id as usize >= MAX_SITES {
        return None;
    }
    let (file, line, column, type_name, kind) = key;
    let site = Box::new(Site {
        id: SiteId(id),
        file,
        line,
        column,
        type_name,
        kind,
        future_bytes,
        name,
        exemplar: AtomicU32::new(0),
    });
    SITES[id as usize].store(Box::into_raw(site), Ordering::Release);
    COUNT.store(id + 1, Ordering::Release);
    Some(SiteId(id))
}

/// The number of a site that is known by its place only, not by a `Location`: what the panic hook sees. Looks through
/// all sites, and keeps the path for good where the site is new.
#[cold]
pub(crate) fn intern_place(file: &str, line: u32, column: u32, what: &'static str) -> SiteId {
    let known = (1..count()).map(|id| get(SiteId(id))).find(|site| {
        (site.line, site.column, site.type_name) == (line, column, what) && site.file == file
    });
    match known {
        Some(site) => site.id,
        None if count() as usize >= MAX_SITES => SiteId::OTHER,
        None => {
            let file = Box::leak(file.to_owned().into_boxed_str());
            intern_key((file, line, column, what, TaskKind::Task), 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_place_and_a_type() {
        let cache = Cache::new();
        let here = Location::caller();
        let a = cache.find::<u8>(here, TaskKind::Task);
        assert_eq!(a, cache.find::<u8>(here, TaskKind::Task));
        assert_ne!(a, cache.find::<u16>(here, TaskKind::Task));
        assert_ne!(a, cache.find::<u8>(here, TaskKind::Local));
        let site = get(a);
        assert_eq!(
            (site.file, site.line, site.type_name),
            (here.file(), here.line(), "u8")
        );
        assert_eq!(get(SiteId(u32::MAX)).id, SiteId::OTHER);
    }
}
