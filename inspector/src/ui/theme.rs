//! Roles and how they look: the terminal's own 16 colours on its own background.
//!
//! Nothing is told by colour alone: without colour the same screen is drawn with bold, dim and reverse. Secondary
//! text is dim rather than bright black, which some palettes give the colour of the background.

use ratatui::style::{Color, Modifier, Style};

use crate::model::{Severity, TaskState};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    colored: bool,
}

impl Theme {
    /// The 16 colours.
    pub const COLOR: Self = Self { colored: true };
    /// No colour at all: `NO_COLOR`, `--color never`.
    pub const PLAIN: Self = Self { colored: false };

    const fn color(self, color: Color) -> Style {
        if self.colored {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }

    pub const fn text(self) -> Style {
        Style::new()
    }

    pub const fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub const fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub const fn border(self, focused: bool) -> Style {
        if focused {
            self.color(Color::Cyan)
        } else {
            self.dim()
        }
    }

    /// Keys, the cursor, the screen one is on.
    pub const fn accent(self) -> Style {
        self.color(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// A bar over the whole row: the colours of its cells would make a patchwork of it.
    pub const fn cursor(self) -> Style {
        Style::reset().add_modifier(Modifier::REVERSED)
    }

    pub const fn good(self) -> Style {
        self.color(Color::Green)
    }

    pub const fn chart(self) -> Style {
        self.color(Color::Cyan)
    }

    /// Functions in stacks.
    pub const fn code(self) -> Style {
        self.color(Color::Blue)
    }

    pub const fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Info => self.color(Color::Blue),
            Severity::Warn => self.color(Color::Yellow),
            Severity::Error => self.color(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    pub const fn warned(self, severity: Option<Severity>) -> Style {
        match severity {
            None => self.text(),
            Some(severity) => self.severity(severity),
        }
    }

    pub const fn state(self, state: TaskState) -> Style {
        match state {
            TaskState::Running => self.color(Color::Green),
            TaskState::Scheduled => self.color(Color::Yellow),
            TaskState::Unpolled => self.color(Color::Magenta),
            TaskState::Idle => self.text(),
            TaskState::Done => self.dim(),
        }
    }
}

/// The shape of a severity, so that it can be told without colour.
pub const fn mark(severity: Option<Severity>) -> &'static str {
    match severity {
        None => "",
        Some(Severity::Info) => "?",
        Some(Severity::Warn) => "!",
        Some(Severity::Error) => "!!",
    }
}
