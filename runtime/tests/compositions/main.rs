//! Random compositions of tracked futures against an oracle that knows which of them were really forgotten.
//!
//! Not one finding may be about a future that was polled, raced in our macros, aborted, unwound or discarded; each
//! that was forgotten must be found once, and as definite wherever nothing was polled between its making and its drop.
//! What only a foreign owner can know (`FuturesUnordered`, `timeout`) may be found, and is never called definite where
//! something tracked was polled in between.
//!
//! 1,000 programs by default; `PROPTEST_CASES=10000` for more.

#![cfg(feature = "capture")]

mod oracle;
mod program;
mod run;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use oracle::Summary;

#[test]
fn nothing_is_told_of_a_future_that_was_not_forgotten_and_all_of_those_that_were() {
    oracle::prepare();
    let mut config = Config {
        // A program that failed is printed whole, and belongs into a test of its own.
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 1000;
    }
    let enough = config.cases >= 1000;
    let total = std::cell::Cell::new(Summary::default());
    let result = TestRunner::new(config).run(&program::any(), |program| {
        let fates = run::to_the_end(&program);
        let summary = oracle::judge(&fates).map_err(TestCaseError::fail)?;
        total.set(total.get() + summary);
        Ok(())
    });
    let total = total.get();
    println!("{total:?}");
    if let Err(error) = result {
        panic!("{error}\n{total:?}");
    }
    // A generator that never makes a mistake proves nothing.
    assert!(!enough || total.has_all(), "{total:?}");
}
