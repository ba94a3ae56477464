//! A place whose tasks hang, one of five; and its twin, where as many stay as well, and are polled. asyncio keeps its
//! tasks in a set, and leaves the counting to whoever looks.

use std::future;
use std::time::Duration;

const TURN: Duration = Duration::from_millis(100);
/// Longer than the test looks.
const TURNS: u32 = 3000;

/// Of five questions one is never answered.
pub(crate) fn faulty() {
    questions(|_| future::pending());
}

/// Of five connections one stays, and has a ping every second.
pub(crate) fn healthy() {
    questions(|_| async {
        loop {
            tokio::time::sleep(10 * TURN).await;
        }
    });
}

fn questions<F>(stays: impl Fn(u32) -> F + Copy + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = pollscope::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        println!("growing");
        for _ in 0..TURNS {
            for number in 0..5 {
                let asked = async move {
                    if number == 0 {
                        stays(number).await;
                    }
                };
                drop(pollscope::spawn(asked)); // @asked
            }
            tokio::time::sleep(TURN).await;
        }
    });
}
