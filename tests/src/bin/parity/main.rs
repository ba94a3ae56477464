//! asyncio's debug mode, row by row: `parity ROW faulty|healthy`.
//!
//! Each row is a file with two functions: `faulty` does what must be reported, `healthy` is its twin, as like it as can
//! be, and must be met with silence. When the function has returned and all is told, the program says `done` and stays
//! until its standard input is closed, for `tests/parity/` to look at it. A line that a test asks for is marked by a
//! comment at its end: `// @name`.

#![expect(clippy::print_stdout, reason = "the tests read what it prints")]

use std::io::Read;
use std::process::ExitCode;

mod e12_never_polled;
mod e20_unread;
mod e42_sched_delay;
mod e43_slow_drop;
mod e56_strange_names;
mod guard_across_await;
mod leak_tasks;
mod p01_enabling;
mod p02_log_level;
mod p03_never_awaited;
mod p03b_dropped_elsewhere;
mod p04_backtrace;
mod p05_dedupe;
mod p06_deny;
mod p07_wrong_thread_call;
mod p08_no_runtime;
mod p09_coroutine_threadsafe;
mod p10_call_soon_threadsafe;
mod p10b_waking_thread;
mod p11_executor;
mod p12_slow_poll;
mod p13_stuck_now;
mod p14_timer_late;
mod p15_slow_lookup;
mod p16_lost_errors;
mod p17_callback_panic;
mod p18_exception_handler;
mod p19_destroyed_pending;
mod p20_shutdown_panic;
mod p21_resources;
mod p22_streams;
mod p23_signals;
mod p23b_unheard_signal;
mod p24_nested_runtime;
mod p25_blocking_socket;
mod p26_repr;
mod p27_set_debug;
mod p29_sub_future;
mod p30_cancel;
mod pool_full;
mod words;

struct Row {
    name: &'static str,
    faulty: fn(),
    healthy: fn(),
}

macro_rules! rows {
    ($($name:literal => $module:ident,)*) => {
        &[$(Row { name: $name, faulty: $module::faulty, healthy: $module::healthy },)*]
    };
}

const ROWS: &[Row] = rows! {
    "e12" => e12_never_polled,
    "e20" => e20_unread,
    "e42" => e42_sched_delay,
    "e43" => e43_slow_drop,
    "e56" => e56_strange_names,
    "guard" => guard_across_await,
    "p01" => p01_enabling,
    "p02" => p02_log_level,
    "p03" => p03_never_awaited,
    "p04" => p04_backtrace,
    "p05" => p05_dedupe,
    "p06" => p06_deny,
    "p07" => p07_wrong_thread_call,
    "p08" => p08_no_runtime,
    "p09" => p09_coroutine_threadsafe,
    "p10" => p10_call_soon_threadsafe,
    "p10b" => p10b_waking_thread,
    "p11" => p11_executor,
    "p12" => p12_slow_poll,
    "p13" => p13_stuck_now,
    "p14" => p14_timer_late,
    "p15" => p15_slow_lookup,
    "p16" => p16_lost_errors,
    "p17" => p17_callback_panic,
    "p18" => p18_exception_handler,
    "p19" => p19_destroyed_pending,
    "p20" => p20_shutdown_panic,
    "p21" => p21_resources,
    "p22" => p22_streams,
    "p23" => p23_signals,
    "p23b" => p23b_unheard_signal,
    "p24" => p24_nested_runtime,
    "p25" => p25_blocking_socket,
    "p26" => p26_repr,
    "p03b" => p03b_dropped_elsewhere,
    "p27" => p27_set_debug,
    "p29" => p29_sub_future,
    "p30" => p30_cancel,
    "leak" => leak_tasks,
    "pool" => pool_full,
};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let row = |name: &str| ROWS.iter().find(|row| row.name == name);
    let work = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, "faulty"] => row(name).map(|row| row.faulty),
        [name, "healthy"] => row(name).map(|row| row.healthy),
        _ => None,
    };
    let Some(work) = work else {
        eprintln!("usage: parity ROW faulty|healthy");
        return ExitCode::from(2);
    };
    let _guard = pollscope::init();
    work();
    pollscope::flush();
    println!("done");
    let _ = std::io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}
