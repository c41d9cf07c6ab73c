//! The verifier: reads every claim, refutes false ones, executes samples again.

mod demands;
mod error;
mod evidence;
mod managers;
mod orders;
mod recheck;
mod service;
mod sources;
mod tally;
mod watch;

pub use error::VerifierError;
pub use service::Verifier;
pub use watch::{Stage, WatchList, Watched};
