//! What `update` does with each action, on the fixture.

use std::time::Duration;

use super::fixture::{
    at, attached, deliver, detail, enter, found, press, runtimes, snapshot, target,
};
use super::keymap::{BINDINGS, Command, Place};
use super::popup::Popup;
use super::*;
use crate::model::{Change, Level, Rights, TaskState, View};

const SIZE: (u16, u16) = (120, 35);

fn views(effects: &[Effect]) -> Vec<&View> {
    let mut views = Vec::new();
    for effect in effects {
        if let Effect::SetView(_, view) = effect {
            views.push(view);
        }
    }
    views
}

#[test]
fn enter_in_the_picker_attaches_and_asks_only_for_the_rows_on_the_screen() {
    let mut app = App::new(SIZE, at(0));
    update(&mut app, at(0), Action::Found(found()));
    let effects = press(&mut app, "j Enter");
    assert_eq!(effects, [Effect::Attach(found()[1].address.clone())]);
    let effects = update(
        &mut app,
        at(5),
        Action::Connected(Box::new(target()), runtimes()),
    );
    let [view] = views(&effects)[..] else {
        panic!("one view: {effects:?}");
    };
    assert_eq!(view.offset, 0);
    assert!(view.limit < 200 && view.limit as usize >= geometry::list_rows(&app));
}

#[test]
fn a_stale_or_unusable_process_is_explained_not_attached_to() {
    let mut app = App::new(SIZE, at(0));
    update(&mut app, at(0), Action::Found(found()));
    for keys in ["G Enter", "k Enter"] {
        assert_eq!(press(&mut app, keys), []);
        assert!(app.notice.as_ref().is_some_and(|(notice, _)| notice.bad));
    }
    let effects = press(&mut app, "G x");
    assert_eq!(effects, [Effect::RemoveStale(found()[4].address.clone())]);
}

#[test]
fn the_cursor_keeps_its_task_when_the_order_changes() {
    let mut app = attached(SIZE);
    press(&mut app, "j");
    assert_eq!(app.tasks.selected_id(), Some(977));
    let mut next = snapshot();
    next.tasks.swap(0, 1);
    deliver(&mut app, 3_000, next);
    assert_eq!(
        (app.tasks.selected_id(), app.tasks.cursor()),
        (Some(977), 0)
    );
}

#[test]
fn while_the_cursor_moves_rows_keep_their_places_for_a_second() {
    let mut app = attached(SIZE);
    deliver(&mut app, 2_000, snapshot());
    let mut next = snapshot();
    next.tasks.reverse();
    next.tasks[0].polls += 1;
    update(&mut app, at(2_100), Action::Tick);
    press(&mut app, "j");
    let order = |app: &App| -> Vec<u64> { app.tasks.loaded().map(|task| task.id).collect() };
    let before = order(&app);
    // Sorted lately enough? The first update after the move may sort, the ones within the second may not.
    deliver(&mut app, 2_200, next.clone());
    let held = order(&app);
    next.tasks[0].polls += 1;
    deliver(&mut app, 2_400, next.clone());
    assert_eq!(order(&app), held);
    deliver(&mut app, 3_500, next);
    assert_ne!(order(&app), before);
    assert_eq!(app.tasks.selected_id(), Some(977));
}

#[test]
fn a_task_that_vanishes_is_asked_for_and_stays_as_done() {
    let mut app = attached(SIZE);
    press(&mut app, "j");
    let mut next = snapshot();
    next.tasks.remove(1);
    let effects = deliver(&mut app, 3_000, next.clone());
    assert!(effects.contains(&Effect::OpenTask(977)));
    update(&mut app, at(3_010), Action::Detail(977, None));
    let row = app.tasks.selected().unwrap();
    assert_eq!((row.task.id, row.task.state), (977, TaskState::Done));
    press(&mut app, "j");
    assert!(app.tasks.loaded().all(|task| task.id != 977));
}

#[test]
fn an_update_that_changes_nothing_visible_draws_nothing() {
    let mut app = attached(SIZE);
    app.take_dirty();
    let mut same = snapshot();
    same.now_ns += 20_000_000;
    for task in &mut same.tasks {
        task.age_ns += 20_000_000;
    }
    deliver(&mut app, 2_000, same);
    assert!(!app.take_dirty());
    let mut other = snapshot();
    other.tasks[0].polls += 1;
    deliver(&mut app, 2_250, other);
    assert!(app.take_dirty());
}

#[test]
fn a_frozen_screen_counts_what_it_holds_and_shows_it_on_resume() {
    let mut app = attached(SIZE);
    press(&mut app, "Space");
    deliver(&mut app, 100, snapshot());
    let mut later = snapshot();
    later.totals.spawned += 30;
    later.warnings[0].count += 8;
    later.tasks[0].name = "renamed".to_owned();
    deliver(&mut app, 2_000, later);
    assert_eq!(app.frozen.as_ref().map(|frozen| frozen.held), Some(38));
    let name = |app: &App| app.tasks.loaded().next().map(|task| task.name.clone());
    assert_eq!(name(&app).as_deref(), Some("checkout::settle"));
    press(&mut app, "Space");
    assert!(app.frozen.is_none());
    let name = app.snapshot.tasks[0].name.clone();
    assert_eq!(name, "renamed");
}

#[test]
fn a_frozen_screen_fetches_rows_to_walk_through_once() {
    let mut app = attached(SIZE);
    let effects = press(&mut app, "Space");
    assert_eq!(views(&effects).len(), 1);
    assert!(views(&effects)[0].limit >= 1_000);
    deliver(&mut app, 100, snapshot());
    assert_eq!(views(&press(&mut app, "G PgUp g")), Vec::<&View>::new());
}

#[test]
fn wherever_it_is_frozen_the_rows_are_of_the_freeze() {
    for keys in ["2", "3", "v"] {
        let mut app = attached(SIZE);
        press(&mut app, keys);
        let effects = press(&mut app, "Space");
        assert!(
            views(&effects).iter().any(|view| view.limit >= 1_000),
            "{keys}: {effects:?}"
        );
        let mut next = snapshot();
        next.tasks[0].polls = 424_242;
        deliver(&mut app, 100, next);
        let mut later = snapshot();
        later.tasks[0].polls = 999_999;
        deliver(&mut app, 2_000, later);
        press(&mut app, if keys == "v" { "v" } else { "1" });
        assert_eq!(app.place(), Place::Tasks);
        let polls = app.tasks.loaded().map(|task| task.polls).max();
        assert_eq!(polls, Some(424_242), "{keys}");
    }
}

#[test]
fn a_frozen_list_of_one_site_gives_way_to_all_of_them() {
    let mut app = attached(SIZE);
    press(&mut app, "v Space");
    deliver(&mut app, 100, snapshot());
    let effects = press(&mut app, "j Enter");
    assert_eq!(views(&effects).last().map(|view| view.site), Some(Some(7)));
    let mut one = snapshot();
    (one.matched, one.tasks) = (1, vec![one.tasks[0].clone()]);
    deliver(&mut app, 200, one);
    assert_eq!(app.tasks.len(), 1);
    press(&mut app, "Esc");
    deliver(&mut app, 300, snapshot());
    press(&mut app, "v");
    assert!(app.tasks.len() > 1);
}

#[test]
fn a_filter_goes_to_the_target_and_is_kept_while_elsewhere() {
    let mut app = attached(SIZE);
    press(&mut app, "/");
    let effects = enter(&mut app, "settle");
    assert_eq!(
        views(&effects).last().map(|view| view.filter.as_str()),
        Some("settle")
    );
    press(&mut app, "Enter 2 1");
    assert_eq!(app.filter().input.value(), "settle");
    let effects = press(&mut app, "f");
    assert_eq!(
        views(&effects).last().map(|view| view.filter.as_str()),
        Some("settle warned:any")
    );
    let effects = press(&mut app, "f Esc");
    assert_eq!(
        views(&effects).last().map(|view| view.filter.as_str()),
        Some("")
    );
}

#[test]
fn a_filter_that_is_not_understood_is_not_sent() {
    let mut app = attached(SIZE);
    press(&mut app, "/");
    let effects = enter(&mut app, "bsy>1s");
    assert!(app.filter().error.is_some());
    assert!(
        views(&effects)
            .iter()
            .all(|view| !view.filter.contains("bsy>1s"))
    );
}

#[test]
fn sorting_asks_for_another_order_and_starts_at_the_top() {
    let mut app = attached(SIZE);
    press(&mut app, "j j");
    let effects = press(&mut app, ">");
    assert_eq!(views(&effects)[0].order, "max");
    assert_eq!(app.tasks.cursor(), 0);
    let effects = press(&mut app, "r");
    assert!(!views(&effects)[0].descending);
    let effects = press(&mut app, "< <");
    assert_eq!(
        views(&effects).last().map(|view| view.order.as_str()),
        Some("age")
    );
}

#[test]
fn sites_are_grouped_and_lead_to_their_tasks() {
    let mut app = attached(SIZE);
    let effects = press(&mut app, "v");
    assert_eq!(
        views(&effects)[0].limit,
        0,
        "no task travels while none is shown"
    );
    assert_eq!(app.place(), Place::Sites);
    let effects = press(&mut app, "j Enter");
    assert_eq!(views(&effects)[0].site, Some(7));
    press(&mut app, "Esc");
    assert_eq!(app.place(), Place::Sites);
}

#[test]
fn an_abort_is_asked_about_first() {
    let mut app = attached(SIZE);
    assert_eq!(press(&mut app, "j A"), []);
    assert!(matches!(&app.popup, Some(Popup::Abort { id: 977, .. })));
    assert_eq!(press(&mut app, "Esc"), []);
    assert_eq!(press(&mut app, "A Enter"), [], "too easily pressed");
    assert_eq!(press(&mut app, "y"), [Effect::Abort(977)]);
    assert!(app.popup.is_none());
}

#[test]
fn what_needs_a_right_says_which() {
    let mut app = attached(SIZE);
    let mut next = snapshot();
    next.target.rights = Rights::Read;
    deliver(&mut app, 2_000, next);
    for (keys, right) in [("A", "abort"), ("L", "debug"), ("3 s", "debug")] {
        assert_eq!(
            press(&mut app, keys)
                .iter()
                .filter(|effect| !matches!(effect, Effect::SetView(..)))
                .count(),
            0
        );
        let (notice, _) = app.notice.clone().unwrap();
        assert!(notice.bad && notice.text.contains(right), "{}", notice.text);
    }
}

#[test]
fn the_level_is_toggled() {
    let mut app = attached(SIZE);
    let wanted = Change {
        level: Some(Level::Quiet),
        ..Change::default()
    };
    assert_eq!(press(&mut app, "L"), [Effect::Configure(wanted)]);
}

#[test]
fn a_lost_target_keeps_its_screen_and_tells_since_when() {
    let mut app = attached(SIZE);
    let rows = app.tasks.len();
    update(
        &mut app,
        at(1_000),
        Action::Lost {
            why: "killed".to_owned(),
        },
    );
    let mut later = at(9_000);
    later.clock.minute = 9;
    let wait = Duration::from_secs(2);
    update(&mut app, later, Action::Reconnecting { attempt: 2, wait });
    update(
        &mut app,
        later,
        Action::Lost {
            why: "refused".to_owned(),
        },
    );
    let Link::Lost(lost) = &app.link else {
        panic!("lost");
    };
    assert_eq!(lost.since.to_string(), "12:04:31");
    assert_eq!(app.link.seconds_to_retry(later), Some(2));
    assert_eq!(
        app.wakes_at(),
        Some(Duration::from_secs(10)),
        "when the count falls"
    );
    assert_eq!(app.tasks.len(), rows);
    let effects = update(
        &mut app,
        at(11_000),
        Action::Connected(Box::new(target()), runtimes()),
    );
    assert_eq!(views(&effects).len(), 1, "the view is asked for again");
    assert_eq!(
        app.tasks.len(),
        rows,
        "the same process: nothing is forgotten"
    );
}

/// An attached state whose target was killed.
fn bereft() -> App {
    let mut app = attached(SIZE);
    let why = "killed".to_owned();
    update(&mut app, at(1_000), Action::Lost { why });
    app
}

fn successor(name: &str) -> Box<crate::model::Target> {
    let mut other = target();
    (other.pid, other.name) = (7, name.to_owned());
    Box::new(other)
}

#[test]
fn the_same_program_started_anew_is_followed_by_itself() {
    let mut app = bereft();
    press(&mut app, "2");
    assert!(!app.tasks.is_empty(), "the last screen is kept");
    let other = successor(&target().name);
    let told = Action::Successor(other.clone());
    assert_eq!(update(&mut app, at(2_000), told), [Effect::Switch(true)]);
    assert!(app.popup.is_none());
    assert!(app.notice.as_ref().unwrap().0.text.contains("pid 7"));
    update(&mut app, at(2_100), Action::Connected(other, runtimes()));
    assert!(
        app.tasks.is_empty() && !app.loaded,
        "nothing of the old process is left"
    );
    assert_eq!(app.snapshot.target.pid, 7);
    assert_eq!(app.screen, Screen::Warnings, "one stays where one was");
}

#[test]
fn what_is_being_read_is_not_taken_away_unasked() {
    for (keys, name) in [
        ("Space", target().name),
        ("Enter", target().name),
        ("", "another".to_owned()),
    ] {
        let mut app = attached(SIZE);
        press(&mut app, keys);
        let why = "killed".to_owned();
        update(&mut app, at(1_000), Action::Lost { why });
        let effects = update(&mut app, at(2_000), Action::Successor(successor(&name)));
        assert!(effects.is_empty());
        assert!(matches!(app.popup, Some(Popup::Successor(_))), "{keys:?}");
        assert_eq!(press(&mut app, "Enter"), [Effect::Switch(true)]);
    }
}

#[test]
fn a_refused_successor_ends_the_attempts() {
    let mut app = bereft();
    let told = Action::Successor(successor("another"));
    update(&mut app, at(2_000), told);
    assert_eq!(press(&mut app, "n"), [Effect::Switch(false)]);
    assert!(matches!(&app.link, Link::Lost(lost) if lost.given_up));
}

#[test]
fn a_failed_attempt_from_the_picker_stays_there_and_says_why() {
    let mut app = App::new(SIZE, at(0));
    update(&mut app, at(0), Action::Found(found()));
    press(&mut app, "Enter");
    update(
        &mut app,
        at(10),
        Action::Lost {
            why: "nothing listens".to_owned(),
        },
    );
    assert_eq!((app.place(), &app.link), (Place::Picker, &Link::None));
    assert!(
        app.notice
            .as_ref()
            .is_some_and(|(notice, _)| notice.text == "nothing listens")
    );
    update(&mut app, at(20_000), Action::Tick);
    assert!(app.notice.is_none(), "it goes by itself");
}

#[test]
fn esc_gives_up_an_attempt_from_the_picker() {
    let mut app = App::new(SIZE, at(0));
    update(&mut app, at(0), Action::Found(found()));
    press(&mut app, "Enter");
    assert!(matches!(app.link, Link::Opening(_)));
    assert_eq!(press(&mut app, "Esc"), [Effect::Disconnect]);
    assert_eq!((app.place(), &app.link), (Place::Picker, &Link::None));
    assert_eq!(press(&mut app, "Esc"), []);
}

#[test]
fn a_task_is_opened_refreshed_and_its_end_is_told() {
    let mut app = attached(SIZE);
    assert_eq!(press(&mut app, "j Enter"), [Effect::OpenTask(977)]);
    update(
        &mut app,
        at(20),
        Action::Detail(977, Some(Box::new(detail()))),
    );
    assert_eq!(
        deliver(&mut app, 500, snapshot()),
        [],
        "not more than once a second"
    );
    assert_eq!(
        deliver(&mut app, 1_500, snapshot()),
        [Effect::OpenTask(977)]
    );
    assert_eq!(
        deliver(&mut app, 3_000, snapshot()),
        [],
        "not while an answer is due"
    );
    update(&mut app, at(3_100), Action::Detail(977, None));
    assert!(
        matches!(app.pages.last(), Some(page::Page::Task(page)) if page.gone && page.detail.is_some())
    );
    press(&mut app, "Esc");
    assert_eq!(app.place(), Place::Tasks);
}

#[test]
fn a_report_is_asked_for_wherever_one_is() {
    for place in Place::ALL
        .into_iter()
        .filter(|&place| place != Place::Picker)
    {
        let mut app = at_place(place);
        let effects = press(&mut app, "e");
        assert!(effects.contains(&Effect::Report), "{place:?}: {effects:?}");
    }
    let mut app = attached(SIZE);
    let whole = Box::new(snapshot());
    let told = Action::Reported(whole.clone());
    assert_eq!(update(&mut app, at(500), told), [Effect::Write(whole)]);
}

#[test]
fn of_what_is_held_the_report_has_what_is_held() {
    for keys in ["Space", "2 Space"] {
        let mut app = attached(SIZE);
        press(&mut app, keys);
        let mut later = snapshot();
        later.tasks[0].polls = 424_242;
        deliver(&mut app, 100, later);
        deliver(&mut app, 900, snapshot());
        let [Effect::Write(held)] = &press(&mut app, "e")[..] else {
            panic!("frozen: nothing is asked");
        };
        assert_eq!(held.tasks.len(), snapshot().tasks.len());
        assert_eq!(held.tasks[0].polls, 424_242, "of the freeze: {keys}");
    }
    let mut app = bereft();
    press(&mut app, "2");
    let [Effect::Write(held)] = &press(&mut app, "e")[..] else {
        panic!("lost: nobody can be asked");
    };
    assert!(!held.tasks.is_empty());
}

#[test]
fn a_target_that_says_nothing_is_not_called_live() {
    let mut app = attached(SIZE);
    assert_eq!(app.wakes_at(), Some(Duration::from_millis(2_010)));
    update(&mut app, at(2_009), Action::Tick);
    assert_eq!(app.silent_s(), None);
    app.take_dirty();
    update(&mut app, at(2_010), Action::Tick);
    assert_eq!(app.silent_s(), Some(2));
    assert!(app.take_dirty());
    assert_eq!(app.wakes_at(), Some(Duration::from_millis(3_010)));
    update(&mut app, at(2_900), Action::Tick);
    assert!(!app.take_dirty(), "drawn once for each second");
    // Also an update that shows nothing new is a word.
    deliver(&mut app, 9_000, snapshot());
    assert_eq!(app.silent_s(), None);
    assert!(app.take_dirty());
}

#[test]
fn the_seconds_to_the_next_attempt_are_drawn_once_each() {
    let mut app = bereft();
    let wait = Duration::from_secs(2);
    update(
        &mut app,
        at(2_000),
        Action::Reconnecting { attempt: 1, wait },
    );
    app.take_dirty();
    for (ms, changed) in [(2_500, false), (3_000, true), (3_001, false), (4_000, true)] {
        update(&mut app, at(ms), Action::Tick);
        assert_eq!(app.take_dirty(), changed, "{ms}");
    }
    assert_eq!(app.silent_s(), None, "it is lost, which says more");
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let silent = || Some("does not answer".to_owned());
    let mut app = attached(SIZE);
    press(&mut app, "j Enter");
    let told = Action::Unanswered(Asked::Task(977), silent());
    assert_eq!(update(&mut app, at(5_000), told), []);
    assert!(app.notice.is_some());
    assert_eq!(
        deliver(&mut app, 6_000, snapshot()),
        [Effect::OpenTask(977)]
    );

    press(&mut app, "3 s");
    assert!(app.threads.asking);
    let told = Action::Unanswered(Asked::Stacks, silent());
    update(&mut app, at(36_000), told);
    assert!(!app.threads.asking);
}

#[test]
fn what_was_asked_while_the_target_was_lost_is_asked_once_it_is_back() {
    let mut app = bereft();
    assert_eq!(press(&mut app, "j Enter"), [Effect::OpenTask(977)]);
    let back = Action::Connected(Box::new(target()), runtimes());
    update(&mut app, at(3_000), back);
    let effects = deliver(&mut app, 3_100, snapshot());
    assert!(effects.contains(&Effect::OpenTask(977)), "{effects:?}");
}

#[test]
fn an_id_is_gone_to() {
    let mut app = attached(SIZE);
    press(&mut app, ":");
    enter(&mut app, "44");
    assert_eq!(press(&mut app, "Enter"), [Effect::OpenTask(44)]);
    press(&mut app, "Esc");
    assert_eq!(app.tasks.selected_id(), Some(44));
}

#[test]
fn a_warning_leads_to_its_task_and_asks_for_its_source_once() {
    let mut app = attached(SIZE);
    let effects = press(&mut app, "2 j");
    let reads = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::ReadSource(_)))
        .count();
    assert_eq!(reads, 2);
    assert!(
        press(&mut app, "k j")
            .iter()
            .all(|effect| !matches!(effect, Effect::ReadSource(_)))
    );
    assert_eq!(press(&mut app, "t"), [Effect::OpenTask(977)]);
}

#[test]
fn on_its_page_a_warning_is_muted_and_no_other() {
    let mut app = attached(SIZE);
    press(&mut app, "2 j Enter");
    let Some(page::Page::Warning(page)) = app.pages.last() else {
        panic!("a page");
    };
    let (id, known) = (page.id, app.warnings.all().count());
    let is_muted = |app: &App| app.warnings.is_muted(app.warnings.get(id).unwrap());
    press(&mut app, "m");
    assert!(is_muted(&app));
    assert_eq!(app.warnings.audible().count(), known - 1);
    press(&mut app, "m");
    assert!(!is_muted(&app));
    assert_eq!(
        app.warnings.audible().count(),
        known,
        "a second m takes it back"
    );
    press(&mut app, "m m m Esc");
    assert_eq!(app.warnings.audible().count(), known - 1);
    let mut gone = snapshot();
    gone.warnings.clear();
    press(&mut app, "G Enter");
    deliver(&mut app, 2_000, gone);
    press(&mut app, "m");
    assert!(app.notice.as_ref().is_some_and(|(notice, _)| notice.bad));
}

#[test]
fn after_a_mute_on_its_page_the_next_is_the_next() {
    let next = |keys: &str| {
        let mut app = attached(SIZE);
        press(&mut app, keys);
        let Some(page::Page::Warning(page)) = app.pages.last() else {
            panic!("a page");
        };
        page.id
    };
    assert_eq!(next("2 j j Enter m ]"), next("2 j j Enter ]"));
}

#[test]
fn copying_takes_the_place_and_the_whole() {
    let mut app = attached(SIZE);
    let effects = press(&mut app, "2 j y Y");
    let copied: Vec<&String> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(copied[0], "src/metrics.rs:58");
    assert!(copied[1].contains("orders::metrics::flush at src/metrics.rs:58"));
}

#[test]
fn quit_and_suspend_work_also_while_typing() {
    let mut app = attached(SIZE);
    for keys in ["/", "Esc :", "Esc ?"] {
        press(&mut app, keys);
        assert_eq!(
            press(&mut app, "Ctrl-c Ctrl-z Ctrl-l"),
            [Effect::Quit, Effect::Suspend, Effect::Redraw]
        );
    }
}

#[test]
fn what_was_asked_to_be_shown_outlives_the_process() {
    let mut app = attached(SIZE);
    press(&mut app, "f x > /");
    enter(&mut app, "settle");
    press(&mut app, "Enter");
    let before = app.tasks.sort;
    let why = "killed".to_owned();
    update(&mut app, at(1_000), Action::Lost { why });
    let other = Action::Connected(successor(&target().name), runtimes());
    let effects = update(&mut app, at(2_000), other);
    let view = views(&effects)[0];
    assert_eq!(view.filter, "settle warned:any");
    assert_eq!((view.done, app.tasks.sort), (false, before));
}

#[test]
fn going_to_the_picker_forgets_the_target() {
    let mut app = attached(SIZE);
    press(&mut app, "3");
    let effects = press(&mut app, "P");
    assert_eq!(effects, [Effect::Disconnect, Effect::Rescan]);
    assert_eq!(app.place(), Place::Picker);
    assert!(app.tasks.is_empty());
}

/// A state at that place.
fn at_place(place: Place) -> App {
    let mut app = attached(SIZE);
    match place {
        Place::Picker => {
            app = App::new(SIZE, at(0));
            update(&mut app, at(0), Action::Found(found()));
        }
        Place::Tasks => {}
        Place::Sites => drop(press(&mut app, "v")),
        Place::Task => {
            press(&mut app, "j Enter");
            update(
                &mut app,
                at(20),
                Action::Detail(977, Some(Box::new(detail()))),
            );
        }
        Place::Warnings => drop(press(&mut app, "2 j")),
        Place::Warning => drop(press(&mut app, "2 j Enter")),
        Place::Threads => drop(press(&mut app, "3")),
    }
    assert_eq!(app.place(), place);
    app
}

/// All that a key may change, as text.
fn visible(app: &App) -> String {
    let tasks = (
        app.tasks.cursor(),
        app.tasks.sort,
        app.tasks.only_warned,
        app.tasks.finished,
    );
    let lists = (
        app.picker.cursor(),
        app.sites.cursor(),
        app.sites_sort,
        app.threads.list.cursor(),
        app.threads.sort,
    );
    let warnings = (
        app.warnings.list.cursor(),
        app.warnings.list.len(),
        app.warnings.shows_muted(),
    );
    let line = (app.filter().editing, app.filter().input.value());
    let view = (app.screen, app.grouped, app.all_frames, app.wrap, line);
    let over = (
        &app.pages,
        &app.popup,
        &app.prompt,
        app.frozen.is_some(),
        &app.notice,
    );
    format!("{tasks:?} {lists:?} {warnings:?} {view:?} {over:?}")
}

#[test]
fn every_key_that_the_help_lists_does_something() {
    for place in Place::ALL {
        let commands: Vec<Command> = BINDINGS
            .iter()
            .filter(|binding| binding.is_at(place))
            .map(|binding| binding.command)
            .collect();
        for command in commands {
            let mut app = at_place(place);
            if app.allows(command).is_err() {
                continue;
            }
            // From where each of them leads somewhere: away from both ends, with something to clear or unfold.
            match command {
                Command::Previous => drop(press(&mut app, "]")),
                Command::Up | Command::First | Command::PageUp | Command::HalfUp => {
                    press(&mut app, "j j");
                }
                Command::Unfold => drop(press(&mut app, "h")),
                Command::Back if app.pages.is_empty() => {
                    press(&mut app, "/");
                    enter(&mut app, "a");
                    press(&mut app, "Enter");
                }
                Command::ShowTasks | Command::ShowWarnings => drop(press(&mut app, "3")),
                Command::ShowThreads => drop(press(&mut app, "1")),
                _ => {}
            }
            let before = visible(&app);
            let binding = BINDINGS
                .iter()
                .find(|binding| binding.command == command && binding.is_at(place))
                .unwrap();
            let effects = press(&mut app, &binding.keys[0].label().replace('↓', "Down"));
            assert!(
                !effects.is_empty() || visible(&app) != before,
                "{command:?} does nothing at {place:?}"
            );
        }
    }
}
