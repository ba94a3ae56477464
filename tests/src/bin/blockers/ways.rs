//! The ways to block. Each is a function of its own, so that its name can be asked for in the stack.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

type Blocker = Box<dyn FnOnce() -> String + Send>;

/// One way to block.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// Sets up what the way needs, and gives what blocks and says what came of it.
    pub(crate) prepare: fn(Duration) -> Blocker,
}

pub(crate) const WAYS: &[Way] = &[
    Way {
        name: "std_sleep",
        prepare: |time| Box::new(move || std_sleep(time)),
    },
    Way {
        name: "spin",
        prepare: |time| Box::new(move || spin(time)),
    },
    Way {
        name: "pipe_read",
        prepare: pipe,
    },
    Way {
        name: "std_mutex",
        prepare: mutex,
    },
    Way {
        name: "condvar",
        prepare: condvar,
    },
    Way {
        name: "raw_nanosleep",
        prepare: |time| Box::new(move || raw_nanosleep(time)),
    },
    Way {
        name: "raw_poll",
        prepare: |time| Box::new(move || raw_poll(time)),
    },
    Way {
        name: "socket_read",
        prepare: socket,
    },
    Way {
        name: "dns_lookup",
        prepare: |time| Box::new(move || dns_lookup(time)),
    },
    Way {
        name: "fsync_file",
        prepare: |time| Box::new(move || fsync_file(time)),
    },
    Way {
        name: "nested_block_on",
        prepare: |time| Box::new(move || nested_block_on(time)),
    },
    Way {
        name: "stopped",
        prepare: stop,
    },
];

#[inline(never)]
fn std_sleep(time: Duration) -> String {
    thread::sleep(time);
    "slept".to_owned()
}

#[inline(never)]
fn spin(time: Duration) -> String {
    let start = Instant::now();
    let mut sum = 0_u64;
    while start.elapsed() < time {
        for n in 0..1_000 {
            sum = std::hint::black_box(sum.wrapping_mul(31) ^ n);
        }
    }
    "spun".to_owned()
}

fn pipe(time: Duration) -> Blocker {
    let (from, mut to) = std::io::pipe().expect("a pipe");
    thread::spawn(move || {
        thread::sleep(time);
        let _ = to.write_all(b"x");
    });
    Box::new(move || pipe_read(from))
}

#[inline(never)]
fn pipe_read(mut from: std::io::PipeReader) -> String {
    format!("{:?}", from.read(&mut [0; 8]))
}

fn mutex(time: Duration) -> Blocker {
    let mutex = Arc::new(Mutex::new(7));
    let held = Arc::clone(&mutex);
    let (send, ready) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let _guard = held.lock();
        let _ = send.send(());
        thread::sleep(time);
    });
    let _ = ready.recv();
    Box::new(move || std_mutex(&mutex))
}

#[inline(never)]
fn std_mutex(mutex: &Mutex<i32>) -> String {
    format!("{:?}", mutex.lock().map(|value| *value).ok())
}

fn condvar(time: Duration) -> Blocker {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let notifier = Arc::clone(&pair);
    thread::spawn(move || {
        thread::sleep(time);
        if let Ok(mut ready) = notifier.0.lock() {
            *ready = true;
        }
        notifier.1.notify_all();
    });
    Box::new(move || condvar_wait(&pair))
}

#[inline(never)]
fn condvar_wait(pair: &(Mutex<bool>, Condvar)) -> String {
    let mut ready = pair.0.lock().expect("not poisoned");
    while !*ready {
        ready = pair.1.wait(ready).expect("not poisoned");
    }
    "notified".to_owned()
}

#[inline(never)]
#[expect(
    unsafe_code,
    reason = "the raw system call, which a signal would cut short"
)]
fn raw_nanosleep(time: Duration) -> String {
    let request = libc::timespec {
        tv_sec: 0,
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    // SAFETY: the request is a valid timespec; no remainder is asked for.
    let done = unsafe { libc::nanosleep(&raw const request, std::ptr::null_mut()) };
    format!(
        "{done} {:?}",
        (done != 0).then(std::io::Error::last_os_error)
    )
}

#[inline(never)]
#[expect(
    unsafe_code,
    reason = "the raw system call, which a signal would cut short"
)]
fn raw_poll(time: Duration) -> String {
    // SAFETY: no descriptors are given.
    let done = unsafe { libc::poll(std::ptr::null_mut(), 0, time.as_millis() as i32) };
    format!(
        "{done} {:?}",
        (done != 0).then(std::io::Error::last_os_error)
    )
}

fn socket(time: Duration) -> Blocker {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream =
        TcpStream::connect(listener.local_addr().expect("its address")).expect("connected");
    stream.set_read_timeout(Some(time)).expect("a timeout");
    Box::new(move || {
        let result = socket_read(&stream);
        drop(listener);
        result
    })
}

#[inline(never)]
fn socket_read(mut stream: &TcpStream) -> String {
    format!(
        "{:?}",
        stream.read(&mut [0; 8]).map_err(|error| error.kind())
    )
}

/// Asks again and again: how long one question takes depends on the machine.
#[inline(never)]
fn dns_lookup(time: Duration) -> String {
    let start = Instant::now();
    while start.elapsed() < time {
        let _ = std::hint::black_box(("name.invalid", 80).to_socket_addrs().map(Iterator::count));
    }
    "asked".to_owned()
}

/// Again and again, likewise.
#[inline(never)]
fn fsync_file(time: Duration) -> String {
    let mut file = tempfile::tempfile().expect("a file");
    let start = Instant::now();
    while start.elapsed() < time {
        file.write_all(&vec![7; 65_536]).expect("written");
        file.sync_all().expect("synced");
    }
    "synced".to_owned()
}

#[inline(never)]
fn nested_block_on(time: Duration) -> String {
    let (send, receive) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        thread::sleep(time);
        let _ = send.send(5);
    });
    format!("{:?}", futures::executor::block_on(receive))
}

/// Somebody else must wake a process that is stopped: a shell that is ready and waits for a line.
fn stop(time: Duration) -> Blocker {
    let me = std::process::id();
    let script = format!(
        "read go; kill -STOP {me}; sleep {}; kill -CONT {me}",
        time.as_secs_f64()
    );
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let go = shell.stdin.take().expect("a pipe");
    thread::spawn(move || shell.wait());
    Box::new(move || stopped(go))
}

/// Never blocks: the whole process is stopped meanwhile.
#[inline(never)]
fn stopped(mut go: impl Write) -> String {
    let start = Instant::now();
    let mut last = start;
    go.write_all(b"go\n").expect("the shell listens");
    // Until time has jumped, or two seconds without.
    loop {
        let now = Instant::now();
        if now - last >= Duration::from_millis(200) {
            return "went on".to_owned();
        }
        if now - start >= Duration::from_secs(2) {
            return "was not stopped".to_owned();
        }
        last = now;
    }
}
