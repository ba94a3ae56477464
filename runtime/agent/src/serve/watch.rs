//! The live stream: the newest view counts, one update at a time, made when the transport can take it.
//!
//! The transport polls a stream only while its client has room for more. An update is made at that moment, so at
//! most one waits, it is as fresh as can be, and a client that stopped reading costs its window's keys and a part.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pollscope_proto::limits::INTERVAL_MS;
use pollscope_proto::v1;
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;
use tonic::Status;

use super::share::Viewer;
use super::update::{Outgoing, Told};
use super::view::View;
use super::{Quota, Server};
use crate::state::Watcher;

/// How long the first update waits for the collector to catch up, who may have been at rest.
const CATCH_UP: Duration = Duration::from_millis(50);
/// How often it looks whether the collector has caught up.
const GLANCE: Duration = Duration::from_millis(2);
/// Views taken in one go; a client that sends more of them waits.
const VIEWS_AT_ONCE: usize = 64;

/// The answer to a client's views.
pub(super) struct Feed<V> {
    server: Arc<Server>,
    quota: Quota,
    views: V,
    /// The client sends no more views; the last one holds.
    settled: bool,
    view: Option<View>,
    /// The view was not answered yet.
    fresh: bool,
    /// The update that is being sent.
    outgoing: Option<Outgoing>,
    /// What it took of the CPU so far.
    spent: Duration,
    told: Told,
    seq: u64,
    timer: Pin<Box<Sleep>>,
    /// Not before this.
    rested: Instant,
    /// When the last update was made.
    answered: Instant,
    /// When rows last carried their history.
    history_sent: Option<Instant>,
    opened_ns: u64,
    opened: Instant,
    /// Once there is a view.
    viewer: Option<Viewer>,
    _watcher: Watcher,
}

impl<V> Feed<V>
where
    V: Stream<Item = Result<v1::View, Status>> + Unpin,
{
    /// `modules`: how many the client was told of.
    pub(super) fn new(server: Arc<Server>, quota: Quota, views: V, modules: usize) -> Self {
        let now = Instant::now();
        Self {
            _watcher: server.agent.watch(),
            server,
            quota,
            views,
            settled: false,
            view: None,
            fresh: false,
            outgoing: None,
            spent: Duration::ZERO,
            viewer: None,
            told: Told::new(modules),
            seq: 0,
            timer: Box::pin(tokio::time::sleep_until(now)),
            rested: now,
            answered: now,
            history_sent: None,
            opened_ns: pollscope_capture::clock::mono_ns(),
            opened: now,
        }
    }

    /// Takes the views that have come; the newest replaces all before it.
    fn take_views(&mut self, cx: &mut Context<'_>) -> Result<(), Status> {
        for _ in 0..VIEWS_AT_ONCE {
            if self.settled {
                return Ok(());
            }
            match Pin::new(&mut self.views).poll_next(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(None) => self.settled = true,
                Poll::Ready(Some(view)) => {
                    self.view = Some(View::parse(&view?)?);
                    self.fresh = true;
                    self.viewer.get_or_insert_with(|| self.quota.time.view());
                }
            }
        }
        // There may be more: come back after others had their turn.
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// When the next update is due.
    fn due(&self, view: &View) -> Instant {
        let shortest = Duration::from_millis((*INTERVAL_MS.start()).into());
        let wait = if self.fresh { shortest } else { view.interval };
        if self.seq == 0 {
            // The figures may be a second old: the collector was told that somebody looks, and is about to run.
            let now = Instant::now();
            let caught_up = self.server.agent.state().folded_ns >= self.opened_ns;
            return if caught_up || now >= self.opened + CATCH_UP {
                self.rested
            } else {
                now + GLANCE
            };
        }
        (self.answered + wait).max(self.rested)
    }

    /// Makes the next update.
    fn begin(&mut self, view: &View) -> Result<(), Status> {
        let from = Instant::now();
        let history_is_old = self
            .history_sent
            .is_none_or(|sent| from - sent >= Duration::from_secs(1));
        let history = view.history && (self.fresh || history_is_old);
        if history {
            self.history_sent = Some(from);
        }
        self.seq += 1;
        self.fresh = false;
        let (server, memory, told) = (&self.server, &self.quota.memory, &mut self.told);
        let (outgoing, spent) = self
            .quota
            .time
            .book(|| Outgoing::begin(server, memory, view, self.seq, history, told));
        self.outgoing = Some(outgoing?);
        self.spent = spent;
        self.answered = Instant::now();
        Ok(())
    }

    /// The next part of the update, and sees to it that updates do not take the core.
    fn part(&mut self) -> Option<v1::Update> {
        let (server, told) = (&self.server, &mut self.told);
        let outgoing = self.outgoing.as_mut()?;
        let (part, spent) = self.quota.time.book(|| outgoing.part(server, told));
        self.spent += spent;
        if part.last {
            self.outgoing = None;
            self.rested = Instant::now() + self.quota.time.rest(self.spent);
        }
        Some(part)
    }
}

impl<V> Stream for Feed<V>
where
    V: Stream<Item = Result<v1::View, Status>> + Unpin,
{
    type Item = Result<v1::Update, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Err(status) = this.take_views(cx) {
            return Poll::Ready(Some(Err(status)));
        }
        if this.outgoing.is_none() {
            let Some(view) = this.view.clone() else {
                return if this.settled {
                    Poll::Ready(None)
                } else {
                    Poll::Pending
                };
            };
            if view.once && this.seq > 0 && !this.fresh {
                return Poll::Ready(None);
            }
            loop {
                let due = this.due(&view);
                if this.timer.deadline() != due {
                    this.timer.as_mut().reset(due);
                }
                ready!(this.timer.as_mut().poll(cx));
                match this.quota.time.admits(Instant::now()) {
                    Ok(()) => break,
                    Err(at) => this.rested = at,
                }
            }
            if let Err(status) = this.begin(&view) {
                return Poll::Ready(Some(Err(status)));
            }
        }
        Poll::Ready(this.part().map(Ok))
    }
}
