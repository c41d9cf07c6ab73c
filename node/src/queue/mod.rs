//! Which units of which jobs are free, under lease or delivered.
//!
//! [`task_queue`] is the seam: one embedded queue lies behind it, and a distributed one may.
//! [`plan`] decides, purely, which job is next and how large a task is.

pub mod embedded;
pub mod plan;
pub mod task_queue;
pub mod unit_ranges;

pub use embedded::EmbeddedQueue;
pub use task_queue::{Delivery, JobEntry, JobView, LeaseEntry, QueueError, TaskQueue};
pub use unit_ranges::UnitRanges;
