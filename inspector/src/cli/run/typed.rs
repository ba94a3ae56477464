//! What a user types while a program has the terminal, passed on to it line by line.
//!
//! A thread of its own reads the terminal, and only when it has a line: a read that waits would take the first keys of
//! the screen that comes.

use std::fs::File;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::process::ChildStdin;

/// The way from the keyboard to the program.
pub(super) struct Typed {
    shared: Arc<Shared>,
    /// Dropped, it wakes the thread.
    wake: Option<PipeWriter>,
}

struct Shared {
    /// The terminal is not the program's any more. Held while a line is read: none is after it was set.
    is_over: Mutex<bool>,
    /// `None` once the user has closed it. Else it stays open while a screen is: a program must not meet the end of its
    /// input because of that.
    program: Mutex<Option<File>>,
}

impl Typed {
    pub(super) fn new(to: Option<ChildStdin>) -> io::Result<Self> {
        let program = match to {
            Some(to) => {
                let to = to.into_owned_fd()?;
                // Tokio made it answer at once; a thread of its own may wait.
                rustix::io::ioctl_fionbio(&to, false)?;
                Some(File::from(to))
            }
            None => None,
        };
        let shared = Arc::new(Shared {
            is_over: Mutex::new(false),
            program: Mutex::new(program),
        });
        let keyboard = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let (woken, wake) = io::pipe()?;
        let passes = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("typed".to_owned())
            .spawn(move || {
                // A terminal that is gone ends it as Ctrl-D does.
                if !matches!(passes.pass_on(&keyboard, &woken), Ok(End::Over)) {
                    passes.close();
                }
            })?;
        let wake = Some(wake);
        Ok(Self { shared, wake })
    }

    /// From here on the terminal is the screen's.
    pub(super) fn stop(&mut self) {
        *self
            .shared
            .is_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.wake = None;
    }
}

enum End {
    /// Ctrl-D.
    Closed,
    Over,
}

impl Shared {
    fn pass_on(&self, mut keyboard: &File, woken: &impl AsFd) -> io::Result<End> {
        let mut line = vec![0; 4096];
        loop {
            let mut either = [
                PollFd::new(keyboard, PollFlags::IN),
                PollFd::new(woken, PollFlags::IN),
            ];
            match poll(&mut either, None) {
                Err(rustix::io::Errno::INTR) => continue,
                told => drop(told?),
            }
            let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
            if *is_over {
                return Ok(End::Over);
            }
            let n = keyboard.read(&mut line)?;
            drop(is_over);
            if n == 0 {
                return Ok(End::Closed);
            }
            let mut program = self.program.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(program) = &mut *program else {
                return Ok(End::Closed);
            };
            program.write_all(&line[..n])?;
        }
    }

    fn close(&self) {
        *self.program.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
