//! From measured intervals to money: an outbox of claims.
//!
//! What is to be posted is written down first ([`Outbox`]), published, then sent; the chain is asked
//! before anything is sent again. [`plan`] decides what to claim and when.

mod check;
mod duty;
mod holdings;
mod jobs;
#[cfg(feature = "attack")]
mod lies;
mod outcome;
pub mod plan;
mod record;
mod refusal;
mod server;
mod service;

pub use record::{ClaimRecord, Outbox, Stage};
pub use server::DemandServer;
pub use service::Settlement;
