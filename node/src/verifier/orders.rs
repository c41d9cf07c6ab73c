//! Orders that claims have shown: two of one manager may lease the same unit.
//!
//! # Layout
//!
//! The tree `observed orders`: `manager ‖ worker ‖ builder ‖ taskId` of the first task. A list only grows, so that
//! its first task names it and its longest order holds all of it.

use std::collections::BTreeSet;

use alloy::primitives::{Address, FixedBytes};
use inferix_prover::{
    claim::Line,
    fraud::ObservedOrder,
    task::Task,
    typed_data::{CompactSignature, WorkOrder},
};
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreError, Tree};

#[derive(Debug, Serialize, Deserialize)]
struct Observed {
    order: WorkOrder,
    signature: FixedBytes<64>,
    tasks: Vec<Task>,
}

/// Orders that claims have shown.
#[derive(Clone, Debug)]
pub(super) struct ObservedOrders {
    tree: Tree,
}

impl ObservedOrders {
    /// Opens what was observed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            tree: store.tree("observed orders")?,
        })
    }

    /// Keeps an order whose signer was checked. Returns whether it shows more than what was known.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub(super) fn add(
        &self,
        order: &WorkOrder,
        signature: CompactSignature,
        tasks: &[Task],
    ) -> Result<bool, StoreError> {
        let key = key(order, tasks);
        let known = self.tree.get::<Observed>(&key)?;
        if known.is_some_and(|known| known.order.taskCount >= order.taskCount) {
            return Ok(false);
        }
        let observed = Observed {
            order: order.clone(),
            signature: signature.into(),
            tasks: tasks.to_vec(),
        };
        self.tree.put(key, &observed)?;
        Ok(true)
    }

    /// Whether an order shows nothing that is not known.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub(super) fn holds(&self, order: &WorkOrder, tasks: &[Task]) -> Result<bool, StoreError> {
        let known = self.tree.get::<Observed>(key(order, tasks))?;
        Ok(known.is_some_and(|known| known.order.taskCount >= order.taskCount))
    }

    /// The orders of the managers of a claim's lines.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub(super) fn of_managers(&self, lines: &[Line]) -> Result<Vec<ObservedOrder>, StoreError> {
        let managers: BTreeSet<Address> = lines.iter().map(|line| line.manager).collect();
        let mut orders = Vec::new();
        for manager in managers {
            let observed = self.tree.scan::<Observed>(manager)?;
            orders.extend(observed.into_iter().map(|(_, observed)| ObservedOrder {
                order: observed.order,
                signature: observed.signature.0,
                tasks: observed.tasks,
            }));
        }
        Ok(orders)
    }
}

fn key(order: &WorkOrder, tasks: &[Task]) -> Vec<u8> {
    let first = tasks.first().map(Task::task_id).unwrap_or_default();
    [
        order.manager.as_slice(),
        order.deviceId.as_slice(),
        order.builder.as_slice(),
        first.bytes().as_slice(),
    ]
    .concat()
}
