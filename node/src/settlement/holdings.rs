//! What a claim is gathered from, read from the worker's book and the chain.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use inferix_prover::id::JobId;

use super::plan::{Holdings, OrderKey};
use crate::{
    api::types::{Lease, SignedJob},
    meter::ClosedInterval,
    worker::{Context, LeaseRecord, LeaseState, WorkerError},
};

/// What there is to claim from, read at one time.
#[derive(Debug, Default)]
pub(super) struct OwnedHoldings {
    active_tasks: Vec<(OrderKey, u32)>,
    orders: BTreeMap<(Address, Address), Lease>,
    pub(super) cursors: BTreeMap<OrderKey, u32>,
    pub(super) jobs: BTreeMap<JobId, SignedJob>,
}

impl OwnedHoldings {
    /// Gathers what the worker has, and where the chain's cursors stand.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`], [`WorkerError::Chain`].
    pub(super) async fn gather(
        ctx: &Context,
        leases: Vec<LeaseRecord>,
        closed: &[ClosedInterval],
    ) -> Result<Self, WorkerError> {
        let mut owned = Self::default();
        for record in leases {
            let key = (record.lease.order.manager, record.lease.order.builder);
            if record.state == LeaseState::Active {
                owned.active_tasks.push((key, record.task_index));
            }
            owned.jobs.insert(record.task.job_id, record.lease.job);
        }
        for key in closed.iter().map(|closed| (closed.manager, closed.builder)) {
            if owned.cursors.contains_key(&key) {
                continue;
            }
            let (manager, builder) = key;
            owned.cursors.insert(
                key,
                ctx.reader
                    .cursor(ctx.device_id, manager, builder)
                    .await?
                    .cursor,
            );
            owned
                .orders
                .extend(ctx.book.order(manager, builder)?.map(|lease| (key, lease)));
        }
        Ok(owned)
    }

    /// The same for [`plan`](super::plan), with the intervals that were read beside it.
    pub(super) fn view<'a>(&'a self, closed: &'a [ClosedInterval]) -> Holdings<'a> {
        Holdings {
            closed,
            active_tasks: &self.active_tasks,
            orders: &self.orders,
            cursors: &self.cursors,
            jobs: &self.jobs,
        }
    }
}
