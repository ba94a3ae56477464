//! Columns as wide as their widest cell.

use std::io::{self, Write};

use super::Paint;

/// Which side a column's cells lean to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lean {
    Left,
    Right,
}

/// A table that prints its header even where it has no rows.
pub(super) struct Table {
    columns: Vec<(&'static str, Lean)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Titles with `>` in front lean to the right.
    pub(super) fn new(titles: &[&'static str]) -> Self {
        let columns = titles.iter().map(|title| match title.strip_prefix('>') {
            Some(title) => (title, Lean::Right),
            None => (*title, Lean::Left),
        });
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn print(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
                widest.max(self.columns[at].0.chars().count())
            })
            .collect();
        let titles = self.columns.iter().map(|(title, _)| *title);
        writeln!(out, "{}", paint.faint(self.line(titles, &widths)))?;
        for row in &self.rows {
            let cells = row.iter().map(String::as_str);
            writeln!(out, "{}", self.line(cells, &widths))?;
        }
        Ok(())
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, (_, lean)), width) in cells.zip(&self.columns).zip(widths) {
            let padded = match lean {
                Lean::Left => format!("  {cell:<width$}"),
                Lean::Right => format!("  {cell:>width$}"),
            };
            line.push_str(&padded);
        }
        line.truncate(line.trim_end().len());
        line
    }
}
