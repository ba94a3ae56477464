//! `ps`: the instrumented processes of this machine.

use std::time::Duration;

use serde::Serialize;

use super::exit::{self, print};
use super::{Exit, Failure, runtime};
use crate::model::{Found, FoundState, Level};
use crate::net;
use crate::report::{self, Paint};

/// How long each may take: what is printed once waits longer than a screen that asks again.
const LIMIT: Duration = Duration::from_secs(2);

pub(super) fn ps(json: bool, paint: Paint) -> Result<Exit, Failure> {
    let mut found = runtime()?.block_on(net::probe_all_within(net::discover(), LIMIT));
    found.sort_by(|a, b| (a.pid, &a.address).cmp(&(b.pid, &b.address)));
    if found.is_empty() && !json {
        exit::say(
            "no instrumented process here; a program is once it calls pollscope::init() or carries #[pollscope::main], and `pollscope demo` starts one",
        );
        return Ok(Exit::Ok);
    }
    print(|out| {
        if json {
            let rows: Vec<_> = found.iter().map(Row::from).collect();
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            Ok(writeln!(out)?)
        } else {
            Ok(report::processes(out, &found, paint)?)
        }
    })
}

/// A process as `ps --json` prints it.
#[derive(Serialize)]
struct Row<'a> {
    pid: Option<u32>,
    name: &'a str,
    user: &'a str,
    uptime_s: Option<f64>,
    level: Option<Level>,
    /// What decided the level: default, env, explicit, code, inspector.
    level_source: Option<&'a str>,
    socket: &'a str,
    tcp: Option<&'a str>,
    pollscope: Option<&'a str>,
    tokio: Option<&'a str>,
    protocol: Option<u32>,
    tasks: Option<u64>,
    warnings: Option<u64>,
    /// `ready`, `stale` or `unusable`.
    state: &'static str,
    why: Option<&'a str>,
}

impl<'a> From<&'a Found> for Row<'a> {
    fn from(found: &'a Found) -> Self {
        let known = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let (state, why) = match &found.state {
            FoundState::Ready => ("ready", None),
            FoundState::Stale => ("stale", Some("its process is gone")),
            FoundState::Unusable(why) => ("unusable", Some(why.as_str())),
            FoundState::Asking => ("asking", None),
        };
        Self {
            pid: found.pid,
            name: &found.name,
            user: &found.user,
            uptime_s: found.uptime_s,
            level: found.level,
            level_source: known(&found.level_source),
            socket: found
                .address
                .strip_prefix("unix:")
                .unwrap_or(&found.address),
            tcp: known(&found.tcp),
            pollscope: known(&found.pollscope),
            tokio: known(&found.tokio),
            protocol: found.proto,
            tasks: found.tasks,
            warnings: found.warnings,
            state,
            why,
        }
    }
}
