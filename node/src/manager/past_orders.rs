//! Every order that the manager signed, by its hash: a claim may consume any of them.
//!
//! # Layout
//!
//! In the tree `orders`, beside the lists: `"past" ‖ order hash`, shorter than any list's key.

use alloy::primitives::B256;
use inferix_prover::{task::Task, typed_data::WorkOrder};

use super::{
    lists::Record,
    orders::{OrderBook, Pair},
};
use crate::store::StoreError;

const PREFIX: &[u8] = b"past";

impl OrderBook {
    /// Finds an order by its hash, with the list that it names.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`].
    pub fn past(&self, order_hash: B256) -> Result<Option<(WorkOrder, Vec<Task>)>, StoreError> {
        let Some(Record::Order(head)) = self.tree.get(key(order_hash))? else {
            return Ok(None);
        };
        let order = head.order;
        let pair = Pair {
            device_id: order.device_id(),
            builder: order.builder,
        };
        let count = usize::try_from(order.taskCount).unwrap_or(usize::MAX);
        let tasks = self.lists.get(&pair).map(|list| {
            let listed = list.tasks.iter().take(count);
            listed.map(|listed| listed.task).collect()
        });
        Ok(Some((order, tasks.unwrap_or_default())))
    }
}

pub(super) fn key(order_hash: B256) -> Vec<u8> {
    [PREFIX, order_hash.as_slice()].concat()
}

pub(super) fn is_key(key: &[u8]) -> bool {
    key.len() == PREFIX.len() + B256::len_bytes() && key.starts_with(PREFIX)
}
