//! Colours of printed text: a few, never the only sign of anything, and none where they are not wanted.

use std::fmt::{self, Display};

use crate::model::Severity;

/// Whether to colour.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paint {
    on: bool,
}

/// A text in its colour.
pub(super) struct Painted<T> {
    text: T,
    /// Select Graphic Rendition; `None` leaves the text as it is.
    code: Option<&'static str>,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => {
                write!(f, "\x1b[{code}m")?;
                self.text.fmt(f)?;
                f.write_str("\x1b[0m")
            }
            None => self.text.fmt(f),
        }
    }
}

impl Paint {
    /// Colours or none.
    pub const fn new(on: bool) -> Self {
        Self { on }
    }

    /// Whether there are colours.
    pub const fn is_on(self) -> bool {
        self.on
    }

    const fn with<T>(self, code: &'static str, text: T) -> Painted<T> {
        let code = if self.on { Some(code) } else { None };
        Painted { text, code }
    }

    pub(super) const fn heading<T>(self, text: T) -> Painted<T> {
        self.with("1", text)
    }

    pub(super) const fn faint<T>(self, text: T) -> Painted<T> {
        self.with("2", text)
    }

    pub(super) const fn place<T>(self, text: T) -> Painted<T> {
        self.with("36", text)
    }

    /// The sign of a severity: `?`, `!` or `!!`.
    pub(super) const fn severity(self, severity: Severity) -> Painted<&'static str> {
        match severity {
            Severity::Info => self.with("2", "? "),
            Severity::Warn => self.with("33", "! "),
            Severity::Error => self.with("31;1", "!!"),
        }
    }
}
