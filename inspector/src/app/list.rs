//! Rows that the inspector holds completely, in display order, under a cursor that follows its row.

use std::collections::HashMap;
use std::hash::Hash;

/// A row with an identity that outlives its place in the list.
pub trait Row {
    type Key: Clone + Eq + Hash;
    fn key(&self) -> Self::Key;
}

/// Where a step of the cursor leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    By(isize),
    First,
    Last,
}

impl Step {
    /// The position reached from `at` in a list of `len` rows.
    pub fn from(self, at: usize, len: usize) -> usize {
        let last = len.saturating_sub(1);
        match self {
            Self::By(by) => at.saturating_add_signed(by).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

/// The first row to show so that row `cursor` of `len` is on a screen of `height` rows, moving `top` the least.
pub fn scroll(top: usize, cursor: usize, height: usize, len: usize) -> usize {
    let height = height.max(1);
    let lowest = (cursor + 1).saturating_sub(height);
    top.clamp(lowest, cursor.max(lowest))
        .min(len.saturating_sub(height))
}

#[derive(Clone, Debug)]
struct Entry<T> {
    row: T,
    /// It was there and is no longer: kept, dim, until the cursor leaves it.
    gone: bool,
}

#[derive(Clone, Debug)]
pub struct List<T: Row> {
    entries: Vec<Entry<T>>,
    /// Indices into `entries`: what is shown, in order.
    shown: Vec<usize>,
    cursor: usize,
    top: usize,
    /// Somebody put the cursor where it is. Until then it is no selection: it stays on the first row, so that what
    /// comes in on top is seen.
    touched: bool,
}

impl<T: Row> Default for List<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            shown: Vec::new(),
            cursor: 0,
            top: 0,
            touched: false,
        }
    }
}

impl<T: Row> List<T> {
    /// Takes new rows. `arrange` says which are shown, in which order; with `hold` the rows that were shown
    /// keep their places and what is new comes after them.
    pub fn replace(&mut self, rows: Vec<T>, hold: bool, arrange: impl FnOnce(&[&T]) -> Vec<usize>) {
        let places: HashMap<T::Key, usize> = if hold {
            self.shown
                .iter()
                .enumerate()
                .map(|(place, &at)| (self.entries[at].row.key(), place))
                .collect()
        } else {
            HashMap::new()
        };
        let at_cursor = self
            .shown
            .get(self.cursor)
            .filter(|_| self.touched)
            .map(|&at| self.entries.swap_remove(at));
        self.entries = rows
            .into_iter()
            .map(|row| Entry { row, gone: false })
            .collect();

        let refs: Vec<&T> = self.entries.iter().map(|entry| &entry.row).collect();
        self.shown = arrange(&refs);
        if hold {
            self.shown.sort_by_key(|&at| {
                places
                    .get(&self.entries[at].row.key())
                    .copied()
                    .unwrap_or(usize::MAX)
            });
        }
        if let Some(kept) = at_cursor {
            self.follow(kept);
        }
        self.cursor = self.cursor.min(self.shown.len().saturating_sub(1));
    }

    /// Shows the same rows otherwise: after a change of sort, filter or fold.
    pub fn rearrange(&mut self, arrange: impl FnOnce(&[&T]) -> Vec<usize>) {
        let key = self.selected_key();
        let refs: Vec<&T> = self.entries.iter().map(|entry| &entry.row).collect();
        self.shown = arrange(&refs);
        self.shown.retain(|&at| !self.entries[at].gone);
        match key.and_then(|key| self.place_of(&key)) {
            Some(place) => self.cursor = place,
            None => self.cursor = self.cursor.min(self.shown.len().saturating_sub(1)),
        }
    }

    /// The cursor goes where its row went; a row that vanished stays where it was.
    fn follow(&mut self, kept: Entry<T>) {
        let key = kept.row.key();
        if let Some(place) = self.place_of(&key) {
            self.cursor = place;
        } else if !self.entries.iter().any(|entry| entry.row.key() == key) {
            let place = self.cursor.min(self.shown.len());
            self.shown.insert(place, self.entries.len());
            self.entries.push(Entry {
                row: kept.row,
                gone: true,
            });
            self.cursor = place;
        }
    }

    fn place_of(&self, key: &T::Key) -> Option<usize> {
        self.shown
            .iter()
            .position(|&at| self.entries[at].row.key() == *key)
    }

    /// Moves the cursor; says whether it moved.
    pub fn step(&mut self, step: Step) -> bool {
        self.go(step.from(self.cursor, self.shown.len()))
    }

    /// Puts the cursor on the row with this key, if it is shown.
    pub fn select(&mut self, key: &T::Key) -> bool {
        match self.place_of(key) {
            Some(place) => {
                self.go(place);
                true
            }
            None => false,
        }
    }

    /// Back to the first row, as if the cursor had never been moved.
    pub fn rewind(&mut self) {
        self.cursor = 0;
        self.touched = false;
    }

    fn go(&mut self, to: usize) -> bool {
        self.touched = true;
        if to == self.cursor {
            return false;
        }
        let left = self.cursor;
        self.cursor = to;
        if self
            .shown
            .get(left)
            .is_some_and(|&at| self.entries[at].gone)
        {
            self.shown.remove(left);
            if to > left {
                self.cursor -= 1;
            }
        }
        true
    }

    /// Scrolls the least that shows the cursor on a screen of `height` rows.
    pub fn fit(&mut self, height: usize) {
        self.top = scroll(self.top, self.cursor, height, self.shown.len());
    }

    pub fn selected(&self) -> Option<&T> {
        self.shown.get(self.cursor).map(|&at| &self.entries[at].row)
    }

    pub fn selected_key(&self) -> Option<T::Key> {
        self.selected().map(Row::key)
    }

    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn top(&self) -> usize {
        self.top
    }

    /// All rows that are known, shown or not; none that vanished.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.entries
            .iter()
            .filter(|entry| !entry.gone)
            .map(|entry| &entry.row)
    }

    /// The same, to be changed in place; also what vanished. No key may change.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|entry| &mut entry.row)
    }

    /// The rows on a screen of `height` rows: is it under the cursor, has it vanished, the row.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (bool, bool, &T)> {
        self.shown
            .iter()
            .enumerate()
            .skip(self.top)
            .take(height)
            .map(|(place, &at)| {
                let entry = &self.entries[at];
                (place == self.cursor, entry.gone, &entry.row)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Item(u32, i32);

    impl Row for Item {
        type Key = u32;
        fn key(&self) -> u32 {
            self.0
        }
    }

    fn by_value(rows: &[&Item]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&at| rows[at].1);
        order
    }

    fn keys(list: &List<Item>) -> Vec<u32> {
        list.visible(99).map(|(_, _, row)| row.0).collect()
    }

    fn filled(items: &[(u32, i32)]) -> List<Item> {
        let mut list = List::default();
        list.replace(
            items.iter().map(|&(k, v)| Item(k, v)).collect(),
            false,
            by_value,
        );
        list
    }

    #[test]
    fn the_cursor_follows_its_row_through_a_new_order() {
        let mut list = filled(&[(1, 10), (2, 20), (3, 30)]);
        list.step(Step::By(1));
        assert_eq!(list.selected_key(), Some(2));
        list.replace(vec![Item(1, 10), Item(2, 99), Item(3, 30)], false, by_value);
        assert_eq!(keys(&list), [1, 3, 2]);
        assert_eq!(list.selected_key(), Some(2));
        assert_eq!(list.cursor(), 2);
    }

    #[test]
    fn a_cursor_nobody_moved_stays_on_top() {
        let mut list = filled(&[(1, 10), (2, 20)]);
        list.replace(vec![Item(1, 10), Item(2, 20), Item(3, 1)], false, by_value);
        assert_eq!(list.selected_key(), Some(3));
        list.select(&3);
        list.replace(vec![Item(1, 10), Item(3, 15)], false, by_value);
        assert_eq!(list.selected_key(), Some(3));
    }

    #[test]
    fn a_vanished_row_stays_until_the_cursor_leaves() {
        let mut list = filled(&[(1, 10), (2, 20), (3, 30)]);
        list.step(Step::By(1));
        for _ in 0..2 {
            list.replace(vec![Item(1, 10), Item(3, 30)], false, by_value);
            assert_eq!(keys(&list), [1, 2, 3]);
            assert_eq!(
                list.visible(9)
                    .nth(1)
                    .map(|(cursor, gone, row)| (cursor, gone, row.0)),
                Some((true, true, 2))
            );
        }
        list.step(Step::By(1));
        assert_eq!(keys(&list), [1, 3]);
        assert_eq!(list.selected_key(), Some(3));
    }

    #[test]
    fn holding_keeps_places_and_appends_what_is_new() {
        let mut list = filled(&[(1, 10), (2, 20)]);
        list.replace(vec![Item(1, 50), Item(2, 20), Item(3, 1)], true, by_value);
        assert_eq!(keys(&list), [1, 2, 3]);
        list.replace(vec![Item(1, 50), Item(2, 20), Item(3, 1)], false, by_value);
        assert_eq!(keys(&list), [3, 2, 1]);
    }

    #[test]
    fn a_filter_that_hides_the_row_leaves_the_cursor_in_range() {
        let mut list = filled(&[(1, 10), (2, 20), (3, 30)]);
        list.step(Step::Last);
        list.rearrange(|_| vec![0]);
        assert_eq!(list.selected_key(), Some(1));
        list.rearrange(|_| Vec::new());
        assert_eq!(list.selected_key(), None);
        assert!(!list.step(Step::By(-1)));
    }

    #[test]
    fn scrolling_moves_the_least() {
        assert_eq!(scroll(0, 3, 5, 100), 0);
        assert_eq!(scroll(0, 7, 5, 100), 3);
        assert_eq!(scroll(50, 7, 5, 100), 7);
        assert_eq!(scroll(98, 99, 5, 100), 95);
        assert_eq!(scroll(9, 0, 0, 0), 0);
    }
}
