//! Bad input: one line that says what to do, the exit code of the contract, no panic, no escape codes.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::time::Duration;

use pollscope_tests::{Output, Room, inspector, wait_until};

const NO_SUCH_TARGET: i32 = 3;
const REFUSED: i32 = 4;
const USAGE: i32 = 2;

/// Checks what every refusal has in common.
#[track_caller]
fn refused(output: &Output, code: i32, says: &str) {
    assert_eq!(output.code(), code, "{output:?}");
    let said = output.stderr.trim_end();
    assert!(said.contains(says), "{said:?} does not say {says:?}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        !output.stdout.contains('\u{1b}') && !said.contains('\u{1b}'),
        "escape codes: {output:?}"
    );
    if code != USAGE {
        assert_eq!(said.lines().count(), 1, "one line: {said}");
    }
}

#[test]
fn targets_that_are_not_there() {
    let room = Room::new();
    refused(
        &room.pollscope(&["report", "999999999"]),
        NO_SUCH_TARGET,
        "999999999",
    );
    refused(
        &room.pollscope(&["report", &std::process::id().to_string()]),
        NO_SUCH_TARGET,
        "pollscope",
    );
    refused(
        &room.pollscope(&["report", "nonsense"]),
        NO_SUCH_TARGET,
        "nonsense",
    );
    refused(
        &room.pollscope(&["report", "unix:/nowhere/at/all.sock"]),
        NO_SUCH_TARGET,
        "/nowhere/at/all.sock",
    );
    refused(&room.pollscope(&["report"]), USAGE, "Usage");
    refused(
        &room.pollscope(&["frobnicate"]),
        NO_SUCH_TARGET,
        "frobnicate",
    );
    refused(
        &room.pollscope(&["report", "1", "--for", "soon"]),
        USAGE,
        "soon",
    );
}

#[test]
fn a_port_that_nobody_listens_on() {
    let room = Room::new();
    // The near end of a connection: it is taken, so that nobody else can listen there meanwhile.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = listener.local_addr().expect("its number");
    let near = TcpStream::connect(far).expect("it listens");
    let port = near.local_addr().expect("its number").port();
    refused(
        &room.pollscope(&["report", &format!("127.0.0.1:{port}")]),
        NO_SUCH_TARGET,
        &port.to_string(),
    );
}

#[test]
fn a_port_that_speaks_something_else() {
    let room = Room::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its number").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::Write;
            let Ok(mut stream) = stream else { return };
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
            let _ = stream.read(&mut [0; 64]);
        }
    });
    refused(&room.pollscope(&["report", &address]), REFUSED, &address);
}

#[test]
fn a_port_that_says_nothing() {
    let room = Room::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its number").to_string();
    // Accepted by the kernel, never answered.
    let output = room.pollscope(&["report", &address]);
    refused(&output, REFUSED, &address);
    drop(listener);
}

/// Edge case 60: a process that is gone.
#[test]
fn a_stale_socket_is_named_and_listed_as_such() {
    let room = Room::new();
    let dir = room.path().join("pollscope");
    std::fs::create_dir(&dir).expect("the directory");
    // Nobody has this process id: the kernel's largest is 2^22.
    let socket = dir.join("4194999-1.sock");
    drop(UnixListener::bind(&socket).expect("a socket"));
    let listed = room.json(&["ps", "--json"]);
    let rows = listed.as_array().expect("an array");
    assert!(
        rows.iter()
            .all(|row| row["pid"] != 4_194_999 || row["state"] == "stale"),
        "{listed:#}"
    );
    refused(
        &room.pollscope(&["report", "4194999"]),
        NO_SUCH_TARGET,
        "4194999",
    );
    refused(
        &room.pollscope(&["report", &format!("unix:{}", socket.display())]),
        NO_SUCH_TARGET,
        "4194999-1.sock",
    );
}

#[test]
fn a_pipe_that_closes_ends_the_command_quietly() {
    let room = Room::new();
    let mut command = room.command(inspector());
    command
        .args(["explain", "slow_poll"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut said)
        .expect("text");
    let _ = child.wait();
    assert_eq!(said, "");
}

#[test]
fn a_wrong_level_is_told_and_the_program_runs_on() {
    let room = Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_hung"));
    command.env("POLLSCOPE", "abc");
    // Two pipes, of which either may be read first.
    let mut program = room.start(command, "ready");
    wait_until("it is told", Duration::from_secs(20), || {
        let mut printed = program.printed().iter();
        printed.find(|line| line.contains("off, quiet or debug"))?;
        Some(())
    });
}
