//! `explain` as text.

use std::io::Write;

use super::Paint;
use crate::explain::Explanation;

/// Prints what a kind of warning means.
pub fn explanation<E: From<std::io::Error>>(
    out: &mut dyn Write,
    of: &Explanation,
    paint: Paint,
) -> Result<(), E> {
    writeln!(out, "{}: {}", paint.heading(of.kind), of.summary)?;
    for (title, text) in [
        ("What it means", of.meaning),
        ("The two places", of.places),
        ("The likely fix", of.fix),
        ("To silence it", of.silence),
        ("When it is wrong", of.residue),
    ] {
        writeln!(out, "\n{}", paint.heading(title))?;
        for line in text.lines() {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}
