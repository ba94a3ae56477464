//! The service under measurement, as a process.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use pollscope_tests::Room;

/// Which of the two the process runs.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Plain,
    Watched,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Watched => "watched",
        }
    }
}

pub(crate) struct Served {
    child: Child,
    address: String,
    _room: Room,
}

impl Served {
    pub(crate) fn start(kind: Kind, level: &str) -> Self {
        let room = Room::new();
        let mut command = room.command(program());
        command.arg(kind.name());
        Self::run(command, level, room)
    }

    /// Starts `command`, which is to end up as the service.
    pub(crate) fn run(mut command: Command, level: &str, room: Room) -> Self {
        let mut child = command
            .env("POLLSCOPE", level)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut address = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut address)
            .expect("the service says where it is");
        let address = address.trim().to_owned();
        assert!(!address.is_empty(), "the service says where it is");
        Self {
            child,
            address,
            _room: room,
        }
    }

    pub(crate) fn url(&self, route: &str) -> String {
        format!("http://{}{route}", self.address)
    }

    /// CPU time of all its threads, user and kernel. To be asked while it is idle: the kernel counts a thread that
    /// runs at its next tick.
    pub(crate) fn cpu_ns(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        threads
            .expect("the service runs")
            .flatten()
            .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
            .filter_map(|stat| stat.split_whitespace().next()?.parse::<u64>().ok())
            .sum()
    }

    /// Asks so many times for `route`, over one connection, one after the other.
    pub(crate) fn ask(&self, route: &str, times: u64) {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        stream.set_nodelay(true).expect("it is a socket");
        let request = format!("GET {route} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        let mut answer = Vec::new();
        for _ in 0..times {
            stream
                .write_all(request.as_bytes())
                .expect("the service reads");
            answer.clear();
            while !is_whole(&answer) {
                let mut part = [0; 1024];
                let read = stream.read(&mut part).expect("the service answers");
                assert!(read > 0, "the service hung up");
                answer.extend_from_slice(&part[..read]);
            }
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{route} is served");
        }
    }

    /// Lets it end by itself, and waits for that.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "the service ended with {status}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_served")
}

/// Whether head and body have come. The bodies here are a few digits or letters, so the head has their length in one.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse::<usize>().ok())
            .is_some_and(|length| body.len() >= length)
    })
}
