//! One target for as long as the user looks at it: its stream, questions to it, and the way back when it is lost.

use std::future::pending;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::source::{Session, Source, Watch};
use crate::app::{Action, Asked, Notice};
use crate::model::{Change, Level, Target, View};
use crate::net::{Address, NetError};

/// The first wait before connecting again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What the state wants of the target.
#[derive(Debug)]
pub(super) enum Request {
    View(u64, View),
    Task(u64),
    Abort(u64),
    Configure(Change),
    Dump,
    Report,
    /// Whether to go over to the successor.
    Switch(bool),
}

/// Follows the target until the user leaves it: then `requests` closes.
pub(super) async fn follow<S: Source>(
    source: S,
    mut address: Address,
    first: Option<S::Session>,
    mut requests: UnboundedReceiver<Request>,
    actions: Sender<Action>,
) {
    let mut session = match first {
        Some(session) => session,
        None => match source.open(&address).await {
            Ok(session) => session,
            Err(error) => {
                return tell(
                    &actions,
                    Action::Lost {
                        why: error.to_string(),
                    },
                )
                .await;
            }
        },
    };
    loop {
        let (target, runtimes) = session.target();
        tell(
            &actions,
            Action::Connected(Box::new(target.clone()), runtimes),
        )
        .await;
        let Some(why) = stay(Rc::new(session), &mut requests, &actions).await else {
            return;
        };
        tell(&actions, Action::Lost { why }).await;
        let back = Back {
            source: &source,
            target: &target,
            lost: Instant::now(),
        };
        match back.again(&address, &mut requests, &actions).await {
            Some((found, there)) => (session, address) = (found, there),
            None => return,
        }
    }
}

/// Closed: the loop has ended, and so will this task.
async fn tell(actions: &Sender<Action>, action: Action) {
    let _ = actions.send(action).await;
}

/// Passes the stream and the questions on. Returns why the target was lost, or `None` when the user left.
async fn stay<S: Session>(
    session: Rc<S>,
    requests: &mut UnboundedReceiver<Request>,
    actions: &Sender<Action>,
) -> Option<String> {
    let mut watch: Option<S::Watch> = None;
    let mut number = 0;
    loop {
        tokio::select! {
            request = requests.recv() => match request? {
                Request::View(n, view) => {
                    number = n;
                    match &watch {
                        Some(watch) => watch.set(view),
                        None => watch = Some(session.watch(view)),
                    }
                }
                Request::Switch(_) => {}
                question => {
                    let (session, actions) = (Rc::clone(&session), actions.clone());
                    // An answer may take seconds: the stream does not wait for it.
                    tokio::task::spawn_local(async move {
                        tell(&actions, answer(&*session, question).await).await;
                    });
                }
            },
            update = next(&mut watch) => match update {
                Some(Ok(snapshot)) => {
                    tell(actions, Action::Snapshot(number, Box::new(snapshot))).await;
                }
                Some(Err(error)) => return Some(error.to_string()),
                None => return Some("the target closed the stream".to_owned()),
            },
        }
    }
}

async fn next<W: Watch>(watch: &mut Option<W>) -> Option<Result<crate::model::Snapshot, NetError>> {
    match watch {
        Some(watch) => watch.next().await,
        None => pending().await,
    }
}

async fn answer<S: Session>(session: &S, question: Request) -> Action {
    let failed = |error: NetError| Action::Notice(Notice::bad(error.to_string()));
    // Of a connection that is lost the stream will say what happened.
    let unanswered = |asked, error: NetError| {
        let is_lost = matches!(error, NetError::Lost { .. });
        Action::Unanswered(asked, (!is_lost).then(|| error.to_string()))
    };
    match question {
        Request::Task(id) => match session.task(id).await {
            Ok(detail) => Action::Detail(id, detail.map(Box::new)),
            Err(error) => unanswered(Asked::Task(id), error),
        },
        Request::Dump => match session.dump().await {
            Ok(stacks) => Action::Dump(stacks),
            Err(error) => unanswered(Asked::Stacks, error),
        },
        Request::Report => match session.report().await {
            Ok(snapshot) => Action::Reported(Box::new(snapshot)),
            Err(error) => failed(error),
        },
        Request::Configure(change) => match session.configure(&change).await {
            Ok(now) => Action::Notice(Notice::good(settings(&now))),
            Err(error) => failed(error),
        },
        Request::Abort(id) => match session.abort(id).await {
            Ok(()) => Action::Notice(Notice::good(format!("task {id} ends at its next await"))),
            Err(error) => failed(error),
        },
        Request::View(..) | Request::Switch(_) => Action::Tick,
    }
}

fn settings(now: &Change) -> String {
    match now.level {
        Some(Level::Debug) => "level is debug now: what is polled from here on is timed".to_owned(),
        Some(Level::Quiet) => "level is quiet now".to_owned(),
        Some(Level::Off) => "level is off".to_owned(),
        None => "the target took the settings".to_owned(),
    }
}

/// The way back to a lost target.
struct Back<'a, S> {
    source: &'a S,
    target: &'a Target,
    lost: Instant,
}

impl<S: Source> Back<'_, S> {
    /// Tries again, later and later. `None`: the user left.
    async fn again(
        &self,
        address: &Address,
        requests: &mut UnboundedReceiver<Request>,
        actions: &Sender<Action>,
    ) -> Option<(S::Session, Address)> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            tell(actions, Action::Reconnecting { attempt, wait }).await;
            let until = tokio::time::sleep(wait);
            tokio::pin!(until);
            loop {
                tokio::select! {
                    () = &mut until => break,
                    // There is nobody to ask; the state asks again once there is.
                    request = requests.recv() => drop(request?),
                }
            }
            wait = (wait * 2).min(LONGEST_WAIT);
            let Some((session, there)) = self.try_once(address).await else {
                continue;
            };
            let (target, _) = session.target();
            if self.is_same(&target) {
                return Some((session, there));
            }
            tell(actions, Action::Successor(Box::new(target))).await;
            if self.decision(requests).await? {
                return Some((session, there));
            }
            return self.left(requests).await;
        }
        None
    }

    async fn try_once(&self, address: &Address) -> Option<(S::Session, Address)> {
        if let Ok(session) = self.source.open(address).await {
            return Some((session, address.clone()));
        }
        let seconds = self.lost.elapsed().as_secs_f64();
        let there = self.source.successor(self.target, seconds).await?;
        let session = self.source.open(&there).await.ok()?;
        Some((session, there))
    }

    fn is_same(&self, target: &Target) -> bool {
        target.pid == self.target.pid && target.start_time_ticks == self.target.start_time_ticks
    }

    async fn decision(&self, requests: &mut UnboundedReceiver<Request>) -> Option<bool> {
        loop {
            if let Request::Switch(answer) = requests.recv().await? {
                return Some(answer);
            }
        }
    }

    /// The user keeps the last screen: nothing happens until they leave it.
    async fn left(
        &self,
        requests: &mut UnboundedReceiver<Request>,
    ) -> Option<(S::Session, Address)> {
        while requests.recv().await.is_some() {}
        None
    }
}

#[cfg(test)]
mod tests;
