//! The columns a screen can be sorted by, and which one it is sorted by.

use pollscope_proto::order::Order;

use crate::model::{SiteRow, Thread};

/// In the order in which `<` and `>` walk them: that of the screen, then those without a column of their own.
pub const TASKS: &[Order] = &[
    Order::Warned,
    Order::Id,
    Order::Name,
    Order::State,
    Order::Age,
    Order::Busy,
    Order::Max,
    Order::Polls,
    Order::Scheduled,
    Order::Wakes,
    Order::Bytes,
    Order::Site,
    Order::SelfWakes,
    Order::Idle,
    Order::Current,
    Order::Kind,
    Order::Runtime,
];

pub const SITES: &[Order] = &[
    Order::Warned,
    Order::Site,
    Order::Live,
    Order::Growth,
    Order::Age,
    Order::Lifetime,
    Order::Bytes,
    Order::Busy,
    Order::Max,
    Order::Polls,
    Order::Scheduled,
    Order::Spawned,
    Order::Ended,
];

pub const THREADS: &[Order] = &[
    Order::Name,
    Order::Id,
    Order::State,
    Order::Current,
    Order::Busy,
    Order::Polls,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: Order,
    pub descending: bool,
}

impl Sort {
    /// By that column, what one wants to see first on top.
    pub const fn by(by: Order) -> Self {
        Self {
            by,
            descending: by.largest_first(),
        }
    }

    /// The column `by` places further in `columns`.
    pub fn step(&mut self, columns: &[Order], by: isize) {
        let at = columns
            .iter()
            .position(|&column| column == self.by)
            .unwrap_or(0);
        let len = columns.len() as isize;
        let next = (at as isize + by).rem_euclid(len.max(1));
        if let Some(&column) = columns.get(next as usize) {
            *self = Self::by(column);
        }
    }

    pub const fn reverse(&mut self) {
        self.descending = !self.descending;
    }

    /// The mark in the header of the column.
    pub const fn arrow(self) -> &'static str {
        if self.descending { "▾" } else { "▴" }
    }
}

/// What a row is sorted by: numbers first, then text; what was not measured comes last either way.
#[derive(Clone, Debug, PartialEq)]
enum Weight<'a> {
    Number(f64),
    /// A text and its closing number, and what tells those apart that share both.
    Text(&'a str, u64, &'a str),
    Missing,
}

fn number(value: Option<u64>) -> Weight<'static> {
    value.map_or(Weight::Missing, |value| Weight::Number(value as f64))
}

fn site_weight(row: &SiteRow, by: Order) -> Weight<'_> {
    match by {
        Order::Warned => number(row.warned.map(|severity| severity as u64)),
        Order::Live => number(Some(row.live)),
        Order::Growth => Weight::Number(row.live_per_min),
        Order::Age => number(row.age_ns.as_ref().map(|age| age.max)),
        Order::Lifetime => number(row.lifetime_ns.as_ref().map(|life| life.p50)),
        Order::Bytes => number(Some(row.live_bytes)),
        Order::Busy => number(row.busy_ns),
        Order::Max => number(row.poll_ns.as_ref().map(|poll| poll.max)),
        Order::Polls => number(Some(row.polls)),
        Order::Scheduled => number(row.scheduled_ns.as_ref().map(|wait| wait.max)),
        Order::Spawned => number(Some(row.spawned)),
        Order::Ended => number(Some(row.ended)),
        _ => Weight::Text(&row.site.file, u64::from(row.site.line), &row.name),
    }
}

fn thread_weight(row: &Thread, by: Order) -> Weight<'_> {
    match by {
        Order::Id => number(Some(u64::from(row.tid))),
        Order::State => Weight::Text(&row.now, 0, ""),
        Order::Current => number(row.current_task.map(|_| row.current_poll_ns)),
        Order::Busy => row.busy_ratio.map_or(Weight::Missing, Weight::Number),
        Order::Polls => number(Some(row.polls)),
        _ => Weight::Text(&row.name, u64::from(row.tid), ""),
    }
}

fn compare(a: &Weight<'_>, b: &Weight<'_>, descending: bool) -> std::cmp::Ordering {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let forward = match (a, b) {
        (Weight::Missing, Weight::Missing) => return Equal,
        (Weight::Missing, _) => return Greater,
        (_, Weight::Missing) => return Less,
        (Weight::Number(a), Weight::Number(b)) => a.total_cmp(b),
        (Weight::Text(text, line, name), Weight::Text(other, other_line, other_name)) => {
            let by_text = natural(text).cmp(&natural(other));
            by_text
                .then(line.cmp(other_line))
                .then(name.cmp(other_name))
        }
        (Weight::Number(_), Weight::Text(..)) => Less,
        (Weight::Text(..), Weight::Number(_)) => Greater,
    };
    if descending {
        forward.reverse()
    } else {
        forward
    }
}

/// `worker-10` after `worker-9`: the text without its closing number, and the number.
fn natural(text: &str) -> (&str, u64) {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem, text[stem.len()..].parse().unwrap_or(0))
}

/// Sorts indices into `rows`; ties keep the order of arrival.
pub fn sites(sort: Sort, rows: &[&SiteRow], order: &mut [usize]) {
    order.sort_by(|&a, &b| {
        let (a, b) = (site_weight(rows[a], sort.by), site_weight(rows[b], sort.by));
        compare(&a, &b, sort.descending)
    });
}

/// Sorts indices into `rows`; ties keep the order of arrival.
pub fn threads(sort: Sort, rows: &[&Thread], order: &mut [usize]) {
    order.sort_by(|&a, &b| {
        let (a, b) = (
            thread_weight(rows[a], sort.by),
            thread_weight(rows[b], sort.by),
        );
        compare(&a, &b, sort.descending)
    });
}

#[cfg(test)]
mod tests {
    use pollscope_proto::order::Rows;

    use super::*;

    #[test]
    fn the_columns_are_those_the_protocol_knows() {
        assert!(TASKS.iter().all(|column| column.is_of(Rows::Tasks)));
        assert!(SITES.iter().all(|column| column.is_of(Rows::Sites)));
        assert!(THREADS.iter().all(|column| column.is_of(Rows::Threads)));
    }

    #[test]
    fn stepping_walks_round_and_takes_the_natural_direction() {
        let mut sort = Sort::by(Order::Warned);
        sort.step(TASKS, -1);
        assert_eq!(sort, Sort::by(Order::Runtime));
        sort.step(TASKS, 1);
        sort.step(TASKS, 1);
        assert_eq!((sort.by, sort.descending), (Order::Id, false));
        sort.reverse();
        assert_eq!(sort.arrow(), "▾");
    }

    #[test]
    fn what_was_not_measured_comes_last_either_way() {
        let site = |busy_ns| SiteRow {
            busy_ns,
            ..SiteRow::default()
        };
        let rows = [site(None), site(Some(1)), site(Some(2))];
        let refs: Vec<&SiteRow> = rows.iter().collect();
        for (descending, wanted) in [(true, [2, 1, 0]), (false, [1, 2, 0])] {
            let mut order = [0, 1, 2];
            let by = Order::Busy;
            sites(Sort { by, descending }, &refs, &mut order);
            assert_eq!(order, wanted);
        }
    }

    #[test]
    fn threads_of_one_pool_are_in_the_order_of_their_numbers() {
        let thread = |name: &str| Thread {
            name: name.to_owned(),
            ..Thread::default()
        };
        let rows = [thread("worker-10"), thread("worker-9"), thread("main")];
        let refs: Vec<&Thread> = rows.iter().collect();
        let mut order = [0, 1, 2];
        threads(Sort::by(Order::Name), &refs, &mut order);
        assert_eq!(order, [2, 1, 0]);
    }
}
