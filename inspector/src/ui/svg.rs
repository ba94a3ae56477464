//! A screen as a picture, so that a person can judge its colours: tests write one for each snapshot into the
//! directory that `POLLSCOPE_SVG` names.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 17.0;
const BACK: &str = "#1d1f21";
const FRONT: &str = "#c5c8c6";

/// Writes the buffer if the environment asks for it.
pub(super) fn save(name: &str, buf: &Buffer) {
    if let Ok(directory) = std::env::var("POLLSCOPE_SVG") {
        let path = std::path::Path::new(&directory).join(format!("{name}.svg"));
        std::fs::write(&path, picture(buf)).expect("the directory can be written");
    }
}

fn picture(buf: &Buffer) -> String {
    let (columns, rows) = (f32::from(buf.area.width), f32::from(buf.area.height));
    let (w, h) = (columns * WIDTH + 16.0, rows * HEIGHT + 16.0);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{w}' height='{h}' font-family='DejaVu Sans Mono, monospace' \
         font-size='14'><rect width='100%' height='100%' fill='{BACK}'/>\n"
    );
    for y in 0..buf.area.height {
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            let (left, top) = (8.0 + f32::from(x) * WIDTH, 8.0 + f32::from(y) * HEIGHT);
            let has = |modifier| cell.modifier.contains(modifier);
            let (mut front, mut back) = (color(cell.fg, FRONT), color(cell.bg, BACK));
            if has(Modifier::REVERSED) {
                (front, back) = (back, front);
            }
            if back != BACK {
                let _ = writeln!(
                    svg,
                    "<rect x='{left}' y='{top}' width='{}' height='{HEIGHT}' fill='{back}'/>",
                    WIDTH + 0.3
                );
            }
            if cell.symbol().trim().is_empty() {
                continue;
            }
            let opacity = if has(Modifier::DIM) { 0.55 } else { 1.0 };
            let weight = if has(Modifier::BOLD) {
                "bold"
            } else {
                "normal"
            };
            let text = cell.symbol().replace('&', "&amp;").replace('<', "&lt;");
            let _ = writeln!(
                svg,
                "<text x='{left}' y='{}' fill='{front}' fill-opacity='{opacity}' font-weight='{weight}'>{text}</text>",
                top + 13.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn color(color: Color, default: &'static str) -> &'static str {
    match color {
        Color::Red => "#cc6666",
        Color::Green => "#b5bd68",
        Color::Yellow => "#f0c674",
        Color::Blue => "#81a2be",
        Color::Magenta => "#b294bb",
        Color::Cyan => "#8abeb7",
        _ => default,
    }
}
