//! Working time: what the device did, when, and for how long.
//!
//! The meter wraps the engine. [`Clock`] gives instants that no wrong system clock can shift,
//! [`WorkTimer`] the device time of a batch, [`Journal`] what survives `kill -9`, and [`Meter`] turns
//! batches into the intervals that claims are made of.

mod clock;
mod journal;
mod ledger;
mod record;
mod timer;

pub use clock::Clock;
pub use journal::{Journal, JournalError};
pub use ledger::Ledger;
pub use record::{BatchRecord, ClosedInterval, Entry, Meter, OpenInterval, Telemetry};
pub use timer::{Lap, WorkTimer};
