//! The manager's HTTP API: what it says and hears.

pub mod types;
pub(crate) mod wire;
