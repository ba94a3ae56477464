//! Blocks a poll in every way that programs do, one after the other, and prints for each way what the blocked
//! call returned, how long it took, and when and how it was reported, seen from inside the process.
//!
//! `blockers FLAVOR` with `current_thread`, `multi_thread` or `local`. Ends when its standard input is closed.

#![expect(clippy::print_stdout, reason = "the test reads what it prints")]

mod ways;

use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use pollscope::runtime::Builder;
use pollscope_agent::{Finding, Kind};
use serde_json::json;

use ways::WAYS;

/// The threshold in this program, and how long each way blocks.
const THRESHOLD: Duration = Duration::from_millis(100);
const BLOCKED: Duration = Duration::from_millis(400);

fn main() {
    let flavor = std::env::args().nth(1).unwrap_or_default();
    let mut builder = match flavor.as_str() {
        "multi_thread" => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = builder
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    pollscope::set_slow_poll(Some(THRESHOLD));
    println!("ready");
    runtime.block_on(async {
        if flavor == "local" {
            pollscope::task::LocalSet::new().run_until(all(true)).await;
        } else {
            all(false).await;
        }
    });
    println!("done");
    // Stay, so that the inspector can read what was found.
    let _ = std::io::stdin().read(&mut [0]);
}

/// Runs one way in a task of its own. A macro, because each way must be a spawn site of its own.
macro_rules! run {
    ($name:literal, $local:expr) => {{
        let way = WAYS
            .iter()
            .find(|way| way.name == $name)
            .expect("a way of this name");
        // What the other threads of a way need is set up before the poll that blocks.
        let blocker = (way.prepare)(BLOCKED);
        let watch = Watch::start($name);
        let begun = Arc::clone(&watch.begun);
        let body = async move {
            let start = *begun.get_or_init(Instant::now);
            let result = blocker();
            (result, start.elapsed())
        };
        let spawned = pollscope::task::Builder::new().name($name);
        let handle = if $local {
            spawned.spawn_local(body)
        } else {
            spawned.spawn(body)
        };
        let (result, took) = handle.expect("spawned").await.expect("no panic");
        print(way.name, &result, took, &watch.stop());
    }};
}

async fn all(local: bool) {
    run!("std_sleep", local);
    run!("spin", local);
    run!("pipe_read", local);
    run!("std_mutex", local);
    run!("condvar", local);
    run!("raw_nanosleep", local);
    run!("raw_poll", local);
    run!("socket_read", local);
    run!("dns_lookup", local);
    run!("fsync_file", local);
    run!("nested_block_on", local);
    run!("stopped", local);
}

fn print(way: &str, result: &str, took: Duration, seen: &Seen) {
    let found = settled(way);
    println!(
        "{}",
        json!({
            "way": way,
            "result": result,
            "took_ms": took.as_millis() as u64,
            // Behind the threshold; the program itself looks once a millisecond.
            "late_ms": seen.after.map(|after| after.as_secs_f64() * 1e3 - THRESHOLD.as_secs_f64() * 1e3),
            "verdict": seen.verdict,
            "at_the_end": found.as_ref().map(|found| json!({
                "severity": found.severity.name(),
                "verdict": found.verdict.map(|verdict| verdict.activity.name()),
                "live": found.live,
            })),
        })
    );
}

/// What is in the table once the poll is over and everything was told.
fn settled(way: &str) -> Option<Finding> {
    pollscope_agent::flush(Duration::from_secs(1));
    about(way)
}

fn about(way: &str) -> Option<Finding> {
    pollscope_agent::warnings()
        .into_iter()
        .find(|found| found.kind == Kind::SlowPoll && found.task_name.as_deref() == Some(way))
}

/// Looks at the table of warnings from a thread of its own.
struct Watch {
    /// When the poll began to block.
    begun: Arc<OnceLock<Instant>>,
    stop: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The first report, after the poll began to block.
    after: Option<Duration>,
    verdict: Option<String>,
}

impl Watch {
    fn start(way: &'static str) -> Self {
        let (stop, stopped) = std::sync::mpsc::channel();
        let begun = Arc::new(OnceLock::<Instant>::new());
        let since = Arc::clone(&begun);
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            loop {
                if let (Some(begun), Some(found)) = (since.get(), about(way).filter(|it| it.live)) {
                    seen.after.get_or_insert_with(|| begun.elapsed());
                    if let Some(verdict) = &found.verdict {
                        seen.verdict = Some(verdict.activity.name().to_owned());
                    }
                }
                if stopped.recv_timeout(Duration::from_millis(1))
                    != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    return seen;
                }
            }
        });
        Self {
            begun,
            stop,
            thread,
        }
    }

    fn stop(self) -> Seen {
        drop(self.stop);
        self.thread.join().expect("the watcher ends")
    }
}
