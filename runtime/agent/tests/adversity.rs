//! What programs do to those who watch them: they fork, and run out of file descriptors.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "forks, and sets limits")]

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pollscope_agent::Kind;
use pollscope_capture::level::{self, Level, Source};
use pollscope_proto::sockets;

#[path = "support/executor.rs"]
mod executor;
use executor::{finding, run, until};

/// One at a time: what is done here is done to the whole process.
static ONE: Mutex<()> = Mutex::new(());

fn begin() {
    level::set_level(Level::Debug, Source::Explicit);
    level::set_slow_poll_ns(100_000_000);
    executor::begin();
}

/// The socket of this process, once it is there.
fn socket() -> PathBuf {
    // SAFETY: no preconditions.
    let uid = unsafe { libc::geteuid() };
    let own = format!("{}-", std::process::id());
    until("the socket", || {
        sockets::socket_dirs(uid, |name| std::env::var_os(name))
            .iter()
            .filter_map(|dir| std::fs::read_dir(dir).ok())
            .flat_map(Iterator::flatten)
            .find(|entry| entry.file_name().to_string_lossy().starts_with(&own))
            .map(|entry| entry.path())
    })
}

/// Says something that is no HTTP/2, and whether it was told off within the time.
fn is_answered(mut stream: &UnixStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).expect("a time-out");
    let _ = stream.write_all(b"how do you do, this is no preface\r\n\r\n");
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).map_err(|error| error.kind());
    !matches!(read, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// Edge case 51: the child watches nothing, and its parent's socket is none of its business.
#[test]
fn a_forked_child_ends_in_peace_and_leaves_its_parents_socket() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    begin();
    let socket = socket();
    // SAFETY: the child allocates little, which glibc allows, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // As a program would that goes on after its fork: it spawns, asks, and ends by `exit`.
        pollscope_agent::flush(Duration::from_secs(60));
        let told = pollscope_agent::warnings().len();
        pollscope_agent::close(Duration::from_secs(60));
        // SAFETY: runs what was registered with `atexit`, ours among it.
        unsafe { libc::exit(i32::from(told != 0)) };
    }
    assert!(child > 0, "fork works");
    let status = until("the child's end", || {
        let mut status = 0;
        // SAFETY: our own child, and a local to fill.
        let ended = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        (ended == child).then_some(status)
    });
    assert_eq!(
        status, 0,
        "neither killed nor told of its parent's findings"
    );
    let stream = UnixStream::connect(socket).expect("the parent listens");
    assert!(is_answered(&stream, Duration::from_secs(10)));
}

/// The sockets of a path, by the numbers that the system gives them.
fn sockets_at(path: &Path) -> Vec<String> {
    let all = std::fs::read_to_string("/proc/net/unix").expect("Linux");
    let path = path.to_str().expect("a text");
    let there = all.lines().filter(|line| line.ends_with(path));
    there
        .filter_map(|line| line.split_whitespace().nth(6))
        .map(|inode| format!("socket:[{inode}]"))
        .collect()
}

/// Edge case 51: what a program starts has none of our files.
#[test]
fn a_program_that_is_started_inherits_nothing_of_ours() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    begin();
    // A thread whose files the watchdog holds, and a client beside the listener.
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let worker = run("inherits", async move {
        let _ = ends.recv();
    });
    let path = socket();
    let client = UnixStream::connect(&path).expect("it listens");
    let ours = until("the client is let in", || {
        Some(sockets_at(&path)).filter(|ours| ours.len() > 1)
    });
    let own: Vec<_> = links("/proc/self/fd").collect();
    assert!(own.iter().any(|link| ours.contains(link)), "{own:?}");

    let mut shell = Command::new("sh");
    let mut shell = shell
        .args(["-c", "echo ready; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let said = shell.stdout.as_mut().expect("a pipe").read(&mut [0; 5]);
    assert_eq!(said.expect("it speaks"), 5);
    let inherited: Vec<_> = links(&format!("/proc/{}/fd", shell.id())).collect();
    drop(shell.stdin.take());
    shell.wait().expect("it ends");
    drop((client, end));
    worker.join().expect("it ends");

    let is_ours = |link: &String| {
        ours.contains(link) || link.starts_with("anon_inode:") || link.starts_with("/proc/")
    };
    assert!(inherited.len() > 2, "{inherited:?}");
    assert!(!inherited.iter().any(is_ours), "{inherited:?}");
}

/// What the file descriptors of a process are.
fn links(dir: &str) -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(dir).expect("the process runs").flatten();
    let links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    links.map(|link| link.to_string_lossy().into_owned())
}

#[test]
fn without_file_descriptors_the_rest_goes_on_and_with_them_all_of_it() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    begin();
    let socket = socket();
    run("before", async {}).join().expect("it ends");
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills a local.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let few = libc::rlimit {
        rlim_cur: 64.min(limit.rlim_max),
        ..limit
    };
    // SAFETY: reads a local.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const few) };
    let mut held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(held.len() < 64, "there is a limit");

    // A thread that could not open its own file, and a poll that hangs on it.
    let worker = run("starved", async {
        // Long, so that a machine that is busy has found it by then.
        thread::sleep(Duration::from_secs(5));
    });
    let live = until("a finding without a stack", || {
        finding(Kind::SlowPoll, "starved")
    });
    assert!(live.live, "while it was stuck: {live:?}");
    worker.join().expect("it ends");

    // Files of the system that were being read when the limit was met are closed by now.
    held.extend(std::iter::from_fn(|| File::open("/dev/null").ok()));
    held.pop();
    let stream = UnixStream::connect(socket).expect("the kernel takes it");
    let answered = is_answered(&stream, Duration::from_millis(400));
    assert!(!answered, "nobody can accept it");
    held.clear();
    assert!(is_answered(&stream, Duration::from_secs(10)));
    // SAFETY: reads a local.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
}
