//! The manager's HTTP API: what it says and hears.
//!
//! [`routes`] is the list of what can be asked, [`types`] the JSON of it, [`auth`] who may ask, [`refusal`]
//! how it says no. [`client`] is the other side, which workers, builders and verifiers use. The whole is
//! described by `node/openapi.json`, which a test holds to the code.

pub mod auth;
pub mod client;
pub mod extract;
pub mod rate;
pub mod refusal;
pub mod routes;
mod schema;
pub mod server;
pub mod types;

pub use client::{Client, ClientError};
pub use server::{ApiState, router, serve};
