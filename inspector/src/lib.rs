//! The inspector: net → model → app (update) → ui (draw).

pub mod format;
pub mod model;
pub mod net;
