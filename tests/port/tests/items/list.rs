//! Every public path of Tokio with feature `full`, on Unix: see `facade.rs`, which wrote this.
