//! A target that comes and goes, played by a fake; time is Tokio's, paused.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::*;
use crate::model::{Runtime, Snapshot, TaskDetail, ThreadStack};

/// The fake is stopped while it is asked for this task.
const STOPPED: u64 = 13;

/// What the fake does at each attempt to open it.
#[derive(Clone, Copy)]
enum Play {
    Refuse,
    /// A process of that PID that sends so many updates and then breaks.
    Serve(u32, u32),
    /// One that stays.
    Stay(u32),
}

#[derive(Default)]
struct Fake {
    plays: RefCell<VecDeque<Play>>,
    successor: Cell<bool>,
}

struct FakeSession {
    pid: u32,
    updates: Option<u32>,
}

struct FakeWatch {
    left: Option<u32>,
}

fn lost() -> NetError {
    NetError::Lost {
        address: here(),
        why: "killed".to_owned(),
    }
}

fn here() -> Address {
    Address::Tcp("127.0.0.1:1".to_owned())
}

impl Source for Fake {
    type Session = FakeSession;

    async fn open(&self, _: &Address) -> Result<FakeSession, NetError> {
        match self.plays.borrow_mut().pop_front() {
            Some(Play::Serve(pid, updates)) => Ok(FakeSession {
                pid,
                updates: Some(updates),
            }),
            Some(Play::Stay(pid)) => Ok(FakeSession { pid, updates: None }),
            Some(Play::Refuse) | None => Err(lost()),
        }
    }

    async fn successor(&self, _: &Target, _: f64) -> Option<Address> {
        self.successor.get().then(here)
    }
}

impl Session for FakeSession {
    type Watch = FakeWatch;

    fn target(&self) -> (Target, Vec<Runtime>) {
        let target = Target {
            pid: self.pid,
            ..Target::default()
        };
        (target, Vec::new())
    }

    fn watch(&self, _: View) -> FakeWatch {
        FakeWatch { left: self.updates }
    }

    async fn task(&self, id: u64) -> Result<Option<TaskDetail>, NetError> {
        if id != STOPPED {
            return Ok(None);
        }
        let limit = Duration::from_secs(5);
        tokio::time::sleep(limit).await;
        let address = here();
        Err(NetError::Silent { address, limit })
    }

    async fn configure(&self, change: &Change) -> Result<Change, NetError> {
        Ok(change.clone())
    }

    async fn abort(&self, _: u64) -> Result<(), NetError> {
        Err(NetError::Refused("not allowed".to_owned()))
    }

    async fn report(&self) -> Result<Snapshot, NetError> {
        Ok(Snapshot {
            tasks_total: 5,
            ..Snapshot::default()
        })
    }

    async fn dump(&self) -> Result<Vec<ThreadStack>, NetError> {
        Err(lost())
    }
}

impl Watch for FakeWatch {
    fn set(&self, _: View) {}

    async fn next(&mut self) -> Option<Result<Snapshot, NetError>> {
        match &mut self.left {
            None => pending().await,
            Some(0) => Some(Err(lost())),
            Some(left) => {
                *left -= 1;
                Some(Ok(Snapshot::default()))
            }
        }
    }
}

struct Stage {
    requests: mpsc::UnboundedSender<Request>,
    actions: mpsc::Receiver<Action>,
    task: tokio::task::JoinHandle<()>,
}

impl Stage {
    fn start(plays: &[Play], successor: bool) -> Self {
        let fake = Fake::default();
        fake.plays.borrow_mut().extend(plays);
        fake.successor.set(successor);
        let (requests, from_app) = mpsc::unbounded_channel();
        let (to_app, actions) = mpsc::channel(64);
        let task = tokio::task::spawn_local(follow(fake, here(), None, from_app, to_app));
        Self {
            requests,
            actions,
            task,
        }
    }

    /// The next action as a word.
    async fn next(&mut self) -> String {
        let action = self.actions.recv().await.expect("the connection goes on");
        match action {
            Action::Connected(target, _) => {
                // As the state does.
                self.requests
                    .send(Request::View(1, View::default()))
                    .unwrap();
                format!("connected {}", target.pid)
            }
            Action::Snapshot(number, _) => format!("snapshot {number}"),
            Action::Lost { why } => format!("lost: {why}"),
            Action::Reconnecting { attempt, wait } => {
                format!("attempt {attempt} in {} ms", wait.as_millis())
            }
            Action::Successor(target) => format!("successor {}", target.pid),
            Action::Notice(notice) => notice.text,
            other => format!("{other:?}"),
        }
    }

    async fn expect(&mut self, wanted: &[&str]) {
        for wanted in wanted {
            assert_eq!(&self.next().await, wanted);
        }
    }
}

fn play(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test);
}

const LOST: &str = "lost: lost 127.0.0.1:1: killed";

#[test]
fn a_lost_target_is_tried_again_later_and_later_until_it_is_back() {
    play(async {
        let refusals = [Play::Refuse; 6];
        let mut plays = vec![Play::Serve(7, 1)];
        plays.extend(refusals);
        plays.push(Play::Stay(7));
        let mut stage = Stage::start(&plays, false);
        stage.expect(&["connected 7", "snapshot 1", LOST]).await;
        for (attempt, ms) in [250, 500, 1000, 2000, 4000, 5000, 5000]
            .into_iter()
            .enumerate()
        {
            stage
                .expect(&[&format!("attempt {} in {ms} ms", attempt + 1)])
                .await;
        }
        stage.expect(&["connected 7"]).await;
    });
}

#[test]
fn another_process_at_the_same_place_is_asked_about_and_taken() {
    play(async {
        let mut stage = Stage::start(&[Play::Serve(7, 0), Play::Stay(8)], false);
        stage
            .expect(&["connected 7", LOST, "attempt 1 in 250 ms", "successor 8"])
            .await;
        stage.requests.send(Request::Switch(true)).unwrap();
        stage.expect(&["connected 8"]).await;
    });
}

#[test]
fn a_program_that_runs_again_elsewhere_is_found() {
    play(async {
        let mut stage = Stage::start(&[Play::Serve(7, 0), Play::Refuse, Play::Stay(9)], true);
        stage
            .expect(&["connected 7", LOST, "attempt 1 in 250 ms", "successor 9"])
            .await;
    });
}

#[test]
fn a_successor_that_is_not_wanted_ends_the_attempts() {
    play(async {
        let mut stage = Stage::start(&[Play::Serve(7, 0), Play::Stay(8), Play::Stay(8)], false);
        stage
            .expect(&["connected 7", LOST, "attempt 1 in 250 ms", "successor 8"])
            .await;
        stage.requests.send(Request::Switch(false)).unwrap();
        let more = tokio::time::timeout(Duration::from_secs(60), stage.actions.recv()).await;
        assert!(more.is_err(), "silence");
        drop(stage.requests);
        stage.task.await.unwrap();
    });
}

#[test]
fn questions_are_answered_beside_the_stream() {
    play(async {
        let mut stage = Stage::start(&[Play::Stay(7)], false);
        stage.expect(&["connected 7"]).await;
        stage.requests.send(Request::Abort(1)).unwrap();
        stage.expect(&["not allowed"]).await;
        stage.requests.send(Request::Task(5)).unwrap();
        stage.expect(&["Detail(5, None)"]).await;
        stage.requests.send(Request::Dump).unwrap();
        stage.expect(&["Unanswered(Stacks, None)"]).await;
        stage.requests.send(Request::Report).unwrap();
        let told = stage.next().await;
        assert!(told.starts_with("Reported("), "{told}");
        assert!(told.contains("tasks_total: 5"), "{told}");
    });
}

#[test]
fn whoever_waits_for_an_answer_is_told_that_there_is_none() {
    play(async {
        let mut stage = Stage::start(&[Play::Stay(7)], false);
        stage.expect(&["connected 7"]).await;
        stage.requests.send(Request::Task(STOPPED)).unwrap();
        let told = stage.next().await;
        assert!(told.starts_with("Unanswered(Task(13), Some("), "{told}");
        assert!(told.contains("does not answer within 5 s"), "{told}");
    });
}

#[test]
fn a_target_that_was_never_there_is_not_tried_again() {
    play(async {
        let mut stage = Stage::start(&[], false);
        stage.expect(&[LOST]).await;
        stage.task.await.unwrap();
    });
}
