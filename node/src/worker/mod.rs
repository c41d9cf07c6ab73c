//! The worker: takes tasks, executes them, writes down what it measured, reports what it computed.

mod accept;
mod book;
mod collector;
mod context;
mod control;
mod error;
pub mod gauges;
mod leasing;
mod link;
mod receipts;
mod reporter;
mod retention;
mod service;
mod upkeep;

pub use accept::{LeaseRefusal, Terms, check_lease};
pub use book::{Book, LeaseRecord, LeaseState};
pub use context::Context;
pub use control::{Control, Mode};
pub use error::WorkerError;
pub use link::Link;
pub use receipts::{ReceiptBook, ReceiptTerms, UselessReceipt, check_receipt};
pub use reporter::Reporter;
pub use retention::{Shelf, forgettable, uncovered};
pub use service::Worker;
pub use upkeep::Upkeep;
