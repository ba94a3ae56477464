//! The inspector: net → model → app (update) → ui (draw).

pub mod app;
pub mod cli;
#[cfg(feature = "demo")]
mod demo;
pub mod explain;
pub mod format;
pub mod model;
pub mod net;
pub mod report;
pub mod terminal;
pub mod track;
pub mod tui;
pub mod ui;
