//! `lookup_host`, timed.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;

use crate::capture::event::{Family, NoteText};
use crate::capture::level::{self, Level};
use crate::capture::{clock, registry};

use super::host::ToSocketAddrs;
use crate::setup::ensure_started;

/// Looks a host up, as [`tokio::net::lookup_host`] does.
///
/// At level debug one that takes as long as a slow poll does is told of as `slow_lookup`: a note, for the system is
/// asked on a thread that may wait. The time is that from the first poll of this future to the one that has the answer.
/// Costs two looks at the clock in debug, and a test at other levels.
///
/// # Errors
/// As Tokio's: the host has no address, or nobody could be asked.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let mut found = pollscope_tokio::net::watched::lookup_host("127.0.0.1:80").await?;
/// assert_eq!(found.next(), Some(([127, 0, 0, 1], 80).into()));
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn lookup_host<T>(host: T) -> impl Future<Output = io::Result<impl Iterator<Item = SocketAddr>>>
where
    T: ToSocketAddrs,
{
    let at = Location::caller();
    async move {
        ensure_started();
        if level::level() != Level::Debug {
            return tokio::net::lookup_host(host).await;
        }
        let (name, begun) = (host.host(), clock::mono_ns());
        let found = tokio::net::lookup_host(host).await;
        let took = clock::mono_ns().saturating_sub(begun);
        if is_slow(took, level::slow_poll_ns()) {
            tell(name, took, at);
        }
        found
    }
}

/// Where every poll is to be told, an address that needs no looking up is not: that takes no time.
fn is_slow(ns: u64, threshold_ns: u64) -> bool {
    ns >= threshold_ns.max(1)
}

#[cold]
fn tell(host: String, ns: u64, at: &'static Location<'static>) {
    /// What the site is named by.
    struct Lookup;
    registry::note(
        Family::SlowLookup,
        registry::made::<Lookup>(at),
        Some(at),
        || NoteText {
            what: host,
            ns: Some(ns),
            threshold_ns: Some(level::slow_poll_ns()),
            ..NoteText::default()
        },
    );
}
