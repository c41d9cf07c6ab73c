//! The manager's HTTP API: what it says and hears.

mod schema;
pub mod types;
