//! What a program prints while it shares the terminal with a screen: passed on before the screen, held under it, and
//! printed after it. At most [`MOST`] bytes are held, the newest.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::process::{Child, ChildStderr, ChildStdout};

use super::super::exit::say;

/// Held at most.
const MOST: usize = 4 * 1024 * 1024;
/// Read at once.
const PIECE: usize = 16 * 1024;
/// The program has ended: what it wrote last is in the pipes. Whoever still holds them open is not waited for.
const LAST: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

impl Stream {
    /// What cannot be printed is lost: there is nobody to tell, and the program is not to suffer from it.
    fn print(self, bytes: &[u8]) {
        let _ = match self {
            Self::Out => io::stdout()
                .write_all(bytes)
                .and_then(|()| io::stdout().flush()),
            Self::Err => io::stderr().write_all(bytes),
        };
    }
}

/// Pieces in the order they came.
#[derive(Debug, Default)]
struct Held {
    holds: bool,
    pieces: VecDeque<(Stream, Vec<u8>)>,
    bytes: usize,
    /// Bytes that were let go.
    dropped: u64,
}

impl Held {
    fn keep(&mut self, stream: Stream, bytes: &[u8]) {
        self.pieces.push_back((stream, bytes.to_vec()));
        self.bytes += bytes.len();
        while self.bytes > MOST
            && let Some((_, oldest)) = self.pieces.pop_front()
        {
            self.bytes -= oldest.len();
            self.dropped += oldest.len() as u64;
        }
    }
}

/// The two streams of a program, each read by a thread of its own: nothing that we do may block the program.
#[derive(Debug)]
pub(super) struct Output {
    held: Arc<Mutex<Held>>,
    /// Closed once both streams are at their end.
    open: Receiver<()>,
}

impl Output {
    /// Takes the pipes of the program, and passes on what comes through them.
    pub(super) fn of(child: &mut Child) -> io::Result<Self> {
        let out = child.stdout.take().map(ChildStdout::into_owned_fd);
        let err = child.stderr.take().map(ChildStderr::into_owned_fd);
        let (is_open, open) = channel();
        let output = Self {
            held: Arc::default(),
            open,
        };
        for (stream, pipe) in [(Stream::Out, out), (Stream::Err, err)] {
            if let Some(pipe) = pipe {
                output.read(stream, pipe?, is_open.clone())?;
            }
        }
        Ok(output)
    }

    fn read(&self, stream: Stream, pipe: OwnedFd, is_open: Sender<()>) -> io::Result<()> {
        // Tokio made it answer at once; a thread of its own may wait.
        rustix::io::ioctl_fionbio(&pipe, false)?;
        let held = Arc::clone(&self.held);
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                let mut pipe = std::fs::File::from(pipe);
                let mut piece = vec![0; PIECE];
                while let Ok(n @ 1..) = pipe.read(&mut piece) {
                    let mut held = lock(&held);
                    if held.holds {
                        held.keep(stream, &piece[..n]);
                    } else {
                        // Under the lock: a screen is not opened in the middle of it.
                        stream.print(&piece[..n]);
                    }
                }
                drop(is_open);
            })
            .map(drop)
    }

    /// From here on the terminal is the screen's.
    pub(super) fn hold(&self) {
        lock(&self.held).holds = true;
    }

    /// Prints what was held; from here on all is passed on again.
    pub(super) fn release(&self) {
        let mut held = lock(&self.held);
        held.holds = false;
        if held.dropped > 0 {
            say(&format!(
                "of what the program printed under the screen the first {} bytes are not kept",
                held.dropped
            ));
        }
        for (stream, bytes) in held.pieces.drain(..) {
            stream.print(&bytes);
        }
        (held.bytes, held.dropped) = (0, 0);
    }

    /// The program has ended: waits for what it printed last.
    pub(super) fn finish(self) {
        let until = Instant::now() + LAST;
        let left = || until.saturating_duration_since(Instant::now());
        while self.open.recv_timeout(left()).is_ok() {}
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_held_and_the_rest_is_counted() {
        let mut held = Held::default();
        for at in 0..=MOST / PIECE + 2 {
            let stream = if at % 2 == 0 {
                Stream::Out
            } else {
                Stream::Err
            };
            let piece: Vec<u8> = std::iter::repeat_n(at as u8, PIECE).collect();
            held.keep(stream, &piece);
        }
        assert!(held.bytes <= MOST);
        assert_eq!(held.dropped, 3 * PIECE as u64);
        assert_eq!(held.pieces[0].0, Stream::Err, "in the order they came");
        assert_eq!(held.pieces[0].1[0], 3);
    }
}
