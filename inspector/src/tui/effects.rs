//! Does what the state asked for.

use std::io;
use std::path::Path;
use std::rc::Rc;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::EventStream;
use crossterm::execute;
use tokio::sync::mpsc::{self, Sender, UnboundedSender};
use tokio::task::JoinHandle;

use super::connection::{Request, follow};
use super::editor::edit;
use super::signals::Signals;
use super::source::{Source, discover};
use super::{excerpt, export, suspend};
use crate::app::{Action, App, Effect, Notice};
use crate::model::Target;
use crate::net::{self, Address, NetError};
use crate::terminal::Screen;

/// OSC 52 is one escape sequence; terminals drop what is much longer than this.
const LONGEST_COPY: usize = 64 * 1024;

/// What comes after an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoesOn,
    Quit,
    /// To be ended by that signal.
    End(u8),
}

pub(super) struct Executor<S: Source> {
    source: Rc<S>,
    actions: Sender<Action>,
    connection: Option<Connection>,
    /// The scan that was asked for last.
    scan: Option<JoinHandle<()>>,
}

struct Connection {
    requests: UnboundedSender<Request>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<S: Source> Executor<S> {
    pub(super) fn new(source: S, actions: Sender<Action>) -> Self {
        Self {
            source: Rc::new(source),
            actions,
            connection: None,
            scan: None,
        }
    }

    pub(super) async fn open(&self, address: &Address) -> Result<S::Session, NetError> {
        self.source.open(address).await
    }

    /// Follows a target; the one before is left.
    pub(super) fn follow(&mut self, address: Address, first: Option<S::Session>) {
        let (requests, from_app) = mpsc::unbounded_channel();
        let source = Rc::clone(&self.source);
        let actions = self.actions.clone();
        let task = tokio::task::spawn_local(follow(source, address, first, from_app, actions));
        self.connection = Some(Connection { requests, task });
    }

    /// Not while one is under way: where many targets are silent it takes longer than the time between two.
    pub(super) fn rescan(&mut self) {
        let under_way = |scan: &JoinHandle<()>| !scan.is_finished();
        if !self.scan.as_ref().is_some_and(under_way) {
            self.scan = Some(tokio::task::spawn_local(scan(self.actions.clone())));
        }
    }

    fn ask(&self, request: Request) {
        if let Some(connection) = &self.connection {
            // A connection that has just ended says so itself.
            let _ = connection.requests.send(request);
        }
    }

    fn say(&self, notice: Notice) {
        let actions = self.actions.clone();
        tokio::task::spawn_local(async move {
            let _ = actions.send(Action::Notice(notice)).await;
        });
    }

    /// Does it; says whether the loop goes on.
    pub(super) async fn run(
        &mut self,
        effect: Effect,
        app: &mut App,
        screen: &mut Screen,
        events: &mut Option<EventStream>,
        signals: &mut Signals,
    ) -> io::Result<Next> {
        match effect {
            Effect::SetView(number, view) => self.ask(Request::View(number, view)),
            Effect::OpenTask(id) => self.ask(Request::Task(id)),
            Effect::Abort(id) => self.ask(Request::Abort(id)),
            Effect::Configure(change) => self.ask(Request::Configure(change)),
            Effect::Dump => self.ask(Request::Dump),
            Effect::Switch(yes) => self.ask(Request::Switch(yes)),
            Effect::Disconnect => self.connection = None,
            Effect::Attach(text) => self.attach(&text),
            Effect::Rescan => self.rescan(),
            Effect::RemoveStale(address) => {
                let actions = self.actions.clone();
                tokio::task::spawn_local(async move {
                    let notice = match net::remove_stale(&address).await {
                        Ok(()) => Notice::good(format!("removed {address}")),
                        Err(error) => Notice::bad(error.to_string()),
                    };
                    let _ = actions.send(Action::Notice(notice)).await;
                    scan(actions).await;
                });
            }
            Effect::Copy(text) => {
                if text.len() > LONGEST_COPY {
                    self.say(Notice::bad("too long for the terminal's clipboard"));
                } else {
                    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
                }
            }
            Effect::Report => self.ask(Request::Report),
            Effect::Write(snapshot) => {
                let written = export::write(Path::new("."), &snapshot, app.now.clock);
                self.say(match written {
                    Ok(name) => Notice::good(format!("wrote {}", name.display())),
                    Err(error) => Notice::bad(format!("cannot write the report here: {error}")),
                });
            }
            Effect::ReadSource(key) => self.read_source(key, app.snapshot.target.clone()),
            Effect::Edit { file, line } => {
                // Two readers of one keyboard would each get half of the keys.
                *events = None;
                screen.leave();
                let edited = edit(&file, line, &app.snapshot.target, signals).await;
                if let Ok(Some(signal)) = edited {
                    return Ok(Next::End(signal));
                }
                screen.enter()?;
                *events = Some(EventStream::new());
                if let Err(error) = edited {
                    self.say(Notice::bad(format!("{error:#}")));
                }
                app.redraw();
            }
            Effect::Redraw => {
                screen.clear()?;
                app.redraw();
            }
            Effect::Suspend => {
                suspend(screen)?;
                app.redraw();
            }
            Effect::Quit => return Ok(Next::Quit),
        }
        Ok(Next::GoesOn)
    }

    fn attach(&mut self, text: &str) {
        match net::locate(text) {
            Ok(address) => self.follow(address, None),
            Err(error) => {
                let (actions, why) = (self.actions.clone(), error.to_string());
                tokio::task::spawn_local(async move {
                    let _ = actions.send(Action::Lost { why }).await;
                });
            }
        }
    }

    fn read_source(&self, key: (String, u32), target: Target) {
        let actions = self.actions.clone();
        tokio::task::spawn_local(async move {
            let asked = key.clone();
            let read = tokio::task::spawn_blocking(move || {
                excerpt::find(&asked.0, &target).map(|path| excerpt::read(&path, asked.1))
            });
            if let Ok(Some(excerpt)) = read.await {
                let _ = actions.send(Action::Source(key, excerpt)).await;
            }
        });
    }
}

/// Looks for targets and asks them who they are.
async fn scan(actions: Sender<Action>) {
    let found = net::probe_all(discover().await).await;
    let _ = actions.send(Action::Found(found)).await;
}
