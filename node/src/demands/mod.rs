//! Demands as those meet them who must serve one: what is asked, and what answers it.
//!
//! [`DemandFeed`] reads what was asked on chain, [`answer`] builds the answer, [`serve`] sends it. Who serves
//! stands in [`crate::settlement`] for a worker and in [`crate::manager::demands`] for a manager.

mod answer;
mod feed;
mod serving;
mod shift;
pub(crate) mod shown;

pub(crate) use answer::{AnswerError, Question, ShownInterval, answer};
pub(crate) use feed::{DemandFeed, OpenedDemand};
pub(crate) use serving::{Served, move_duty, serve};
pub(crate) use shift::shift;

/// The worker must serve it, as `IDemands.DemandStatus`.
pub(crate) const OPEN_TO_WORKER: u8 = 1;
/// The manager must serve it. What the worker has too, it serves for the fee.
pub(crate) const OPEN_TO_MANAGER: u8 = 2;
