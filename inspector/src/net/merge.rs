//! Puts the parts of updates together and keeps what a stream sends only once: names of sites, warnings.

use std::collections::{BTreeMap, HashMap};

use pollscope_proto::v1;

use super::symbols::{Module, RawStack, Symbols};
use super::wire::{self, Numbers, RawWarning};
use crate::model::{Runtime, Site, SiteRow, Snapshot, Target, Task, Thread};

/// Names of sites that are kept. A target caps its own far below.
const MAX_SITES: usize = 64 * 1024;
/// Warnings that are kept; one record per kind and site.
const MAX_WARNINGS: usize = 16 * 1024;
/// Rows of one update, of each sort: what a target may make us hold.
const MAX_ROWS: usize = 1 << 20;

/// All that a stream has told so far.
pub(super) struct Merge {
    target: Target,
    runtimes: Vec<Runtime>,
    sites: HashMap<u32, Site>,
    warnings: BTreeMap<u32, RawWarning>,
    numbers: Numbers,
    refused: u64,
    /// The parts of the update that is on its way, and which that is.
    open: Rows,
    /// The last whole update.
    whole: Rows,
}

#[derive(Default)]
struct Rows {
    view: u32,
    seq: u64,
    now_ns: u64,
    matched: u64,
    tasks: Vec<Task>,
    sites: Vec<SiteRow>,
    threads: Vec<Thread>,
}

impl Rows {
    /// Takes over the history of rows that came without: it is sent about once a second, however often rows are.
    fn keep_history(&mut self, before: &mut Self) {
        let mut known: HashMap<u32, &mut SiteRow> = before
            .sites
            .iter_mut()
            .map(|row| (row.site.id, row))
            .collect();
        for row in self
            .sites
            .iter_mut()
            .filter(|row| row.history_live.is_empty())
        {
            if let Some(before) = known.get_mut(&row.site.id) {
                row.history_live = std::mem::take(&mut before.history_live);
                row.history_busy_ns = std::mem::take(&mut before.history_busy_ns);
            }
        }
        for row in &mut self.threads {
            let bare = row.history_busy_permille.is_empty();
            if let Some(before) = before
                .threads
                .iter_mut()
                .find(|before| bare && before.tid == row.tid)
            {
                row.history_busy_permille = std::mem::take(&mut before.history_busy_permille);
            }
        }
    }
}

impl Merge {
    pub(super) fn new(target: Target, runtimes: Vec<Runtime>) -> Self {
        Self {
            target,
            runtimes,
            sites: HashMap::new(),
            warnings: BTreeMap::new(),
            numbers: Numbers::default(),
            refused: 0,
            open: Rows::default(),
            whole: Rows::default(),
        }
    }

    /// Takes one part. Returns the view it answers once the update is whole.
    pub(super) fn take(&mut self, part: v1::Update) -> Option<u32> {
        if (part.view, part.seq) != (self.open.view, self.open.seq) {
            // The rest of the other update will not come.
            self.open = Rows {
                view: part.view,
                seq: part.seq,
                ..Rows::default()
            };
        }
        if let Some(totals) = &part.totals {
            self.numbers = wire::totals(totals, &mut self.target);
        }
        for site in part.site_names {
            if self.sites.len() < MAX_SITES {
                self.sites.insert(site.id, wire::site(&site));
            }
        }
        if !part.runtimes.is_empty() {
            let runtimes = part.runtimes.iter().take(1024);
            self.runtimes = runtimes.map(wire::runtime).collect();
        }
        for warning in part.warnings {
            self.keep(wire::warning(&warning));
        }
        let (now_ns, open) = (part.now_ns, &mut self.open);
        open.now_ns = now_ns;
        open.matched = part.matched.max(open.matched);
        let tasks = part.tasks.into_iter();
        extend(
            &mut open.tasks,
            tasks.map(|row| wire::task(&row, &self.sites, now_ns)),
        );
        let sites = part.sites.into_iter();
        extend(
            &mut open.sites,
            sites.map(|row| wire::site_row(row, &self.sites)),
        );
        extend(
            &mut open.threads,
            part.threads.into_iter().map(wire::thread),
        );
        if !part.last {
            return None;
        }
        let mut whole = std::mem::take(open);
        whole.keep_history(&mut self.whole);
        self.whole = whole;
        Some(self.whole.view)
    }

    /// The backtraces of all warnings.
    pub(super) fn stacks(&self) -> impl Iterator<Item = &RawStack> {
        let warnings = self.warnings.values();
        warnings.flat_map(|warning| [&warning.created, &warning.observed])
    }

    /// The last whole update, with frames as far as they are known.
    pub(super) fn snapshot(&self, symbols: &Symbols) -> Snapshot {
        let mut target = self.target.clone();
        target.uptime_s = wire::seconds(self.whole.now_ns.saturating_sub(target.started_ns));
        let warnings = self.warnings.values().map(|raw| {
            let mut warning = raw.warning.clone();
            warning.created.backtrace = symbols.frames(&raw.created);
            warning.observed.backtrace = symbols.frames(&raw.observed);
            warning
        });
        let mut dropped = self.numbers.dropped;
        dropped.warnings = dropped.warnings.saturating_add(self.refused);
        Snapshot {
            target,
            runtimes: self.runtimes.clone(),
            tasks_total: self.numbers.totals.tasks,
            tasks: self.whole.tasks.clone(),
            matched: self.whole.matched,
            sites: self.whole.sites.clone(),
            threads: self.whole.threads.clone(),
            warnings: warnings.collect(),
            dropped,
            uninstrumented_tasks: self.numbers.uninstrumented,
            self_cost: self.numbers.self_cost,
            totals: self.numbers.totals,
            now_ns: self.whole.now_ns,
        }
    }

    fn keep(&mut self, warning: RawWarning) {
        let id = warning.warning.id;
        if self.warnings.len() < MAX_WARNINGS || self.warnings.contains_key(&id) {
            self.warnings.insert(id, warning);
        } else {
            self.refused += 1;
        }
    }
}

/// The modules that a part names for the first time.
pub(super) fn modules(part: &v1::Update) -> Vec<Module> {
    part.modules.iter().map(wire::module).collect()
}

fn extend<T>(rows: &mut Vec<T>, more: impl Iterator<Item = T>) {
    let room = MAX_ROWS.saturating_sub(rows.len());
    rows.extend(more.take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(seq: u64, live: &[u64], permille: &[u32]) -> v1::Update {
        v1::Update {
            view: 1,
            seq,
            last: true,
            sites: vec![v1::SiteRow {
                site: 7,
                history_live: live.to_vec(),
                history_busy_ns: live.to_vec(),
                ..v1::SiteRow::default()
            }],
            threads: vec![v1::ThreadRow {
                tid: 9,
                history_busy_permille: permille.to_vec(),
                ..v1::ThreadRow::default()
            }],
            ..v1::Update::default()
        }
    }

    #[test]
    fn history_holds_until_the_next_is_sent() {
        let mut merge = Merge::new(Target::default(), Vec::new());
        let mut take = |update| {
            assert_eq!(merge.take(update), Some(1));
            let (site, thread) = (&merge.whole.sites[0], &merge.whole.threads[0]);
            assert_eq!(site.history_live, site.history_busy_ns);
            (
                site.history_live.clone(),
                thread.history_busy_permille.clone(),
            )
        };
        assert_eq!(take(update(1, &[], &[])), (vec![], vec![]));
        assert_eq!(take(update(2, &[1, 2], &[5])), (vec![1, 2], vec![5]));
        assert_eq!(take(update(3, &[], &[])), (vec![1, 2], vec![5]));
        assert_eq!(take(update(4, &[3], &[6])), (vec![3], vec![6]));
    }
}
