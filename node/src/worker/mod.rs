//! The worker: takes tasks, executes them, writes down what it measured, reports what it computed.

mod accept;
mod book;

pub use accept::{LeaseRefusal, Terms, check_lease};
pub use book::{Book, LeaseRecord, LeaseState};
