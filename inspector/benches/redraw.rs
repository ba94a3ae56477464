//! From a key press to the finished screen, attached to a target with 10,000 live tasks.
//!
//! The target is played by a table that sorts and cuts as a real one does; its share is measured apart, since it is
//! paid in another process. Nothing is written to a terminal.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use pollscope_cli::app::{Action, App, Effect, Now, update};
use pollscope_cli::model::{Level, Site, Snapshot, Target, Task, TaskState, Totals, View};
use pollscope_cli::ui::{Theme, draw};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const TASKS: u64 = 10_000;

struct Table {
    tasks: Vec<Task>,
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
            now_ns: round * 1_000_000_000,
            ..Snapshot::default()
        }
    }
}

struct Bench {
    table: Table,
    app: App,
    terminal: Terminal<TestBackend>,
    view: (u64, View),
    round: u64,
}

impl Bench {
    fn new() -> Self {
        let size = (120, 35);
        let terminal =
            Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal in memory");
        let mut bench = Self {
            table: Table::new(),
            app: App::new(size, Now::default()),
            terminal,
            view: (0, View::default()),
            round: 0,
        };
        bench.act(Action::Connected(Box::default(), Vec::new()));
        bench.deliver();
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

    fn deliver(&mut self) {
        self.round += 1;
        let (number, view) = self.view.clone();
        let snapshot = self.table.answer(&view, self.round);
        self.act(Action::Snapshot(number, Box::new(snapshot)));
    }

    fn press(&mut self, key: KeyCode) {
        self.act(Action::Key(KeyEvent::new(key, KeyModifiers::NONE)));
    }

    fn redraw(&mut self) {
        if self.app.take_dirty() {
            let app = &self.app;
            self.terminal
                .draw(|frame| draw(app, Theme::COLOR, frame))
                .expect("memory does not fail");
        }
        black_box(self.terminal.backend());
    }
}

fn redraw(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    criterion.bench_function("key to redraw, one row down", |bencher| {
        bencher.iter(|| {
            bench.press(KeyCode::Char('j'));
            bench.redraw();
        });
    });
    let mut bench = Bench::new();
    criterion.bench_function("key to redraw, one page down", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                let start = Instant::now();
                bench.press(KeyCode::PageDown);
                bench.redraw();
                spent += start.elapsed();
                // The rows that the page asked for arrive before the next key.
                bench.deliver();
            }
            spent
        });
    });
    let bench = std::cell::RefCell::new(Bench::new());
    criterion.bench_function("update to redraw", |bencher| {
        bencher.iter_batched(
            || {
                let mut bench = bench.borrow_mut();
                bench.round += 1;
                let (number, view) = bench.view.clone();
                (number, Box::new(bench.table.answer(&view, bench.round)))
            },
            |(number, snapshot)| {
                let mut bench = bench.borrow_mut();
                bench.act(Action::Snapshot(number, snapshot));
                bench.redraw();
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = redraw
}
criterion_main!(benches);
