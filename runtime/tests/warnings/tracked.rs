//! `#[tracked]` on every kind of item: what it must report, and what it must leave as `async fn` has it.

mod async_trait;
mod drops;
mod hygiene;
mod items;
mod signatures;
