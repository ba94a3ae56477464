//! P25: a socket that blocks is given to the runtime.

use std::net::{TcpListener, UdpSocket};

use pollscope::runtime::Runtime;

use super::words::panics_with;

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// Only a debug build of Tokio looks: without one nothing is said, and nothing is asked for.
pub(crate) fn faulty() {
    if !cfg!(debug_assertions) {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let _entered = runtime.enter();
    panics_with(
        "Registering a blocking socket with the tokio runtime",
        || {
            let _ = pollscope::net::TcpListener::from_std(listener()); // @given
        },
    );
}

pub(crate) fn healthy() {
    let runtime = Runtime::new().expect("a runtime");
    let _entered = runtime.enter();
    let listener = listener();
    listener.set_nonblocking(true).expect("a socket");
    drop(pollscope::net::TcpListener::from_std(listener).expect("it is taken"));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_nonblocking(true).expect("a socket");
    drop(pollscope::net::UdpSocket::from_std(socket).expect("it is taken"));
}
