//! `pollscope.v1`: what the watched program and the inspector say to each other, and what both ends
//! must agree on.

/// The messages and the service, as generated from `proto/pollscope/v1/inspect.proto`.
#[allow(missing_docs, unreachable_pub, missing_debug_implementations)]
#[allow(clippy::all, clippy::pedantic, clippy::use_self)]
pub mod v1 {
    include!("generated/pollscope.v1.rs");
}
