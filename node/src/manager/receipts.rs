//! Receipts: who has one for an interval may move the duty to show its outputs to the manager.
//!
//! A receipt is signed for the units that a task delivered, in whatever batches they came. Of each unit the
//! first delivery counts and none may contradict it, so what a receipt promises is found again from what was
//! delivered, and is written down no second time.
//!
//! # Layout
//!
//! The tree `receipts`: `jobId ‖ taskId ‖ firstUnit u64 ‖ unitsRoot`, a piece each.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use alloy::primitives::{Address, B256, Bytes};
use inferix_prover::{
    id::{JobId, TaskId},
    typed_data::Receipt,
    unit::UnitLeaf,
};
use serde::{Deserialize, Serialize};

use super::{
    desk::Desk,
    error::ManagerError,
    results::{ReportRefusal, units_root},
};
use crate::{
    api::types::{ReceiptRequest, SignedReceipt},
    store::{Store, StoreError, Tree},
};

/// Consecutive units that a task delivered together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The units, in order.
    pub units: Vec<UnitLeaf>,
    /// Blob that holds their output regions in order.
    pub blob: B256,
}

/// Where the output of a unit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputPlace {
    /// Blob that holds it among others of the same size.
    pub blob: B256,
    /// Its place among them.
    pub position: usize,
    /// How many they are.
    pub unit_count: usize,
}

/// What stands behind a receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipted {
    /// The units, in order.
    pub units: Vec<UnitLeaf>,
    /// Where the output of each lies.
    pub places: Vec<OutputPlace>,
}

/// Why there is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptRefusal {
    /// The units are not the task's.
    #[error("units {first_unit} and {unit_count} on are not within the task")]
    UnitsNotTask {
        /// First unit.
        first_unit: u64,
        /// How many.
        unit_count: u32,
    },
    /// The task has not delivered a unit, or another one had before.
    #[error("unit {unit_index} is not held here from this task")]
    NotDelivered {
        /// The unit.
        unit_index: u64,
    },
    /// What was delivered is not what the interval holds.
    #[error("the delivered units have the root {computed}, the interval has {asked}")]
    WrongRoot {
        /// Of what was delivered.
        computed: B256,
        /// Of the interval.
        asked: B256,
    },
}

/// What tasks delivered, for as long as receipts may be shown.
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

    /// Keeps a piece whose outputs were checked.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub fn keep(
        &self,
        (job_id, task_id): (JobId, TaskId),
        (piece, units_root): (&Piece, B256),
    ) -> Result<(), StoreError> {
        let first_unit = piece.units.first().map_or(0, |unit| unit.unit_index);
        let mut key = task_key(job_id, task_id);
        key.extend(first_unit.to_be_bytes());
        key.extend(units_root);
        self.tree.put(key, piece)
    }

    /// What a task delivered.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn pieces(&self, job_id: JobId, task_id: TaskId) -> Result<Vec<Piece>, StoreError> {
        let pieces = self.tree.scan(task_key(job_id, task_id))?.into_iter();
        Ok(pieces.map(|(_, piece)| piece).collect())
    }

    /// The blobs that hold what a job's tasks delivered.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn blobs(&self, job_id: JobId) -> Result<Vec<B256>, StoreError> {
        let pieces = self.tree.scan::<Piece>(job_id.bytes())?.into_iter();
        Ok(pieces.map(|(_, piece)| piece.blob).collect())
    }

    /// Forgets what a job's tasks delivered.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn forget(&self, job_id: JobId) -> Result<(), StoreError> {
        let pieces = self.tree.scan::<serde_json::Value>(job_id.bytes())?;
        self.tree.remove_all(pieces.into_iter().map(|(key, _)| key))
    }
}

/// Puts the units of an interval together out of the pieces in which they were delivered.
///
/// # Errors
///
/// [`ReceiptRefusal::NotDelivered`], [`ReceiptRefusal::WrongRoot`].
pub fn compose(
    pieces: &[Piece],
    units: Range<u64>,
    asked: B256,
) -> Result<Receipted, ReceiptRefusal> {
    let mut held = BTreeMap::new();
    for piece in pieces {
        for (position, unit) in piece.units.iter().enumerate() {
            let place = OutputPlace {
                blob: piece.blob,
                position,
                unit_count: piece.units.len(),
            };
            held.entry(unit.unit_index).or_insert((*unit, place));
        }
    }
    let mut receipted = Receipted::default();
    for unit_index in units {
        let (unit, place) = *held
            .get(&unit_index)
            .ok_or(ReceiptRefusal::NotDelivered { unit_index })?;
        receipted.units.push(unit);
        receipted.places.push(place);
    }
    // No units make no tree, and so no interval's root.
    let computed = units_root(&receipted.units).unwrap_or_default();
    if computed != asked {
        return Err(ReceiptRefusal::WrongRoot { computed, asked });
    }
    Ok(receipted)
}

/// Checks that what is delivered does not contradict what was delivered before.
///
/// # Errors
///
/// [`ReportRefusal::Contradicts`].
pub(super) fn check_same(pieces: &[Piece], units: &[UnitLeaf]) -> Result<(), ReportRefusal> {
    let held = pieces.iter().flat_map(|piece| &piece.units);
    let held: BTreeMap<u64, &UnitLeaf> = held.map(|unit| (unit.unit_index, unit)).collect();
    let differs = |unit: &&UnitLeaf| {
        let before = held.get(&unit.unit_index);
        before.is_some_and(|before| before != unit)
    };
    match units.iter().find(differs) {
        Some(unit) => Err(ReportRefusal::Contradicts {
            unit_index: unit.unit_index,
        }),
        None => Ok(()),
    }
}

impl Desk {
    /// Signs the receipt of an interval whose units the worker has delivered.
    ///
    /// # Errors
    ///
    /// [`ManagerError::TaskUnknown`], [`ManagerError::ReceiptRefused`], and failures of the store and the key.
    pub async fn receipt(
        self: &Arc<Self>,
        worker: Address,
        request: ReceiptRequest,
    ) -> Result<SignedReceipt, ManagerError> {
        let ReceiptRequest {
            task_id,
            first_unit,
            unit_count,
            units_root,
        } = request;
        let lease = self.own_lease(worker, TaskId::new(task_id))?;
        if !lease.task.holds(first_unit, unit_count) {
            let refusal = ReceiptRefusal::UnitsNotTask {
                first_unit,
                unit_count,
            };
            return Err(refusal.into());
        }
        let job_id = lease.task.job_id;
        let receipt = Receipt {
            manager: self.account,
            worker,
            jobId: job_id.bytes(),
            taskId: task_id,
            firstUnit: first_unit,
            unitCount: unit_count,
            unitsRoot: units_root,
        };
        self.blocking(move |desk| {
            let pieces = desk.receipts.pieces(job_id, TaskId::new(task_id))?;
            let units = first_unit..first_unit.saturating_add(unit_count.into());
            compose(&pieces, units, units_root)?;
            let signature = desk.wallet.sign_message(&receipt, &desk.domain)?;
            Ok(SignedReceipt {
                receipt,
                signature: Bytes::copy_from_slice(&signature),
            })
        })
        .await
    }
}

fn task_key(job_id: JobId, task_id: TaskId) -> Vec<u8> {
    [job_id.bytes().as_slice(), task_id.bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(units: Range<u64>, blob: u8) -> Piece {
        let unit = |unit_index| UnitLeaf {
            unit_index,
            status: 0,
            output_root: B256::with_last_byte(9),
            cost: 10 + unit_index,
        };
        Piece {
            units: units.map(unit).collect(),
            blob: B256::with_last_byte(blob),
        }
    }

    fn root(units: Range<u64>) -> B256 {
        units_root(&piece(units, 0).units).unwrap()
    }

    #[test]
    fn an_interval_is_put_together_out_of_any_batches() {
        // The second came after a crash, in other batches.
        let pieces = [piece(0..4, 1), piece(2..6, 2), piece(6..7, 3)];
        let found = compose(&pieces, 1..7, root(1..7)).unwrap();
        assert_eq!(found.units, piece(1..7, 0).units);
        let places: Vec<_> = found
            .places
            .iter()
            .map(|place| (place.blob[31], place.position, place.unit_count))
            .collect();
        let needed = [
            (1, 1, 4),
            (1, 2, 4),
            (1, 3, 4),
            (2, 2, 4),
            (2, 3, 4),
            (3, 0, 1),
        ];
        assert_eq!(places, needed);
    }

    #[test]
    fn there_is_no_receipt_for_what_was_not_delivered_or_is_something_else() {
        let pieces = [piece(0..2, 1), piece(3..4, 2)];
        let refusal = compose(&pieces, 1..4, root(1..4)).unwrap_err();
        assert_eq!(refusal, ReceiptRefusal::NotDelivered { unit_index: 2 });
        let refusal = compose(&pieces, 0..2, B256::ZERO).unwrap_err();
        let wrong = ReceiptRefusal::WrongRoot {
            computed: root(0..2),
            asked: B256::ZERO,
        };
        assert_eq!(refusal, wrong);
        assert!(compose(&pieces, 0..0, root(0..2)).is_err(), "of no units");
    }

    #[test]
    fn a_second_delivery_must_be_the_first_again() {
        let held = [piece(0..4, 1)];
        check_same(&held, &piece(2..9, 2).units).unwrap();
        let mut other = piece(2..9, 2).units;
        other[1].cost += 1;
        let refusal = check_same(&held, &other).unwrap_err();
        assert!(matches!(
            refusal,
            ReportRefusal::Contradicts { unit_index: 3 }
        ));
    }
}
