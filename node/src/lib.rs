//! The Inferix node: everything that touches the world.
//!
//! Read [`config`] first, then the service that interests you. Decisions are pure functions, most of
//! them in `inferix-prover`; this crate waits, asks, acts and writes down.

pub mod api;
pub mod blobs;
pub mod config;
pub mod manager;
pub mod queue;
pub mod secret;
pub mod store;
pub mod wallet;
