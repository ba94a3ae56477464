//! Asks targets who they are, for lists: a few at a time, each within a limit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::super::{Address, NetError, Session};
use crate::model::{Found, FoundState, View};

/// How long a target may take to say who it is, where a screen waits for it.
const PROBE_LIMIT: Duration = Duration::from_millis(300);
/// Targets asked at the same time: each costs a connection, and there may be many sockets.
const MAX_AT_ONCE: usize = 32;

/// Asks a target for what a list shows of it, within 300 ms.
pub async fn probe(found: Found) -> Found {
    probe_within(found, PROBE_LIMIT).await
}

/// Asks all of them as [`probe`] does. Keeps their order.
pub async fn probe_all(found: Vec<Found>) -> Vec<Found> {
    probe_all_within(found, PROBE_LIMIT).await
}

/// Asks all of them, 32 at a time. Each gets `limit` for itself. Keeps their order.
pub async fn probe_all_within(found: Vec<Found>, limit: Duration) -> Vec<Found> {
    each(found, move |found| probe_within(found, limit)).await
}

/// Does it for all of them, [`MAX_AT_ONCE`] at a time. What panics is left out.
async fn each<F>(all: Vec<Found>, probe: impl Fn(Found) -> F) -> Vec<Found>
where
    F: Future<Output = Found> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MAX_AT_ONCE));
    let mut probes = JoinSet::new();
    for (at, found) in all.into_iter().enumerate() {
        let (places, probing) = (Arc::clone(&places), probe(found));
        probes.spawn(async move {
            // Never closed; and where it were, nobody would have to wait.
            let _place = places.acquire().await;
            (at, probing.await)
        });
    }
    let mut probed = Vec::with_capacity(probes.len());
    while let Some(done) = probes.join_next().await {
        probed.extend(done.ok());
    }
    probed.sort_by_key(|(at, _)| *at);
    probed.into_iter().map(|(_, found)| found).collect()
}

/// Whatever goes wrong becomes its state.
async fn probe_within(mut found: Found, limit: Duration) -> Found {
    let asked = tokio::time::timeout(limit, ask(&mut found)).await;
    found.state = match asked {
        Ok(Ok(())) => FoundState::Ready,
        Ok(Err(NetError::NotListening { .. })) => FoundState::Stale,
        Ok(Err(NetError::Version {
            theirs_is_newer, ..
        })) => FoundState::Unusable(
            if theirs_is_newer {
                "newer: update the pollscope command"
            } else {
                "too old: update the program's pollscope"
            }
            .to_owned(),
        ),
        Ok(Err(error)) => FoundState::Unusable(error.to_string()),
        Err(_) => FoundState::Unusable(format!("no answer in {} ms", limit.as_millis())),
    };
    found
}

async fn ask(found: &mut Found) -> Result<(), NetError> {
    let address: Address = found.address.parse()?;
    // Its debug information may take longer to look at than it may take to answer.
    let session = Session::greet(&address).await?;
    let hello = session.hello().clone();
    found.name.clone_from(&hello.target.name);
    found.tokio.clone_from(&hello.target.tokio);
    found.exe.clone_from(&hello.target.exe);
    found.args.clone_from(&hello.target.args);
    found.pollscope.clone_from(&hello.target.pollscope);
    found.tcp.clone_from(&hello.target.tcp);
    // As this machine counts it: the number it has in a container may be another's here.
    found.pid = hello.local_pid;
    found.proto = Some(hello.protocol);
    found.level = Some(hello.target.level);
    found.level_source.clone_from(&hello.target.level_source);
    found.uptime_s = Some(hello.target.uptime_s);
    let totals_only = View {
        limit: 0,
        sites: false,
        threads: false,
        warnings: false,
        ..View::default()
    };
    let mut watch = session.watch(totals_only);
    if let Some(snapshot) = watch.next().await {
        let snapshot = snapshot?;
        found.tasks = Some(snapshot.totals.tasks);
        found.warnings = Some(snapshot.totals.warnings_warn + snapshot.totals.warnings_error);
        found.level = Some(snapshot.target.level);
        found.level_source.clone_from(&snapshot.target.level_source);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn only_so_many_are_asked_at_once() {
        let all: Vec<_> = (0..3 * MAX_AT_ONCE)
            .map(|at| Found {
                address: at.to_string(),
                ..Found::default()
            })
            .collect();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let probed = each(all.clone(), |found| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::Relaxed);
                found
            }
        });
        assert_eq!(probed.await, all);
        assert_eq!(most.load(Ordering::Relaxed), MAX_AT_ONCE);
    }
}
