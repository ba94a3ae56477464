//! P20: a task fails while its loop shuts down.

use pollscope::runtime::Builder;

struct Connection {
    is_closed: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        assert!(self.is_closed, "the connection was left open"); // @panics
    }
}

fn run(is_closed: bool) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let connection = Connection { is_closed };
        let serve = async move {
            let _connection = connection;
            std::future::pending::<()>().await;
        };
        drop(pollscope::spawn(serve)); // @spawned
        tokio::task::yield_now().await;
    });
    drop(runtime);
}

pub(crate) fn faulty() {
    run(false);
}

pub(crate) fn healthy() {
    run(true);
}
