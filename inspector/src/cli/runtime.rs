//! The runtime of one command, which does not outlive what the command waits for.

use std::io;

/// Tokio's runtime waits at its end for all that runs on blocking threads, without a limit: a file on a network that
/// hangs, a name look-up, debug information of gigabytes. A command that has its answer, or has given up, does not.
pub(super) struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    /// One on this thread.
    pub(super) fn new() -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        Ok(Self(Some(builder.enable_all().build()?)))
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("only the drop takes it"),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn its_end_does_not_wait_for_a_thread_that_blocks() {
        let (end, until) = mpsc::channel::<()>();
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let (started, running) = tokio::sync::oneshot::channel();
            tokio::task::spawn_blocking(move || {
                let _ = started.send(());
                // Until the other end is gone: were it waited for below, for ever.
                until.recv()
            });
            running.await.unwrap();
        });
        drop(runtime);
        drop(end);
    }
}
