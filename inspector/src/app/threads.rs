//! Threads, and the stacks that were taken of them.

use std::collections::HashMap;
use std::time::Duration;

use pollscope_proto::order::Order;

use super::filter::FilterLine;
use super::list::{List, Row};
use super::sort::{self, Sort};
use crate::model::{Thread, ThreadStack};

impl Row for Thread {
    type Key = u32;

    fn key(&self) -> u32 {
        self.tid
    }
}

#[derive(Clone, Debug)]
pub struct Threads {
    pub list: List<Thread>,
    pub sort: Sort,
    /// By thread, as the last dump took them.
    pub stacks: HashMap<u32, ThreadStack>,
    /// When that was.
    pub taken: Option<Duration>,
    /// A dump was asked for and is not here yet.
    pub asking: bool,
    /// First frame shown of the selected stack.
    pub scroll: usize,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            list: List::default(),
            sort: Sort::by(Order::Name),
            stacks: HashMap::new(),
            taken: None,
            asking: false,
            scroll: 0,
        }
    }
}

impl Threads {
    /// Stacks were taken, or are about to be.
    pub fn has_stacks(&self) -> bool {
        self.asking || self.taken.is_some()
    }

    pub(super) fn replace(&mut self, rows: Vec<Thread>, filter: &FilterLine, hold: bool) {
        let sort = self.sort;
        self.list
            .replace(rows, hold, |rows| arrange(rows, filter, sort));
    }

    pub(super) fn rearrange(&mut self, filter: &FilterLine) {
        let sort = self.sort;
        self.list.rearrange(|rows| arrange(rows, filter, sort));
    }

    /// The stack of the thread under the cursor, if one was taken.
    pub fn stack(&self) -> Option<&ThreadStack> {
        self.stacks.get(&self.list.selected()?.tid)
    }
}

fn arrange(rows: &[&Thread], filter: &FilterLine, sort: Sort) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..rows.len())
        .filter(|&at| filter.filter.matches(rows[at]))
        .collect();
    sort::threads(sort, rows, &mut shown);
    shown
}
