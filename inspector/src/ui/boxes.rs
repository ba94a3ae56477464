//! Boxes with a title, and lines of text in them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};
use unicode_width::UnicodeWidthStr;

use super::{Theme, figure};

/// A box: its title on the upper left, a note on the upper right where there is room. Returns the inside.
pub(super) fn draw(
    theme: Theme,
    area: Rect,
    title: Line<'_>,
    note: Line<'_>,
    focused: bool,
    buf: &mut Buffer,
) -> Rect {
    let block = Block::bordered().border_style(theme.border(focused));
    let inner = block.inner(area);
    block.render(area, buf);
    if area.width < 4 || area.height == 0 {
        return inner;
    }
    let room = usize::from(area.width - 2);
    let title_width = padded(title, area.x + 2, area.y, room.saturating_sub(2), buf);
    let note_width = note.width() + 2;
    if note_width > 2 && title_width + note_width + 2 <= room {
        let x = area.right() - 2 - note_width as u16;
        padded(note, x, area.y, note_width, buf);
    }
    inner
}

/// Writes ` text ` and returns its width.
fn padded(line: Line<'_>, x: u16, y: u16, room: usize, buf: &mut Buffer) -> usize {
    if line.width() == 0 || room < 3 {
        return 0;
    }
    let mut spans = vec![Span::raw(" ")];
    spans.extend(line.spans);
    spans.push(Span::raw(" "));
    let line = Line::from(spans).style(line.style);
    let width = line.width().min(room);
    // The border is dim; what stands in it is not.
    buf.set_style(Rect::new(x, y, width as u16, 1), Style::reset());
    buf.set_line(x, y, &line, width as u16);
    width
}

/// Lines from the top of the area; what does not fit is cut.
pub(super) fn lines<'a>(area: Rect, lines: impl IntoIterator<Item = Line<'a>>, buf: &mut Buffer) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        buf.set_line(area.x, y, &line, area.width);
    }
}

/// A line in at most `width` columns; what is cut leaves a mark.
pub(super) fn fit(line: Line<'_>, width: usize) -> Line<'_> {
    let mut room = width;
    let mut fitted = Line::default().style(line.style);
    for span in line.spans {
        let text = figure::fit(&span.content, room);
        let is_cut = text != span.content;
        room -= text.width();
        fitted.push_span(Span::styled(text, span.style));
        if is_cut {
            break;
        }
    }
    fitted
}

/// A message in the middle: what an empty or failed screen says, and the next step.
pub(super) fn message(theme: Theme, area: Rect, what: &str, next: &str, buf: &mut Buffer) {
    let width = usize::from(area.width.saturating_sub(4)).clamp(1, 76);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for text in figure::wrap(what, width) {
        lines.push(Line::styled(text, theme.bold()));
    }
    for text in figure::wrap(next, width) {
        lines.push(Line::styled(text, theme.dim()));
    }
    let height = (lines.len() as u16).min(area.height);
    let top = area.y + (area.height - height) / 3;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let left = area.x + area.width.saturating_sub(line.width() as u16) / 2;
        buf.set_line(left, y, &line, area.right().saturating_sub(left));
    }
}

/// Without borders: the inside of a box of one row's padding left and right.
pub(super) fn padding(area: Rect) -> Rect {
    Rect {
        x: area.x + area.width.min(1),
        width: area.width.saturating_sub(2),
        ..area
    }
}
