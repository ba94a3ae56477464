//! The inspector in a terminal: it shows what is there, survives its target, and leaves the terminal sane.

use std::time::Duration;

use pollscope_tests::{Program, Room, Screen, inspector};

fn demo(room: &Room) -> Program {
    let mut command = room.command(inspector());
    command.args(["demo", "--serve"]);
    room.start(command, "ready")
}

#[test]
fn tasks_warnings_and_threads_are_shown_at_three_sizes() {
    let room = Room::new();
    let demo = demo(&room);
    for (columns, rows) in [(120, 35), (80, 24), (24, 6)] {
        let mut screen = Screen::open(&room, &["attach", &demo.target()], columns, rows);
        screen.wait_for("LIVE");
        screen.press("2");
        screen.wait_for("slow");
        screen.press("3");
        screen.wait_for("orders");
        screen.press("q");
        assert_eq!(screen.exit_code(), 0);
        screen.wait_sane();
    }
}

#[test]
fn a_killed_target_leaves_its_last_screen() {
    let room = Room::new();
    let demo = demo(&room);
    let screen = Screen::open(&room, &["attach", &demo.target()], 120, 35);
    screen.wait_for("LIVE");
    screen.wait_for("settle");
    demo.signal(libc::SIGKILL);
    let text = screen.wait_for("since");
    assert!(text.contains("settle"), "the last screen is kept:\n{text}");
}

#[test]
fn signals_leave_the_terminal_sane() {
    let room = Room::new();
    let demo = demo(&room);
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        let mut screen = Screen::open(&room, &["attach", &demo.target()], 80, 24);
        screen.wait_for("LIVE");
        assert!(!screen.is_sane(), "the inspector has the terminal");
        screen.signal(signal);
        screen.exit_code();
        screen.wait_sane();
    }
}

#[test]
fn suspend_gives_the_terminal_back_and_resume_takes_it_again() {
    let room = Room::new();
    let demo = demo(&room);
    // A shell with job control, as a user has it.
    let mut shell = portable_pty_shell();
    shell.cwd(room.path());
    let mut screen = Screen::run(&room, shell, 80, 24);
    screen.press(&format!(
        "PS1='$ '; {} attach {}\n",
        inspector().display(),
        demo.pid()
    ));
    screen.wait_for("LIVE");
    screen.press("\u{1a}");
    screen.wait_for_shell();
    screen.press("echo back-$((40+2))\n");
    screen.wait_for("back-42");
    screen.press("fg\n");
    screen.wait_for("LIVE");
    assert!(!screen.is_a_shells());
    screen.press("q");
    screen.wait_for_shell();
    screen.press("echo done-$((40+2))\n");
    screen.wait_for("done-42");
}

fn portable_pty_shell() -> portable_pty::CommandBuilder {
    let mut shell = portable_pty::CommandBuilder::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    shell
}

#[test]
fn sizes_change_under_way_down_to_nothing() {
    let room = Room::new();
    let demo = demo(&room);
    let mut screen = Screen::open(&room, &["attach", &demo.target()], 120, 35);
    screen.wait_for("LIVE");
    for (columns, rows) in [(80, 24), (24, 6), (10, 3), (1, 1), (200, 60), (120, 35)] {
        screen.resize(columns, rows);
        std::thread::sleep(Duration::from_millis(150));
    }
    screen.wait_for("LIVE");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}
