//! P22: an async generator that was not read to its end.

use futures::{StreamExt, stream};
use pollscope::runtime::Runtime;

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        let mut rows = pollscope::must_finish(stream::iter([1, 2, 3])); // @made
        assert_eq!(rows.next().await, Some(1));
        drop(rows);
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        let rows = pollscope::must_finish(stream::iter([1, 2, 3]));
        assert_eq!(rows.count().await, 3);
        // Any other stream may be dropped when nobody wants more of it.
        let mut rows = stream::iter([1, 2, 3]);
        assert_eq!(rows.next().await, Some(1));
    });
}
