//! The Inferix node: everything that touches the world.
//!
//! Read [`config`] first, then the service that interests you. Decisions are pure functions, most of
//! them in `inferix-prover`; this crate waits, asks, acts and writes down.

pub mod api;
pub mod blobs;
pub mod chain;
pub mod cli;
pub mod config;
mod demands;
pub mod devnet;
pub mod engine;
pub mod explain;
pub mod manager;
pub mod meter;
pub mod metrics;
pub mod queue;
pub mod roles;
pub mod secret;
pub mod settlement;
pub mod status;
pub mod store;
pub mod supervisor;
pub mod verifier;
pub mod wallet;
pub mod worker;
