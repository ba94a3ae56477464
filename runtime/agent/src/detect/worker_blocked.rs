//! Blocked workers: a worker is held by something that is no task of ours, mostly a library's own `tokio::spawn`.
//!
//! The task is not known, so records are told apart by the first line of the user's on the stack. Names are looked
//! up on a thread of low priority; where that takes too long, or there are none, the stack itself tells
//! records apart, the first of them, and the name is added when it comes.
//!
//! What has no names may be a `block_in_place` of a dependency, which only its name tells from what it must not do. So
//! that is a note, unless tasks of the same runtime have waited for the threshold: those it does keep.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pollscope_capture::scope::Belongs;
use pollscope_capture::stack::Verdict;
use pollscope_proto::frames::{Origin, origin};

use crate::finding::{Certainty, Delayed, Finding, Kind, Place, Severity, Source, ThreadName};
use crate::symbols::{Answer, Line};
use crate::warnings::{Example, Key, Log, Warnings};

/// From here on it hurts whatever else the runtime has to do.
const ERROR_NS: u64 = 1_000_000_000;

/// What was found of a worker that is blocked.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) at_ns: u64,
    pub(crate) thread: ThreadName,
    /// The test it belongs to.
    pub(crate) belongs: Belongs,
    /// At least.
    pub(crate) wall_ns: u64,
    pub(crate) threshold_ns: u64,
    pub(crate) verdict: Verdict,
    pub(crate) stack: Arc<[usize]>,
    pub(crate) truncated: bool,
    pub(crate) delayed: Option<Delayed>,
}

/// One time that a worker was found blocked.
#[derive(Debug)]
pub(crate) struct Episode {
    first_ns: u64,
    found: Found,
    live: bool,
    blame: Option<Blame>,
    record: Option<u32>,
    /// A line said "still": another must say how long it took.
    announced: bool,
    /// What its record counts it as.
    counted: Severity,
    /// It was put into the table, or is never to be.
    settled: bool,
}

/// Who holds the worker, as the names on its stack tell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Blame {
    /// Nobody: it may block there.
    Nobody,
    /// A function of the user's, or else of a library.
    Function {
        /// Its path.
        function: String,
        file: String,
        line: u32,
    },
    /// The names tell nothing.
    Unknown,
}

/// What a worker may block in: Tokio has taken care that nothing waits behind it, or it has nothing to do.
const HARMLESS: &[&str] = &[
    "block_in_place",
    "tokio::runtime::park",
    "::park_timeout",
    "Context::park",
];

/// Reads the names on a stack, innermost first.
pub(crate) fn blame(answer: &Answer) -> Blame {
    let lines = || answer.iter().flatten();
    // Whoever blocks inside such a function does so by permission. Judged by Tokio's names only: a user's function
    // of that name permits nothing.
    let is_tokio = |line: &&Line| {
        line.function.contains("tokio::") && origin(&line.function, &line.file) != Origin::User
    };
    if lines()
        .filter(is_tokio)
        .any(|line| HARMLESS.iter().any(|name| line.function.contains(name)))
    {
        return Blame::Nobody;
    }
    let first = |wanted: Origin| {
        lines()
            .find(|line| !line.function.is_empty() && origin(&line.function, &line.file) == wanted)
    };
    match first(Origin::User).or_else(|| first(Origin::Library)) {
        Some(line) => Blame::Function {
            function: line.function.clone(),
            file: line.file.clone(),
            line: line.line,
        },
        None => Blame::Unknown,
    }
}

impl Episode {
    pub(crate) fn new(found: Found) -> Self {
        Self {
            first_ns: found.at_ns,
            found,
            live: true,
            blame: None,
            record: None,
            announced: false,
            counted: Severity::Info,
            settled: false,
        }
    }

    /// The names came; a record that is there already gets them.
    pub(crate) fn named(&mut self, warnings: &mut Warnings, blame: Blame) {
        if self.record.is_some() && blame == Blame::Nobody {
            // Too late to be silent: it is shown as over, and nothing more comes of it.
            self.live = false;
        }
        self.blame = Some(blame);
        if let Some(record) = self.record {
            // It was told by its stack; the next time its names are known at once, and it is the same thing.
            warnings.also(record, Kind::WorkerBlocked, self.key());
            self.show(warnings);
        } else {
            self.settle(warnings);
        }
    }

    /// Enough was waited for names.
    pub(crate) fn settle(&mut self, warnings: &mut Warnings) {
        if std::mem::replace(&mut self.settled, true) || self.blame == Some(Blame::Nobody) {
            return;
        }
        let added = warnings.add(Example {
            key: self.key(),
            finding: self.finding(),
            beyond: true,
            excused: false,
            log: self.log(),
        });
        if let Some(added) = added {
            self.record = Some(added.id);
            self.counted = self.severity();
            self.announced |= added.logged && self.live;
        }
    }

    /// It lasts, or it is over; while it lasts, whom it keeps by now.
    pub(crate) fn renew(
        &mut self,
        warnings: &mut Warnings,
        at_ns: u64,
        wall_ns: u64,
        delayed: Option<Delayed>,
        live: bool,
    ) {
        self.found.at_ns = at_ns;
        let longest = |delayed: Option<Delayed>| delayed.map_or(0, |delayed| delayed.max_ns);
        if longest(delayed) > longest(self.found.delayed) {
            self.found.delayed = delayed;
        }
        self.found.wall_ns = self.found.wall_ns.max(wall_ns);
        self.live = live;
        self.show(warnings);
    }

    fn show(&mut self, warnings: &mut Warnings) {
        let Some(record) = self.record else { return };
        let severity = self.severity();
        if self.counted == Severity::Info && severity > Severity::Info {
            self.counted = severity;
            warnings.promote(record, true);
        }
        let log = if !self.live && self.announced {
            Log::Always
        } else {
            self.log()
        };
        if let Some(added) = warnings.update(record, self.finding(), log) {
            self.announced = added.logged && self.live || self.announced;
        }
    }

    /// As for polls: one that lasts is logged once it is an error, else at its end.
    fn log(&self) -> Log {
        if self.blame == Some(Blame::Nobody)
            || (self.live && (self.announced || self.found.wall_ns < ERROR_NS))
        {
            Log::No
        } else {
            Log::Paced
        }
    }

    fn severity(&self) -> Severity {
        let delayed_ns = self.found.delayed.map_or(0, |delayed| delayed.max_ns);
        let is_known = matches!(self.blame, Some(Blame::Function { .. }));
        if !is_known && delayed_ns < self.found.threshold_ns {
            Severity::Info
        } else if self.found.wall_ns >= ERROR_NS {
            Severity::Error
        } else {
            Severity::Warn
        }
    }

    fn key(&self) -> Key {
        let mut hasher = DefaultHasher::new();
        if let Some(blame @ Blame::Function { .. }) = &self.blame {
            blame.hash(&mut hasher);
            Key::Place(hasher.finish())
        } else {
            self.found.stack.hash(&mut hasher);
            Key::Stack(hasher.finish())
        }
    }

    fn finding(&self) -> Finding {
        let source = match &self.blame {
            Some(Blame::Function {
                function,
                file,
                line,
            }) => Source {
                type_name: Cow::Owned(function.clone()),
                ..Source::at(file.clone(), *line, 0)
            },
            _ => Source::at("", 0, 0),
        };
        let known = matches!(self.blame, Some(Blame::Function { .. }));
        let mut finding = Finding::new(Kind::WorkerBlocked, source.clone(), self.found.at_ns);
        finding.first_ns = self.first_ns;
        finding.severity = self.severity();
        finding.certainty = if known {
            Certainty::Definite
        } else {
            Certainty::Likely
        };
        finding.belongs = self.found.belongs;
        finding.live = self.live;
        finding.observed = Place {
            source: known.then_some(source),
            thread: Some(self.found.thread.clone()),
            stack: Arc::clone(&self.found.stack),
            exemplar: false,
            truncated: self.found.truncated,
        };
        finding.verdict = Some(self.found.verdict);
        finding.wall_ns = Some(self.found.wall_ns);
        finding.at_least = true;
        finding.worst_ns = Some(self.found.wall_ns);
        finding.threshold_ns = Some(self.found.threshold_ns);
        finding.delayed = self.found.delayed;
        finding.message = crate::message::line(&finding);
        finding
    }
}

#[cfg(test)]
mod tests;
