//! The first call: who this is, what it can, what the client may, and whether they understand each other.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use pollscope_capture::{clock, level, runtimes};
use pollscope_proto::limits::{self, PROTOCOL_MAX, PROTOCOL_MIN};
use pollscope_proto::v1;

use super::inspect::Inspect;
use super::{header, rights, rows, socket};
use crate::symbols::Symbols;
use crate::sys;

/// Arguments that are told; more are cut off.
const MAX_ARGS: usize = 64;

/// Answers a hello.
pub(super) async fn answer(inspect: &Inspect, request: &v1::HelloRequest) -> v1::HelloReply {
    let theirs = request.protocol_min..=request.protocol_max;
    let chosen = limits::negotiate(PROTOCOL_MIN..=PROTOCOL_MAX, theirs);
    let mut modules_told = 0;
    let reply = v1::HelloReply {
        protocol: chosen.unwrap_or(0),
        refusal: if chosen.is_some() {
            String::new()
        } else {
            refusal(request)
        },
        target: Some(target(inspect).await),
        runtimes: header::runtimes(&runtimes::all()),
        rights: rights::wire(inspect.rights).into(),
        clock: Some(v1::Clock {
            mono_ns: clock::mono_ns(),
            unix_ns: clock::unix_ns(),
        }),
        capabilities: capabilities(inspect),
        modules: header::new_modules(&mut modules_told),
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
    };
    inspect.modules_told.store(modules_told, Ordering::Relaxed);
    reply
}

/// Names both ranges and who must move.
fn refusal(request: &v1::HelloRequest) -> String {
    let range = |min: u32, max: u32| {
        if min == max {
            min.to_string()
        } else {
            format!("{min} to {max}")
        }
    };
    let (ours, theirs) = (
        range(PROTOCOL_MIN, PROTOCOL_MAX),
        range(request.protocol_min, request.protocol_max),
    );
    let version = env!("CARGO_PKG_VERSION");
    let advice = if request.protocol_max < PROTOCOL_MIN {
        format!("update the inspector to pollscope-cli {version} or newer")
    } else {
        format!(
            "update pollscope in the program (it has {version}), or use pollscope-cli {version}"
        )
    };
    format!("the program speaks protocol {ours}, the inspector {theirs}: {advice}")
}

fn capabilities(inspect: &Inspect) -> Vec<String> {
    let found = inspect.server.agent.capabilities();
    let known = [
        ("peek", found.peek),
        ("signal", found.signal),
        ("counter_clock", clock::is_counter()),
        ("symbols", Symbols::is_there()),
        ("tokio_unstable", cfg!(tokio_unstable)),
    ];
    known
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| name.to_owned())
        .collect()
}

async fn target(inspect: &Inspect) -> v1::Target {
    let server = &inspect.server;
    let exe = executable();
    let shown = |text: &OsStr| rows::text(&text.to_string_lossy());
    v1::Target {
        pid: std::process::id(),
        name: exe.file_name().map(shown).unwrap_or_default(),
        exe: shown(exe.as_os_str()),
        args: std::env::args_os()
            .take(MAX_ARGS)
            .map(|arg| shown(&arg))
            .collect(),
        uid: sys::uid(),
        started_ns: server.agent.started_ns,
        pollscope_version: env!("CARGO_PKG_VERSION").to_owned(),
        tokio_version: server
            .agent
            .settings
            .tokio_version
            .unwrap_or("unknown")
            .to_owned(),
        level: rows::level(level::level()).into(),
        level_source: level::source().to_string(),
        symbols: server.symbols.get_or_init(describe_symbols).await.clone(),
        start_time_ticks: socket::own_start_time(),
        socket: server
            .socket
            .get()
            .map(|path| shown(path.as_os_str()))
            .unwrap_or_default(),
        tcp: server
            .tcp
            .get()
            .map(ToString::to_string)
            .unwrap_or_default(),
        slow_poll_ns: level::slow_poll_ns(),
        log_level: crate::emit::level().name().to_owned(),
        backtrace_depth: level::depth(),
        keeps_each: !level::dedupes(),
    }
}

/// The running executable; one that was replaced by a new build keeps its name.
fn executable() -> PathBuf {
    let exe = std::env::current_exe()
        .ok()
        .or_else(|| std::env::args_os().next().map(PathBuf::from));
    let exe = exe.unwrap_or_default();
    match exe
        .to_str()
        .and_then(|path| path.strip_suffix(" (deleted)"))
    {
        Some(path) if !exe.exists() => PathBuf::from(path),
        _ => exe,
    }
}

/// What our own executable tells of frames. Reads some of it: off the server's thread, and once.
#[cfg(feature = "symbols")]
async fn describe_symbols() -> String {
    let described = crate::ours::apart(|| {
        let described = pollscope_proto::symbols::describe(std::path::Path::new("/proc/self/exe"));
        described.detail.to_string()
    });
    described.await.unwrap_or_default()
}

/// Nobody here can tell: the viewer looks for itself.
#[cfg(not(feature = "symbols"))]
async fn describe_symbols() -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(protocol_min: u32, protocol_max: u32) -> String {
        refusal(&v1::HelloRequest {
            protocol_min,
            protocol_max,
            ..v1::HelloRequest::default()
        })
    }

    #[test]
    fn a_refusal_names_both_ranges_and_who_must_move() {
        let newer = refused(PROTOCOL_MAX + 1, PROTOCOL_MAX + 4);
        assert!(
            newer.contains("protocol 1, the inspector 2 to 5"),
            "{newer}"
        );
        assert!(newer.contains("update pollscope in the program"), "{newer}");
        let older = refused(0, 0);
        assert!(
            older.contains("the inspector 0: update the inspector"),
            "{older}"
        );
    }
}
