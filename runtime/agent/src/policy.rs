//! What is not tolerated: the rule that a test, or a whole program, is held to, and what was found against it.
//!
//! A test is a scope of the capture (`pollscope_capture::scope`). What is found is noted for the scope it belongs
//! to while that is open. What belongs to no test is nobody's fault where tests run side by side; where the
//! process runs one test only (cargo-nextest) it is that test's.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pollscope_capture::{registry, runtimes, scope};
use pollscope_proto::kinds;

use crate::config::Unreadable;
use crate::finding::{Certainty, Finding, Kind, Severity};
use crate::start;
use crate::state::Agent;
use crate::warnings::Warnings;

/// Findings noted of one scope; more are only counted.
const MAX_NOTED: usize = 64;
/// How long a test may wait for what was found: a loaded machine is slow to collect it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which findings are not tolerated. Notes (severity info) always are, unless they are definite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deny {
    any: bool,
    kinds: Vec<String>,
}

impl Deny {
    /// No kind of finding is tolerated.
    pub fn any() -> Self {
        Self {
            any: true,
            kinds: Vec::new(),
        }
    }

    /// Whether everything is tolerated.
    pub fn is_none(&self) -> bool {
        !self.any && self.kinds.is_empty()
    }

    fn matches(&self, kind: Kind) -> bool {
        self.any || self.kinds.iter().any(|denied| denied == kind.name())
    }
}

impl fmt::Display for Deny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.any, &self.kinds[..]) {
            (true, _) => f.write_str("any"),
            (false, []) => f.write_str("off"),
            (false, kinds) => f.write_str(&kinds.join(",")),
        }
    }
}

impl FromStr for Deny {
    type Err = Unreadable;

    /// `any`, `off`, or kinds with commas between.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "any" | "all" | "1" | "on" | "true" => return Ok(Self::any()),
            "off" | "none" | "0" | "false" => return Ok(Self::default()),
            _ => {}
        }
        let kinds: Vec<String> = text.split(',').map(|kind| kind.trim().to_owned()).collect();
        if kinds.iter().all(|kind| kinds::is_known(kind)) {
            Ok(Self { any: false, kinds })
        } else {
            Err(Unreadable::new(
                &text,
                "any, off, or kinds such as slow_poll,leaked_error",
            ))
        }
    }
}

/// Whether a finding is one that can be denied at all.
fn is_serious(finding: &Finding) -> bool {
    finding.severity > Severity::Info || finding.certainty == Certainty::Definite
}

/// One finding as it is told to whom it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Noted {
    /// Which record, and which task and poll of it: a poll that lasts is told more than once.
    of: (u32, u64, Option<u64>),
    runtime: u16,
    kind: Kind,
    text: String,
    count: u64,
}

/// What was found of each open scope.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    scopes: HashMap<u32, Vec<Noted>>,
    /// What belongs to none.
    stray: Vec<Noted>,
}

impl Verdicts {
    /// Notes an example of the record `record`, or a newer state of one.
    pub(crate) fn note(&mut self, record: u32, finding: &Finding) {
        if !scope::is_used() {
            return;
        }
        let belongs = finding.belongs;
        let noted = match belongs.scope {
            0 => &mut self.stray,
            scope if scope::is_open(scope) => self.scopes.entry(scope).or_default(),
            _ => return,
        };
        let of = (record, finding.task, finding.poll);
        let known = noted.iter().position(|noted| noted.of == of);
        match known {
            // A poll that turned out to be none of its own fault.
            Some(at) if !is_serious(finding) => _ = noted.remove(at),
            Some(at) => {
                noted[at].text.clone_from(&finding.message);
                noted[at].count += u64::from(finding.poll.is_none());
            }
            None if is_serious(finding) && noted.len() < MAX_NOTED => noted.push(Noted {
                of,
                runtime: belongs.runtime,
                kind: finding.kind,
                text: finding.message.clone(),
                count: 1,
            }),
            None => {}
        }
    }
}

/// The agent, which another thread may be about to start.
fn started() -> Option<&'static Arc<Agent>> {
    let begun = Instant::now();
    loop {
        let running = start::running();
        let comes = registry::is_started() && !registry::is_off() && registry::is_own_process();
        if running.is_some() || !comes || begun.elapsed() >= PATIENCE {
            return running;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What was found of a scope so far and is denied, one line each. Waits until what was told is collected.
///
/// `None`: of the whole process. `done`: the scope ends, nothing more is noted; what a runtime told that outlives it
/// is left out, since others may share that.
pub fn verdict(scope: Option<u32>, deny: &Deny, done: bool) -> Vec<String> {
    let Some(agent) = started() else {
        return Vec::new();
    };
    start::flush_table(PATIENCE);
    let Some(scope) = scope else {
        return of_process(&agent.state().warnings, deny);
    };
    let mut noted = {
        let verdicts = &mut agent.state().warnings.verdicts;
        let known = if done {
            verdicts.scopes.remove(&scope)
        } else {
            verdicts.scopes.get(&scope).cloned()
        };
        let mut noted = known.unwrap_or_default();
        if is_alone() {
            noted.extend(verdicts.stray.iter().cloned());
        }
        noted
    };
    if done && !is_alone() {
        let alive = runtimes::all();
        noted.retain(|noted| !alive.iter().any(|runtime| runtime.number == noted.runtime));
    }
    let denied = noted.iter().filter(|noted| deny.matches(noted.kind));
    denied
        .map(|noted| line(noted.kind, noted.count, &noted.text))
        .collect()
}

/// What was found in the whole process so far and is denied, one line a record.
pub(crate) fn of_process(warnings: &Warnings, deny: &Deny) -> Vec<String> {
    let denied = warnings
        .all()
        .filter(|finding| is_serious(finding) && deny.matches(finding.kind));
    denied
        .map(|finding| line(finding.kind, finding.count, &finding.message))
        .collect()
}

fn line(kind: Kind, count: u64, text: &str) -> String {
    match count {
        0 | 1 => format!("{kind}: {text}"),
        times => format!("{kind}: {text} (×{times})"),
    }
}

/// What the program, its attributes or the environment say of findings; nothing is denied where they say nothing.
pub fn denied() -> Deny {
    let said = started().and_then(|agent| agent.settings.deny.clone());
    said.unwrap_or_default()
}

/// Whether this process runs one test and no other.
pub(crate) fn is_alone() -> bool {
    std::env::var("NEXTEST_EXECUTION_MODE").is_ok_and(|mode| mode == "process-per-test")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Source;

    fn example(severity: Severity, task: u64) -> Finding {
        let mut finding = Finding::new(Kind::SlowPoll, Source::at("src/a.rs", 1, 1), 0);
        (finding.severity, finding.task, finding.poll) = (severity, task, Some(1));
        finding
    }

    #[test]
    fn a_rule_names_kinds_or_all_of_them() {
        let deny: Deny = "slow_poll, leaked_error".parse().expect("two kinds");
        assert!(deny.matches(Kind::SlowPoll) && !deny.matches(Kind::NeverAwaited));
        assert_eq!(deny.to_string(), "slow_poll,leaked_error");
        assert!(
            "ANY"
                .parse::<Deny>()
                .is_ok_and(|deny| deny.matches(Kind::WrongThread))
        );
        assert!("off".parse::<Deny>().is_ok_and(|deny| deny.is_none()));
        assert!("slow_pol".parse::<Deny>().is_err());
    }

    #[test]
    fn a_poll_that_lasts_is_noted_once_and_one_that_is_excused_is_taken_back() {
        let scope = scope::Scope::open();
        let mut verdicts = Verdicts::default();
        let note = |verdicts: &mut Verdicts, severity, task| {
            let mut finding = example(severity, task);
            finding.belongs.scope = scope.number();
            verdicts.note(1, &finding);
            verdicts.scopes[&scope.number()].len()
        };
        assert_eq!(note(&mut verdicts, Severity::Warn, 7), 1);
        assert_eq!(note(&mut verdicts, Severity::Error, 7), 1, "the same poll");
        assert_eq!(note(&mut verdicts, Severity::Info, 8), 1, "a note");
        assert_eq!(note(&mut verdicts, Severity::Warn, 8), 2);
        assert_eq!(note(&mut verdicts, Severity::Info, 8), 1, "taken back");
        verdicts.note(1, &example(Severity::Warn, 9));
        assert_eq!(verdicts.stray.len(), 1, "nobody's");
    }
}
