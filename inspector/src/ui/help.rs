//! The help over the screen: what the keymap says works here, searched as one types.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use super::{Theme, boxes, figure};
use crate::app::geometry::help_area;
use crate::app::{App, help};

/// Room for keys, before what they do.
const KEYS: usize = 13;

/// Returns where the terminal's cursor stands.
pub(super) fn draw(
    app: &App,
    theme: Theme,
    query: &Input,
    top: usize,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let area = help_area(app).intersection(area);
    if area.height < 3 {
        return None;
    }
    Clear.render(area, buf);
    let title = Line::from(vec![
        Span::styled("Help: ", theme.bold()),
        Span::styled(app.place().title(), theme.bold()),
    ]);
    let note = Line::styled("type to search, Esc closes", theme.dim());
    let inner = boxes::padding(boxes::draw(theme, area, title, note, true, buf));
    let search = Rect {
        height: 1.min(inner.height),
        ..inner
    };
    let prompt = Line::from(vec![
        Span::styled("search ", theme.accent()),
        Span::raw(query.value().to_owned()),
    ]);
    boxes::lines(search, [prompt], buf);

    let columns = help::columns(app, query.value(), help_area(app).width);
    let body = Rect {
        y: inner.y + 2,
        height: inner.height.saturating_sub(2),
        ..inner
    };
    if body.y < inner.bottom() {
        let width = inner.width / columns.len().max(1) as u16;
        for (at, column) in columns.iter().enumerate() {
            let area = Rect {
                x: inner.x + width * at as u16,
                width: width.saturating_sub(1),
                ..body
            };
            let lines = column
                .iter()
                .skip(top)
                .map(|line| drawn(theme, line, usize::from(area.width)));
            boxes::lines(area, lines, buf);
        }
    }
    let typed = query.visual_cursor() as u16;
    Some(Position::new(search.x + 7 + typed, search.y))
}

fn drawn<'a>(theme: Theme, line: &help::Line, width: usize) -> Line<'a> {
    match line {
        help::Line::Heading(text) => Line::styled(*text, theme.bold()),
        help::Line::Blank => Line::default(),
        help::Line::Note(text) => Line::styled(figure::fit(text, width), theme.dim()),
        help::Line::Key { keys, words } => {
            let pad = KEYS.saturating_sub(keys.width()).max(1);
            let room = width.saturating_sub(keys.width() + pad);
            Line::from(vec![
                Span::styled(keys.clone(), theme.accent()),
                Span::raw(" ".repeat(pad)),
                Span::raw(figure::fit(words, room)),
            ])
        }
    }
}
