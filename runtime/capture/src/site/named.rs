//! Sites of requests, by name: one place makes the requests of all routes, and each route has figures of its own.
//!
//! Whoever asks may choose the name, so the names of a place are bounded: the first ones have a site at once, the other
//! half of the room is for those that come again, and all that is left shares one, [`REST`]. A scanner's paths then do not
//! take the place of a route that comes late.
//!
//! Asked once for each request, when it is made: a thread finds the names it has met in a small table of its own.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{SiteId, get, intern_name};

/// What the requests of a place are called together that have no site of their own.
pub const REST: &str = "(other)";

/// Names of one place that have a site of their own.
pub const MAX_NAMES: usize = 64;
/// Of these, the ones that have it at once.
const AT_ONCE: usize = MAX_NAMES / 2;
/// The others have it from so many requests on.
const OFTEN: u8 = 8;
/// Names of a place of which requests are counted until then; where there are more, they begin anew.
const MAX_COUNTED: usize = 256;
/// Names of all places: places where tasks are spawned must find room.
const MAX_IN_ALL: usize = super::MAX_SITES / 4;

/// The names of one place.
#[derive(Debug, Default)]
struct Names {
    known: HashMap<&'static str, SiteId>,
    /// How often others came.
    counted: HashMap<Box<str>, u8>,
    /// The site of all others; that of the place, where there is no room for one.
    rest: Option<SiteId>,
}

#[derive(Debug, Default)]
struct Table {
    by_place: HashMap<SiteId, Names>,
    /// Names of all places that have a site.
    in_all: usize,
}

static NAMED: Mutex<Option<Table>> = Mutex::new(None);

/// The site of the requests of this name that are made at a place.
#[cold]
#[inline(never)]
pub(crate) fn intern_named(place: SiteId, name: &str) -> SiteId {
    let mut table = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    let Table { by_place, in_all } = table.get_or_insert_default();
    let names = by_place.entry(place).or_default();
    if let Some(known) = names.known.get(name) {
        return *known;
    }
    if *in_all < MAX_IN_ALL && names.is_due(name) {
        let name: &'static str = Box::leak(name.into());
        if let Some(site) = intern_name(place, name) {
            names.known.insert(name, site);
            *in_all += 1;
            return site;
        }
    }
    *names
        .rest
        .get_or_insert_with(|| intern_name(place, REST).unwrap_or(place))
}

impl Names {
    /// Whether a name that has no site gets one now.
    fn is_due(&mut self, name: &str) -> bool {
        match self.known.len() {
            ..AT_ONCE => return true,
            MAX_NAMES.. => return false,
            _ => {}
        }
        if let Some(count) = self.counted.get_mut(name) {
            *count += 1;
            let is_often = *count >= OFTEN;
            if is_often {
                self.counted.remove(name);
            }
            return is_often;
        }
        if self.counted.len() >= MAX_COUNTED {
            self.counted.clear();
        }
        self.counted.insert(name.into(), 1);
        false
    }
}

/// Entries of a thread's own table.
const CACHED: usize = 32;

/// A thread's own table of named sites, found by the place's number and the name's.
#[derive(Debug)]
pub(crate) struct NamedCache([Cell<(SiteId, u32, SiteId)>; CACHED]);

impl NamedCache {
    pub(crate) const fn new() -> Self {
        Self([const { Cell::new((SiteId::OTHER, 0, SiteId::OTHER)) }; CACHED])
    }

    /// The site of a name, which the caller holds by its number in `names`.
    pub(crate) fn find(&self, place: SiteId, number: u32, name: &str) -> SiteId {
        let entry = &self.0[(place.0 ^ number) as usize % CACHED];
        let (cached_place, cached_number, id) = entry.get();
        // Numbers of names are used again.
        if cached_place == place && cached_number == number && get(id).name == name {
            return id;
        }
        let id = intern_named(place, name);
        entry.set((place, number, id));
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::panic::Location;

    use super::*;
    use crate::TaskKind;
    use crate::site::intern;

    #[track_caller]
    fn place(type_name: &'static str) -> SiteId {
        intern(Location::caller(), type_name, 8, TaskKind::Request)
    }

    #[test]
    fn a_name_of_a_place_is_a_site() {
        let (here, there) = (place("here"), place("there"));
        let cache = NamedCache::new();
        let a = cache.find(here, 1, "GET /a");
        assert_eq!(a, cache.find(here, 1, "GET /a"));
        assert_ne!(a, cache.find(here, 2, "GET /b"));
        assert_ne!(a, cache.find(there, 1, "GET /a"));
        // The number is another name's now.
        let b = cache.find(here, 1, "GET /b");
        assert_eq!((get(b).name, b), ("GET /b", cache.find(here, 2, "GET /b")));
        let (place, named) = (get(here), get(a));
        assert_eq!(
            (named.file, named.line, named.column, named.type_name),
            (place.file, place.line, place.column, place.type_name)
        );
        assert_eq!(
            (place.name, named.name, named.kind),
            ("", "GET /a", TaskKind::Request)
        );
        assert!(named.is_of_one_name() && !place.is_of_one_name());
    }

    #[test]
    fn names_of_a_place_are_bounded_and_what_comes_often_has_room() {
        let here = place("scanned");
        let scan = |from: usize| {
            let all = from..from + 1000;
            let sites: HashSet<_> = all
                .map(|number| intern_named(here, &format!("GET /x{number}")))
                .collect();
            sites.len()
        };
        assert_eq!(scan(0), AT_ONCE + 1);
        let rest = intern_named(here, "GET /late");
        assert_eq!((get(rest).name, get(rest).is_of_one_name()), (REST, false));
        for _ in 2..OFTEN {
            assert_eq!(intern_named(here, "GET /late"), rest);
        }
        assert_eq!(get(intern_named(here, "GET /late")).name, "GET /late");
        for number in 0..2 * MAX_NAMES {
            let name = format!("GET /often{number}");
            for _ in 0..OFTEN {
                intern_named(here, &name);
            }
        }
        assert_eq!(intern_named(here, "GET /often1000"), rest);
        let own = (0..2 * MAX_NAMES)
            .map(|number| intern_named(here, &format!("GET /often{number}")))
            .filter(|site| *site != rest);
        assert_eq!(own.count(), MAX_NAMES - AT_ONCE - 1, "with the late one");
        assert_eq!(get(intern_named(here, "GET /x7")).name, "GET /x7");
        assert_eq!(scan(5000), 1);
    }
}
