//! Commands that ask a target once, or follow it without a screen: `report`, `watch`, `dump`, `set`, `abort`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::exit::{print, say};
use super::values::{FailOn, Setting, change};
use super::{Exit, Failure, Format, locate, runtime};
use crate::model::{Snapshot, View, Warning};
use crate::net::{NetError, Session, SymbolsFrom, Watch};
use crate::report::{self, Paint};

/// How long the first update may take, the names of its frames included.
const FIRST_LIMIT: Duration = Duration::from_secs(60);

/// What `report` was asked for.
pub(super) struct Report {
    pub(super) format: Format,
    pub(super) time: Option<Duration>,
    pub(super) limit: u32,
    pub(super) fail_on: Vec<FailOn>,
}

pub(super) fn report(
    target: &str,
    symbols: SymbolsFrom,
    asked: &Report,
    paint: Paint,
) -> Result<Exit, Failure> {
    for kind in asked.fail_on.iter().filter_map(FailOn::matches_nothing) {
        say(&format!(
            "--fail-on {kind} matches nothing: no target of this version detects it"
        ));
    }
    let address = locate(target)?;
    let view = View {
        limit: asked.limit,
        ..View::default()
    };
    let (snapshot, lost) = runtime()?.block_on(async {
        let session = Session::open_with(&address, symbols).await?;
        if asked.format != Format::Text {
            // The text has it in its first line.
            note(&session);
        }
        let watch = session.watch(view).patient();
        last_within(watch, asked.time.unwrap_or_default()).await
    })?;
    let matched = |warning: &Warning| asked.fail_on.iter().any(|kind| kind.matches(warning));
    let fails = |warning: &Warning| match asked.fail_on[..] {
        [] => FailOn::Any.matches(warning),
        _ => matched(warning),
    };
    print(|out| match asked.format {
        Format::Text => Ok(report::text(out, &snapshot, paint)?),
        Format::Json => report::json(out, &snapshot),
        Format::Github => Ok(report::github(out, &snapshot)?),
        Format::Junit => Ok(report::junit(out, &snapshot, fails)?),
    })?;
    if let Some(lost) = lost {
        // What was seen until then is printed; that it ended is told all the same.
        return Err(lost.into());
    }
    if snapshot.warnings.iter().any(matched) {
        return Ok(Exit::Matched);
    }
    Ok(Exit::Ok)
}

/// The first snapshot, or the last within a time; and why it ended, where it did before.
async fn last_within(
    mut watch: Watch,
    time: Duration,
) -> Result<(Snapshot, Option<NetError>), Failure> {
    let until = Instant::now() + time;
    let first = timeout(FIRST_LIMIT, watch.next()).await;
    let mut last = first.map_err(|_elapsed| silent())?.ok_or_else(ended)??;
    loop {
        match timeout_at(until, watch.next()).await {
            Ok(Some(Ok(snapshot))) => last = snapshot,
            Ok(Some(Err(error))) => return Ok((last, Some(error))),
            Ok(None) | Err(_) => return Ok((last, None)),
        }
    }
}

/// What is wrong with `--symbols`, on stderr.
fn note(session: &Session) {
    let note = &session.hello().target.symbols_note;
    if !note.is_empty() {
        say(note);
    }
}

fn silent() -> Failure {
    let limit = FIRST_LIMIT.as_secs();
    let why = format!("the target said hello and sent no update within {limit} s");
    Failure::Message(Exit::Refused, why)
}

fn ended() -> Failure {
    Failure::Message(Exit::Lost, "the target ended the stream".to_owned())
}

/// One line for each warning that is new or was counted again, until the target ends.
pub(super) fn watch(
    target: &str,
    symbols: SymbolsFrom,
    json: bool,
    paint: Paint,
) -> Result<Exit, Failure> {
    let address = locate(target)?;
    runtime()?.block_on(async {
        let session = Session::open_with(&address, symbols).await?;
        note(&session);
        follow(&session, &mut io::stdout().lock(), json, paint).await
    })
}

/// Prints warnings of a session as they come; returns only with why it ended.
pub(super) async fn follow(
    session: &Session,
    out: &mut dyn Write,
    json: bool,
    paint: Paint,
) -> Result<Exit, Failure> {
    let view = View {
        limit: 0,
        sites: false,
        threads: false,
        interval_ms: 500,
        ..View::default()
    };
    let mut watch = session.watch(view).patient();
    let mut told: HashMap<u32, (u64, bool)> = HashMap::new();
    while let Some(snapshot) = watch.next().await {
        let snapshot = snapshot?;
        for warning in &snapshot.warnings {
            let now = (warning.count, warning.live);
            if told.insert(warning.id, now) == Some(now) {
                continue;
            }
            if json {
                serde_json::to_writer(&mut *out, warning)?;
                writeln!(out)?;
            } else {
                report::warning_line(out, warning, snapshot.target.clock, paint)?;
            }
        }
        out.flush()?;
    }
    Err(ended())
}

pub(super) fn dump(
    target: &str,
    symbols: SymbolsFrom,
    task: Option<u64>,
    json: bool,
    paint: Paint,
) -> Result<Exit, Failure> {
    let address = locate(target)?;
    let (hello, threads) = runtime()?.block_on(async {
        let session = Session::open_with(&address, symbols).await?;
        note(&session);
        let threads = session.dump(task).await?;
        Ok::<_, Failure>((session.hello().clone(), threads))
    })?;
    print(|out| {
        if json {
            report::dump_json(out, &hello.target, &threads)
        } else {
            Ok(report::dump(out, &hello.target, &threads, paint)?)
        }
    })
}

pub(super) fn set(target: &str, settings: &[Setting]) -> Result<Exit, Failure> {
    let address = locate(target)?;
    let change = change(settings);
    let now = runtime()?.block_on(async {
        let session = Session::greet(&address).await?;
        session.configure(&change).await
    })?;
    print(|out| Ok(report::settings(out, &now)?))
}

pub(super) fn abort(target: &str, task: u64) -> Result<Exit, Failure> {
    let address = locate(target)?;
    runtime()?.block_on(async { Session::greet(&address).await?.abort(task).await })?;
    say(&format!(
        "asked for the abort of task {task}: it ends at its next yield"
    ));
    Ok(Exit::Ok)
}
