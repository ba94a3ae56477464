//! The terminal while the inspector has it, and its way back to what it was: at the end, after an error, in a
//! panic, before a stop.

mod os;

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue, style};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use tokio::sync::Notify;

pub use os::{stop, time_of_day};

use crate::app::App;
use crate::ui::{self, Theme};

/// Whether the terminal is ours now. Written by this file alone; the panic hook reads it on whatever thread panics.
static OURS: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// The thread that draws, once there was one.
static DRAWS: OnceLock<ThreadId> = OnceLock::new();
/// The thread that draws panicked, in a task whose end nobody may look at.
static PANICKED: Notify = Notify::const_new();
/// Another thread panicked: what it said, not yet told.
static ASIDE: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ASIDE_CAME: Notify = Notify::const_new();
/// Panics beside the screen that are kept to be told.
const MOST_ASIDE: usize = 16;

/// The terminal in raw mode on its alternate screen. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    theme: Theme,
}

impl Screen {
    /// Takes the terminal.
    pub fn open(theme: Theme) -> io::Result<Self> {
        // The theme decides about colours. Left to itself crossterm honours NO_COLOR by sending an empty colour
        // command, which terminals read as a reset of bold and reverse, too.
        style::force_color_output(true);
        DRAWS.get_or_init(|| thread::current().id());
        HOOK.call_once(|| {
            let told = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                if is_aside() {
                    return note_aside(panic);
                }
                restore();
                told(panic);
                PANICKED.notify_one();
            }));
        });
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut screen = Self { terminal, theme };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes the terminal again, after [`Self::leave`] or a stop.
    pub fn enter(&mut self) -> io::Result<()> {
        OURS.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        )?;
        // Whatever is on the screen now is not what was drawn last.
        self.clear()
    }

    /// Gives the terminal back.
    pub fn leave(&mut self) {
        restore();
    }

    /// Forgets what was drawn, so that the next drawing sends everything.
    pub fn clear(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: that asks the terminal where its cursor is, and fails where none answers.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Draws the state; what did not change since the last time is not sent.
    pub fn draw(&mut self, app: &App) -> io::Result<()> {
        if !OURS.load(Ordering::SeqCst) {
            return Ok(());
        }
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.terminal
            .draw(|frame| ui::draw(app, self.theme, frame))?;
        execute!(io::stdout(), EndSynchronizedUpdate)
    }
}

/// Waits for a panic of the thread that draws, also in a task whose end nobody looks at. The terminal is not ours any
/// more then, and the inspector has to end.
pub async fn panicked() {
    PANICKED.notified().await;
}

/// Waits until another thread panicked, and gives the first line of what it said. Whoever started the thread goes on
/// without its answer, and so does the screen.
pub async fn panicked_aside() -> String {
    loop {
        ASIDE_CAME.notified().await;
        let aside = ASIDE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = aside.last() {
            return last.replace('\n', " ");
        }
    }
}

/// Whether this thread is not the one that draws, and the screen is on.
fn is_aside() -> bool {
    OURS.load(Ordering::SeqCst) && DRAWS.get() != Some(&thread::current().id())
}

/// Keeps what a panic says until it can be told without writing into the screen.
fn note_aside(panic: &PanicHookInfo<'_>) {
    let mut aside = ASIDE.lock().unwrap_or_else(PoisonError::into_inner);
    if aside.len() < MOST_ASIDE {
        aside.push(panic.to_string());
    }
    ASIDE_CAME.notify_one();
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts everything back that was switched on, once. What fails is left: there is nobody to tell, and the rest
/// still has to be tried.
fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = queue!(out, EndSynchronizedUpdate);
    let _ = queue!(out, DisableBracketedPaste);
    let _ = queue!(out, LeaveAlternateScreen);
    let _ = queue!(out, cursor::Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
    let aside = std::mem::take(&mut *ASIDE.lock().unwrap_or_else(PoisonError::into_inner));
    for panic in aside {
        let _ = writeln!(io::stderr(), "pollscope: a thread of ours {panic}");
    }
}
