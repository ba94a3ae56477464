//! What the inspector prints of the program, without what differs from run to run and from machine to machine.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pollscope_tests::{Program, Room, inspector, wait_until};
use serde_json::Value;

/// The program, running in its blocking call.
pub(crate) struct Running {
    pub(crate) room: Room,
    pub(crate) program: Program,
}

impl Running {
    pub(crate) fn start(executable: &Path) -> Self {
        // Built before: that may take longer than the program hangs.
        inspector();
        let room = Room::new();
        let mut command: Command = room.command(executable);
        command.env("POLLSCOPE", "debug");
        let program = room.start(command, "ready");
        Self { room, program }
    }

    /// The report as JSON, once it has both stacks of the blocking call.
    pub(crate) fn json(&self, symbols: Option<&Path>) -> Value {
        self.json_with(symbols, &["created", "observed"]).0
    }

    /// The report as JSON and the blocking call in it, once it has these stacks.
    fn json_with(&self, symbols: Option<&Path>, stacks: &[&str]) -> (Value, Value) {
        wait_until("a blocked poll", Duration::from_secs(20), || {
            let output = self.room.pollscope(&self.args(&["--json"], symbols));
            // At first there may be no socket yet.
            let report: Value = serde_json::from_str(&output.stdout).ok()?;
            let found = report["warnings"].as_array()?.iter();
            let mut found = found.filter(|warning| {
                let len = |place: &str| warning[place]["backtrace"].as_array().map(Vec::len);
                warning["kind"] == "slow_poll" && stacks.iter().all(|stack| len(stack) > Some(0))
            });
            let warning = found.next()?.clone();
            Some((report, warning))
        })
    }

    /// The word of the contract, then what the text says of the blocking call.
    pub(crate) fn seen(&self, symbols: Option<&Path>) -> String {
        let json = self.json(symbols);
        self.text(&json, symbols)
    }

    /// The same once it has these stacks, and the blocking call as JSON.
    pub(crate) fn warned(&self, stacks: &[&str]) -> (String, Value) {
        let (json, warning) = self.json_with(None, stacks);
        (self.text(&json, None), warning)
    }

    fn text(&self, json: &Value, symbols: Option<&Path>) -> String {
        let word = json["target"]["symbols"].as_str().expect("a word");
        let text = self.room.pollscope(&self.args(&[], symbols));
        assert!(text.status.success(), "{text:?}");
        format!("symbols: {word}\n{}", normal(&text.stdout))
    }

    fn args(&self, more: &[&str], symbols: Option<&Path>) -> Vec<String> {
        let mut args = vec!["report".to_owned(), self.program.target()];
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        if let Some(path) = symbols {
            args.extend(["--symbols".to_owned(), path.display().to_string()]);
        }
        args
    }
}

/// The first line's words on symbols, and the warning without numbers, times and frames of the standard library, whose
/// lines are another matter in each version.
fn normal(text: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = format!("{}/", root.parent().expect("the workspace").display());
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let (_, symbols) = header
        .split_once("  symbols ")
        .expect("the header names them");
    let mut normal = format!("header: {symbols}\n");
    let warned = lines
        .skip_while(|line| !line.contains(" slow_poll "))
        .take_while(|line| !line.is_empty());
    let mut last = String::new();
    for line in warned {
        let line = line.replace(&root, "");
        let Some(line) = kept(&line) else { continue };
        if line != last {
            // Writing to a string cannot fail.
            let _ = writeln!(normal, "{line}");
        }
        last = line;
    }
    normal
}

fn kept(line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let rest = |from: usize| words.get(from..).unwrap_or_default().join(" ");
    match *words.first()? {
        // From a second on it is an error.
        "!" | "!!" => Some(format!("{} {}", words.get(1)?, words.get(2)?)),
        "created" => Some(format!("  created {}", rest(1))),
        "observed" => Some("  observed".to_owned()),
        "future" => Some(format!("  future {}", rest(1))),
        "…" => Some("    …".to_owned()),
        number if number.parse::<u32>().is_ok() => {
            let function = *words.get(1)?;
            if function.starts_with("std::") || rest(2).starts_with("std/src/") {
                return None;
            }
            if let Some((module, _)) = function.split_once("+0x") {
                return Some(format!("    {module}+…"));
            }
            if function.ends_with("clock_nanosleep") {
                // One of its names, and a line where the C library's debug information is installed.
                return Some("    clock_nanosleep".to_owned());
            }
            Some(format!("    {}", rest(1)))
        }
        _ => None,
    }
}
