//! Which Tokio this is: Tokio does not say, but its source is compiled from a directory that does.

use std::future::Future;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A future that learns where it is polled from: generic code of Tokio's is compiled from Tokio's files.
struct Probe;

impl Future for Probe {
    type Output = &'static Location<'static>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Location::caller())
    }
}

/// The version of Tokio, as `1.54.1`; `None` where its path does not tell: vendored, patched or remapped.
pub(super) fn of_tokio() -> Option<&'static str> {
    let probe = pin!(tokio::task::coop::unconstrained(Probe));
    match probe.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(polled_from) => in_path(polled_from.file()),
        Poll::Pending => None,
    }
}

fn in_path(path: &str) -> Option<&str> {
    let directory = path
        .split(['/', '\\'])
        .find_map(|part| part.strip_prefix("tokio-"))?;
    directory
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_the_version() {
        assert_eq!(
            in_path("/r/registry/src/index/tokio-1.54.1/src/task/coop/unconstrained.rs"),
            Some("1.54.1")
        );
        assert_eq!(in_path("vendor/tokio/src/task/coop/unconstrained.rs"), None);
        assert_eq!(in_path("vendor/tokio-util/src/lib.rs"), None);
    }

    #[test]
    fn tokio_is_polled_from_its_own_path() {
        // From a registry, as in this workspace's lock file.
        assert!(
            of_tokio().is_some_and(|version| version.starts_with("1.")),
            "{:?}",
            of_tokio()
        );
    }
}
