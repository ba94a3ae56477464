//! The first exchange: who is there, and which version both speak.

use pollscope_proto::limits::{PROTOCOL_MAX, PROTOCOL_MIN};
use pollscope_proto::v1;

use super::{level, long_text, rights, runtime, text};
use crate::model::{Clock, Runtime, Target};
use crate::net::error::Versions;
use crate::net::symbols::Module;

/// What a target answered.
pub(in crate::net) enum Answer {
    Welcome {
        protocol: u32,
        target: Box<Target>,
        runtimes: Vec<Runtime>,
        modules: Vec<Module>,
    },
    /// No version in common, or not this client.
    Refusal { why: String, theirs: Versions },
}

pub(in crate::net) fn hello_request() -> v1::HelloRequest {
    v1::HelloRequest {
        client: concat!("pollscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
    }
}

pub(in crate::net) fn answer(reply: v1::HelloReply) -> Answer {
    if !(PROTOCOL_MIN..=PROTOCOL_MAX).contains(&reply.protocol) {
        return Answer::Refusal {
            why: long_text(&reply.refusal),
            theirs: Versions {
                min: reply.protocol_min,
                max: reply.protocol_max,
            },
        };
    }
    let mut capabilities: Vec<_> = reply.capabilities.iter().map(|c| text(c)).collect();
    capabilities.truncate(64);
    let rights = rights(reply.rights());
    let clock = reply.clock.unwrap_or_default();
    let from = reply.target.unwrap_or_default();
    let target = Target {
        pid: from.pid,
        name: text(&from.name),
        uptime_s: seconds(clock.mono_ns.saturating_sub(from.started_ns)),
        pollscope: text(&from.pollscope_version),
        tokio: text(&from.tokio_version),
        level: level(from.level()),
        level_source: text(&from.level_source),
        symbols: text(&from.symbols),
        symbols_note: String::new(),
        capabilities,
        rights,
        clock: Clock {
            mono_ns: clock.mono_ns,
            unix_ns: clock.unix_ns,
        },
        exe: text(&from.exe),
        args: from.args.iter().take(256).map(|arg| text(arg)).collect(),
        uid: from.uid,
        start_time_ticks: from.start_time_ticks,
        socket: text(&from.socket),
        tcp: text(&from.tcp),
        slow_poll_ns: from.slow_poll_ns,
        log_level: text(&from.log_level),
        depth: Some(from.backtrace_depth).filter(|depth| *depth > 0),
        started_ns: from.started_ns,
    };
    Answer::Welcome {
        protocol: reply.protocol,
        target: Box::new(target),
        runtimes: reply.runtimes.iter().take(1024).map(runtime).collect(),
        modules: reply.modules.iter().map(super::module).collect(),
    }
}

pub(in crate::net) fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
