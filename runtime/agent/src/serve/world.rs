//! What tasks refer to, gathered once per update: sites, runtimes, threads that poll, warnings.
//!
//! Everything is kept from one update to the next and refilled in place; it is bounded by the number of sites,
//! threads, runtimes and warnings, not by the number of tasks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pollscope_capture::level::{self, Level};
use pollscope_capture::record::Record;
use pollscope_capture::runtimes::{self, RuntimeInfo};
use pollscope_capture::site::{self, SiteId};
use pollscope_capture::{clock, names, registry, thread};

use crate::finding::Severity;
use crate::state::State;

/// The surroundings of the tasks at one moment.
#[derive(Debug, Default)]
pub(super) struct World {
    /// The moment, in ticks.
    pub(super) now: u64,
    pub(super) level: Level,
    pub(super) runtimes: Vec<RuntimeInfo>,
    /// In the order of their records' addresses.
    polls: Vec<RunningPoll>,
    /// By number of the site.
    sites: Vec<SiteBrief>,
    /// Sites by file, line, column and type: the rank of each.
    site_ranks: Vec<u32>,
    /// The ranks of names and of the sites that stand in for them; only for an order by name.
    name_ranks: HashMap<Label, u64>,
    /// The worst warning of each task.
    warned: HashMap<u64, Severity>,
}

/// A poll that runs.
#[derive(Clone, Debug)]
pub(super) struct RunningPoll {
    record: usize,
    pub(super) tid: u32,
    pub(super) thread: Arc<str>,
    /// Ticks of its start; 0: unknown (quiet).
    pub(super) start: u64,
    /// The task whose poll the watchdog has seen to last, and for how long at least.
    pub(super) at_least: Option<(u64, u64)>,
}

/// What filters ask of a task's site.
#[derive(Clone, Debug, Default)]
pub(super) struct SiteBrief {
    /// `file:line`.
    pub(super) text: String,
    pub(super) live: u64,
    pub(super) spawned: u64,
    pub(super) ended: u64,
}

/// What a task is called: its name, or its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Label {
    Name(u32),
    Site(SiteId),
}

impl World {
    /// Looks around. The state is locked by the caller, and only read.
    pub(super) fn look(&mut self, state: &State) {
        self.now = clock::ticks();
        self.level = level::level();
        self.runtimes = runtimes::all();
        self.look_at_sites(state);
        self.look_at_threads(state);
        self.warned.clear();
        self.warned.extend(state.warnings.warned());
    }

    fn look_at_sites(&mut self, state: &State) {
        let known = self.sites.len();
        for number in known as u32..site::count() {
            let site = site::get(SiteId(number));
            let text = if site.file.is_empty() {
                String::new()
            } else {
                format!("{}:{}", site.file, site.line)
            };
            self.sites.push(SiteBrief {
                text,
                ..SiteBrief::default()
            });
        }
        if self.sites.len() > known {
            self.rank_sites();
        }
        for (brief, figures) in self.sites.iter_mut().zip(&state.sites) {
            (brief.live, brief.spawned, brief.ended) =
                (figures.live, figures.spawned, figures.all_ended());
        }
    }

    fn rank_sites(&mut self) {
        let mut order: Vec<u32> = (0..self.sites.len() as u32).collect();
        order.sort_unstable_by_key(|number| {
            let site = site::get(SiteId(*number));
            (site.file, site.line, site.column, site.type_name, site.name)
        });
        self.site_ranks.resize(order.len(), 0);
        for (rank, number) in order.into_iter().enumerate() {
            self.site_ranks[number as usize] = rank as u32;
        }
    }

    fn look_at_threads(&mut self, state: &State) {
        let now_ns = clock::mono_of(self.now);
        self.polls.clear();
        for thread in thread::all() {
            let Some(now) = thread.now() else { continue };
            let Some(task) = now.record.read() else {
                continue;
            };
            let seen = state.slow_polls.at_least_ns(task.id, now_ns);
            self.polls.push(RunningPoll {
                record: std::ptr::from_ref(now.record).addr(),
                tid: thread.tid(),
                thread: thread.name(),
                start: now.start,
                at_least: seen.map(|ns| (task.id, ns)),
            });
        }
        self.polls.sort_unstable_by_key(|poll| poll.record);
    }

    /// Ranks everything a live task is called, for an order by name. Scans.
    pub(super) fn rank_names(&mut self) {
        let mut used = HashSet::new();
        registry::tasks(|_, task| {
            used.insert(label(task.name, task.site));
        });
        let mut called: Vec<(Arc<str>, Label)> = used
            .into_iter()
            .map(|label| (self.text_of(label), label))
            .collect();
        called.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.name_ranks.clear();
        let mut rank = 0;
        for (at, (text, label)) in called.iter().enumerate() {
            if at > 0 && called[at - 1].0 != *text {
                rank += 1;
            }
            self.name_ranks.insert(*label, rank);
        }
    }

    fn text_of(&self, label: Label) -> Arc<str> {
        match label {
            Label::Name(number) => names::get(number).unwrap_or_default(),
            Label::Site(site) => self.site(site).text.as_str().into(),
        }
    }

    /// The rank of what a task is called; `None` for a name that came after the ranking.
    pub(super) fn name_rank(&self, name: u32, site: SiteId) -> Option<u64> {
        self.name_ranks.get(&label(name, site)).copied()
    }

    pub(super) fn site_rank(&self, site: SiteId) -> u64 {
        self.site_ranks
            .get(site.0 as usize)
            .copied()
            .map_or(u64::MAX, u64::from)
    }

    pub(super) fn site(&self, site: SiteId) -> &SiteBrief {
        const NONE: &SiteBrief = &SiteBrief {
            text: String::new(),
            live: 0,
            spawned: 0,
            ended: 0,
        };
        self.sites.get(site.0 as usize).unwrap_or(NONE)
    }

    /// The poll of this record that runs, where a thread has it as its innermost.
    pub(super) fn poll_of(&self, record: &Record) -> Option<&RunningPoll> {
        let address = std::ptr::from_ref(record).addr();
        let at = self
            .polls
            .binary_search_by_key(&address, |poll| poll.record)
            .ok()?;
        self.polls.get(at)
    }

    pub(super) fn runtime(&self, number: u16) -> Option<&RuntimeInfo> {
        self.runtimes
            .iter()
            .find(|runtime| runtime.number == number)
    }

    pub(super) fn warned(&self, task: u64) -> Option<Severity> {
        self.warned.get(&task).copied()
    }
}

fn label(name: u32, site: SiteId) -> Label {
    if name == 0 {
        Label::Site(site)
    } else {
        Label::Name(name)
    }
}
