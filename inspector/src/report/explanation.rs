//! `explain` as text.

use std::io::Write;

use super::Paint;
use crate::model::{UNDETECTED, Words};

/// Prints what a kind of warning means.
pub fn explanation<E: From<std::io::Error>>(
    out: &mut dyn Write,
    of: &Words,
    paint: Paint,
) -> Result<(), E> {
    let not_yet = if UNDETECTED.contains(&of.kind) {
        "(not detected yet) "
    } else {
        ""
    };
    writeln!(out, "{}: {not_yet}{}", paint.heading(of.kind), of.meaning)?;
    for (title, texts) in [
        ("What it means", ["", of.about]),
        ("The two places", ["", of.places]),
        ("The likely fix", [of.fix, of.remedy]),
        ("To silence it", ["", of.silence]),
        ("When it is wrong", ["", of.residue]),
    ] {
        writeln!(out, "\n{}", paint.heading(title))?;
        for line in texts.iter().flat_map(|text| text.lines()) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}
