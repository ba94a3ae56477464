//! One row: its program, started, and what the inspector says of it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use pollscope_tests::{Program, Room, Screen, wait_until};
use serde_json::Value;

/// How long a finding may take on a machine full of tests.
const LIMIT: Duration = Duration::from_secs(20);

/// A row's program that has done its work and waits.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    room: Room,
    program: Program,
}

impl Row {
    /// The program that does it, at level debug.
    pub(crate) fn faulty(name: &'static str) -> Self {
        Self::start(name, "faulty", &[("POLLSCOPE", "debug")])
    }

    /// Its twin, at level debug.
    pub(crate) fn healthy(name: &'static str) -> Self {
        Self::start(name, "healthy", &[("POLLSCOPE", "debug")])
    }

    /// Either, with this environment and nothing else that speaks to pollscope.
    pub(crate) fn start(name: &'static str, what: &str, env: &[(&str, &str)]) -> Self {
        Self::until(name, what, env, "done")
    }

    /// As `start`, and goes on as soon as the program says `ready`.
    pub(crate) fn until(name: &'static str, what: &str, env: &[(&str, &str)], ready: &str) -> Self {
        let room = Room::new();
        let mut command = room.command(env!("CARGO_BIN_EXE_parity"));
        command
            .args([name, what])
            .envs(env.iter().copied())
            .stdin(Stdio::piped());
        let program = room.start(command, ready);
        // A program that is busy at once may be ready before its agent is.
        let target = program.target();
        wait_until("it can be asked", LIMIT, || {
            let asked = room.pollscope(&["report", &target, "--json"]);
            asked.status.success().then_some(())
        });
        Self {
            name,
            room,
            program,
        }
    }

    /// The running program.
    pub(crate) fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// The program's process id, which is its main thread's, too.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Runs the inspector with `args`, the target put where `@` stands.
    pub(crate) fn inspect(&self, args: &[&str]) -> pollscope_tests::Output {
        let target = self.program.target();
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "@" { &*target } else { *arg })
            .collect();
        self.room.pollscope(&args)
    }

    /// The inspector on it, in a terminal of this size.
    pub(crate) fn screen(&self, columns: u16, rows: u16) -> Screen {
        let target = self.program.target();
        Screen::open(&self.room, &["attach", &target], columns, rows)
    }

    /// The whole of `report --json`.
    pub(crate) fn report(&self) -> Value {
        self.room
            .json(&["report", &self.program.target(), "--json"])
    }

    /// All warnings of a kind, as they are now.
    pub(crate) fn warnings(&self, kind: &str) -> Vec<Value> {
        of_kind(&self.report(), kind)
    }

    /// The one warning of this kind; waits for it.
    pub(crate) fn warning(&self, kind: &str) -> Value {
        let mut found = wait_until(kind, LIMIT, || {
            Some(self.warnings(kind)).filter(|found| !found.is_empty())
        });
        assert_eq!(found.len(), 1, "one {kind}: {found:#?}");
        found.remove(0)
    }

    /// The one warning of this kind that meets a condition (a count that grows, an end that comes); waits for it.
    pub(crate) fn warning_that(&self, kind: &str, holds: impl Fn(&Value) -> bool) -> Value {
        wait_until(kind, LIMIT, || self.warnings(kind).into_iter().find(&holds))
    }

    /// That nothing was found. Notes on long polls are let pass, unless they are what the row is about: a machine that
    /// is busy makes them, and they are no warnings.
    #[track_caller]
    pub(crate) fn is_silent(&self, about: &str) {
        let report = self.report();
        let warnings = report["warnings"].as_array().expect("an array");
        let told: Vec<&Value> = warnings
            .iter()
            .filter(|warning| warning["severity"] != "info" || warning["kind"] == about)
            .collect();
        assert!(told.is_empty(), "{}: {told:#?}", self.name);
    }

    /// The line of the row's source that is marked `// @mark`.
    pub(crate) fn line(&self, mark: &str) -> u64 {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/parity");
        let file = fs::read_dir(dir)
            .expect("the sources are here")
            .flatten()
            .find(|file| {
                let name = file.file_name();
                name.to_string_lossy()
                    .starts_with(&format!("{}_", self.name))
            })
            .expect("a file for the row");
        let source = fs::read_to_string(file.path()).expect("its text");
        let marked = source
            .lines()
            .position(|line| line.ends_with(&format!("// @{mark}")));
        marked.expect("a line with the mark") as u64 + 1
    }

    /// That a site is the marked line of the row's file.
    #[track_caller]
    pub(crate) fn is_at(&self, site: &Value, mark: &str) {
        let file = site["file"].as_str().unwrap_or_default();
        let here = format!("src/bin/parity/{}_", self.name);
        assert!(file.contains(&here), "{}: {site}", self.name);
        assert_eq!(site["line"], self.line(mark), "{}: {site}", self.name);
    }
}

/// The warnings of a report that are of this kind.
fn of_kind(report: &Value, kind: &str) -> Vec<Value> {
    let warnings = report["warnings"].as_array().cloned().unwrap_or_default();
    warnings
        .into_iter()
        .filter(|warning| warning["kind"] == kind)
        .collect()
}
