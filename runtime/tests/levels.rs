//! The levels, and who sets them: each case is a process of its own, this test once more with another environment.

#![cfg(feature = "capture")]

use std::collections::HashMap;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use pollscope::runtime::Builder;
use pollscope_capture::level;
use pollscope_capture::registry;

/// What a child says of itself, and what it wrote to stderr.
struct Said {
    facts: HashMap<String, String>,
    stderr: String,
}

impl Said {
    fn get(&self, key: &str) -> &str {
        self.facts.get(key).map_or("not said", String::as_str)
    }
}

/// Runs a role of this program with these variables, and no other of ours.
fn output(role: &str, env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("POLLSCOPE") {
            command.env_remove(key);
        }
    }
    let command = command.env(ROLE, role).envs(env.iter().copied());
    command.output().expect("it starts")
}

/// What a role says that runs to its end.
fn run(role: &str, env: &[(&str, &str)]) -> Said {
    let output = output(role, env);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{role} {env:?}: {stdout}{stderr}");
    let facts = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("fact ")?.split_once('='));
    Said {
        facts: facts
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        stderr,
    }
}

const ROLE: &str = "LEVELS_TEST_ROLE";

/// Not a test of its own: what the others run.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    // What follows must not stand behind the harness's "test child ... ".
    fact("", "");
    match role.as_str() {
        "init" => {
            let _guard = pollscope::init();
            facts();
        }
        "builder" => {
            let mut builder = Builder::new_current_thread();
            let debug = std::env::var("BUILDER_DEBUG").is_ok_and(|debug| debug == "true");
            let runtime = builder.debug(debug).build().expect("a runtime");
            runtime.block_on(async {});
            facts();
        }
        "main" => entry(),
        "live" => live(),
        "forgets" => forgets(),
        "aborts" => aborts(),
        other => panic!("no role {other}"),
    }
}

#[pollscope::main(debug = true, slow_poll = "7ms")]
async fn entry() {
    settings();
}

#[pollscope::main(flavor = "current_thread")]
async fn forgets() {
    fact("line", line!() + 1);
    drop(work());
}

/// A panic out of a drop that an unwinding runs aborts, as every panic does where a program is built so.
fn aborts() {
    struct Breaks;
    impl Drop for Breaks {
        fn drop(&mut self) {
            panic!("while it unwinds, on purpose");
        }
    }
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { drop(work()) });
    let _breaks = Breaks;
    panic!("on purpose");
}

#[pollscope::tracked]
async fn work() {}

#[expect(clippy::print_stdout, reason = "how a child speaks to its parent")]
fn fact(key: &str, value: impl std::fmt::Display) {
    println!("fact {key}={value}");
}

fn settings() {
    fact("level", pollscope::level());
    fact("source", level::source());
    fact("slow_poll_ns", level::slow_poll_ns());
}

fn facts() {
    settings();
    drop(work());
    fact("threads", threads_in_the_end());
    let owned = pollscope::Owned::new(1);
    let refused = std::thread::scope(|scope| scope.spawn(|| owned.with(|n| *n).is_err()).join());
    fact("refused", refused.expect("no panic"));
    let mut before = 0;
    registry::tasks(|_, _| before += 1);
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let _task = runtime.spawn(std::future::pending::<()>());
    let mut tasks = 0;
    registry::tasks(|_, _| tasks += 1);
    fact("new_tasks", tasks - before);
}

/// How many threads of ours this process has; a thread that was just started names itself a moment later.
fn threads_in_the_end() -> usize {
    let expected = cfg!(feature = "serve") && pollscope::level() != pollscope::Level::Off;
    let limit = Instant::now() + Duration::from_secs(10);
    while expected && threads() == 0 && Instant::now() < limit {
        std::thread::yield_now();
    }
    threads()
}

fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("linux");
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("pollscope")).count()
}

/// Switches while it runs.
fn live() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let polls = async || {
            let task = pollscope::spawn(async {
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
                let mut timed = None;
                registry::tasks(|_, task| {
                    if task.kind == pollscope_capture::TaskKind::Task {
                        timed = Some(task.busy_ns > 0);
                    }
                });
                timed
            });
            task.await
                .expect("no panic")
                .map_or_else(|| "no record".to_owned(), |timed| timed.to_string())
        };
        fact("timed_before", polls().await);
        fact("switched_on", pollscope::set_debug(true));
        fact("level", pollscope::level());
        fact("source", level::source());
        fact("timed_on", polls().await);
        fact("switched_off", pollscope::set_debug(false));
        fact("timed_off", polls().await);
        pollscope::set_slow_poll(Some(Duration::from_millis(3)));
        fact("slow_poll_ns", level::slow_poll_ns());
    });
}

#[test]
fn quiet_unless_something_is_said() {
    let said = run("init", &[]);
    assert_eq!(
        (said.get("level"), said.get("source")),
        ("quiet", "default")
    );
    assert_eq!(said.get("slow_poll_ns"), "100000000");
    assert_eq!(said.get("new_tasks"), "1");
    assert_eq!(said.get("threads") == "0", !cfg!(feature = "serve"));
    assert!(!said.stderr.contains("unknown level"), "{}", said.stderr);
}

#[test]
fn the_environment_decides() {
    for (key, value, level) in [
        ("POLLSCOPE", "debug", "debug"),
        ("POLLSCOPE", "quiet", "quiet"),
        ("POLLSCOPE", " Debug ", "debug"),
        ("POLLSCOPE_DEBUG", "1", "debug"),
        ("POLLSCOPE_DEBUG", "yes", "debug"),
    ] {
        let said = run("init", &[(key, value)]);
        assert_eq!(
            (said.get("level"), said.get("source")),
            (level, "env"),
            "{key}={value}"
        );
    }
    for no in ["0", "false", "off", ""] {
        let said = run("init", &[("POLLSCOPE_DEBUG", no)]);
        assert_eq!(
            (said.get("level"), said.get("source")),
            ("quiet", "default"),
            "POLLSCOPE_DEBUG={no}"
        );
    }
}

#[test]
fn off_starts_nothing_and_says_nothing() {
    let said = run("init", &[("POLLSCOPE", "off")]);
    assert_eq!((said.get("level"), said.get("source")), ("off", "env"));
    assert_eq!((said.get("threads"), said.get("new_tasks")), ("0", "0"));
    assert!(!said.stderr.contains("pollscope"), "{}", said.stderr);
    // What is unsound is refused all the same.
    assert_eq!(said.get("refused"), "true");
}

#[test]
fn off_is_for_good() {
    let said = run("live", &[("POLLSCOPE", "off")]);
    assert_eq!(
        (said.get("switched_on"), said.get("level")),
        ("false", "off")
    );
    for key in ["timed_before", "timed_on", "timed_off"] {
        assert_eq!(said.get(key), "no record", "{key}");
    }
}

#[test]
fn a_level_that_does_not_exist_is_complained_of_once_and_is_quiet() {
    let said = run("init", &[("POLLSCOPE", "abc")]);
    assert_eq!(
        (said.get("level"), said.get("source")),
        ("quiet", "default")
    );
    let lines: Vec<_> = said
        .stderr
        .lines()
        .filter(|line| line.contains("unknown level"))
        .collect();
    assert_eq!(lines.len(), 1, "{}", said.stderr);
    assert!(
        lines[0].contains("\"abc\": use off, quiet or debug"),
        "{}",
        lines[0]
    );
}

#[test]
fn what_the_program_says_beats_the_environment() {
    for (debug, env, level) in [
        ("true", "quiet", "debug"),
        ("true", "off", "debug"),
        ("false", "debug", "quiet"),
        ("false", "quiet", "quiet"),
    ] {
        let said = run("builder", &[("BUILDER_DEBUG", debug), ("POLLSCOPE", env)]);
        assert_eq!(
            (said.get("level"), said.get("source")),
            (level, "explicit"),
            "debug = {debug}, POLLSCOPE={env}"
        );
    }
    // Not to debug is no reason to switch on what was switched off.
    assert_eq!(
        run(
            "builder",
            &[("BUILDER_DEBUG", "false"), ("POLLSCOPE", "off")]
        )
        .get("level"),
        "off"
    );
    let said = run("main", &[("POLLSCOPE", "quiet")]);
    assert_eq!(
        (said.get("level"), said.get("source")),
        ("debug", "explicit")
    );
    assert_eq!(said.get("slow_poll_ns"), "7000000");
}

#[test]
fn debug_is_switched_while_it_runs() {
    let said = run("live", &[]);
    assert_eq!(said.get("timed_before"), "false");
    assert_eq!(
        (
            said.get("switched_on"),
            said.get("level"),
            said.get("source")
        ),
        ("true", "debug", "code")
    );
    assert_eq!(said.get("timed_on"), "true");
    assert_eq!(
        (said.get("switched_off"), said.get("timed_off")),
        ("true", "false")
    );
    assert_eq!(said.get("slow_poll_ns"), "3000000");
}

#[test]
#[cfg(feature = "serve")]
fn what_was_found_is_told_before_main_returns() {
    let said = run("forgets", &[]);
    let place = format!("{}:{}", file!(), said.get("line"));
    let told: Vec<_> = said
        .stderr
        .lines()
        .filter(|line| line.contains(&place))
        .collect();
    assert!(
        told.len() == 1 && told[0].contains("never awaited"),
        "{}",
        said.stderr
    );
}

/// Edge case 32: nothing runs after the hook of a panic that aborts, so it is told from there.
#[test]
#[cfg(all(feature = "serve", unix))]
fn what_was_found_is_told_before_a_panic_aborts() {
    use std::os::unix::process::ExitStatusExt;

    const SIGABRT: i32 = 6;
    let ended = output("aborts", &[]);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.signal(), Some(SIGABRT), "{stderr}");
    let told = stderr
        .lines()
        .filter(|line| line.contains(file!()) && line.contains("never awaited"));
    assert_eq!(told.count(), 1, "{stderr}");
}
