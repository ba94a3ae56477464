//! What a user types while a program has the terminal, passed on to it line by line.
//!
//! A terminal is read only when it has a line: a read that waits would take the first keys of the screen that comes.

use std::fs::File;
use std::future::pending;
use std::io;
use std::os::fd::AsFd;

use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::process::ChildStdin;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The keyboard, and the way to the program.
pub(super) struct Typed {
    /// No pipe, but what is asked of one: when there is something, and that.
    keyboard: pipe::Receiver,
    /// `None`: the user, or the program, has closed it.
    lines: Option<UnboundedSender<Vec<u8>>>,
}

impl Typed {
    /// On a runtime, which does the writing: a program that reads nothing holds nobody up.
    pub(super) fn new(to: Option<ChildStdin>) -> io::Result<Self> {
        let keyboard = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        // Unchecked: it is not made to answer at once, for a shell shares it with us. It is read when it has a line.
        let keyboard = pipe::Receiver::from_file_unchecked(keyboard)?;
        let lines = to.map(|mut to| {
            let (lines, mut typed) = unbounded_channel::<Vec<u8>>();
            tokio::spawn(async move {
                while let Some(line) = typed.recv().await {
                    if to.write_all(&line).await.is_err() {
                        break;
                    }
                }
            });
            lines
        });
        Ok(Self { keyboard, lines })
    }

    /// Waits for a line, and passes it on. Cancel safe.
    pub(super) async fn pass_on(&mut self) {
        let Some(lines) = &self.lines else {
            return pending().await;
        };
        if self.keyboard.readable().await.is_err() {
            return pending().await;
        }
        let mut line = vec![0; 4096];
        let read = self.keyboard.try_read(&mut line);
        let goes_on = match read {
            // Ctrl-D.
            Ok(0) => false,
            Ok(n) => {
                line.truncate(n);
                lines.send(line).is_ok()
            }
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
            ),
        };
        if !goes_on {
            self.lines = None;
        }
    }
}
