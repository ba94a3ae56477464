//! The table of findings: one record per kind and site, bounded, with exact counts and numbered changes.
//!
//! A record counts what its severity says. As long as all there is are notes (a poll of 40 ms, a future that may
//! have lost a race) it counts those; from the first real finding on it counts only real ones. Examples may be
//! lost (rings have an end), counts are not: they are taken from the counters of the hot path.

mod record;

pub(crate) use record::{Example, Found, Key, Log, LogLine};

use std::collections::{HashMap, HashSet, VecDeque};

use pollscope_capture::{SiteId, level};

use crate::finding::{Finding, Kind, Severity};
use crate::handler;
use crate::message::clean;
use crate::policy::Verdicts;

use record::Record;

/// Records kept; findings that would need more are dropped and counted. Records are never given back.
const MAX_RECORDS: usize = 1024;
/// So many records each kind has all the same: one kind that fills the table must not silence the others.
const RESERVED: usize = 16;
/// Stacks told apart; what has yet another goes into one record. A program without names has one for each path of calls.
const MAX_STACKS: usize = 64;
/// Names told apart at one site; what comes under others goes into the record of the site. Whoever asks may choose a
/// request's name, and records are never given back.
const MAX_NAMES: usize = 64;
/// What is counted and not told for so long was lost: a poll's end waits for two seconds at most.
const LOST_NS: u64 = 3_000_000_000;
/// Tasks told apart in one record.
const MAX_TASKS: usize = 256;
/// Tasks whose severity is remembered, the latest.
const MAX_WARNED: usize = 4096;
/// Lines that wait to be logged until the lock is given back.
const MAX_LINES: usize = 256;

/// What became of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    /// Its record.
    pub(crate) id: u32,
    /// A line is on its way to the log.
    pub(crate) logged: bool,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    records: Vec<Record>,
    by_key: HashMap<(Kind, Key), usize>,
    /// The records of a site that have a name.
    named: HashMap<(Kind, SiteId), Vec<usize>>,
    /// How many records each kind has.
    by_kind: HashMap<Kind, usize>,
    /// How many records are told apart by their stacks.
    stacks: usize,
    /// Counted when last looked at, and not told yet.
    awaited: HashSet<(Kind, Key)>,
    /// What is counted for a site and was told of none of its names: the least since the time beside it.
    untold: HashMap<(Kind, SiteId), (Found, u64)>,
    changes: u64,
    dropped: u64,
    /// A line told that there is no room.
    is_said_full: bool,
    warned: HashMap<u64, Severity>,
    warned_order: VecDeque<u64>,
    lines: Vec<LogLine>,
    lines_dropped: u64,
    /// What was found of each test.
    pub(crate) verdicts: Verdicts,
}

impl Warnings {
    /// Adds an example; `None` where there was no room for its record.
    pub(crate) fn add(&mut self, example: Example) -> Option<Added> {
        let at = self.record_of(&example)?;
        let class = usize::from(example.finding.severity > Severity::Info);
        let record = &mut self.records[at];
        record.told[class] += 1;
        record.beyond[class] += u64::from(example.beyond);
        record.excused += u64::from(example.excused);
        Some(self.put(at, example.finding, example.log))
    }

    /// Puts a newer state of an example that was counted already into its record.
    pub(crate) fn update(&mut self, id: u32, finding: Finding, log: Log) -> Option<Added> {
        let at = self.index(id)?;
        Some(self.put(at, finding, log))
    }

    /// What has this key from here on belongs to that record, too, unless it has one of its own, or the record is that
    /// of many things.
    pub(crate) fn also(&mut self, id: u32, kind: Kind, key: Key) {
        if let Some(at) = self.index(id)
            && self.by_key.get(&(kind, Key::OtherStacks)) != Some(&at)
        {
            self.by_key.entry((kind, key)).or_insert(at);
        }
    }

    /// An example that was counted as a note turns out to be real.
    pub(crate) fn promote(&mut self, id: u32, beyond: bool) {
        let Some(at) = self.index(id) else { return };
        let record = &mut self.records[at];
        record.told[0] = record.told[0].saturating_sub(1);
        record.told[1] += 1;
        if beyond {
            record.beyond[0] = record.beyond[0].saturating_sub(1);
            record.beyond[1] += 1;
        }
    }

    /// Notes that the hot path counted one as real that is none.
    pub(crate) fn excuse(&mut self, id: u32) {
        if let Some(at) = self.index(id) {
            self.records[at].excused += 1;
        }
    }

    fn index(&self, id: u32) -> Option<usize> {
        (id as usize)
            .checked_sub(1)
            .filter(|at| *at < self.records.len())
    }

    /// Takes over what the counters of the hot path say of a record; a record that is not there yet is made by
    /// `example`, where anything was counted and events were `lost`. Without a loss what was counted is on its way:
    /// the thread that counts may be kept from telling for long, and its end waits for the watchdog's word.
    ///
    /// Of a site whose records have names those hold what they were told, and the record of the site what is left.
    pub(crate) fn recount(
        &mut self,
        kind: Kind,
        key: Key,
        found: Found,
        lost: bool,
        example: impl FnOnce(Severity) -> Finding,
        now: u64,
    ) {
        // Kept apart, they are counted by being there.
        if found == Found::default() || !level::dedupes() {
            return;
        }
        let is_known = self.by_key.contains_key(&(kind, key));
        let by_name = self.told_by_name(kind, key);
        let found = match by_name {
            Some(_) if !lost => return,
            Some((site, told)) => {
                let Some(left) = self.lasting((kind, site), found.without(told), now) else {
                    return;
                };
                // Notes past the first are not told one by one: no record of a name would have held them.
                if left.0[1] == 0 && !is_known {
                    return;
                }
                left
            }
            None => found,
        };
        let Some(at) = self.by_key.get(&(kind, key)).copied() else {
            // No room for a record, so none to stand in for: what is told is counted as dropped.
            if self.is_full(kind) || !lost {
                return;
            }
            // It is counted before it is told, and telling takes a backtrace: it may be on its way.
            if by_name.is_none() && self.awaited.insert((kind, key)) {
                return;
            }
            self.awaited.remove(&(kind, key));
            // All its examples were lost: what is counted is shown without one.
            let severity = if found.0[1] > 0 {
                Severity::Warn
            } else {
                Severity::Info
            };
            let finding = example(severity);
            let added = self.add(Example {
                key,
                finding,
                beyond: false,
                excused: false,
                log: Log::No,
            });
            if let Some(at) = added.and_then(|added| self.index(added.id)) {
                let record = &mut self.records[at];
                // It stands for what is counted, and is none of those.
                record.told = [0; 2];
                record.found = found;
                record.finding.count = record.recount();
                self.log(at, now, false);
            }
            return;
        };
        let record = &mut self.records[at];
        if record.found == found {
            return;
        }
        record.found = found;
        let count = record.recount();
        if count != record.finding.count {
            record.finding.count = count;
            record.finding.last_ns = record.finding.last_ns.max(now);
            self.changes += 1;
            record.changed = self.changes;
        }
    }

    /// Of what is counted for a site, what the records of its names were told; `None` where it has none.
    fn told_by_name(&self, kind: Kind, key: Key) -> Option<(SiteId, Found)> {
        let Key::Site(site) = key else { return None };
        let records = self.named.get(&(kind, site))?;
        let told = records.iter().map(|at| self.records[*at].counted());
        Some((site, told.fold(Found::default(), Found::plus)))
    }

    /// Of what is not told by name now, what was not for long; `None` until that is known.
    fn lasting(&mut self, of: (Kind, SiteId), left: Found, now: u64) -> Option<Found> {
        let (least, since) = self.untold.entry(of).or_insert((left, now));
        *least = least.least(left);
        if now.saturating_sub(*since) < LOST_NS {
            return None;
        }
        *since = now;
        Some(std::mem::replace(least, left))
    }

    /// Whether a site has as many names as are told apart.
    fn is_full_of_names(&self, kind: Kind, site: SiteId) -> bool {
        let names = self.named.get(&(kind, site));
        names.is_some_and(|names| names.len() >= MAX_NAMES)
    }

    /// Whether there is no room for another record of a kind.
    fn is_full(&self, kind: Kind) -> bool {
        let of_kind = self.by_kind.get(&kind).copied().unwrap_or(0);
        self.records.len() >= MAX_RECORDS && of_kind >= RESERVED
    }

    /// The record in which are all that are not told apart any more.
    fn instead_of(&self, kind: Kind, key: Key) -> Option<Key> {
        match key {
            Key::Named(site, _) if self.is_full_of_names(kind, site) => Some(Key::Site(site)),
            Key::Stack(_) if self.stacks >= MAX_STACKS => Some(Key::OtherStacks),
            _ => None,
        }
    }

    /// Counts one that finds no room. Whoever reads no more than the log must know that it does not tell all any more.
    fn drop_one(&mut self, kind: Kind) {
        self.dropped += 1;
        if self.is_said_full || self.lines.len() >= MAX_LINES {
            return;
        }
        self.is_said_full = true;
        self.lines.push(LogLine {
            kind,
            severity: Severity::Warn,
            message: format!(
                "the table of findings is full: places that are not among its first {MAX_RECORDS} are counted and not \
                 told from here on, the first of them of kind {}",
                kind.name()
            ),
            site: String::new(),
            task: 0,
            task_name: String::new(),
            count: 1,
            left_out: 0,
            finding: None,
        });
    }

    fn record_of(&mut self, example: &Example) -> Option<usize> {
        let kind = example.finding.kind;
        let mut full = (kind, example.key);
        let together = level::dedupes();
        if together {
            if let Some(at) = self.by_key.get(&full) {
                return Some(*at);
            }
            if let Some(key) = self.instead_of(kind, example.key) {
                full = (kind, key);
                if let Some(at) = self.by_key.get(&full) {
                    return Some(*at);
                }
            }
        }
        if self.is_full(kind) {
            self.drop_one(kind);
            return None;
        }
        let at = self.records.len();
        *self.by_kind.entry(kind).or_default() += 1;
        self.stacks += usize::from(matches!(full.1, Key::Stack(_)));
        let mut finding = example.finding.clone();
        finding.id = at as u32 + 1;
        self.records.push(Record::new(finding));
        if together {
            self.by_key.insert(full, at);
            if let Key::Named(site, _) = full.1 {
                self.named.entry((kind, site)).or_default().push(at);
            }
        }
        Some(at)
    }

    fn put(&mut self, at: usize, new: Finding, log: Log) -> Added {
        let real = new.severity > Severity::Info;
        if new.task != 0 && real {
            self.remember(new.task, new.severity);
        }
        self.verdicts.note(at as u32 + 1, &new);
        let record = &mut self.records[at];
        if new.task != 0 && record.tasks.len() < MAX_TASKS {
            record.tasks.insert(new.task);
        }
        let now = new.last_ns;
        let old = &record.finding;
        let kept = (
            old.id,
            old.first_ns.min(new.first_ns),
            old.last_ns.max(now),
            old.certainty.max(new.certainty),
        );
        let worst = old.worst_ns.max(new.worst_ns);
        let severity = old.severity.max(new.severity);
        // The latest example is shown, but a note does not take the place of a real finding.
        if new.severity == Severity::Info && old.severity > Severity::Info {
            // A live poll that turned out to be none is over all the same.
            record.finding.live &= new.live;
        } else {
            record.finding = new;
        }
        let finding = &mut record.finding;
        (
            finding.id,
            finding.first_ns,
            finding.last_ns,
            finding.certainty,
        ) = kept;
        finding.worst_ns = worst;
        finding.severity = severity;
        finding.tasks = record.tasks.len() as u64;
        record.finding.count = record.recount();
        self.changes += 1;
        record.changed = self.changes;
        // A note under a record of real findings is none of those, and is not logged.
        let logged = log != Log::No && real && self.log(at, now, log == Log::Always);
        Added {
            id: at as u32 + 1,
            logged,
        }
    }

    fn log(&mut self, at: usize, now: u64, always: bool) -> bool {
        let record = &mut self.records[at];
        let finding = &record.finding;
        if finding.severity == Severity::Info {
            return false;
        }
        let Some(left_out) = record
            .pace
            .turn(now, finding.count, finding.severity, always)
        else {
            return false;
        };
        if self.lines.len() >= MAX_LINES {
            self.lines_dropped += 1;
            return false;
        }
        self.lines.push(LogLine {
            kind: finding.kind,
            severity: finding.severity,
            message: finding.message.clone(),
            site: finding.site.to_string(),
            task: finding.task,
            task_name: finding.task_name.as_deref().map_or_else(String::new, clean),
            count: finding.count,
            left_out,
            finding: handler::wants(finding.kind).then(|| Box::new(finding.clone())),
        });
        true
    }

    fn remember(&mut self, task: u64, severity: Severity) {
        if let Some(known) = self.warned.get_mut(&task) {
            *known = severity.max(*known);
            return;
        }
        if self.warned_order.len() >= MAX_WARNED
            && let Some(oldest) = self.warned_order.pop_front()
        {
            self.warned.remove(&oldest);
        }
        self.warned_order.push_back(task);
        self.warned.insert(task, severity);
    }

    /// The lines that are due, once.
    pub(crate) fn take_lines(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    /// The number of the last change: what came after it is new to whoever asked now.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// The records that changed after the change `since`; all of them after 0.
    pub(crate) fn since(&self, since: u64) -> impl Iterator<Item = &Finding> {
        self.records
            .iter()
            .filter(move |record| record.changed > since)
            .map(|record| &record.finding)
    }

    /// All records, in the order of their first finding.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.since(0)
    }

    /// The record with this id.
    pub(crate) fn get(&self, id: u32) -> Option<&Finding> {
        self.index(id).map(|at| &self.records[at].finding)
    }

    /// Ids of the records that have this task among those they told apart.
    pub(crate) fn of_task(&self, task: u64) -> Vec<u32> {
        self.records
            .iter()
            .filter(|record| record.tasks.contains(&task))
            .map(|record| record.finding.id)
            .collect()
    }

    /// The worst that was said of each task, notes apart; of the last 4096 of which anything was said.
    pub(crate) fn warned(&self) -> impl Iterator<Item = (u64, Severity)> {
        self.warned
            .iter()
            .map(|(task, severity)| (*task, *severity))
    }

    /// The worst that was said of each site.
    pub(crate) fn by_site(&self) -> HashMap<SiteId, Severity> {
        let mut worst = HashMap::new();
        for ((_, key), at) in &self.by_key {
            if let Key::Site(site) | Key::Named(site, _) = key {
                let severity = self.records[*at].finding.severity;
                worst
                    .entry(*site)
                    .and_modify(|known: &mut Severity| *known = severity.max(*known))
                    .or_insert(severity);
            }
        }
        worst
    }

    /// How many records there are of info, warn and error.
    pub(crate) fn by_severity(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        for record in &self.records {
            counts[record.finding.severity as usize] += 1;
        }
        counts
    }

    /// Findings that found no room in the table, and lines that found none in the log.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped + self.lines_dropped + crate::emit::dropped()
    }

    /// Bytes of the table, about.
    pub(crate) fn bytes(&self) -> u64 {
        let records: usize = self
            .records
            .iter()
            .map(|record| {
                let finding = &record.finding;
                size_of::<Record>()
                    + finding.message.len()
                    + (finding.created.stack.len()
                        + finding.observed.stack.len()
                        + record.tasks.len())
                        * size_of::<u64>()
            })
            .sum();
        (records + self.warned.len() * 32) as u64
    }
}

#[cfg(test)]
mod tests;
