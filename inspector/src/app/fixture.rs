//! A target as a test wants to see it: an order service with a few faults, always the same.

mod findings;
mod hands;

pub use findings::{blocked_workers, warnings};
pub use hands::{attached, deliver, enter, press};

use std::time::Duration;

use super::{Now, TimeOfDay};
use crate::model::{
    Distribution, Dropped, Found, FoundState, Level, Outcomes, Rights, Runtime, SelfCost, Severity,
    Site, SiteRow, Snapshot, Target, Task, TaskDetail, TaskKind, TaskRef, TaskState, Thread,
    ThreadRef, ThreadStack, Totals, Verdict, Waker, WakerFigures,
};
use findings::{main_stack, tick_stack};

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
        name: String::new(),
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

/// Requests of one layer, by their names.
pub fn routes() -> Vec<SiteRow> {
    let row = |id, name: &str, live, ended: Outcomes, slow_polls, max_ms: u64| SiteRow {
        live,
        live_peak: live + 3,
        spawned: live + ended.ok + ended.error + ended.aborted,
        ended: ended.ok + ended.error + ended.aborted,
        outcomes: Some(ended),
        slow_polls: Some(slow_polls),
        busy_ns: Some(ended.ok * MS / 4),
        future_bytes: 1_216,
        live_bytes: live * 1_216,
        poll_ns: Some(quantiles(31_000, 90_000, 1_400_000, max_ms * MS)),
        scheduled_ns: Some(quantiles(12_000, 40_000, 300_000, 9 * MS)),
        age_ns: (live > 0).then(|| quantiles(4 * MS, 9 * MS, 60 * MS, 2 * S)),
        lifetime_ns: Some(quantiles(3 * MS, 9 * MS, 40 * MS, 800 * MS)),
        ..SiteRow::of(Site {
            kind: TaskKind::Request,
            name: name.to_owned(),
            ..site(id, "src/api.rs", 41, "axum::routing::route::RouteFuture<E>")
        })
    };
    let ended = |ok, error, aborted| Outcomes {
        ok,
        error,
        panic: 0,
        aborted,
    };
    vec![
        row(21, "GET /orders/{id}", 600, ended(88_120, 41, 7), 3, 213),
        row(22, "POST /orders", 2, ended(1_204, 0, 0), 0, 4),
        row(23, "(other)", 0, ended(0, 311, 0), 0, 1),
    ]
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
        ..SiteRow::of(site)
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
        }),
        since_wake_ns: Some(1_412 * MS),
        last_waker: Some(Waker::Task(31)),
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
        level_source: String::new(),
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
