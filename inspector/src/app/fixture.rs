//! A target as a test wants to see it: an order service with a few faults, always the same.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Action, App, Effect, Now, TimeOfDay, update};
use crate::model::{
    Delayed, Distribution, Dropped, ErrorText, Found, FoundState, Frame, Level, Place, Rights,
    Runtime, SelfCost, Severity, Site, SiteRow, Snapshot, Target, Task, TaskDetail, TaskKind,
    TaskRef, TaskState, Thread, ThreadRef, ThreadStack, Totals, Verdict, WakerFigures, Warning,
    WarningKind,
};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
/// The target's clock at the update.
pub const NOW_NS: u64 = 8_040 * S;

/// 12:04:31 and `ms` milliseconds after the inspector's start.
pub fn at(ms: u64) -> Now {
    Now {
        since_start: Duration::from_millis(ms),
        clock: TimeOfDay {
            hour: 12,
            minute: 4,
            second: 31,
        },
    }
}

pub fn site(id: u32, file: &str, line: u32, type_name: &str) -> Site {
    Site {
        id,
        file: file.to_owned(),
        line,
        column: 9,
        type_name: type_name.to_owned(),
        kind: TaskKind::Task,
    }
}

fn sites() -> Vec<Site> {
    let hyper = "/home/ana/.cargo/registry/src/index-1949cf8c/hyper-util-0.1.21/src/server.rs";
    vec![
        site(
            1,
            "src/checkout.rs",
            118,
            "orders::checkout::settle::{async_fn_env#0}",
        ),
        site(
            2,
            "src/metrics.rs",
            52,
            "orders::metrics::tick_loop::{async_fn_env#0}",
        ),
        site(3, hyper, 208, "hyper_util::server::Accept"),
        site(
            4,
            "src/http.rs",
            77,
            "orders::http::serve::{async_fn_env#0}",
        ),
        site(
            5,
            "src/notify.rs",
            33,
            "orders::notify::email_customer::{async_fn_env#0}",
        ),
        site(
            6,
            "src/export.rs",
            140,
            "orders::export::csv::{closure_env#0}",
        ),
        site(
            7,
            "src/watchers.rs",
            21,
            "orders::watchers::watch::{async_fn_env#0}",
        ),
    ]
}

pub fn target() -> Target {
    Target {
        pid: 48213,
        name: "orders-api".to_owned(),
        uptime_s: 8_040.0,
        pollscope: "0.1.0".to_owned(),
        tokio: "1.54.1".to_owned(),
        level: Level::Debug,
        level_source: "env".to_owned(),
        symbols: "full".to_owned(),
        capabilities: vec!["peek".to_owned(), "signal".to_owned()],
        rights: Rights::Abort,
        exe: "/srv/orders/bin/orders-api".to_owned(),
        args: vec!["--config".to_owned(), "/etc/orders.toml".to_owned()],
        start_time_ticks: 99,
        slow_poll_ns: 100 * MS,
        ..Target::default()
    }
}

#[derive(Clone, Copy)]
struct Sketch(u64, &'static str, usize, TaskState, u64, u64, u64, u64);

fn task(sites: &[Site], sketch: Sketch) -> Task {
    let Sketch(id, name, site, state, age_s, busy_ms, max_us, polls) = sketch;
    Task {
        id,
        tokio_id: id.to_string(),
        runtime: 1,
        name: name.to_owned(),
        type_name: sites[site].type_name.clone(),
        state,
        site: sites[site].clone(),
        parent: Some(31),
        age_ns: age_s * S,
        future_bytes: 640 + id % 7 * 128,
        polls,
        wakes: Some(polls.saturating_sub(1)),
        self_wakes: Some(polls / 250),
        busy_ns: Some(busy_ms * MS),
        scheduled_ns: Some(busy_ms * MS / 13),
        idle_ns: Some((age_s * S).saturating_sub(busy_ms * MS)),
        max_poll_ns: (polls > 0).then_some(max_us * 1000),
        ..Task::default()
    }
}

/// Twelve tasks that stand for 1,284.
pub fn tasks() -> Vec<Task> {
    use TaskState::{Done, Idle, Running, Scheduled, Unpolled};
    let sites = sites();
    let mut tasks: Vec<Task> = [
        Sketch(
            412,
            "checkout::settle",
            0,
            Idle,
            7_861,
            41_200,
            213_000,
            88_104,
        ),
        Sketch(
            977,
            "tick loop",
            1,
            Running,
            8_039,
            12_800,
            1_940_000,
            16_412,
        ),
        Sketch(31, "http::accept", 2, Idle, 8_040, 9_100, 1_200, 402_113),
        Sketch(
            1204,
            "conn 10.2.0.14:51922",
            3,
            Scheduled,
            14,
            1_700,
            3_400,
            2_140,
        ),
        Sketch(
            1198,
            "conn 10.2.0.19:50112",
            3,
            Idle,
            16,
            1_100,
            2_900,
            1_801,
        ),
        Sketch(44, "db::pool::reaper", 2, Idle, 8_040, 803, 400, 8_044),
        Sketch(1187, "conn 10.2.0.11:49310", 3, Done, 22, 610, 2_200, 940),
        Sketch(52, "csv export", 5, Running, 8, 8_200, 8_200_000, 1),
        Sketch(1301, "", 6, Idle, 301, 3, 90, 12),
        Sketch(1302, "", 6, Idle, 240, 3, 80, 11),
        Sketch(1303, "", 6, Idle, 180, 2, 75, 9),
        Sketch(1190, "", 4, Unpolled, 31, 0, 0, 0),
    ]
    .into_iter()
    .map(|sketch| task(&sites, sketch))
    .collect();
    tasks[0].warned = Some(Severity::Warn);
    tasks[1].warned = Some(Severity::Error);
    tasks[1].tid = 48231;
    tasks[1].current_poll_ns = Some(1_410 * MS);
    tasks[6].outcome = Some(crate::model::Outcome::Ok);
    tasks[7].kind = TaskKind::Blocking;
    tasks[7].tid = 48240;
    tasks[7].current_poll_ns = Some(8_200 * MS);
    tasks[11].warned = Some(Severity::Info);
    tasks
}

fn quantiles(p50: u64, p90: u64, p99: u64, max: u64) -> Distribution {
    let mut buckets = vec![0; pollscope_proto::buckets::COUNT];
    for (value, count) in [
        (p50 / 8, 120),
        (p50 / 2, 6_100),
        (p50, 38_200),
        (p50 * 3, 34_000),
        (p90, 8_600),
        (p99, 1_100),
        (max / 4, 88),
        (max, 10),
    ] {
        buckets[pollscope_proto::buckets::index(value)] += count;
    }
    Distribution {
        p50,
        p90,
        p99,
        max,
        count: buckets.iter().sum(),
        buckets,
    }
}

pub fn site_rows() -> Vec<SiteRow> {
    let row = |site: Site,
               live: u64,
               growth: f64,
               oldest_s: u64,
               p50_s: u64,
               bytes: u64,
               busy_ms: u64| SiteRow {
        live,
        live_peak: live + live / 4,
        live_per_min: growth,
        spawned: live * 31 + 7,
        ended: live * 30 + 7,
        polls: busy_ms * 21,
        busy_ns: Some(busy_ms * MS),
        future_bytes: bytes,
        live_bytes: bytes * live,
        poll_ns: Some(quantiles(31_000, 290_000, 1_400_000, 213 * MS)),
        scheduled_ns: Some(quantiles(12_000, 90_000, 1_100_000, 9 * MS)),
        age_ns: Some(quantiles(
            p50_s * S / 2,
            oldest_s * S / 2,
            oldest_s * S,
            oldest_s * S,
        )),
        lifetime_ns: (p50_s < 8_000)
            .then(|| quantiles(p50_s * S, 2 * p50_s * S, 3 * p50_s * S, 4 * p50_s * S)),
        history_live: (0..60).map(|at| live * (40 + at * at % 23) / 63).collect(),
        history_busy_ns: (0..60).map(|at| busy_ms * (7 + at * 5 % 13)).collect(),
        site,
        warned: None,
    };
    let sites = sites();
    let mut rows = vec![
        row(sites[3].clone(), 812, 3.1, 640, 14, 1_920, 96_400),
        row(sites[6].clone(), 388, 64.0, 7_410, 8_000, 768, 1_210),
        row(sites[0].clone(), 64, 0.0, 7_861, 2, 4_210, 212_000),
        row(sites[2].clone(), 2, 0.0, 8_040, 8_000, 1_024, 9_903),
        row(sites[1].clone(), 1, 0.0, 8_039, 8_000, 640, 12_800),
        row(sites[5].clone(), 1, -0.2, 8, 9, 256, 8_200),
        row(sites[4].clone(), 1, 0.0, 31, 8_000, 896, 0),
    ];
    rows[1].warned = Some(Severity::Warn);
    rows[2].warned = Some(Severity::Warn);
    rows[4].warned = Some(Severity::Error);
    rows[6].warned = Some(Severity::Info);
    rows
}

fn frame(function: &str, file: &str, line: u32) -> Frame {
    Frame {
        function: function.to_owned(),
        file: file.to_owned(),
        line,
        module: "orders-api".to_owned(),
        offset: u64::from(line) * 64,
        inlined: false,
    }
}

fn tokio_frames() -> Vec<Frame> {
    let dir = "/home/ana/.cargo/registry/src/index-1949cf8c/tokio-1.54.1/src/runtime";
    vec![
        frame(
            "tokio::runtime::task::core::Core<T,S>::poll",
            &format!("{dir}/task/core.rs"),
            375,
        ),
        frame(
            "tokio::runtime::task::harness::poll_future",
            &format!("{dir}/task/harness.rs"),
            531,
        ),
        frame(
            "tokio::runtime::scheduler::multi_thread::worker::run",
            &format!("{dir}/scheduler/multi_thread/worker.rs"),
            594,
        ),
        frame(
            "std::sys::thread::unix::Thread::new::thread_start",
            "/rustc/5980761/library/std/src/sys/thread/unix.rs",
            118,
        ),
        frame("start_thread", "", 0),
    ]
}

fn place(site: Site, thread: Option<(u32, &str)>, mine: &[(&str, &str, u32)]) -> Place {
    let mut backtrace: Vec<Frame> = mine
        .iter()
        .map(|(function, file, line)| frame(function, file, *line))
        .collect();
    backtrace.extend(tokio_frames());
    Place {
        site: Some(site),
        thread: thread.map(|(tid, name)| ThreadRef {
            tid,
            name: name.to_owned(),
        }),
        backtrace,
        exemplar: false,
    }
}

fn tick_stack() -> Place {
    place(
        site(0, "src/metrics.rs", 58, ""),
        Some((48231, "orders-w3")),
        &[
            ("clock_nanosleep", "", 0),
            (
                "std::thread::sleep",
                "/rustc/5980761/library/std/src/thread/functions.rs",
                313,
            ),
            ("orders::metrics::flush", "src/metrics.rs", 58),
            (
                "orders::metrics::tick_loop::{async_fn#0}",
                "src/metrics.rs",
                54,
            ),
        ],
    )
}

fn main_stack(site: Site) -> Place {
    place(
        site,
        Some((48213, "main")),
        &[
            ("orders::metrics::start", "src/metrics.rs", 52),
            ("orders::main::{async_block#0}", "src/main.rs", 41),
        ],
    )
}

/// One warning of each family.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn warnings() -> Vec<Warning> {
    let sites = sites();
    let base = |id: u32, kind: &str, severity, count, ago_s: u64, site: Site| Warning {
        id,
        kind: WarningKind(kind.to_owned()),
        severity,
        certainty: "definite".to_owned(),
        count,
        first_ns: NOW_NS - 7_000 * S,
        last_ns: NOW_NS - ago_s * S,
        site: Some(site),
        tasks: 1,
        ..Warning::default()
    };
    let settle = place(
        sites[0].clone(),
        Some((48229, "orders-w1")),
        &[
            ("orders::checkout::spawn_settle", "src/checkout.rs", 118),
            ("orders::http::post_order::{async_fn#0}", "src/http.rs", 203),
        ],
    );
    vec![
        Warning {
            live: true,
            message: "poll 16,412 of task 977 has run for 1.41 s".to_owned(),
            task: Some(TaskRef {
                id: 977,
                name: "tick loop".to_owned(),
            }),
            created: main_stack(sites[1].clone()),
            observed: tick_stack(),
            verdict: Some(Verdict {
                state: "syscall".to_owned(),
                syscall: Some("clock_nanosleep".to_owned()),
            }),
            wall_ns: Some(1_410 * MS),
            cpu_ns: Some(40_000),
            threshold_ns: Some(100 * MS),
            poll: Some(16_412),
            delayed: Some(Delayed {
                tasks: 14,
                max_ns: 1_380 * MS,
            }),
            worst_ns: Some(1_940 * MS),
            ..base(
                2,
                "slow_poll",
                Severity::Error,
                5,
                0,
                site(0, "src/metrics.rs", 58, ""),
            )
        },
        Warning {
            message: "a poll of task 412 took 213 ms".to_owned(),
            task: Some(TaskRef {
                id: 412,
                name: "checkout::settle".to_owned(),
            }),
            created: settle.clone(),
            observed: place(
                site(0, "src/checkout.rs", 131, ""),
                Some((48230, "orders-w2")),
                &[
                    ("orders::checkout::price", "src/checkout.rs", 131),
                    (
                        "orders::checkout::settle::{async_fn#0}",
                        "src/checkout.rs",
                        122,
                    ),
                ],
            ),
            verdict: Some(Verdict {
                state: "on_cpu".to_owned(),
                syscall: None,
            }),
            wall_ns: Some(213 * MS),
            cpu_ns: Some(211 * MS),
            threshold_ns: Some(100 * MS),
            worst_ns: Some(213 * MS),
            ..base(
                1,
                "slow_poll",
                Severity::Warn,
                6,
                9,
                site(0, "src/checkout.rs", 131, ""),
            )
        },
        Warning {
            message: "email_customer was created and dropped without being polled".to_owned(),
            task: None,
            created: place(
                site(0, "src/notify.rs", 33, ""),
                Some((48231, "orders-w3")),
                &[
                    ("orders::notify::email_customer", "src/notify.rs", 33),
                    ("orders::checkout::finish", "src/checkout.rs", 166),
                    (
                        "orders::checkout::settle::{async_fn#0}",
                        "src/checkout.rs",
                        133,
                    ),
                ],
            ),
            observed: place(
                site(0, "src/checkout.rs", 166, ""),
                Some((48231, "orders-w3")),
                &[
                    (
                        "core::ptr::drop_in_place<orders::notify::email_customer::{async_fn_env#0}>",
                        "/rustc/5980761/library/core/src/ptr/mod.rs",
                        523,
                    ),
                    ("orders::checkout::finish", "src/checkout.rs", 166),
                    (
                        "orders::checkout::settle::{async_fn#0}",
                        "src/checkout.rs",
                        133,
                    ),
                ],
            ),
            wall_ns: Some(3_000),
            ..base(
                3,
                "never_awaited",
                Severity::Warn,
                2,
                31,
                site(0, "src/notify.rs", 33, ""),
            )
        },
        Warning {
            message: "the error of a task was dropped unread".to_owned(),
            created: settle,
            observed: place(
                site(0, "src/ledger.rs", 71, ""),
                Some((48228, "orders-w0")),
                &[("orders::ledger::book", "src/ledger.rs", 71)],
            ),
            error: Some(ErrorText {
                type_name: "orders::ledger::DbError".to_owned(),
                display: Some("conflict on order 7718".to_owned()),
                debug: Some("Conflict { order: 7718 }".to_owned()),
            }),
            tasks: 2,
            ..base(
                4,
                "leaked_error",
                Severity::Warn,
                2,
                184,
                site(0, "src/ledger.rs", 71, ""),
            )
        },
        Warning {
            message: "Owned<Cache> of local-main was touched by orders-w3".to_owned(),
            created: place(
                site(0, "src/cache.rs", 22, ""),
                Some((48213, "main")),
                &[("orders::cache::Cache::new", "src/cache.rs", 22)],
            ),
            observed: place(
                site(0, "src/http.rs", 91, ""),
                Some((48231, "orders-w3")),
                &[("orders::http::route", "src/http.rs", 91)],
            ),
            ..base(
                5,
                "wrong_thread",
                Severity::Error,
                1,
                3_700,
                site(0, "src/cache.rs", 22, ""),
            )
        },
    ]
}

/// Threads that something blocks which is no task: once the function is known, once it is not.
pub fn blocked_workers() -> Vec<Warning> {
    let blocked = |id, severity, wall_ms: u64, site: Site| Warning {
        id,
        kind: WarningKind("worker_blocked".to_owned()),
        severity,
        certainty: "definite".to_owned(),
        count: 1,
        first_ns: NOW_NS - 12 * S,
        last_ns: NOW_NS - 9 * S,
        message: "Thread \"orders-w3\" (48231) was blocked".to_owned(),
        site: Some(site),
        observed: tick_stack(),
        verdict: Some(Verdict {
            state: "syscall".to_owned(),
            syscall: Some("clock_nanosleep".to_owned()),
        }),
        wall_ns: Some(wall_ms * MS),
        worst_ns: Some(wall_ms * MS),
        threshold_ns: Some(100 * MS),
        ..Warning::default()
    };
    let flush = site(0, "src/metrics.rs", 58, "orders::metrics::flush");
    vec![
        blocked(6, Severity::Error, 1_410, flush),
        Warning {
            certainty: "likely".to_owned(),
            ..blocked(7, Severity::Warn, 160, Site::default())
        },
    ]
}

pub fn threads() -> Vec<Thread> {
    let thread = |tid, name: &str, role: &str, now: &str, ratio: f64, permille: &[u32]| Thread {
        tid,
        name: name.to_owned(),
        runtime: (role != "ours").then_some(1),
        role: role.to_owned(),
        busy_ratio: Some(ratio),
        now: now.to_owned(),
        polls: (ratio * 100_000.0) as u64,
        history_busy_permille: permille.iter().copied().cycle().take(60).collect(),
        ..Thread::default()
    };
    let mut threads = vec![
        thread(
            48228,
            "orders-w0",
            "worker",
            "parked",
            0.11,
            &[110, 90, 240, 100, 80],
        ),
        thread(
            48229,
            "orders-w1",
            "worker",
            "polling",
            0.38,
            &[380, 420, 300, 510, 360, 290],
        ),
        thread(48230, "orders-w2", "worker", "parked", 0.09, &[90, 80, 120]),
        thread(
            48231,
            "orders-w3",
            "worker",
            "blocking",
            0.97,
            &[120, 300, 1000, 1000, 1000, 1000],
        ),
        thread(
            48240,
            "orders-blk-0",
            "blocking",
            "polling",
            1.0,
            &[0, 0, 400, 1000, 1000],
        ),
        thread(48213, "main", "local", "parked", 0.02, &[20, 10]),
        thread(48250, "pollscope", "ours", "sleeping", 0.003, &[3]),
    ];
    threads[1].current_task = Some(1204);
    threads[1].current_poll_ns = 300_000;
    threads[3].current_task = Some(977);
    threads[3].current_poll_ns = 1_410 * MS;
    threads[4].current_task = Some(52);
    threads[4].current_poll_ns = 8_200 * MS;
    threads
}

pub fn runtimes() -> Vec<Runtime> {
    vec![Runtime {
        id: 1,
        name: "main".to_owned(),
        flavor: "multi_thread".to_owned(),
        workers: 4,
    }]
}

pub fn snapshot() -> Snapshot {
    let tasks = tasks();
    Snapshot {
        target: target(),
        runtimes: runtimes(),
        tasks_total: 1_284,
        matched: tasks.len() as u64,
        tasks,
        sites: site_rows(),
        threads: threads(),
        warnings: warnings(),
        dropped: Dropped::default(),
        uninstrumented_tasks: 12,
        self_cost: SelfCost {
            cpu_ratio: 0.003,
            rss_bytes: 6 << 20,
        },
        totals: Totals {
            tasks: 1_284,
            running: 2,
            scheduled: 9,
            idle: 1_261,
            unpolled: 3,
            done: 1,
            blocking: 8,
            spawned: 40_211,
            ended: 38_927,
            polls: 9_120_000,
            warnings_info: 0,
            warnings_warn: 3,
            warnings_error: 2,
        },
        now_ns: NOW_NS,
    }
}

pub fn detail() -> TaskDetail {
    let tasks = tasks();
    TaskDetail {
        task: tasks[1].clone(),
        parent: Some(tasks[2].clone()),
        created: main_stack(sites()[1].clone()),
        now: Some(tick_stack()),
        verdict: warnings()[0].verdict.clone(),
        wakers: Some(WakerFigures {
            clones: 88_101,
            drops: 88_100,
            since_wake_ns: Some(1_412 * MS),
            last_waker_task: Some(31),
        }),
        handle: "held".to_owned(),
        site_poll_ns: Some(quantiles(31_000, 290_000, 1_400_000, 1_940 * MS)),
        warnings: vec![2],
    }
}

pub fn dump() -> Vec<ThreadStack> {
    let stack = |thread: &Thread| {
        let parked = thread.current_task.is_none();
        ThreadStack {
            thread: ThreadRef {
                tid: thread.tid,
                name: thread.name.clone(),
            },
            role: thread.role.clone(),
            task: thread.current_task.map(|id| TaskRef {
                id,
                name: "tick loop".to_owned(),
            }),
            poll_ns: thread.current_task.map(|_| thread.current_poll_ns),
            place: tick_stack(),
            verdict: (!parked).then(|| Verdict {
                state: "syscall".to_owned(),
                syscall: Some("clock_nanosleep".to_owned()),
            }),
            missing: String::new(),
        }
    };
    threads().iter().map(stack).collect()
}

pub fn found() -> Vec<Found> {
    let row = |pid, name: &str, address: &str| Found {
        address: address.to_owned(),
        via: if address.starts_with("unix:") {
            "unix"
        } else {
            "tcp"
        }
        .to_owned(),
        state: FoundState::Ready,
        pid: Some(pid),
        name: name.to_owned(),
        user: "ana".to_owned(),
        uptime_s: Some(8_040.0),
        tasks: Some(1_284),
        warnings: Some(5),
        tokio: "1.54.1".to_owned(),
        pollscope: "0.1.0".to_owned(),
        tcp: String::new(),
        proto: Some(1),
        level: Some(Level::Debug),
        exe: "/srv/orders/bin/orders-api".to_owned(),
        args: vec!["--config".to_owned(), "/etc/orders.toml".to_owned()],
    };
    let run = "unix:/run/user/1000/pollscope";
    vec![
        row(48213, "orders-api", &format!("{run}/48213-8817231.sock")),
        Found {
            warnings: Some(0),
            tasks: Some(96),
            level: Some(Level::Quiet),
            ..row(48377, "ledger-worker", &format!("{run}/48377-8817960.sock"))
        },
        Found {
            uptime_s: Some(41.0),
            tasks: Some(12),
            ..row(51002, "demo", "127.0.0.1:6670")
        },
        Found {
            state: FoundState::Unusable("speaks protocol 0: needs pollscope >= 0.2".to_owned()),
            uptime_s: Some(189.0),
            tasks: None,
            warnings: None,
            level: None,
            proto: Some(0),
            ..row(50911, "batch-import", "127.0.0.1:6671")
        },
        Found {
            state: FoundState::Stale,
            uptime_s: None,
            tasks: None,
            warnings: None,
            level: None,
            proto: None,
            tokio: String::new(),
            ..row(39120, "old-service", &format!("{run}/39120-1183.sock"))
        },
    ]
}

/// An inspector attached to the order service, on a terminal of that size.
pub fn attached(size: (u16, u16)) -> App {
    let mut app = App::new(size, at(0));
    update(&mut app, at(0), Action::Found(found()));
    press(&mut app, "Enter");
    update(
        &mut app,
        at(5),
        Action::Connected(Box::new(target()), runtimes()),
    );
    deliver(&mut app, 10, snapshot());
    app
}

/// Hands the app an answer to the view it asked for.
pub fn deliver(app: &mut App, ms: u64, snapshot: Snapshot) -> Vec<Effect> {
    let number = app.asked.number;
    update(app, at(ms), Action::Snapshot(number, Box::new(snapshot)))
}

/// Presses keys, named as the help names them, with blanks between.
pub fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let now = app.now;
    let keys = keys.split(' ').filter(|key| !key.is_empty());
    keys.flat_map(|key| update(app, now, Action::Key(event(key))))
        .collect()
}

/// Types a text.
pub fn enter(app: &mut App, text: &str) -> Vec<Effect> {
    let now = app.now;
    let key = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
    text.chars()
        .flat_map(|c| update(app, now, Action::Key(key(c))))
        .collect()
}

fn event(name: &str) -> KeyEvent {
    if let Some(c) = name
        .strip_prefix("Ctrl-")
        .and_then(|rest| rest.chars().next())
    {
        return KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "Space" => KeyCode::Char(' '),
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        other => KeyCode::Char(other.chars().next().expect("a key has a name")),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}
