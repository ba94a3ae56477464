//! Every public path of Tokio, asked of the façade: what it lacks does not compile. See `facade.rs`, which keeps the list.

#[path = "items/list.rs"]
mod list;
