//! Every screen as it is drawn, at four sizes; that no two states look the same, and that no size makes drawing panic.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::{Theme, draw, svg};
use crate::app::fixture::{
    at, attached, blocked_workers, deliver, detail, dump, enter, found, press, routes, snapshot,
};
use crate::app::{Action, App, Asked, Excerpt, Notice, update};
use crate::model::{Level, Outcome, Rights, Snapshot, TaskDetail, TaskState, ThreadRef, Waker};

const SIZES: [(u16, u16); 4] = [(120, 35), (80, 24), (50, 15), (24, 6)];

fn drawn(app: &App, name: &str) -> String {
    let (columns, rows) = app.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal
        .draw(|frame| draw(app, Theme::COLOR, frame))
        .unwrap();
    svg::save(
        &format!("{name}_{columns}x{rows}"),
        terminal.backend().buffer(),
    );
    let text = terminal.backend().to_string();
    let lines = text.lines().map(|line| line.trim_matches('"').trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

/// Snapshots of the state that `make` builds, at each size.
fn check(name: &str, make: impl Fn((u16, u16)) -> App) {
    for size in SIZES {
        let app = make(size);
        let text = drawn(&app, name);
        insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text);
        });
    }
}

fn with_keys(keys: &'static str) -> impl Fn((u16, u16)) -> App {
    move |size| {
        let mut app = attached(size);
        let effects = press(&mut app, keys);
        read_sources(&mut app, effects);
        app
    }
}

/// Answers what a state asked to read.
fn read_sources(app: &mut App, effects: Vec<crate::app::Effect>) {
    for effect in effects {
        if let crate::app::Effect::ReadSource(key) = effect {
            let first = key.1.saturating_sub(3);
            let lines = if key.1 == 52 {
                [
                    "",
                    "pub fn start(sink: Sink) {",
                    "    Builder::new().name(\"tick loop\")",
                    "        .spawn(tick_loop(sink));",
                    "}",
                    "async fn tick_loop(s: Sink) { s.run().await }",
                    "",
                ]
            } else {
                [
                    "    fn flush(&self, batch: &[Point]) {",
                    "        let mut file = self.file.lock();",
                    "        for point in batch {",
                    "            std::thread::sleep(self.pause);",
                    "            writeln!(file, \"{point}\").ok();",
                    "        }",
                    "    }",
                ]
            };
            let lines = lines.map(str::to_owned).to_vec();
            update(app, app.now, Action::Source(key, Excerpt { first, lines }));
        }
    }
}

fn picker(size: (u16, u16)) -> App {
    let mut app = App::new(size, at(0));
    update(&mut app, at(0), Action::Found(found()));
    app
}

fn on_task(size: (u16, u16), keys: &str) -> App {
    let mut app = attached(size);
    press(&mut app, "j Enter");
    update(
        &mut app,
        at(20),
        Action::Detail(977, Some(Box::new(detail()))),
    );
    press(&mut app, keys);
    app
}

fn quiet(mut snapshot: Snapshot) -> Snapshot {
    snapshot.target.level = Level::Quiet;
    snapshot.target.level_source = "default".to_owned();
    snapshot.target.rights = Rights::Read;
    for task in &mut snapshot.tasks {
        (task.busy_ns, task.max_poll_ns, task.scheduled_ns) = (None, None, None);
        (task.wakes, task.self_wakes, task.idle_ns) = (None, None, None);
    }
    for site in &mut snapshot.sites {
        (site.busy_ns, site.poll_ns, site.scheduled_ns) = (None, None, None);
    }
    for thread in &mut snapshot.threads {
        thread.busy_ratio = None;
    }
    snapshot.warnings.retain(|warning| !warning.live);
    snapshot
}

#[test]
fn the_picker() {
    check("picker", picker);
}

#[test]
fn the_picker_without_any_process() {
    check("picker_empty", |size| {
        let mut app = App::new(size, at(0));
        update(&mut app, at(0), Action::Found(Vec::new()));
        app
    });
}

#[test]
fn tasks() {
    check("tasks", with_keys("j"));
}

#[test]
fn tasks_of_a_quiet_target_say_what_is_off() {
    check("tasks_quiet", |size| {
        let mut app = attached(size);
        deliver(&mut app, 2_000, quiet(snapshot()));
        app
    });
}

#[test]
fn tasks_before_the_first_update() {
    check("tasks_waiting", |size| {
        let mut app = picker(size);
        press(&mut app, "Enter");
        let target = Box::new(crate::app::fixture::target());
        update(&mut app, at(5), Action::Connected(target, Vec::new()));
        app
    });
}

#[test]
fn tasks_that_no_filter_lets_through() {
    check("tasks_filter", |size| {
        let mut app = attached(size);
        press(&mut app, "/");
        enter(&mut app, "state:idle bsy>1s");
        app
    });
}

#[test]
fn sites() {
    check("sites", with_keys("v j"));
}

/// A layer's requests are rows by route, sorted among the others.
#[test]
fn sites_of_requests_by_route() {
    check("routes", |size| {
        let mut app = attached(size);
        let mut snapshot = snapshot();
        snapshot.sites.truncate(2);
        snapshot.sites.extend(routes());
        deliver(&mut app, 2_000, snapshot);
        press(&mut app, "v j");
        app
    });
}

#[test]
fn a_task_that_is_stuck() {
    check("task", |size| on_task(size, ""));
}

#[test]
fn the_poll_times_of_a_task() {
    check("task_polls", |size| on_task(size, "Tab Tab"));
}

#[test]
fn a_task_that_ended() {
    check("task_gone", |size| {
        let mut app = on_task(size, "");
        update(&mut app, at(30), Action::Detail(977, None));
        app
    });
}

#[test]
fn a_task_whose_error_nobody_read_says_for_how_long() {
    for (size, unread_ns) in [((120, 35), Some(12_000_000_000)), ((80, 24), None)] {
        let mut app = attached(size);
        press(&mut app, "j Enter");
        let mut detail = detail();
        let task = &mut detail.task;
        (task.state, task.outcome) = (TaskState::Done, Some(Outcome::Error));
        task.unread_ns = unread_ns;
        update(
            &mut app,
            at(20),
            Action::Detail(977, Some(Box::new(detail))),
        );
        let text = drawn(&app, "task_unread");
        let told = text.contains("failed  ended with an error; unread for 12 s");
        assert_eq!(told, unread_ns.is_some(), "{text}");
    }
}

#[test]
fn a_task_that_no_task_woke_names_the_thread_that_did() {
    let thread = ThreadRef {
        tid: 205,
        name: "teller".to_owned(),
    };
    for (waker, since_wake_ns, told) in [
        (Waker::Thread(thread), None, "last    by thread 205 teller"),
        (Waker::Task(31), Some(2_000_000_000), "ago by task 31"),
    ] {
        let mut app = attached((120, 35));
        press(&mut app, "j Enter");
        let detail = TaskDetail {
            wakers: None,
            since_wake_ns,
            last_waker: Some(waker),
            ..detail()
        };
        update(
            &mut app,
            at(20),
            Action::Detail(977, Some(Box::new(detail))),
        );
        let text = drawn(&app, "task_woken");
        assert!(text.contains(told), "{text}");
    }
}

/// Long paths make room for each other: the lines, by which places are found, are never cut.
#[test]
fn a_narrow_task_page_keeps_every_line_number() {
    let file = "services/orders/src/defects/contended_mutex.rs";
    for width in [80, 60, 120] {
        let mut app = attached((width, 35));
        press(&mut app, "j Enter");
        let mut detail = detail();
        (detail.task.site.file, detail.task.site.line) = (file.to_owned(), 131);
        if let Some(parent) = &mut detail.parent {
            parent.name.clear();
            (parent.site.file, parent.site.line) = (file.to_owned(), 246);
        }
        update(
            &mut app,
            at(20),
            Action::Detail(977, Some(Box::new(detail))),
        );
        let text = drawn(&app, "task_long_paths");
        let spawned = text.lines().find(|line| line.contains("spawned"));
        let spawned = spawned.expect("the page says where");
        assert!(spawned.contains("rs:131 by 31 "), "{spawned}");
        assert!(spawned.contains(":246 "), "{spawned}");
    }
}

#[test]
fn warnings() {
    check("warnings", with_keys("2 j"));
}

/// The longest text of a row is of a thread that code without a task blocks; the narrow screens cut it.
#[test]
fn a_blocked_worker() {
    check("warnings_blocked", |size| {
        let mut app = attached(size);
        let mut blocked = snapshot();
        blocked.warnings = blocked_workers();
        deliver(&mut app, 2_000, blocked);
        press(&mut app, "2 j");
        app
    });
}

#[test]
fn no_warnings() {
    check("warnings_none", |size| {
        let mut app = attached(size);
        let mut healthy = snapshot();
        healthy.warnings.clear();
        (healthy.totals.warnings_warn, healthy.totals.warnings_error) = (0, 0);
        deliver(&mut app, 2_000, healthy);
        press(&mut app, "2");
        app
    });
}

#[test]
fn one_warning() {
    check("warning", with_keys("2 j Enter"));
}

#[test]
fn a_lost_error() {
    check("warning_error", with_keys("2 G Enter [ ]"));
}

#[test]
fn threads() {
    check("threads", with_keys("3 j j j"));
}

#[test]
fn stacks_of_threads() {
    check("threads_stack", |size| {
        let mut app = attached(size);
        press(&mut app, "3 s");
        update(&mut app, at(500), Action::Dump(dump()));
        app
    });
}

#[test]
fn help() {
    check("help", with_keys("?"));
}

#[test]
fn a_searched_help() {
    check("help_search", |size| {
        let mut app = attached(size);
        press(&mut app, "?");
        enter(&mut app, "sort");
        app
    });
}

#[test]
fn an_abort_asks_first() {
    check("abort", with_keys("j A"));
}

#[test]
fn a_frozen_screen() {
    check("frozen", |size| {
        let mut app = attached(size);
        press(&mut app, "Space");
        deliver(&mut app, 500, snapshot());
        let mut later = snapshot();
        later.totals.spawned += 38;
        deliver(&mut app, 1_000, later);
        app
    });
}

#[test]
fn a_frozen_list_says_where_it_ends() {
    let mut app = attached((120, 35));
    press(&mut app, "Space");
    let mut many = snapshot();
    many.matched = 64_000;
    many.tasks_total = 64_000;
    deliver(&mut app, 500, many.clone());
    let text = drawn(&app, "frozen_many");
    let kept = format!("Tasks 64,000   the first {} are kept", many.tasks.len());
    assert!(text.contains(&kept), "{text}");
    press(&mut app, "Space");
    assert!(!drawn(&app, "frozen_many").contains("are kept"));
}

#[test]
fn a_target_that_is_stopped() {
    check("silent", |size| {
        let mut app = attached(size);
        update(&mut app, at(8_200), Action::Tick);
        app
    });
}

#[test]
fn a_lost_connection_keeps_the_screen() {
    check("lost", |size| {
        let mut app = attached(size);
        let why = "the target closed the connection".to_owned();
        update(&mut app, at(1_000), Action::Lost { why });
        let wait = std::time::Duration::from_millis(2_500);
        update(
            &mut app,
            at(1_000),
            Action::Reconnecting { attempt: 4, wait },
        );
        app
    });
}

#[test]
fn a_successor_asks_first() {
    check("successor", |size| {
        let mut app = attached(size);
        press(&mut app, "Space");
        update(
            &mut app,
            at(1_000),
            Action::Lost {
                why: "the target died".to_owned(),
            },
        );
        let mut target = crate::app::fixture::target();
        (target.pid, target.uptime_s) = (51_877, 3.0);
        update(&mut app, at(3_000), Action::Successor(Box::new(target)));
        app
    });
}

#[test]
fn a_prompt_for_an_id() {
    check("goto", |size| {
        let mut app = attached(size);
        press(&mut app, ":");
        enter(&mut app, "97x");
        press(&mut app, "Enter");
        app
    });
}

/// States of one screen that differ in what they tell, by what led there: also where there is little room none may look
/// like another.
fn told_apart(size: (u16, u16)) -> Vec<(&'static str, App)> {
    let mut apps: Vec<(&'static str, App)> = Vec::new();
    // Where all parts are on the screen only the border tells which has the keys.
    let parts: &[&str] = match size {
        (120, _) => &[""],
        _ => &["", "Tab", "Tab Tab", "Tab Tab Tab", "S-Tab"],
    };
    for keys in parts {
        apps.push((keys, on_task(size, keys)));
    }
    let then = |mut app: App, action: Action| {
        let now = app.now;
        update(&mut app, now, action);
        app
    };
    apps.push(("ended", then(on_task(size, ""), Action::Detail(977, None))));
    apps.push(("asked", with_keys("j Enter")(size)));
    let silent = Action::Unanswered(Asked::Task(977), None);
    apps.push(("unanswered", then(with_keys("j Enter")(size), silent)));
    let none = Action::Detail(977, None);
    apps.push(("none", then(with_keys("j Enter")(size), none)));
    for keys in ["1", "Space", "2 j", "2 j m M", "2 j Enter", "3"] {
        apps.push((keys, with_keys(keys)(size)));
    }
    if size.0 < 60 {
        apps.push(("the other side", with_keys("2 j Enter Tab")(size)));
    }
    let taken = then(with_keys("3 s")(size), Action::Dump(dump()));
    apps.push(("stacks", taken));
    apps.push(("picker", picker(size)));
    let mut connecting = picker(size);
    press(&mut connecting, "Enter");
    apps.push(("connecting", connecting));
    let mut stale = found();
    for row in &mut stale {
        row.state = crate::model::FoundState::Stale;
    }
    apps.push(("stale", then(picker(size), Action::Found(stale))));
    let why = "killed".to_owned();
    apps.push(("lost", then(attached(size), Action::Lost { why })));
    let mut stopped = attached(size);
    update(&mut stopped, at(9_000), Action::Tick);
    apps.push(("silent", stopped));
    apps
}

#[test]
fn no_state_looks_like_another() {
    for size in SIZES {
        let mut seen: Vec<(&str, String)> = Vec::new();
        for (name, mut app) in told_apart(size) {
            // What goes away by itself is no state.
            app.notice = None;
            let text = drawn(&app, "told_apart");
            if let Some((other, _)) = seen.iter().find(|(_, drawn)| *drawn == text) {
                panic!("{name:?} looks like {other:?} at {size:?}:\n{text}");
            }
            seen.push((name, text));
        }
    }
}

#[test]
fn a_notice_that_is_long_is_told_whole() {
    let mut app = attached((80, 24));
    let text = "the target does not answer within 5 s: the process may be stopped, or it is no target: ask again";
    update(&mut app, at(20), Action::Notice(Notice::bad(text)));
    let shown = drawn(&app, "notice");
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert!(words.join(" ").ends_with(text), "{shown}");
    let long = "word ".repeat(200);
    update(&mut app, at(30), Action::Notice(Notice::bad(long)));
    let shown = drawn(&app, "notice");
    assert!(shown.ends_with('…'), "{shown}");
    assert_eq!(
        shown.lines().filter(|line| line.contains("word")).count(),
        3
    );
}

#[test]
fn footers_of_pages_say_how_to_leave_and_where_enter_goes() {
    for size in [(120, 35), (80, 24)] {
        let footer = |app: &App| drawn(app, "footer").lines().last().unwrap().to_owned();
        let page = on_task(size, "");
        assert!(footer(&page).contains("Esc back"), "{}", footer(&page));
        assert!(footer(&page).contains("Enter its parent"));
        let warnings = on_task(size, "S-Tab");
        assert!(footer(&warnings).contains("Enter the warning"));
        let warning = with_keys("2 j Enter")(size);
        assert!(footer(&warning).contains("Esc back"));
    }
}

#[test]
fn a_small_page_tells_what_happened_and_what_to_do() {
    let words = |app: &App| {
        drawn(app, "small")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut app = with_keys("2 j Enter")((50, 15));
    let shown = app.told_warning().unwrap().clone();
    assert!(words(&app).contains(&shown.message), "{}", words(&app));
    press(&mut app, "Tab");
    let first = words(&app);
    let mut all = first.clone();
    for _ in 0..40 {
        press(&mut app, "j");
        all.push_str(&words(&app));
    }
    for told in ["in the system call", "so far", "Fix "] {
        assert!(all.contains(told), "{told}: {first}");
    }
}

/// Everything one can look at.
fn every_screen(size: (u16, u16)) -> Vec<App> {
    let keyed = [
        "",
        "v",
        "2",
        "2 j",
        "2 j Enter",
        "2 j Enter Tab",
        "3",
        "?",
        "j A",
        "Space",
        "/",
        ":",
        "x f",
        "b w 2 j Enter",
    ];
    let mut apps: Vec<App> = keyed
        .iter()
        .map(|keys| {
            let mut app = attached(size);
            press(&mut app, keys);
            app
        })
        .collect();
    apps.extend(["", "Tab", "Tab Tab", "S-Tab", "b w"].map(|keys| on_task(size, keys)));
    apps.push(picker(size));
    apps.push(App::new(size, at(0)));
    apps
}

#[test]
fn no_size_panics() {
    for mut app in every_screen((120, 35)) {
        for columns in (1..=130).step_by(7) {
            for rows in (1..=40).step_by(4) {
                update(&mut app, at(50), Action::Resize(columns, rows));
                let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
                terminal
                    .draw(|frame| draw(&app, Theme::PLAIN, frame))
                    .unwrap();
            }
        }
    }
}

#[test]
fn a_terminal_that_shrank_before_the_state_heard_of_it_is_drawn_within() {
    for app in every_screen((120, 35)) {
        for (columns, rows) in [(1, 1), (20, 4), (61, 13), (119, 34), (40, 40)] {
            let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
            terminal
                .draw(|frame| draw(&app, Theme::COLOR, frame))
                .unwrap();
        }
    }
}

/// To renew them: `POLLSCOPE_SVG=DIR cargo test -p pollscope-cli --lib ui`, and take `readme_*.svg` from there.
#[test]
fn the_pictures_of_the_readme_show_what_is_drawn() {
    type Make = fn((u16, u16)) -> App;
    let screens: [(&str, Make); 2] = [
        ("readme_tasks", |size| with_keys("j")(size)),
        ("readme_warnings", |size| with_keys("2 j")(size)),
    ];
    let old = screens.into_iter().filter(|(name, app)| {
        let mut terminal = Terminal::new(TestBackend::new(120, 35)).unwrap();
        terminal
            .draw(|frame| draw(&app((120, 35)), Theme::COLOR, frame))
            .unwrap();
        let buffer = terminal.backend().buffer();
        svg::save(name, buffer);
        !svg::is_kept(name, buffer)
    });
    let old: Vec<&str> = old.map(|(name, _)| name).collect();
    assert!(old.is_empty(), "{old:?}: see above this test");
}

#[test]
fn without_colour_no_cell_has_any() {
    for app in every_screen((120, 35)) {
        let mut terminal = Terminal::new(TestBackend::new(120, 35)).unwrap();
        terminal
            .draw(|frame| draw(&app, Theme::PLAIN, frame))
            .unwrap();
        let reset = ratatui::style::Color::Reset;
        for cell in &terminal.backend().buffer().content {
            assert!(cell.fg == reset && cell.bg == reset);
        }
    }
}

#[test]
fn the_default_theme_sets_no_background() {
    for app in every_screen((80, 24)) {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal
            .draw(|frame| draw(&app, Theme::COLOR, frame))
            .unwrap();
        let reset = ratatui::style::Color::Reset;
        assert!(
            terminal
                .backend()
                .buffer()
                .content
                .iter()
                .all(|cell| cell.bg == reset)
        );
    }
}

/// In the header, where there is room for it, and below a stack without lines.
#[test]
fn a_screen_says_what_frames_lack_and_the_one_thing_that_mends_it() {
    for (word, lack) in [
        ("names", "no lines: set [profile.release] debug = 1"),
        ("lines", "short names: set [profile.release] debug = 1"),
        (
            "none",
            "stripped: --symbols FILE or DIR of the build that was not",
        ),
    ] {
        let mut app = attached((200, 50));
        app.snapshot.target.symbols = word.to_owned();
        let text = drawn(&app, "symbols");
        let header = text.lines().next().unwrap();
        assert!(
            header.contains(&format!("symbols {word} ({lack})")),
            "{header}"
        );

        // What is wrong with `--symbols` goes before what is wrong with the program.
        "--symbols x is of another build: not used"
            .clone_into(&mut app.snapshot.target.symbols_note);
        let text = drawn(&app, "symbols");
        assert!(text.contains("(--symbols x is of another build: not used)"));
        assert!(!text.contains(lack), "{text}");

        // A narrow header has no room: who looks at a stack is told there.
        let mut app = attached((80, 120));
        let mut bare = snapshot();
        bare.target.symbols = word.to_owned();
        for warning in &mut bare.warnings {
            for frame in &mut warning.observed.backtrace {
                frame.file.clear();
            }
        }
        deliver(&mut app, 2_000, bare);
        press(&mut app, "2");
        let text = drawn(&app, "symbols");
        assert_eq!(text.matches(lack).count(), 1, "{text}");
    }
    let app = attached((200, 50));
    assert!(!drawn(&app, "symbols").contains("symbols"), "nothing lacks");
}
