//! The frames of a stack: the user's own, and between them how many of libraries are not shown.

use pollscope_proto::frames::{Origin, origin};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{Theme, figure};
use crate::app::path;
use crate::model::{Frame, Place};

/// How many frames are shown of a stack that has none of the user's.
const INNERMOST: usize = 6;

/// How frames are shown.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) width: usize,
    pub(super) all: bool,
    pub(super) wrap: bool,
    /// Says how many frames are left out, and of whom.
    pub(super) folds: bool,
}

/// The frames as lines, innermost first.
pub(super) fn lines<'a>(theme: Theme, place: &Place, manner: Manner) -> Vec<Line<'a>> {
    let frames = &place.backtrace;
    let mut lines = Vec::new();
    let mut hidden: Vec<&Frame> = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        if manner.all || is_shown(frames, at) {
            fold(theme, &mut hidden, &mut lines);
            one(theme, at, frame, manner, &mut lines);
        } else {
            hidden.push(frame);
            if !manner.folds {
                hidden.clear();
            }
        }
    }
    fold(theme, &mut hidden, &mut lines);
    lines
}

/// The user's frames, and the call into a library that the innermost of them made: it names what blocks. A call into
/// pollscope names nothing.
fn is_shown(frames: &[Frame], at: usize) -> bool {
    let of = |frame: &Frame| origin(&frame.function, &frame.file);
    match of(&frames[at]) {
        Origin::User => return true,
        Origin::Pollscope => return false,
        Origin::Std | Origin::Library | Origin::System => {}
    }
    let first = frames.iter().position(|frame| of(frame) == Origin::User);
    if let Some(first) = first {
        return at + 1 == first;
    }
    // Nothing of the user's: the innermost frames are better than none, behind those that took the stack.
    let taking = frames
        .iter()
        .take_while(|frame| matches!(of(frame), Origin::Pollscope | Origin::Std))
        .zip(1..)
        .filter(|(frame, _)| of(frame) == Origin::Pollscope)
        .map(|(_, count)| count)
        .max()
        .unwrap_or(0);
    (taking..taking + INNERMOST).contains(&at)
}

fn fold(theme: Theme, hidden: &mut Vec<&Frame>, lines: &mut Vec<Line<'_>>) {
    if hidden.is_empty() {
        return;
    }
    let mut of: Vec<&'static str> = Vec::new();
    for frame in &*hidden {
        let word = match origin(&frame.function, &frame.file) {
            Origin::Std => "std",
            Origin::Library => "libraries",
            Origin::Pollscope => "pollscope",
            Origin::System | Origin::User => "system",
        };
        if !of.contains(&word) {
            of.push(word);
        }
    }
    let frames = figure::plural(hidden.len() as u64, "frame");
    let text = format!("   ⋯ {frames} of {} (b)", of.join(", "));
    lines.push(Line::styled(text, theme.dim()));
    hidden.clear();
}

fn one(theme: Theme, at: usize, frame: &Frame, manner: Manner, lines: &mut Vec<Line<'_>>) {
    let name = name(frame);
    let location = path::place(&frame.file, frame.line, manner.width);
    let room = manner.width.saturating_sub(3);
    let own = origin(&frame.function, &frame.file) == Origin::User;
    let style = if own { theme.code() } else { theme.text() };
    if manner.wrap && 3 + name.width() + 2 + location.width() > manner.width {
        // Over several lines: the name, broken anywhere, then the place on a line of its own.
        for (n, part) in figure::wrap(&name, room).into_iter().enumerate() {
            let number = if n == 0 {
                format!("{at:>2} ")
            } else {
                "   ".to_owned()
            };
            lines.push(Line::from(vec![
                Span::styled(number, theme.dim()),
                Span::styled(part, style),
            ]));
        }
        if !location.is_empty() {
            let text = format!("     {}", path::cut(&location, room.saturating_sub(2)));
            lines.push(Line::styled(text, theme.dim()));
        }
        return;
    }
    // The name has two thirds at most unless the place needs less; what is cut keeps the end of both.
    let place_room = location
        .width()
        .min((room / 2).max(room.saturating_sub(name.width() + 2)));
    let place = path::cut(&location, place_room);
    let name_room = room.saturating_sub(place.width() + usize::from(!place.is_empty()) * 2);
    let name = tail(&name, name_room);
    let pad = room.saturating_sub(name.width() + place.width());
    lines.push(Line::from(vec![
        Span::styled(format!("{at:>2} "), theme.dim()),
        Span::styled(name, style),
        Span::raw(" ".repeat(pad)),
        Span::styled(place, theme.dim()),
    ]));
}

/// A function's name loses its generic arguments first, then its front: the end tells it apart.
fn tail(name: &str, width: usize) -> String {
    if name.width() <= width {
        return name.to_owned();
    }
    let name = without_arguments(name);
    if name.width() <= width {
        return name;
    }
    let at_path = name
        .match_indices("::")
        .map(|(at, _)| &name[at + 2..])
        .filter(|tail| !tail.starts_with(['<', '{']))
        .find(|tail| tail.width() < width);
    match at_path {
        Some(tail) => format!("…{tail}"),
        None => figure::fit(&name, width),
    }
}

/// `Owned<Rc<T>, A>::new` becomes `Owned::new`; the brackets of `<T as Trait>::f` stay.
fn without_arguments(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut depth = 0_u32;
    for c in name.chars() {
        match c {
            // Arguments follow a name; a qualified path begins with its bracket.
            '<' if depth > 0
                || short.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') =>
            {
                depth += 1;
            }
            '>' if depth > 0 => depth -= 1,
            _ if depth == 0 => short.push(c),
            _ => {}
        }
    }
    short.replace("::::", "::")
}

fn name(frame: &Frame) -> String {
    if frame.function.is_empty() {
        return format!("{}+{:#x}", frame.module, frame.offset);
    }
    let mut name = frame.function.clone();
    // The compiler's words for the body of an async fn say little to a reader.
    for (long, short) in [
        ("::{async_fn#0}", " async"),
        ("::{{closure}}", "::{closure}"),
    ] {
        if let Some(stem) = name.strip_suffix(long) {
            name = format!("{stem}{short}");
            break;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fixture;

    fn texts(place: &Place, all: bool, wrap: bool, width: usize) -> Vec<String> {
        let manner = Manner {
            width,
            all,
            wrap,
            folds: true,
        };
        let lines = lines(Theme::PLAIN, place, manner);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_users_frames_and_the_call_they_made_are_shown() {
        let observed = &fixture::warnings()[0].observed;
        let lines = texts(observed, false, false, 60);
        assert!(lines[0].contains("1 frame of system"), "{lines:?}");
        assert!(lines[1].contains("std::thread::sleep"), "{lines:?}");
        assert!(lines[2].contains("orders::metrics::flush") && lines[2].ends_with("metrics.rs:58"));
        assert!(
            lines
                .last()
                .is_some_and(|line| line.contains("5 frames of libraries, std, system (b)"))
        );
        assert_eq!(
            texts(observed, true, false, 60).len(),
            observed.backtrace.len()
        );
    }

    fn stack(functions: &[&str]) -> Place {
        let frame = |function: &&str| Frame {
            function: (*function).to_owned(),
            ..Frame::default()
        };
        Place {
            backtrace: functions.iter().map(frame).collect(),
            ..Place::default()
        }
    }

    #[test]
    fn frames_of_pollscope_are_folded_also_next_to_the_users() {
        let spawned = stack(&[
            "pollscope::backtrace::sample",
            "pollscope::task::spawn",
            "app::start",
            "std::rt::lang_start",
        ]);
        let lines = texts(&spawned, false, false, 60);
        assert!(lines[0].contains("2 frames of pollscope"), "{lines:?}");
        assert!(lines[1].contains("app::start"), "{lines:?}");
    }

    #[test]
    fn without_a_frame_of_the_users_those_that_took_the_stack_are_folded() {
        let dropped = stack(&[
            "core::ops::function::FnOnce::call_once",
            "pollscope::backtrace::of_finding",
            "core::ptr::drop_in_place",
            "hyper::server::harness::poll",
        ]);
        let lines = texts(&dropped, false, false, 60);
        assert!(lines[0].contains("2 frames of std, pollscope"), "{lines:?}");
        assert!(lines[1].contains("core::ptr::drop_in_place"), "{lines:?}");
        assert!(lines[2].contains("harness::poll"), "{lines:?}");
        // Of a blocked thread the same frames are what it is about.
        let blocked = stack(&["std::thread::sleep", "hyper::proto::poll"]);
        assert!(texts(&blocked, false, false, 60)[0].contains("std::thread::sleep"));
    }

    #[test]
    fn lines_are_as_wide_as_the_box_and_lose_nothing_when_wrapped() {
        let observed = &fixture::warnings()[2].observed;
        for width in [8, 20, 40, 80] {
            for line in texts(observed, true, false, width) {
                assert!(line.width() <= width.max(8), "{width}: {line}");
            }
            let whole: String = texts(observed, true, true, width.max(20)).concat();
            let whole: String = whole.split_whitespace().collect();
            assert!(whole.contains("core::ptr::drop_in_place"), "{whole}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        let long = "pollscope::owned::Owned<alloc::rc::Rc<core::cell::RefCell<u8>, alloc::Global>>::try_with";
        assert_eq!(tail(long, 40), "pollscope::owned::Owned::try_with");
        assert_eq!(tail(long, 20), "…Owned::try_with");
        let qualified = "<app::Job<T> as core::future::Future>::poll";
        assert_eq!(
            without_arguments(qualified),
            "<app::Job as core::future::Future>::poll"
        );
        assert_eq!(without_arguments("f::<A>::{closure}"), "f::{closure}");
    }

    #[test]
    fn an_unresolved_frame_is_its_module_and_offset() {
        let frame = Frame {
            module: "app".to_owned(),
            offset: 0x1f,
            ..Frame::default()
        };
        assert_eq!(name(&frame), "app+0x1f");
    }
}
