//! The roles of a node account, as bits of its registration.

/// Executes tasks.
pub const WORKER: u8 = 1;
/// Splits jobs, assigns tasks, signs work orders.
pub const MANAGER: u8 = 2;
/// Checks claims.
pub const VERIFIER: u8 = 4;
