//! The window of tasks that the target sent, and the cursor that follows a task through it.
//!
//! Only the rows around the screen travel, so the inspector never knows all of a large target. The cursor holds
//! a task's id. When that task is not in the window any more, its last row stays where it was until the cursor
//! leaves it: the target is asked whether it ended or was merely sorted elsewhere.

use std::collections::HashMap;

use pollscope_proto::order::Order;

use super::list::{Step, scroll};
use super::sort::Sort;
use crate::model::{Task, TaskState};

/// What is known of a row that the last window did not bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It is in the window.
    #[default]
    Here,
    /// Asked, not answered yet.
    Asked,
    /// Alive, but sorted or filtered out of the window.
    Elsewhere,
    /// There is no such task any more.
    Gone,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub task: Task,
    pub fate: Fate,
}

#[derive(Clone, Debug)]
pub struct Tasks {
    rows: Vec<Row>,
    /// The place of `rows[0]` among all that match.
    offset: usize,
    matched: usize,
    cursor: usize,
    selected: Option<u64>,
    top: usize,
    pub sort: Sort,
    pub only_warned: bool,
    pub finished: bool,
    /// Only tasks of this spawn site: its number, and `file:line`.
    pub site: Option<(u32, String)>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            offset: 0,
            matched: 0,
            cursor: 0,
            selected: None,
            top: 0,
            sort: Sort::by(Order::Busy),
            only_warned: false,
            finished: true,
            site: None,
        }
    }
}

impl Tasks {
    /// No row, and shown the same way: which of them and in which order is a matter of the user, not of the process.
    #[must_use]
    pub(super) fn emptied(&self) -> Self {
        Self {
            sort: self.sort,
            only_warned: self.only_warned,
            finished: self.finished,
            ..Self::default()
        }
    }

    /// Takes a window. With `hold` the rows that are on the screen keep their places, with new figures.
    /// Returns the task to ask for, if the one under the cursor is missing.
    pub fn replace(
        &mut self,
        tasks: Vec<Task>,
        offset: usize,
        matched: usize,
        hold: bool,
    ) -> Option<u64> {
        let pinned = self.pinned();
        if hold && offset == self.offset && !self.rows.is_empty() {
            self.refresh(tasks);
            return None;
        }
        self.rows = tasks
            .into_iter()
            .map(|task| Row {
                task,
                fate: Fate::Here,
            })
            .collect();
        self.offset = offset;
        self.matched = matched.max(offset + self.rows.len());
        let id = self.selected;
        if let Some(at) = self.rows.iter().position(|row| Some(row.task.id) == id) {
            self.cursor = self.offset + at;
            return None;
        }
        if let Some(row) = pinned {
            return self.pin(row);
        }
        self.cursor = self.cursor.min(self.len().saturating_sub(1));
        self.selected = self.at(self.cursor).map(|row| row.task.id);
        None
    }

    /// The row under the cursor, to be kept should the next window be without it.
    fn pinned(&self) -> Option<Row> {
        self.at(self.cursor)
            .filter(|row| Some(row.task.id) == self.selected)
            .cloned()
    }

    fn pin(&mut self, mut row: Row) -> Option<u64> {
        let place = self
            .cursor
            .clamp(self.offset, self.offset + self.rows.len())
            - self.offset;
        let id = row.task.id;
        let ask = row.fate != Fate::Gone;
        if row.fate == Fate::Here {
            row.fate = Fate::Asked;
        }
        self.rows.insert(place, row);
        self.cursor = self.offset + place;
        ask.then_some(id)
    }

    /// New figures for the rows in their old places; rows the window does not bring stay as they were.
    fn refresh(&mut self, tasks: Vec<Task>) {
        let mut fresh: HashMap<u64, Task> = tasks.into_iter().map(|task| (task.id, task)).collect();
        for row in &mut self.rows {
            if let Some(task) = fresh.remove(&row.task.id) {
                row.task = task;
                row.fate = Fate::Here;
            }
        }
    }

    /// The answer to the question that [`Self::replace`] asked.
    pub fn answer(&mut self, id: u64, task: Option<&Task>) {
        let Some(row) = self
            .rows
            .iter_mut()
            .find(|row| row.task.id == id && row.fate != Fate::Here)
        else {
            return;
        };
        match task {
            Some(task) if task.state != TaskState::Done => {
                row.fate = Fate::Elsewhere;
                row.task = task.clone();
            }
            _ => {
                row.fate = Fate::Gone;
                row.task.state = TaskState::Done;
            }
        }
    }

    /// Moves the cursor; `within` keeps it among the rows that are loaded (nothing else comes while frozen).
    pub fn step(&mut self, step: Step, within: bool) -> bool {
        let mut to = step.from(self.cursor, self.len());
        if within && !self.rows.is_empty() {
            to = to.clamp(self.offset, self.offset + self.rows.len() - 1);
        }
        if to == self.cursor {
            return false;
        }
        let left = self.cursor;
        self.cursor = to;
        self.selected = self.at(to).map(|row| row.task.id);
        if let Some(place) = left.checked_sub(self.offset)
            && self
                .rows
                .get(place)
                .is_some_and(|row| row.fate != Fate::Here)
        {
            self.rows.remove(place);
            if to > left {
                self.cursor -= 1;
            }
        }
        true
    }

    /// Puts the cursor on a task if it is loaded.
    pub fn select(&mut self, id: u64) -> bool {
        match self.rows.iter().position(|row| row.task.id == id) {
            Some(at) => self.step(
                Step::By((self.offset + at) as isize - self.cursor as isize),
                false,
            ),
            None => false,
        }
    }

    /// Starts over at the first row: after a change of what is shown.
    pub fn rewind(&mut self) {
        self.cursor = 0;
        self.top = 0;
        self.selected = None;
    }

    pub fn fit(&mut self, height: usize) {
        self.top = scroll(self.top, self.cursor, height, self.len());
    }

    /// The window to ask for: the screen and one more on either side, on a grid so that small steps do not
    /// change it.
    pub fn window(&self, height: usize) -> (u32, u32) {
        let page = height.max(1);
        let first = (self.top / page).saturating_sub(1) * page;
        (first as u32, (page * 4) as u32)
    }

    fn at(&self, place: usize) -> Option<&Row> {
        self.rows.get(place.checked_sub(self.offset)?)
    }

    pub fn selected(&self) -> Option<&Row> {
        self.at(self.cursor)
    }

    pub fn selected_id(&self) -> Option<u64> {
        self.selected
    }

    /// How many rows there are to walk, loaded or not.
    pub fn len(&self) -> usize {
        self.matched.max(self.offset + self.rows.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them there are to walk while nothing else comes, if not all: the first, or those around the screen.
    pub fn kept(&self) -> Option<(usize, bool)> {
        let kept = self.rows.len();
        (kept < self.len()).then_some((kept, self.offset == 0))
    }

    pub fn matched(&self) -> usize {
        self.matched
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn top(&self) -> usize {
        self.top
    }

    pub fn loaded(&self) -> impl Iterator<Item = &Task> {
        self.rows.iter().map(|row| &row.task)
    }

    /// The rows on a screen of `height` rows: is it under the cursor, the row, if it is loaded.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (bool, Option<&Row>)> {
        let end = (self.top + height).min(self.len());
        (self.top..end).map(|place| (place == self.cursor, self.at(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(ids: impl IntoIterator<Item = u64>) -> Vec<Task> {
        let task = |id| Task {
            id,
            ..Task::default()
        };
        ids.into_iter().map(task).collect()
    }

    fn shown(rows: &Tasks) -> Vec<u64> {
        let ids = rows
            .visible(99)
            .map(|(_, row)| row.map_or(0, |row| row.task.id));
        ids.collect()
    }

    #[test]
    fn the_cursor_keeps_its_task_through_a_new_order() {
        let mut rows = Tasks::default();
        rows.replace(tasks([1, 2, 3]), 0, 3, false);
        rows.step(Step::By(1), false);
        assert_eq!(rows.selected_id(), Some(2));
        assert_eq!(rows.replace(tasks([3, 1, 2]), 0, 3, false), None);
        assert_eq!((rows.selected_id(), rows.cursor()), (Some(2), 2));
    }

    #[test]
    fn a_task_that_ended_stays_in_its_place_until_the_cursor_leaves() {
        let mut rows = Tasks::default();
        rows.replace(tasks([1, 2, 3]), 0, 3, false);
        rows.step(Step::By(1), false);
        assert_eq!(rows.replace(tasks([1, 3]), 0, 2, false), Some(2));
        rows.answer(2, None);
        assert_eq!(shown(&rows), [1, 2, 3]);
        let row = rows.selected().unwrap();
        assert_eq!((row.fate, row.task.state), (Fate::Gone, TaskState::Done));
        assert_eq!(
            rows.replace(tasks([1, 3]), 0, 2, false),
            None,
            "asked once is enough"
        );
        rows.step(Step::By(1), false);
        assert_eq!(shown(&rows), [1, 3]);
        assert_eq!(rows.selected_id(), Some(3));
    }

    #[test]
    fn a_task_sorted_out_of_the_window_is_not_called_done() {
        let mut rows = Tasks::default();
        rows.replace(tasks([1, 2, 3]), 0, 900, false);
        assert_eq!(rows.replace(tasks([2, 3, 4]), 0, 900, false), Some(1));
        rows.answer(1, Some(&tasks([1])[0]));
        assert_eq!(rows.selected().map(|row| row.fate), Some(Fate::Elsewhere));
    }

    #[test]
    fn holding_keeps_places_and_takes_figures() {
        let mut rows = Tasks::default();
        rows.replace(tasks([1, 2]), 0, 2, false);
        let mut fresh = tasks([2, 1]);
        fresh[1].polls = 7;
        rows.replace(fresh, 0, 2, true);
        assert_eq!(shown(&rows), [1, 2]);
        assert_eq!(rows.selected().map(|row| row.task.polls), Some(7));
    }

    #[test]
    fn a_jump_past_the_window_takes_the_task_that_arrives_there() {
        let mut rows = Tasks::default();
        rows.replace(tasks(1..=40), 0, 10_000, false);
        rows.step(Step::Last, false);
        rows.fit(10);
        assert_eq!(rows.selected_id(), None);
        let (offset, limit) = rows.window(10);
        assert_eq!((offset, limit), (9_980, 40));
        rows.replace(tasks(9_981..=10_000), offset as usize, 10_000, false);
        assert_eq!(rows.selected_id(), Some(10_000));
    }

    #[test]
    fn frozen_rows_bound_the_cursor() {
        let mut rows = Tasks::default();
        rows.replace(tasks(1..=40), 0, 10_000, false);
        assert_eq!(rows.kept(), Some((40, true)));
        rows.step(Step::Last, true);
        assert_eq!(rows.selected_id(), Some(40));
        rows.rewind();
        rows.replace(tasks(9_961..=10_000), 9_960, 10_000, false);
        assert_eq!(rows.kept(), Some((40, false)));
        rows.rewind();
        rows.replace(tasks(1..=40), 0, 40, false);
        assert_eq!(rows.kept(), None, "all of them");
    }

    #[test]
    fn a_shrinking_list_pulls_the_cursor_in() {
        let mut rows = Tasks::default();
        rows.replace(tasks(1..=40), 0, 40, false);
        rows.step(Step::Last, false);
        rows.rewind();
        rows.replace(Vec::new(), 0, 0, false);
        assert!(rows.is_empty() && rows.selected().is_none());
        rows.fit(10);
        assert_eq!(rows.top(), 0);
    }
}
