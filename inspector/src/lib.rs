//! The inspector: net → model → app (update) → ui (draw).

pub mod model;
