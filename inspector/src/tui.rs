//! The event loop: keys, signals and targets come in as actions, effects go out, the screen follows the state.

mod connection;
mod editor;
mod effects;
mod excerpt;
mod export;
mod fault;
mod pace;
mod signals;
mod source;

use std::future::pending;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio_stream::StreamExt;

use crate::app::link::Link;
use crate::app::{Action, App, Notice, Now, Screen as Shown, update};
use crate::net::{Address, SymbolsFrom};
use crate::terminal::{self, Screen};
use crate::ui::Theme;
use effects::{Executor, Next};
use pace::Pace;
use signals::{Caught, Signals};
use source::Net;

/// How often the picker looks for processes by itself.
const RESCAN: Duration = Duration::from_secs(2);
/// Actions that wait for the loop; whoever sends more waits.
const WAITING: usize = 64;
/// The exit code for a connection that was lost and not made again.
const LOST: u8 = 5;
/// The exit code for a fault of our own.
const OUR_FAULT: u8 = 70;

/// What the screen opens with.
#[derive(Clone, Debug)]
pub enum Start {
    /// The processes to choose from.
    Picker,
    Attach(Address),
}

#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where debug information is, if not where the target's executable says.
    pub symbols: SymbolsFrom,
    /// No colours: `NO_COLOR`, `--color never`.
    pub plain: bool,
}

/// Runs the inspector on the terminal until the user quits it.
///
/// # Errors
/// The target cannot be attached to (a [`NetError`](crate::net::NetError), before the terminal is touched), or the
/// terminal fails.
pub fn run(start: Start, options: Options) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = LocalSet::new().block_on(
        &runtime,
        live(Net::new(options.symbols), start, options.plain),
    );
    // A name that is being looked up, or symbols that are being read, do not hold the shell's prompt back.
    runtime.shutdown_background();
    ended
}

async fn live(source: Net, start: Start, plain: bool) -> anyhow::Result<ExitCode> {
    let (to_app, mut actions) = mpsc::channel(WAITING);
    let mut executor = Executor::new(source, to_app);
    // What cannot be attached to is told in one line on a terminal as it was.
    let first = match start {
        Start::Picker => None,
        Start::Attach(address) => Some((executor.open(&address).await?, address)),
    };
    let mut signals = Signals::new()?;
    let theme = if plain { Theme::PLAIN } else { Theme::COLOR };
    let mut screen = Screen::open(theme)?;
    let mut events = Some(EventStream::new());
    let started = Instant::now();
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let mut app = App::new(size, now(started));
    let mut pace = Pace::default();
    let mut scanned = None;
    if let Some((session, address)) = first {
        app.link = Link::Opening(address.to_string());
        executor.follow(address, Some(session));
    }
    loop {
        let at = started.elapsed();
        if app.screen == Shown::Picker
            && app.link == Link::None
            && scanned.is_none_or(|scan| at.saturating_sub(scan) >= RESCAN)
        {
            scanned = Some(at);
            executor.rescan();
        }
        if app.take_dirty() {
            pace.ask(at);
        }
        if pace.is_due(at) {
            screen.draw(&app)?;
            pace.drawn(started.elapsed());
        }
        let rescan = scanned
            .filter(|_| app.screen == Shown::Picker)
            .map(|scan| scan + RESCAN);
        let wake = [app.wakes_at(), pace.due(), rescan]
            .into_iter()
            .flatten()
            .min();
        let action = tokio::select! {
            biased;
            // The hook has given the terminal back and said what happened.
            () = terminal::panicked() => return Ok(ExitCode::from(OUR_FAULT)),
            caught = signals.next() => match caught {
                Caught::End(number) => {
                    screen.leave();
                    return Ok(ExitCode::from(128 + number));
                }
                Caught::Stop => {
                    suspend(&mut screen)?;
                    resized()
                }
                Caught::Continue => {
                    screen.enter()?;
                    resized()
                }
            },
            event = next_event(&mut events) => match event {
                Some(Ok(event)) => {
                    fault::on(&event);
                    translated(event)
                }
                Some(Err(error)) => return Err(error.into()),
                // Nobody can press a key any more.
                None => break,
            },
            Some(action) = actions.recv() => Some(action),
            why = terminal::panicked_aside() => Some(aside(&why)),
            () = until(started, wake) => Some(Action::Tick),
        };
        let Some(action) = action else { continue };
        for effect in update(&mut app, now(started), action) {
            let next = executor
                .run(effect, &mut app, &mut screen, &mut events, &mut signals)
                .await?;
            let code = match next {
                Next::GoesOn => continue,
                Next::Quit => exit_code(&app),
                Next::End(number) => ExitCode::from(128 + number),
            };
            screen.leave();
            return Ok(code);
        }
    }
    Ok(exit_code(&app))
}

/// A target that was lost for good is told by the exit code, as by the other commands.
fn exit_code(app: &App) -> ExitCode {
    match app.link {
        Link::Lost(_) => ExitCode::from(LOST),
        _ => ExitCode::SUCCESS,
    }
}

/// A thread of ours panicked; the screen goes on.
fn aside(why: &str) -> Action {
    Action::Notice(Notice::bad(format!("a thread of ours {why}")))
}

fn now(started: Instant) -> Now {
    Now {
        since_start: started.elapsed(),
        clock: terminal::time_of_day(),
    }
}

fn translated(event: Event) -> Option<Action> {
    match event {
        Event::Key(key) => Some(Action::Key(key)),
        Event::Paste(text) => Some(Action::Paste(text)),
        Event::Resize(columns, rows) => Some(Action::Resize(columns, rows)),
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
    }
}

/// The terminal may have changed its size while it was not ours.
fn resized() -> Option<Action> {
    let (columns, rows) = crossterm::terminal::size().ok()?;
    Some(Action::Resize(columns, rows))
}

fn suspend(screen: &mut Screen) -> io::Result<()> {
    screen.leave();
    terminal::stop()?;
    screen.enter()
}

async fn next_event(events: &mut Option<EventStream>) -> Option<io::Result<Event>> {
    match events {
        Some(events) => events.next().await,
        None => pending().await,
    }
}

async fn until(started: Instant, at: Option<Duration>) {
    match at {
        Some(at) => tokio::time::sleep_until((started + at).into()).await,
        None => pending().await,
    }
}
