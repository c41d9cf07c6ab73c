//! The manager's HTTP interface.

pub mod types;
