//! P21: a resource that was never closed.

use pollscope::process::Command;
use pollscope::runtime::Runtime;

fn sleep() -> Command {
    let mut command = Command::new("sleep");
    command.arg("600");
    command
}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        let child = sleep().spawn().expect("it starts"); // @spawned
        let pid = child.id().expect("it runs");
        drop(child);
        end(pid);
    });
}

/// The test must not leave it behind.
#[expect(unsafe_code, reason = "sending a signal")]
fn end(pid: u32) {
    // SAFETY: kill has no preconditions; the process is our child, and nobody has waited for it.
    unsafe { libc::kill(pid as i32, libc::SIGKILL) };
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        let mut ended = sleep().spawn().expect("it starts");
        ended.kill().await.expect("it can be killed");
        assert!(!ended.wait().await.expect("its end").success());
        drop(ended);
        drop(sleep().kill_on_drop(true).spawn().expect("it starts"));
        let left = sleep().spawn().expect("it starts");
        let pid = left.id().expect("it runs");
        left.leave();
        end(pid);
        // In Rust, dropping a socket closes it.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        drop(listener.expect("a port"));
    });
}
