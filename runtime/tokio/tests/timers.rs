//! Timers of `time`: late where something held their worker, and not where a test moves the clock.

#![cfg(feature = "capture")]

use std::sync::{Mutex, PoisonError};
use std::thread;

use pollscope_capture::event::Family;
use pollscope_tokio::runtime::Builder;
use pollscope_tokio::task;
use pollscope_tokio::time::{self, Duration, watched};

const SOON: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_millis(800);

/// Late timers that were counted so far.
fn late() -> u64 {
    let mut found = 0;
    for thread in pollscope_capture::thread::all() {
        for site in 0..pollscope_capture::site::count() {
            let tally = thread.tally(pollscope_capture::SiteId(site));
            found += tally.map_or(0, |tally| tally.found[Family::TimerLate as usize].get());
        }
    }
    found
}

/// The counts are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_timer_is_late_by_the_clock_of_the_machine_and_where_its_task_waited_for_it() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let builder = || {
        let mut builder = Builder::new_current_thread();
        builder.debug(true).enable_all();
        builder
    };
    let threshold = Duration::from_secs(3600);
    let paused = builder().slow_poll(threshold).build();
    paused.expect("a runtime").block_on(async {
        time::pause();
        let sleeps = task::spawn(time::sleep(SOON));
        task::yield_now().await;
        time::advance(2 * threshold).await;
        sleeps.await.expect("it ends");
        time::sleep(2 * threshold).await;
    });
    assert_eq!(late(), 0, "nobody was held");

    let runtime = builder().slow_poll(SOON / 5).build().expect("a runtime");
    runtime.block_on(async {
        let mut interval = watched::interval(SOON);
        let sleeps = task::spawn(time::sleep(SOON));
        let ends = task::spawn(time::timeout(SOON, std::future::pending::<()>()));
        let ticks = task::spawn(async move {
            interval.tick().await;
            interval.tick().await;
        });
        task::yield_now().await;
        thread::sleep(LONG);
        sleeps.await.expect("it ends");
        ends.await.expect("it ends").expect_err("elapsed");
        ticks.await.expect("it ends");
    });
    assert_eq!(late(), 3, "a sleep, a timeout and a tick");
}

#[test]
fn the_methods_are_tokios() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let now = time::Instant::now();
        let mut sleep = std::pin::pin!(time::sleep_until(now + LONG));
        assert_eq!(sleep.deadline(), now + LONG);
        assert!(!sleep.is_elapsed());
        sleep.as_mut().reset(now);
        sleep.as_mut().await;
        assert!(sleep.is_elapsed());

        let timeout = time::timeout_at(now + LONG, std::future::ready(7));
        assert_eq!(timeout.await, Ok(7));
        let never = time::timeout(Duration::MAX, std::future::ready(8));
        assert_eq!(never.into_inner().await, 8);

        let mut interval = watched::interval_at(now, LONG);
        interval.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
        let behavior = interval.missed_tick_behavior();
        assert_eq!(behavior, time::MissedTickBehavior::Skip);
        assert_eq!(interval.period(), LONG);
        assert_eq!(interval.tick().await, now);
        interval.reset_immediately();
        interval.tick().await;
        interval.reset_after(SOON);
        interval.reset_at(now);
        assert_eq!(interval.tick().await, now);
        interval.reset();
    });
}
