//! Questions over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::{Theme, boxes, figure, help};
use crate::app::App;
use crate::app::popup::Popup;
use crate::format;
use crate::model::Severity;

/// Returns where the terminal's cursor stands, if the popup takes text.
pub(super) fn draw(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) -> Option<Position> {
    match app.popup.as_ref()? {
        Popup::Help { query, top } => return help::draw(app, theme, query, *top, area, buf),
        Popup::Abort { id, name } => {
            let text = [
                format!("Abort task {id} {name}?"),
                "It ends at its next await; what it holds is dropped there.".to_owned(),
            ];
            ask(theme, area, "Abort", &text, ("y", "abort it"), buf);
        }
        Popup::Successor(target) => {
            let up = format::age((target.uptime_s.max(0.0) * 1e9) as u64);
            let (old, name, pid) = (&app.snapshot.target, &target.name, target.pid);
            let what = if *name == old.name {
                format!("{name} runs again as pid {pid}, started {up} ago.")
            } else {
                format!("Another program answers there: {name}, pid {pid}, started {up} ago.")
            };
            let text = [
                what,
                format!(
                    "What is shown is the last of pid {}; going on replaces it.",
                    old.pid
                ),
            ];
            ask(
                theme,
                area,
                "A new process",
                &text,
                ("Enter", "go over to it"),
                buf,
            );
        }
    }
    None
}

fn ask(
    theme: Theme,
    area: Rect,
    title: &str,
    text: &[String],
    (key, yes): (&str, &str),
    buf: &mut Buffer,
) {
    let width = area.width.saturating_sub(4).min(68);
    let room = usize::from(width.saturating_sub(4)).max(1);
    let mut lines: Vec<Line<'_>> = vec![Line::default()];
    for (at, text) in text.iter().enumerate() {
        let style = if at == 0 { theme.bold() } else { Style::new() };
        let wrapped = figure::wrap(text, room).into_iter();
        lines.extend(wrapped.map(|text| Line::styled(text, style)));
    }
    lines.push(Line::default());
    lines.push(Line::from(vec![
        Span::styled(key.to_owned(), theme.accent()),
        Span::raw(format!(" {yes}     ")),
        Span::styled("Esc", theme.accent()),
        Span::raw(" leave it"),
    ]));
    let height = (lines.len() as u16 + 2).min(area.height);
    let area = Rect {
        x: area.x + (area.width - width.min(area.width)) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    if area.width < 3 || area.height < 3 {
        return;
    }
    Clear.render(area, buf);
    let title = Line::styled(title.to_owned(), theme.severity(Severity::Warn));
    let inner = boxes::draw(theme, area, title, Line::default(), true, buf);
    boxes::lines(boxes::padding(inner), lines, buf);
}
