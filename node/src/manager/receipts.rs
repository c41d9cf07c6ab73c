//! What receipts promise: who has one may move the duty to show the outputs to the manager.
//!
//! # Layout
//!
//! The tree `receipts`: `jobId ‖ taskId ‖ firstUnit u64 ‖ unitsRoot`.

use alloy::primitives::B256;
use inferix_prover::{
    id::{JobId, TaskId},
    typed_data::Receipt,
    unit::UnitLeaf,
};
use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreError, Tree};

/// What stands behind a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipted {
    /// The units, in order.
    pub units: Vec<UnitLeaf>,
    /// Blob that holds their output regions in order.
    pub blob: B256,
}

/// All receipts that the manager signed.
#[derive(Clone, Debug)]
pub struct ReceiptBook {
    tree: Tree,
}

impl ReceiptBook {
    /// Opens the book.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            tree: store.tree("receipts")?,
        })
    }

    /// Keeps what a receipt promises. To be called before it is signed.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub fn keep(&self, receipt: &Receipt, receipted: &Receipted) -> Result<(), StoreError> {
        let key = key(
            (JobId::new(receipt.jobId), TaskId::new(receipt.taskId)),
            (receipt.firstUnit, receipt.unitsRoot),
        );
        if self.tree.get::<Receipted>(&key)?.is_some() {
            // The same root has the same outputs, in whatever blob.
            return Ok(());
        }
        self.tree.put(key, receipted)
    }

    /// Finds what the receipt of an interval promises.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn find(
        &self,
        task: (JobId, TaskId),
        interval: (u64, B256),
    ) -> Result<Option<Receipted>, StoreError> {
        self.tree.get(key(task, interval))
    }

    /// The blobs that receipts for a job name.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn blobs(&self, job_id: JobId) -> Result<Vec<B256>, StoreError> {
        let receipts = self.tree.scan::<Receipted>(job_id.bytes())?;
        Ok(receipts.into_iter().map(|(_, kept)| kept.blob).collect())
    }

    /// Forgets the receipts for a job.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn forget(&self, job_id: JobId) -> Result<(), StoreError> {
        let receipts = self.tree.scan::<serde_json::Value>(job_id.bytes())?;
        self.tree
            .remove_all(receipts.into_iter().map(|(key, _)| key))
    }
}

fn key((job_id, task_id): (JobId, TaskId), (first_unit, units_root): (u64, B256)) -> Vec<u8> {
    [
        job_id.bytes().as_slice(),
        task_id.bytes().as_slice(),
        &first_unit.to_be_bytes(),
        units_root.as_slice(),
    ]
    .concat()
}
