//! The manager: takes jobs, leases their units to workers, signs what they may claim, checks what they send.
//!
//! Read [`desk`] first, then by subject what the API offers: [`jobs`], [`leasing`], [`deliveries`], [`access`].
//! What is decided there stands in pure functions:
//! [`admission`] (which jobs), [`cover`] (how much money a lease needs), [`crate::queue::plan`] (which job
//! and how many units), [`results`] (what was delivered). [`orders`] keeps every promise before it leaves;
//! [`upkeep`] follows the chain's cursors and sweeps blobs; [`demands`] serves what falls on the manager.

pub mod access;
pub mod admission;
mod applicant;
pub mod clock;
pub mod cover;
pub mod deliveries;
pub mod demands;
pub mod desk;
pub mod error;
mod holdings;
pub mod jobs;
pub mod leasing;
pub mod ledger;
mod lists;
pub mod loose;
pub mod orders;
mod past_orders;
pub mod programs;
pub mod receipts;
pub mod results;
pub mod signing;
pub mod status;
pub mod upkeep;

pub use desk::Desk;
pub use error::ManagerError;
