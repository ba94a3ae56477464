//! One update on its way out, in parts that stay below the wire's bound.
//!
//! A part is made when the transport asks for it, so a slow client holds the sort keys of its window and one
//! part, however much there is to send. What a task says is read when its part is made; a task that ended
//! meanwhile is left out.

use std::collections::HashMap;
use std::sync::PoisonError;

use pollscope_capture::site::{self, MAX_SITES, SiteId};
use pollscope_proto::limits::{MAX_ROWS_PER_PART, PART_BYTES};
use pollscope_proto::v1;
use prost::Message;
use tonic::Status;

use super::Server;
use super::fields::Task;
use super::memory::{Held, Memory};
use super::scan::Key;
use super::view::View;
use super::{header, rows, stacks};

/// What a stream has been told already and need not be told again.
#[derive(Debug)]
pub(super) struct Told {
    /// One bit per site.
    sites: [u64; MAX_SITES / 64],
    modules: usize,
    /// Up to which change of the warnings.
    warnings: u64,
}

impl Told {
    /// A stream begins, of a client that knows the first `modules`.
    pub(super) fn new(modules: usize) -> Self {
        Self {
            sites: [0; MAX_SITES / 64],
            modules,
            warnings: 0,
        }
    }

    /// True the first time a site is asked for.
    fn is_news(&mut self, site: SiteId) -> bool {
        let Some(word) = self.sites.get_mut(site.0 as usize / 64) else {
            return false;
        };
        let bit = 1 << (site.0 % 64);
        let news = *word & bit == 0;
        *word |= bit;
        news
    }
}

/// An update of which parts are still to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    seq: u64,
    view: View,
    /// Whether rows of sites and threads carry their history this time.
    history: bool,
    /// The first part, with the totals, not sent yet.
    first: Option<Box<v1::Update>>,
    tasks: std::vec::IntoIter<Key>,
    /// The memory of the keys.
    _held: Held,
    next_site: usize,
    next_thread: usize,
    /// Those to be told, by id.
    warnings: std::vec::IntoIter<u32>,
}

impl Outgoing {
    /// Scans, and makes what the first part says beside rows.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` where the clients hold too much already.
    pub(super) fn begin(
        server: &Server,
        memory: &Memory,
        view: &View,
        seq: u64,
        history: bool,
        told: &mut Told,
    ) -> Result<Self, Status> {
        let mut scan = server.scan.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = Box::new(v1::Update {
            view: view.id,
            seq,
            ..v1::Update::default()
        });
        let mut warnings = Vec::new();
        {
            let state = server.agent.state();
            scan.world.look(&state);
            header::totals(&mut first, &state);
            if view.warnings {
                warnings = state
                    .warnings
                    .since(told.warnings)
                    .map(|finding| finding.id)
                    .collect();
                told.warnings = state.warnings.changes();
            }
        }
        let (counts, tasks) = scan.run(view);
        let held = memory.take(size_of_val(&*tasks))?;
        header::counts(&mut first, &counts);
        first.runtimes = header::runtimes(&scan.world.runtimes);
        first.modules = header::new_modules(&mut told.modules);
        Ok(Self {
            seq,
            view: view.clone(),
            history,
            first: Some(first),
            tasks: tasks.into_iter(),
            _held: held,
            next_site: 0,
            next_thread: 0,
            warnings: warnings.into_iter(),
        })
    }

    /// The next part; the one that says `last` ends the update.
    pub(super) fn part(&mut self, server: &Server, told: &mut Told) -> v1::Update {
        let first = self.first.take().map(|first| *first);
        let mut part = Part::new(first.unwrap_or_else(|| v1::Update {
            view: self.view.id,
            seq: self.seq,
            now_ns: pollscope_capture::clock::mono_ns(),
            ..v1::Update::default()
        }));
        self.fill(server, told, &mut part);
        part.update.last = !part.is_full();
        part.update
    }

    /// Puts in what there is, until the part is full.
    fn fill(&mut self, server: &Server, told: &mut Told, part: &mut Part) {
        self.fill_tasks(server, told, part);
        let state = server.agent.state();
        let warned = if self.view.sites {
            state.warnings.by_site()
        } else {
            HashMap::new()
        };
        while self.view.sites && !part.is_full() && self.next_site < state.sites.len() {
            let number = self.next_site;
            self.next_site += 1;
            let figures = &state.sites[number];
            if !figures.spawns {
                continue;
            }
            let site = site::get(SiteId(number as u32));
            part.name(site.id, told);
            let history = if self.history {
                state.history.of_site(number)
            } else {
                Vec::new()
            };
            let warned = warned.get(&site.id).copied();
            part.add(
                rows::site_figures(site, figures, warned, &history),
                |update| &mut update.sites,
            );
        }
        while self.view.threads && !part.is_full() && self.next_thread < state.threads.len() {
            let thread = &state.threads[self.next_thread];
            self.next_thread += 1;
            let history = if self.history {
                state.history.of_thread(thread.slot as usize)
            } else {
                Vec::new()
            };
            let current_ns = thread.current_poll_ns.or_else(|| {
                let task = thread.current_task;
                state.slow_polls.at_least_ns(task, part.update.now_ns)
            });
            part.add(rows::thread(thread, current_ns, &history), |update| {
                &mut update.threads
            });
        }
        while !part.is_full() {
            let Some(id) = self.warnings.next() else {
                break;
            };
            if let Some(finding) = state.warnings.get(id) {
                part.add(stacks::warning(finding), |update| &mut update.warnings);
            }
        }
    }

    fn fill_tasks(&mut self, server: &Server, told: &mut Told, part: &mut Part) {
        let scan = server.scan.lock().unwrap_or_else(PoisonError::into_inner);
        while !part.is_full() {
            let Some(key) = self.tasks.next() else { break };
            let Some((record, snapshot)) = key.read() else {
                continue;
            };
            part.name(snapshot.site, told);
            part.add(
                rows::task(&Task::new(record, &snapshot, &scan.world)),
                |update| &mut update.tasks,
            );
        }
    }
}

/// A part that is being filled, and how large it has become.
struct Part {
    update: v1::Update,
    bytes: usize,
    rows: usize,
}

impl Part {
    fn new(update: v1::Update) -> Self {
        Self {
            bytes: update.encoded_len(),
            rows: 0,
            update,
        }
    }

    /// The next row goes into the next part. A part that is exactly full at the end is followed by an empty one.
    fn is_full(&self) -> bool {
        self.bytes >= PART_BYTES || self.rows >= MAX_ROWS_PER_PART
    }

    fn add<M: Message>(&mut self, row: M, rows: impl FnOnce(&mut v1::Update) -> &mut Vec<M>) {
        /// Tag and length of a row inside an update.
        const AROUND: usize = 5;
        self.bytes += row.encoded_len() + AROUND;
        self.rows += 1;
        rows(&mut self.update).push(row);
    }

    /// Names a site, once per stream.
    fn name(&mut self, id: SiteId, told: &mut Told) {
        if told.is_news(id) {
            self.add(rows::site(site::get(id)), |update| &mut update.site_names);
        }
    }
}
