//! Tokio's ids as numbers. Tokio gives them out as opaque values that can be hashed and shown: the hash is the fast
//! way to the number, and the text is the way that is promised.

use std::fmt::Display;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

/// Catches the one number an id hashes. Not a hash: see [`IdHasher`].
#[derive(Default)]
struct Catch {
    number: u64,
    writes: u32,
}

impl Hasher for Catch {
    fn finish(&self) -> u64 {
        self.number
    }

    fn write(&mut self, _: &[u8]) {
        // Not how an id hashes: the self-test fails, and the text is read.
        self.writes += 2;
    }

    fn write_u64(&mut self, number: u64) {
        self.number = number;
        self.writes += 1;
    }
}

fn by_hash(id: &impl Hash) -> Option<u64> {
    let mut catch = Catch::default();
    id.hash(&mut catch);
    (catch.writes == 1).then_some(catch.number)
}

fn by_text(id: &impl Display) -> u64 {
    id.to_string().parse().unwrap_or(0)
}

/// Whether this Tokio's ids hash as their number: both kinds are asked once, of ids at hand.
fn number<I: Hash + Display>(id: &I, hashes: &OnceLock<bool>) -> u64 {
    if *hashes.get_or_init(|| by_hash(id) == Some(by_text(id))) {
        by_hash(id).unwrap_or(0)
    } else {
        by_text(id)
    }
}

/// The number of a task's id.
#[cfg(feature = "capture")]
#[inline]
pub(crate) fn of_task(id: tokio::task::Id) -> u64 {
    static HASHES: OnceLock<bool> = OnceLock::new();
    number(&id, &HASHES)
}

/// The number of a runtime's id.
#[inline]
pub(crate) fn of_runtime(id: tokio::runtime::Id) -> u64 {
    static HASHES: OnceLock<bool> = OnceLock::new();
    number(&id, &HASHES)
}

/// Tokio's id of the task that runs now; 0: none.
#[cfg(feature = "capture")]
pub(crate) fn of_current_task() -> u64 {
    tokio::task::try_id().map_or(0, of_task)
}

/// Hashes ids for tables of ours: one multiplication. Ids are counted up, so nobody can choose them to collide.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Tables take the upper and the lower bits: the product spreads a counter over both.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(all(test, feature = "capture"))]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_id_is_the_number_it_shows() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let task = runtime.spawn(async {}).id();
        assert_eq!(by_hash(&task), Some(by_text(&task)));
        assert_eq!(of_task(task), by_text(&task));
        let id = runtime.handle().id();
        assert_eq!(by_hash(&id), Some(by_text(&id)));
        assert_eq!(of_runtime(id), by_text(&id));
    }

    #[test]
    fn ids_that_hash_otherwise_are_read_as_text() {
        #[derive(Hash)]
        struct Other(&'static str);
        impl Display for Other {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        assert_eq!(number(&Other("17"), &OnceLock::new()), 17);
    }

    #[test]
    fn the_current_task_has_its_id() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        assert_eq!(of_current_task(), 0);
        let handle = runtime.spawn(async { of_current_task() });
        let id = of_task(handle.id());
        assert_eq!(runtime.block_on(handle).expect("it ends"), id);
    }
}
