use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

/// Some record: keys need one, and do not look at it.
fn record() -> &'static Record {
    static RECORD: Mutex<Option<&'static Record>> = Mutex::new(None);
    let mut known = RECORD.lock().expect("no panic");
    known.get_or_insert_with(|| {
        pollscope_capture::registry::start();
        let meta = pollscope_capture::task::Meta {
            location: std::panic::Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: pollscope_capture::task::Asks::Caller,
        };
        let (task, _) = pollscope_capture::instrumented::instrument(
            std::future::pending::<()>(),
            pollscope_capture::instrumented::Untold,
            &meta,
        );
        let id = task.id();
        std::mem::forget(task);
        registry::find(id).expect("it lives").0
    })
}

fn keys(ranks: &[u64]) -> Vec<Key> {
    ranks
        .iter()
        .enumerate()
        .map(|(id, rank)| Key {
            rank: *rank,
            id: id as u64,
            record: record(),
        })
        .collect()
}

proptest! {
    /// The window is what a full sort would show, in whatever order keys come and however often it is cut.
    #[test]
    fn a_window_is_a_slice_of_the_whole_order(
        ranks in prop::collection::vec(0_u64..200, 0..3_000),
        offset in 0_usize..700,
        limit in 1_usize..700,
    ) {
        let mut whole = keys(&ranks);
        whole.sort_unstable_by_key(Key::place);
        let expected: Vec<_> = whole.iter().skip(offset).take(limit).map(Key::place).collect();
        let mut kept = Vec::new();
        let mut window = Window { end: offset + limit, last: None };
        for key in keys(&ranks) {
            window.keep(&mut kept, key);
            prop_assert!(kept.len() < (2 * window.end).max(LEAST_ROOM), "bounded by the window");
        }
        window.cut(&mut kept);
        let rows: Vec<_> = sorted_from(&mut kept, offset).iter().map(Key::place).collect();
        prop_assert_eq!(rows, expected);
    }
}

#[test]
fn what_was_not_measured_comes_last_in_both_directions() {
    for descending in [false, true] {
        for measured in [0, 1, u64::MAX] {
            assert!(directed(Some(measured), descending) < directed(None, descending));
        }
    }
    assert!(directed(Some(1), false) < directed(Some(2), false));
    assert!(directed(Some(2), true) < directed(Some(1), true));
}
