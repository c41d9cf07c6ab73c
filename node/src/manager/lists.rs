//! The lists that orders hold: what a list still promises, and what of it its worker does not have yet. Only that
//! is sent.

use alloy::primitives::{B256, Bytes, U256};
use inferix_prover::{sum_tree::Peaks, task::Task, typed_data::WorkOrder};
use serde::{Deserialize, Serialize};

use super::{
    cover::{cost_to_ibm_micro, price_of},
    desk::Desk,
    orders::Pair,
};
use crate::{
    api::types::{KnownList, Lease},
    chain::CursorView,
};

/// One device's tasks for one builder.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) tasks: Vec<ListedTask>,
    /// The root of each beginning of the list, by its length less one.
    pub(super) roots: Vec<B256>,
    pub(super) peaks: Peaks,
    pub(super) head: Option<Head>,
    pub(super) cursor: CursorView,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct ListedTask {
    pub(super) task: Task,
    pub(super) cap_ibm_micro: u128,
    /// What all its units cost, once the worker delivered them: it can't claim more without a lie.
    #[serde(skip)]
    pub(super) delivered_cost: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) order: WorkOrder,
    pub(super) signature: Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    Order(Head),
    Task(ListedTask),
}

impl List {
    /// The tasks that the chain has not seen claimed.
    pub(super) fn open_tasks(&self) -> &[ListedTask] {
        self.tasks
            .get(to_index(self.cursor.cursor)..)
            .unwrap_or_default()
    }

    pub(super) fn open_ibm_micro(&self) -> u128 {
        self.open_tasks()
            .iter()
            .map(ListedTask::bound_ibm_micro)
            .fold(0, u128::saturating_add)
    }

    pub(super) fn is_claimable(&self, claimable_from: u64) -> bool {
        let lands = self
            .head
            .as_ref()
            .is_some_and(|head| head.order.leaseEndsAt >= claimable_from);
        lands && !self.open_tasks().is_empty()
    }

    pub(super) fn exposure_wei(&self, claimable_from: u64) -> U256 {
        let head = self
            .head
            .as_ref()
            .filter(|_| self.is_claimable(claimable_from));
        head.map_or(U256::ZERO, |head| {
            price_of(self.open_ibm_micro(), head.order.priceWei.to())
        })
    }
}

impl ListedTask {
    pub(super) fn bound_ibm_micro(&self) -> u128 {
        let cost = self.delivered_cost.map(u128::from);
        let delivered = cost.map(|cost| cost_to_ibm_micro(cost, self.task.reference_rate));
        delivered.unwrap_or(u128::MAX).min(self.cap_ibm_micro)
    }
}

impl Desk {
    /// Leaves out what the worker has of the list, if what it has is the list's beginning.
    pub(super) fn trimmed(&self, mut lease: Lease, known: &[KnownList]) -> Lease {
        let pair = Pair {
            device_id: lease.order.device_id(),
            builder: lease.order.builder,
        };
        let orders = self.orders();
        let list = orders.lists.get(&pair);
        let is_beginning = |known: &&KnownList| {
            let last = known.task_count.checked_sub(1).map(to_index);
            let root = last.and_then(|last| list?.roots.get(last));
            known.builder == pair.builder && root == Some(&known.tasks_root)
        };
        if let Some(known) = known.iter().find(is_beginning) {
            let held = lease.tasks.len().min(to_index(known.task_count));
            lease.tasks.drain(..held);
            lease.tasks_from = u32::try_from(held).unwrap_or(u32::MAX);
        }
        lease
    }
}

/// A list is as long as memory allows, so each place fits.
pub(super) fn to_index(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
