//! Backtraces as text: the user's frames, what lies between them folded to a count.

use std::fmt::Write as _;
use std::io::{self, Write};

use pollscope_proto::frames::{Origin, origin, short_path};

use super::Paint;
use crate::model::Frame;

/// User frames shown where not all are, and the target says nothing else.
pub(super) const SHOWN: usize = 10;

/// Frames shown where none is the user's.
const SHOWN_OF_OTHERS: usize = 6;
/// How deep the taking of a stack goes, at most.
const TAKING: usize = 8;

/// Which frames of a backtrace to print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All of them.
    All,
    /// From the innermost to the first of the user's, then the user's only: so many of these.
    Users(usize),
}

/// Prints a backtrace, one frame a line; `indent` blanks in front.
pub(super) fn backtrace(
    out: &mut dyn Write,
    frames: &[Frame],
    which: Which,
    indent: usize,
    paint: Paint,
) -> io::Result<()> {
    let pad = " ".repeat(indent);
    let first_users = frames.iter().position(is_users);
    let has_users = first_users.is_some();
    let (mut shown, mut folded, mut reached) = (0, 0, false);
    for (at, frame) in frames
        .iter()
        .enumerate()
        .skip(ours(frames, first_users, which))
    {
        let users = is_users(frame);
        reached |= users;
        let wanted = which == Which::All || users || !reached || !has_users;
        let full = match which {
            Which::All => false,
            Which::Users(most) if has_users => shown >= most,
            Which::Users(_) => shown == SHOWN_OF_OTHERS,
        };
        if !wanted || full {
            folded += 1;
            continue;
        }
        if folded > 0 {
            writeln!(
                out,
                "{pad}{}",
                paint.faint(format_args!("      … {folded} more"))
            )?;
            folded = 0;
        }
        shown += usize::from(reached || !has_users);
        let place = place(frame);
        let number = format_args!("{at:>3}");
        if users {
            write!(out, "{pad}{number}  {}", frame_name(frame))?;
            if !place.is_empty() {
                write!(out, "  {}", paint.place(place))?;
            }
            writeln!(out)?;
        } else {
            let line = format!("{number}  {}  {place}", frame_name(frame));
            writeln!(out, "{pad}{}", paint.faint(line.trim_end()))?;
        }
    }
    if folded > 0 {
        writeln!(
            out,
            "{pad}{}",
            paint.faint(format_args!("      … {folded} more"))
        )?;
    }
    Ok(())
}

/// How many frames at the inner end are of pollscope's own taking of the stack, and tell nobody anything.
fn ours(frames: &[Frame], first_users: Option<usize>, which: Which) -> usize {
    if which == Which::All {
        return 0;
    }
    let inner = first_users.unwrap_or_else(|| frames.len().min(TAKING));
    let is_ours = |frame: &Frame| origin(&frame.function, &frame.file) == Origin::Pollscope;
    let last = frames[..inner].iter().rposition(is_ours);
    last.map_or(0, |last| last + 1)
}

fn is_users(frame: &Frame) -> bool {
    !frame.function.is_empty() && origin(&frame.function, &frame.file) == Origin::User
}

/// The function, or where the bytes lie that nobody could name.
fn frame_name(frame: &Frame) -> String {
    if !frame.function.is_empty() {
        return frame.function.clone();
    }
    let module = if frame.module.is_empty() {
        "?"
    } else {
        &frame.module
    };
    format!("{module}+{:#x}", frame.offset)
}

fn place(frame: &Frame) -> String {
    let mut place = short_path(&frame.file).into_owned();
    if frame.line > 0 {
        // Writing to a string cannot fail.
        let _ = write!(place, ":{}", frame.line);
    }
    place
}
