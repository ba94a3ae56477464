//! P6: what is found makes the program fail, once it is told.

pub(crate) use super::p03_never_awaited::{faulty, healthy};
