//! The tests of `#[tracked]` in edition 2021, where `impl Future` written by hand captures no lifetime by itself.

#[cfg(test)]
#[path = "../warnings/tracked/drops.rs"]
mod drops;
#[cfg(test)]
#[path = "../warnings/tracked/hygiene.rs"]
mod hygiene;
#[cfg(test)]
#[path = "../warnings/tracked/items.rs"]
mod items;
#[cfg(test)]
#[path = "../warnings/tracked/signatures.rs"]
mod signatures;
#[cfg(test)]
#[path = "../warnings/watch.rs"]
mod watch;
