//! The inspector in a terminal: it shows what is there, survives its target, and leaves the terminal sane.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use pollscope_tests::{Program, Room, Screen, inspector, wait_until};
use portable_pty::CommandBuilder;

fn demo(room: &Room) -> Program {
    demo_at(room, 0)
}

/// The demo, listening on this port of loopback, too.
fn demo_at(room: &Room, port: u16) -> Program {
    let mut command = room.command(inspector());
    command
        .args(["demo", "--serve"])
        .env("POLLSCOPE_BIND", format!("127.0.0.1:{port}"));
    let demo = room.start(command, "ready");
    // The service may be ready before its inspector's socket, which another thread makes.
    let name = format!("{}-", demo.pid());
    wait_until("a socket", Duration::from_secs(10), || {
        let sockets = std::fs::read_dir(room.path().join("pollscope")).ok()?;
        let names = sockets.flatten().map(|socket| socket.file_name());
        names
            .filter_map(|socket| socket.into_string().ok())
            .find(|socket| socket.starts_with(&name))
    });
    demo
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("loopback has a free port")
        .port()
}

#[test]
fn tasks_warnings_and_threads_are_shown_at_three_sizes() {
    let room = Room::new();
    let demo = demo(&room);
    for (columns, rows) in [(120, 35), (80, 24), (24, 6)] {
        let mut screen = Screen::open(&room, &["attach", &demo.target()], columns, rows);
        screen.wait_for("LIVE");
        screen.press("2");
        // The worst kinds are first, and the smallest screen shows two of them: of one kind it shows the heading.
        screen.press("/slow_poll\r");
        screen.wait_for("slow poll");
        screen.press("3");
        screen.wait_for("orders");
        screen.press("q");
        assert_eq!(screen.exit_code(), 0);
        screen.wait_sane();
    }
}

#[test]
fn a_killed_target_leaves_its_last_screen_until_it_is_back() {
    let room = Room::new();
    let port = free_port();
    let first = demo_at(&room, port);
    let at_port = format!("127.0.0.1:{port}");
    // One follows the port, the other the program: at its next start it has another socket.
    let screens =
        [at_port, first.target()].map(|target| Screen::open(&room, &["attach", &target], 120, 35));
    for screen in &screens {
        screen.wait_for("LIVE");
        screen.wait_for("settle");
    }
    first.signal(libc::SIGKILL);
    for screen in &screens {
        let text = screen.wait_for("since");
        assert!(text.contains("settle"), "the last screen is kept:\n{text}");
        let pid = format!("pid {}", first.pid());
        assert!(text.contains(&pid), "and whose it is:\n{text}");
        // The first waits are too short to be sure of; nothing listens, so it comes to longer ones.
        screen.wait_for("RECONNECTING 2 s");
    }
    drop(first);
    let second = demo_at(&room, port);
    for mut screen in screens {
        screen.wait_for(&format!("pid {}", second.pid()));
        screen.wait_for("LIVE");
        screen.wait_for("settle");
        screen.press("q");
        assert_eq!(screen.exit_code(), 0);
        screen.wait_sane();
    }
}

#[test]
fn a_target_that_does_not_come_back_is_told_by_the_exit_code() {
    let room = Room::new();
    let demo = demo(&room);
    let mut screen = Screen::open(&room, &["attach", &demo.target()], 80, 24);
    screen.wait_for("LIVE");
    demo.signal(libc::SIGKILL);
    screen.wait_for("since");
    screen.press("q");
    assert_eq!(screen.exit_code(), 5);
    screen.wait_sane();
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "a release build cannot be made to panic: cargo test -p pollscope-tests --test terminal"
)]
fn a_panic_of_ours_leaves_the_terminal_sane_and_says_what_happened() {
    let room = Room::new();
    let demo = demo(&room);
    for fault in ["loop", "task"] {
        let mut screen = faulty(&room, &demo, fault);
        screen.wait_for("settle");
        assert!(!screen.is_sane() && !screen.is_cooked());
        screen.press(F12);
        assert_eq!(screen.exit_code(), 70, "{fault}");
        screen.wait_sane();
        let text = screen.wait_for("a fault made on purpose");
        assert!(text.contains("panicked at"), "{fault}:\n{text}");
        assert!(!text.contains("LIVE"), "the last frame is gone:\n{text}");
        // Each line starts at the left: the terminal was in cooked mode before the text came.
        let line = text.lines().find(|line| line.contains("panicked at"));
        assert!(
            line.is_some_and(|line| line.starts_with("thread")),
            "{text}"
        );
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "a release build cannot be made to panic: cargo test -p pollscope-tests --test terminal"
)]
fn a_panic_beside_the_screen_leaves_it_and_is_told() {
    let room = Room::new();
    let demo = demo(&room);
    let mut screen = faulty(&room, &demo, "thread");
    screen.press(F12);
    let text = screen.wait_for("a fault made on purpose");
    assert!(text.contains("LIVE"), "the screen goes on:\n{text}");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    screen.wait_sane();
    screen.wait_for("pollscope: a thread of ours panicked at");
}

/// The inspector, attached, that fails so at F12.
fn faulty(room: &Room, demo: &Program, fault: &str) -> Screen {
    let mut command = CommandBuilder::new(inspector());
    command.args(["attach", &demo.target()]);
    command.env("POLLSCOPE_FAULT", fault);
    command.env("RUST_BACKTRACE", "0");
    let screen = Screen::run(room, command, 120, 35);
    screen.wait_for("settle");
    screen
}

/// As terminals send the key.
const F12: &str = "\u{1b}[24~";

#[test]
fn signals_leave_the_terminal_sane() {
    let room = Room::new();
    let demo = demo(&room);
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        let mut screen = Screen::open(&room, &["attach", &demo.target()], 80, 24);
        screen.wait_for("LIVE");
        assert!(!screen.is_sane(), "the inspector has the terminal");
        screen.signal(signal);
        let code = screen.exit_code();
        assert_eq!(code, 128 + signal as u32, "as a shell tells it");
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
    for round in 1..=2 {
        screen.press("\u{1a}");
        screen.wait_for_shell();
        screen.press(&format!("echo back-$(({round}+41))\n"));
        let text = screen.wait_for(&format!("back-{}", round + 41));
        assert!(text.contains("Stopped"), "the shell knows:\n{text}");
        screen.press("fg\n");
        screen.wait_for("LIVE");
        assert!(!screen.is_a_shells() && !screen.is_cooked());
    }
    screen.press("q");
    screen.wait_for_shell();
    screen.press("echo done-$((40+2))\n");
    screen.wait_for("done-42");
}

#[test]
fn suspend_where_no_shell_could_resume_goes_on() {
    let room = Room::new();
    let demo = demo(&room);
    // The only process of its terminal, as in a window of tmux: a stop would be for ever.
    let mut screen = Screen::open(&room, &["attach", &demo.target()], 80, 24);
    screen.wait_for("LIVE");
    screen.press("\u{1a}");
    screen.press("2");
    screen.wait_for("worst first");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
    screen.wait_sane();
}

/// The script does what the keys of a terminal do: it signals the group that the inspector is in, too.
#[test]
fn an_editor_is_stopped_with_the_inspector_and_interrupted_alone() {
    let room = Room::new();
    let demo = demo(&room);
    let editor = room.path().join("editor");
    let script =
        "#!/bin/sh\ntrap : INT\necho editing-$((40+1))\nkill -TSTP 0\nkill -INT 0\nexit 0\n";
    std::fs::write(&editor, script).expect("a file in the room");
    std::fs::set_permissions(&editor, PermissionsExt::from_mode(0o755)).expect("its mode");
    // The sources are named from the workspace's root.
    let mut shell = portable_pty_shell();
    shell.cwd(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut screen = Screen::run(&room, shell, 80, 24);
    screen.press(&format!(
        "PS1='$ '; EDITOR={} {} attach {}\n",
        editor.display(),
        inspector().display(),
        demo.pid()
    ));
    screen.wait_for("LIVE");
    screen.wait_for("checksum");
    screen.press("o");
    screen.wait_for("editing-41");
    screen.wait_for_shell();
    screen.press("echo back-$((40+2))\n");
    let text = screen.wait_for("back-42");
    assert!(text.contains("Stopped"), "the shell knows:\n{text}");
    screen.press("fg\n");
    screen.wait_for("LIVE");
    // The interrupt was the editor's: keys are still ours. One that comes while the terminal is given back may be lost,
    // and is pressed again.
    wait_until("the warnings", Duration::from_secs(20), || {
        screen.press("2");
        screen.text().contains("worst first").then_some(())
    });
    screen.press("q");
    screen.wait_for_shell();
}

#[test]
fn a_program_that_is_run_has_the_terminal_until_it_listens() {
    let room = Room::new();
    let service = format!(
        "echo building-$((40+1)); read line; echo got-$line; exec {} demo --serve",
        inspector().display()
    );
    let mut screen = Screen::open(&room, &["run", "--", "sh", "-c", &service], 80, 24);
    screen.wait_for("building-41");
    screen.press("abc\n");
    screen.wait_for("got-abc");
    screen.wait_for("LIVE");
    screen.press("q");
    let by_term = 128 + libc::SIGTERM as u32;
    assert_eq!(screen.exit_code(), by_term, "the program's status");
    screen.wait_sane();
}

#[test]
fn a_program_that_is_run_ends_with_its_terminal() {
    let room = Room::new();
    let service = "echo pid-$$-; exec sleep 1000";
    let mut screen = Screen::open(&room, &["run", "--", "sh", "-c", service], 80, 24);
    let text = screen.wait_for("pid-");
    let pid = text
        .split("pid-")
        .nth(1)
        .and_then(|rest| rest.split('-').next());
    let pid: u32 = pid.and_then(|pid| pid.parse().ok()).expect("its PID");
    screen.signal(libc::SIGHUP);
    assert_eq!(screen.exit_code(), 128 + libc::SIGHUP as u32);
    let is_gone = || (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(());
    wait_until("its end", Duration::from_secs(10), is_gone);
}

#[test]
fn a_dumb_terminal_is_printed_to() {
    let room = Room::new();
    let demo = demo(&room);
    let mut command = CommandBuilder::new("env");
    command.arg("TERM=dumb");
    command.arg(inspector());
    command.args(["attach", &demo.target()]);
    let mut screen = Screen::run(&room, command, 120, 200);
    assert_eq!(screen.exit_code(), 0);
    screen.wait_for("THREADS");
    assert!(screen.is_sane());
}

fn portable_pty_shell() -> CommandBuilder {
    let mut shell = CommandBuilder::new("bash");
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
        let drawn = screen.raw().len();
        screen.resize(columns, rows);
        wait_until("it is drawn anew", Duration::from_secs(10), || {
            (screen.raw().len() > drawn).then_some(())
        });
    }
    screen.wait_for("LIVE");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);
}
