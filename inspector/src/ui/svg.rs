//! A screen as a picture, so that a person can judge its colours: tests write one for each snapshot into the
//! directory that `POLLSCOPE_SVG` names, and hold those in `inspector/screens` to what is drawn today.

use std::fmt::Write as _;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 17.0;
const MARGIN: f32 = 8.0;
const BACK: &str = "#1d1f21";
const FRONT: &str = "#c5c8c6";

/// Writes the buffer if the environment asks for it.
pub(super) fn save(name: &str, buf: &Buffer) {
    if let Ok(directory) = std::env::var("POLLSCOPE_SVG") {
        let path = Path::new(&directory).join(format!("{name}.svg"));
        std::fs::write(&path, picture(buf)).expect("the directory can be written");
    }
}

/// Whether the picture of this name in `inspector/screens` is of this buffer.
pub(super) fn is_kept(name: &str, buf: &Buffer) -> bool {
    let path = format!("{}/screens/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).is_ok_and(|kept| kept == picture(buf))
}

fn picture(buf: &Buffer) -> String {
    let (columns, rows) = (f32::from(buf.area.width), f32::from(buf.area.height));
    let (w, h) = (columns * WIDTH + 2.0 * MARGIN, rows * HEIGHT + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {w:.0} {h:.0}' width='{w:.0}' height='{h:.0}' \
         font-family='DejaVu Sans Mono, Menlo, Consolas, monospace' font-size='14' xml:space='preserve'>\n\
         <rect width='100%' height='100%' rx='6' fill='{BACK}'/>\n"
    );
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            let run = Run::at(buf, x, y);
            run.draw(&mut svg);
            x += run.cells;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Cells side by side that look alike. Its width is said, for fonts differ: a symbol that is not ASCII may come from
/// another one and be wider than a cell, so that it stands in a run with its like only.
struct Run<'a> {
    first: &'a Cell,
    text: String,
    x: u16,
    y: u16,
    cells: u16,
}

impl<'a> Run<'a> {
    fn at(buf: &'a Buffer, x: u16, y: u16) -> Self {
        let first = &buf[(x, y)];
        let alike = |cell: &Cell| {
            let look = |cell: &Cell| (cell.fg, cell.bg, cell.modifier);
            let both_ascii = cell.symbol().is_ascii() && first.symbol().is_ascii();
            look(cell) == look(first) && (both_ascii || cell.symbol() == first.symbol())
        };
        let mut run = Self {
            first,
            text: String::new(),
            x,
            y,
            cells: 0,
        };
        while let Some(cell) = (x + run.cells < buf.area.width).then(|| &buf[(x + run.cells, y)])
            && alike(cell)
        {
            run.text.push_str(cell.symbol());
            run.cells += 1;
        }
        run
    }

    fn draw(&self, svg: &mut String) {
        let has = |modifier| self.first.modifier.contains(modifier);
        let (mut front, mut back) = (color(self.first.fg, FRONT), color(self.first.bg, BACK));
        if has(Modifier::REVERSED) {
            (front, back) = (back, front);
        }
        let top = MARGIN + f32::from(self.y) * HEIGHT;
        let left = |cells: usize| {
            let cells = f32::from(self.x) + u16::try_from(cells).map_or(0.0, f32::from);
            MARGIN + cells * WIDTH
        };
        if back != BACK {
            let width = f32::from(self.cells) * WIDTH + 0.3;
            let _ = writeln!(
                svg,
                "<rect x='{:.1}' y='{top}' width='{width:.1}' height='{HEIGHT}' fill='{back}'/>",
                left(0)
            );
        }
        let text = self.text.trim_start();
        let blank = self.text.chars().count() - text.chars().count();
        let text = text.trim_end();
        let length = text.chars().count();
        if length == 0 {
            return;
        }
        let mut style = format!("fill='{front}'");
        if has(Modifier::DIM) {
            style.push_str(" fill-opacity='0.55'");
        }
        if has(Modifier::BOLD) {
            style.push_str(" font-weight='bold'");
        }
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            "<text x='{:.1}' y='{:.0}' textLength='{:.1}' lengthAdjust='spacingAndGlyphs' {style}>{text}</text>",
            left(blank),
            top + 13.0,
            left(blank + length) - left(blank),
        );
    }
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
