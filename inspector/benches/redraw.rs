//! From a key press to the last byte for the terminal, attached to a target with 10,000 live tasks; and on the threads
//! of one with 1,000 warnings, where each row asks for its warning.
//!
//! The target is played by a table that sorts and cuts as a real one does; that is not in the figures, since it is
//! paid in another process. The bytes go through the real backend, difference to the last screen included, and end in
//! a sink that counts them: what the terminal makes of them is not in the figures either.

#![expect(clippy::print_stdout, reason = "the median is told in one line")]

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{execute, queue, style};
use pollscope_cli::app::{Action, App, Effect, Now, update};
use pollscope_cli::model::{
    Level, Place, Severity, Site, Snapshot, Target, Task, TaskState, Thread, ThreadRef, Totals,
    View, Warning, WarningKind,
};
use pollscope_cli::ui::{Theme, draw};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

const TASKS: u64 = 10_000;
const WARNINGS: u32 = 1_000;
const THREADS: u32 = 64;
const SIZE: (u16, u16) = (120, 35);
/// After so many keys the cursor goes back to the top: a key at the end of the list would move nothing.
const KEYS_DOWN: usize = 200;
/// The same among threads.
const THREADS_DOWN: usize = THREADS as usize - 4;

/// Stands for the terminal: takes bytes and counts them.
struct Sink(Rc<Cell<u64>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Table {
    tasks: Vec<Task>,
    warnings: Vec<Warning>,
    threads: Vec<Thread>,
}

impl Table {
    fn new() -> Self {
        let task = |id: u64| Task {
            id,
            name: format!("conn 10.2.{}.{}", id / 250, id % 250),
            state: [TaskState::Idle, TaskState::Scheduled, TaskState::Running][(id % 3) as usize],
            site: Site {
                id: (id % 40) as u32,
                file: format!("src/http/route_{}.rs", id % 40),
                line: 77,
                ..Site::default()
            },
            age_ns: id * 1_000_000_000,
            polls: id * 17 % 9_001,
            busy_ns: Some(id * 7_919 % 1_000_003 * 1_000),
            max_poll_ns: Some(id * 104_729 % 99_991 * 1_000),
            ..Task::default()
        };
        Self {
            tasks: (1..=TASKS).map(task).collect(),
            warnings: Vec::new(),
            threads: Vec::new(),
        }
    }

    /// With threads in polls, a few of them stuck, and much that was found.
    fn crowded() -> Self {
        let thread = |tid: u32| Thread {
            tid,
            name: format!("worker-{tid}"),
            role: "worker".to_owned(),
            busy_ratio: Some(f64::from(tid % 10) / 10.0),
            current_task: Some(u64::from(tid)),
            current_poll_ns: u64::from(tid) * 1_000_000,
            now: "polling".to_owned(),
            ..Thread::default()
        };
        let warning = |id: u32| Warning {
            id,
            kind: WarningKind("slow_poll".to_owned()),
            severity: Severity::Warn,
            live: id.is_multiple_of(100),
            count: u64::from(id),
            first_ns: u64::from(id),
            site: Some(Site {
                file: format!("src/orders/part_{id}.rs"),
                line: id,
                ..Site::default()
            }),
            observed: Place {
                thread: Some(ThreadRef {
                    tid: id % THREADS + 1,
                    name: String::new(),
                }),
                ..Place::default()
            },
            ..Warning::default()
        };
        Self {
            warnings: (1..=WARNINGS).map(warning).collect(),
            threads: (1..=THREADS).map(thread).collect(),
            ..Self::new()
        }
    }

    /// The answer to a view, with figures that moved since the last.
    fn answer(&self, view: &View, round: u64) -> Snapshot {
        let mut order: Vec<&Task> = self.tasks.iter().collect();
        order.sort_by_key(|task| std::cmp::Reverse(task.busy_ns));
        let window = order
            .into_iter()
            .skip(view.offset as usize)
            .take(view.limit as usize);
        let moved = |task: &Task| Task {
            polls: task.polls + round,
            ..task.clone()
        };
        Snapshot {
            target: Target {
                pid: 7,
                name: "bench".to_owned(),
                level: Level::Debug,
                ..Target::default()
            },
            tasks_total: TASKS,
            matched: TASKS,
            tasks: window.map(moved).collect(),
            totals: Totals {
                tasks: TASKS,
                idle: TASKS,
                ..Totals::default()
            },
            warnings: self.warnings.clone(),
            threads: self.threads.clone(),
            now_ns: round * 1_000_000_000,
            ..Snapshot::default()
        }
    }
}

struct Bench {
    table: Table,
    app: App,
    terminal: Terminal<CrosstermBackend<Sink>>,
    sent: Rc<Cell<u64>>,
    view: (u64, View),
    round: u64,
}

impl Bench {
    fn new() -> Self {
        Self::of(Table::new())
    }

    /// On the screen of threads, one of the places muted.
    fn on_threads() -> Self {
        let mut bench = Self::of(Table::crowded());
        for key in ['2', 'j', 'm', '3'] {
            bench.press(KeyCode::Char(key));
        }
        bench.redraw();
        bench
    }

    fn of(table: Table) -> Self {
        // As the inspector does: a sink is no terminal, and would get no colours.
        style::force_color_output(true);
        let sent = Rc::new(Cell::new(0));
        let options = TerminalOptions {
            viewport: Viewport::Fixed(Rect::new(0, 0, SIZE.0, SIZE.1)),
        };
        let backend = CrosstermBackend::new(Sink(Rc::clone(&sent)));
        let terminal = Terminal::with_options(backend, options).expect("a sink never fails");
        let mut bench = Self {
            table,
            app: App::new(SIZE, Now::default()),
            terminal,
            sent,
            view: (0, View::default()),
            round: 0,
        };
        bench.act(Action::Connected(Box::default(), Vec::new()));
        bench.deliver();
        bench.redraw();
        bench
    }

    fn now(&self) -> Now {
        Now {
            since_start: Duration::from_millis(self.round * 250),
            ..Now::default()
        }
    }

    fn act(&mut self, action: Action) {
        let now = self.now();
        for effect in update(&mut self.app, now, action) {
            if let Effect::SetView(number, view) = effect {
                self.view = (number, view);
            }
        }
    }

    fn answer(&mut self) -> Action {
        self.round += 1;
        let (number, view) = &self.view;
        Action::Snapshot(*number, Box::new(self.table.answer(view, self.round)))
    }

    fn deliver(&mut self) {
        let answer = self.answer();
        self.act(answer);
    }

    fn press(&mut self, key: KeyCode) {
        self.act(key_press(key));
    }

    /// What `terminal::Screen::draw` does.
    fn redraw(&mut self) {
        if !self.app.take_dirty() {
            return;
        }
        let (app, terminal) = (&self.app, &mut self.terminal);
        queue!(terminal.backend_mut(), BeginSynchronizedUpdate).expect("a sink never fails");
        terminal
            .draw(|frame| draw(app, Theme::COLOR, frame))
            .expect("a sink never fails");
        execute!(terminal.backend_mut(), EndSynchronizedUpdate).expect("a sink never fails");
    }
}

fn key_press(key: KeyCode) -> Action {
    Action::Key(KeyEvent::new(key, KeyModifiers::NONE))
}

/// Measures from an action to the last byte of the screen that shows it, and prints the median.
fn measure(
    criterion: &mut Criterion,
    name: &str,
    mut bench: Bench,
    keys: usize,
    mut next: impl FnMut(&mut Bench) -> Action,
) {
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                let action = next(&mut bench);
                let before = bench.sent.get();
                let start = Instant::now();
                bench.act(action);
                bench.redraw();
                let took = start.elapsed();
                let sent = bench.sent.get() - before;
                assert!(sent > 0, "{name}: nothing was drawn");
                spent += took;
                times.push(took);
                bytes.push(sent);
                if times.len().is_multiple_of(keys) {
                    bench.press(KeyCode::Home);
                }
                // The rows that were asked for arrive, and are drawn, before the next key.
                bench.deliver();
                bench.redraw();
            }
            spent
        });
    });
    // None where a filter on the command line left this case out.
    if let (Some(time), Some(bytes)) = (median(&mut times), median(&mut bytes)) {
        let ms = time.as_secs_f64() * 1e3;
        println!("{name}: median {ms:.2} ms, {bytes} bytes to the terminal\n");
    }
}

fn median<T: Ord + Copy>(values: &mut [T]) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn redraw(criterion: &mut Criterion) {
    let tasks = "key to redraw, 10,000 tasks";
    measure(
        criterion,
        &format!("{tasks}: row down"),
        Bench::new(),
        KEYS_DOWN,
        |_| key_press(KeyCode::Char('j')),
    );
    measure(
        criterion,
        &format!("{tasks}: page down"),
        Bench::new(),
        KEYS_DOWN,
        |_| key_press(KeyCode::PageDown),
    );
    let update = "update to redraw, 10,000 tasks";
    measure(criterion, update, Bench::new(), KEYS_DOWN, Bench::answer);
    let threads = "key to redraw, 64 threads and 1,000 warnings: row down";
    measure(
        criterion,
        threads,
        Bench::on_threads(),
        THREADS_DOWN,
        |_| key_press(KeyCode::Char('j')),
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = redraw
}
criterion_main!(benches);
