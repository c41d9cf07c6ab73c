//! What a worker commits: intervals, trees, claims, and the frauds that they can hold.
//!
//! The crate is pure: it reads no clock, no disk and no network, and the same input gives the same
//! bytes on every machine. `PROTOCOL.md` fixes those bytes; `test-vectors/` holds this crate, the
//! contracts and the JavaScript checker to them.
//!
//! Read [`sum_tree`] first: every commitment is one of its roots. Then [`interval`], [`mod@unit`] and
//! [`task`], its three kinds of leaves; [`claim`] and [`blob`], what a worker posts and publishes;
//! [`typed_data`], what managers and builders sign.

#[cfg(feature = "attack")]
pub mod attack;
pub mod blob;
mod bytes;
pub mod claim;
pub mod fraud;
pub mod id;
pub mod interval;
pub mod sum_tree;
pub mod task;
pub mod typed_data;
pub mod unit;
pub mod vm;

pub use alloy_primitives::aliases::U96;
pub use bytes::DecodeError;
