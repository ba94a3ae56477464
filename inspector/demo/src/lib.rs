//! A small order service with one honest instance of each defect that pollscope finds.
//!
//! It serves HTTP on loopback, a client of its own keeps it busy, and a few hundred healthy tasks do what such
//! programs do. Each file in `defects` holds one mistake as it is made in real code; `healthy` switches all of
//! them off, and then nothing may be reported.

mod client;
mod defects;
mod healthy;
mod service;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

/// How to run the program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Without the defects.
    pub healthy: bool,
    /// Where to serve HTTP; a free port of loopback if not given.
    pub addr: Option<SocketAddr>,
}

/// What `pollscope demo` puts in the ready line, so that whoever started the program can wait for it.
pub const READY: &str = "pollscope demo: ready";

/// Workers of the runtime: more than the defects can hold at one time, so that the healthy part goes on.
const WORKERS: usize = 6;

/// Runs the program until it is killed.
pub fn run(options: Options) -> ExitCode {
    // The guard tells what is left to tell when the program ends.
    let _guard = pollscope::init();
    let runtime = match pollscope::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("orders")
        .name("orders")
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    // "Ready" must mean that one can attach: after this the socket is there.
    pollscope::flush();
    match runtime.block_on(serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &io::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "pollscope demo: {error}");
    ExitCode::FAILURE
}

async fn serve(options: Options) -> io::Result<()> {
    let addr = options
        .addr
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let listener = tokio::net::TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let shop = Arc::new(service::Shop::default());
    let server = pollscope::task::Builder::new()
        .name("http server")
        .spawn(service::serve(listener, Arc::clone(&shop)))?;

    client::start(addr);
    healthy::start(&shop);
    if !options.healthy {
        defects::start(addr, &shop);
    }

    let mut out = io::stdout();
    // Whoever started us may have closed our output by now; the service goes on.
    let _ = writeln!(out, "{READY} pid {} http {addr}", std::process::id());
    let _ = out.flush();
    server.await.map_err(io::Error::other)?
}
