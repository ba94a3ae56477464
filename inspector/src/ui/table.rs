//! Rows in columns. As the screen gets narrower the columns of the highest rank go first, then the growing ones
//! shrink; only rows on the screen are formatted.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::{Theme, figure};

/// Blanks between columns.
const GAP: u16 = 2;
/// The cursor's mark, before the first column.
const CURSOR: u16 = 2;

pub(super) struct Column<C> {
    pub(super) id: C,
    pub(super) title: &'static str,
    pub(super) min: u16,
    /// Up to where it grows when there is room.
    pub(super) max: u16,
    pub(super) right: bool,
    /// 0 stays; else the higher the earlier it goes.
    pub(super) rank: u8,
}

pub(super) const fn left<C: Copy>(id: C, title: &'static str, width: u16, rank: u8) -> Column<C> {
    Column {
        id,
        title,
        min: width,
        max: width,
        right: false,
        rank,
    }
}

pub(super) const fn right<C: Copy>(id: C, title: &'static str, width: u16, rank: u8) -> Column<C> {
    Column {
        right: true,
        ..left(id, title, width, rank)
    }
}

pub(super) const fn growing<C: Copy>(
    id: C,
    title: &'static str,
    min: u16,
    max: u16,
    rank: u8,
) -> Column<C> {
    Column {
        max,
        ..left(id, title, min, rank)
    }
}

/// A column in its place.
pub(super) struct Slot<C> {
    id: C,
    title: &'static str,
    x: u16,
    width: u16,
    right: bool,
}

/// Which columns are shown in `width`, and where.
pub(super) fn layout<C: Copy>(columns: &[Column<C>], width: u16) -> Vec<Slot<C>> {
    // One blank before the border on the right.
    let width = width.saturating_sub(1);
    let mut kept: Vec<&Column<C>> = columns.iter().collect();
    let needed = |kept: &[&Column<C>]| -> u16 {
        let gaps = GAP * (kept.len().saturating_sub(1)) as u16;
        kept.iter().map(|column| column.min).sum::<u16>() + gaps + CURSOR
    };
    while needed(&kept) > width {
        let Some(drop) = kept
            .iter()
            .enumerate()
            .filter(|(_, column)| column.rank > 0)
            .max_by_key(|(_, column)| column.rank)
            .map(|(at, _)| at)
        else {
            break;
        };
        kept.remove(drop);
    }
    let mut widths: Vec<u16> = kept.iter().map(|column| column.min).collect();
    let mut spare = width.saturating_sub(needed(&kept));
    // One by one, so that growing columns share what there is.
    while spare > 0 {
        let before = spare;
        for (have, column) in widths.iter_mut().zip(&kept) {
            if *have < column.max && spare > 0 {
                *have += 1;
                spare -= 1;
            }
        }
        if spare == before {
            break;
        }
    }
    let mut x = CURSOR;
    kept.iter()
        .zip(widths)
        .map(|(column, width)| {
            let slot = Slot {
                id: column.id,
                title: column.title,
                x,
                width,
                right: column.right,
            };
            x += width + GAP;
            slot
        })
        .collect()
}

/// The titles; `sorted` says with which arrow a column carries the order.
pub(super) fn head<C: Copy>(
    theme: Theme,
    slots: &[Slot<C>],
    area: Rect,
    sorted: impl Fn(C) -> Option<&'static str>,
    buf: &mut Buffer,
) {
    for slot in slots {
        match sorted(slot.id) {
            Some(arrow) => {
                let title = format!("{}{arrow}", slot.title);
                cell(slot, area, &title, theme.accent(), buf);
            }
            None => cell(slot, area, slot.title, theme.dim(), buf),
        }
    }
}

/// How a row lies in the list.
#[derive(Clone, Copy)]
pub(super) struct Lie {
    pub(super) cursor: bool,
    /// It is there no longer.
    pub(super) gone: bool,
}

/// One row; `text` gives what stands in a column of that width.
pub(super) fn row<C: Copy>(
    theme: Theme,
    slots: &[Slot<C>],
    area: Rect,
    lie: Lie,
    mut text: impl FnMut(C, usize) -> (String, Style),
    buf: &mut Buffer,
) {
    for slot in slots {
        let (text, style) = text(slot.id, usize::from(slot.width));
        let style = if lie.gone { theme.dim() } else { style };
        cell(slot, area, &text, style, buf);
    }
    if lie.cursor {
        if area.width > 0 {
            buf.set_stringn(area.x, area.y, "▸", 1, theme.accent());
        }
        buf.set_style(area, theme.cursor());
        if lie.gone {
            buf.set_style(area, theme.dim());
        }
    }
}

fn cell<C>(slot: &Slot<C>, area: Rect, text: &str, style: Style, buf: &mut Buffer) {
    let room = area.width.saturating_sub(slot.x).min(slot.width);
    if room == 0 || text.is_empty() {
        return;
    }
    let text = figure::fit(text, usize::from(room));
    let pad = if slot.right {
        room.saturating_sub(text.width() as u16)
    } else {
        0
    };
    buf.set_stringn(
        area.x + slot.x + pad,
        area.y,
        text,
        usize::from(room),
        style,
    );
}

/// The rows of an area, from the top.
pub(super) fn strips(area: Rect) -> impl Iterator<Item = Rect> {
    (area.y..area.bottom()).map(move |y| Rect {
        y,
        height: 1,
        ..area
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column<char>] = &[
        left('m', "", 2, 0),
        growing('n', "NAME", 8, 20, 0),
        right('b', "BUSY", 6, 1),
        growing('s', "SITE", 10, 30, 2),
    ];

    fn shown(width: u16) -> Vec<(char, u16)> {
        layout(COLUMNS, width)
            .iter()
            .map(|slot| (slot.id, slot.width))
            .collect()
    }

    #[test]
    fn columns_go_by_rank_and_the_rest_grows() {
        assert_eq!(shown(35), [('m', 2), ('n', 8), ('b', 6), ('s', 10)]);
        assert_eq!(shown(34), [('m', 2), ('n', 19), ('b', 6)]);
        assert_eq!(shown(21), [('m', 2), ('n', 14)]);
        assert_eq!(shown(45), [('m', 2), ('n', 13), ('b', 6), ('s', 15)]);
        assert_eq!(shown(201), [('m', 2), ('n', 20), ('b', 6), ('s', 30)]);
        assert_eq!(shown(0), [('m', 2), ('n', 8)], "nothing left to drop");
    }
}
