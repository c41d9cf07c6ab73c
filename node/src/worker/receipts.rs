//! Receipts: a manager's word that the outputs of an interval arrived. Who has one moves the duty to show them.
//!
//! # Layout
//!
//! The tree `receipts`: `taskId ‖ firstUnit u64 ‖ unitsRoot`.

use std::ops::Range;

use alloy::{
    primitives::{Address, B256},
    sol_types::Eip712Domain,
};
use inferix_prover::{
    interval::Interval,
    typed_data::{Receipt, recover_signer},
};

use crate::{
    api::types::SignedReceipt,
    store::{Store, StoreError, Tree},
};

/// Bytes of a key.
const KEY_BYTES: usize = 32 + 8 + 32;

/// What a receipt must say, and who must have signed it.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptTerms<'a> {
    /// The manager of the interval's order.
    pub manager: Address,
    /// Its operator, as registered on chain.
    pub manager_operator: Address,
    /// The worker that claims the interval.
    pub worker: Address,
    /// The domain that messages are signed in.
    pub domain: &'a Eip712Domain,
}

/// Why a receipt is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UselessReceipt {
    /// It is of something else than the interval.
    #[error("the receipt is not of the interval that was asked for")]
    OtherInterval,
    /// The signature is none, or not the operator's.
    #[error("the receipt is not signed by {needed}")]
    WrongSigner {
        /// Who must have signed.
        needed: Address,
    },
}

/// Checks that a receipt is what the contract takes for an interval.
///
/// An operator's signature stays good after the operator was replaced, and the contract locks of the manager's
/// stake what there is: a receipt that passes once is good for as long as the interval can be asked about.
///
/// # Errors
///
/// Every variant of [`UselessReceipt`].
pub fn check_receipt(
    receipt: &SignedReceipt,
    interval: &Interval,
    terms: &ReceiptTerms<'_>,
) -> Result<(), UselessReceipt> {
    let needed = Receipt {
        manager: terms.manager,
        worker: terms.worker,
        jobId: interval.job_id.bytes(),
        taskId: interval.task_id.bytes(),
        firstUnit: interval.first_unit,
        unitCount: interval.unit_count,
        unitsRoot: interval.units_root,
    };
    if receipt.receipt != needed {
        return Err(UselessReceipt::OtherInterval);
    }
    let signature = receipt.signature.as_ref().try_into().ok();
    let signer = signature.and_then(|sig| recover_signer(&needed, terms.domain, &sig).ok());
    if signer != Some(terms.manager_operator) {
        return Err(UselessReceipt::WrongSigner {
            needed: terms.manager_operator,
        });
    }
    Ok(())
}

/// The receipts that a worker has.
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

    /// Keeps a receipt that was checked.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub fn keep(&self, receipt: &SignedReceipt) -> Result<(), StoreError> {
        let Receipt {
            taskId,
            firstUnit,
            unitsRoot,
            ..
        } = receipt.receipt;
        self.tree.put(key(taskId, firstUnit, unitsRoot), receipt)
    }

    /// Finds the receipt of an interval.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn find(&self, interval: &Interval) -> Result<Option<SignedReceipt>, StoreError> {
        let (first_unit, units_root) = (interval.first_unit, interval.units_root);
        self.tree
            .get(key(interval.task_id.bytes(), first_unit, units_root))
    }

    /// The units of each task that a receipt covers.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn covered(&self) -> Result<Vec<(B256, Range<u64>)>, StoreError> {
        let held: Vec<(Vec<u8>, SignedReceipt)> = self.tree.scan([])?;
        let units = |receipt: &Receipt| {
            let end = receipt.firstUnit.saturating_add(receipt.unitCount.into());
            (receipt.taskId, receipt.firstUnit..end)
        };
        // Receipts of single batches, which earlier versions kept by their task, move no duty.
        let held = held.into_iter().filter(|(key, _)| key.len() == KEY_BYTES);
        Ok(held.map(|(_, held)| units(&held.receipt)).collect())
    }

    /// Forgets the receipts for a task.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub fn forget(&self, task_id: B256) -> Result<(), StoreError> {
        let held: Vec<(Vec<u8>, SignedReceipt)> = self.tree.scan(task_id)?;
        self.tree.remove_all(held.into_iter().map(|(key, _)| key))
    }
}

fn key(task_id: B256, first_unit: u64, units_root: B256) -> Vec<u8> {
    [
        task_id.as_slice(),
        &first_unit.to_be_bytes(),
        units_root.as_slice(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use alloy::{primitives::Bytes, signers::local::PrivateKeySigner};
    use inferix_prover::{
        id::{JobId, TaskId},
        typed_data::domain,
    };

    use super::*;
    use crate::wallet::Wallet;

    const WORKER: Address = Address::repeat_byte(1);
    const MANAGER: Address = Address::repeat_byte(2);

    fn wallet(seed: u8) -> Wallet {
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(seed)).unwrap();
        Wallet::from_signer(key)
    }

    fn domain_of_test() -> Eip712Domain {
        domain(31_337, Address::repeat_byte(3))
    }

    fn interval() -> Interval {
        Interval {
            job_id: JobId::new(B256::repeat_byte(4)),
            task_id: TaskId::new(B256::repeat_byte(5)),
            first_unit: 7,
            unit_count: 3,
            units_root: B256::repeat_byte(6),
            ..Interval::default()
        }
    }

    fn receipt(change: impl FnOnce(&mut Receipt)) -> SignedReceipt {
        let interval = interval();
        let mut receipt = Receipt {
            manager: MANAGER,
            worker: WORKER,
            jobId: interval.job_id.bytes(),
            taskId: interval.task_id.bytes(),
            firstUnit: interval.first_unit,
            unitCount: interval.unit_count,
            unitsRoot: interval.units_root,
        };
        change(&mut receipt);
        let signature = wallet(9).sign_message(&receipt, &domain_of_test()).unwrap();
        SignedReceipt {
            receipt,
            signature: Bytes::copy_from_slice(&signature),
        }
    }

    fn check(receipt: &SignedReceipt, operator: Address) -> Result<(), UselessReceipt> {
        let terms = ReceiptTerms {
            manager: MANAGER,
            manager_operator: operator,
            worker: WORKER,
            domain: &domain_of_test(),
        };
        check_receipt(receipt, &interval(), &terms)
    }

    #[test]
    fn a_receipt_is_of_exactly_one_interval_and_signed_by_the_managers_operator() {
        let operator = wallet(9).address();
        check(&receipt(|_| ()), operator).unwrap();

        let changes: [fn(&mut Receipt); 7] = [
            |receipt| receipt.manager = WORKER,
            |receipt| receipt.worker = MANAGER,
            |receipt| receipt.jobId = B256::ZERO,
            |receipt| receipt.taskId = B256::ZERO,
            |receipt| receipt.firstUnit += 1,
            |receipt| receipt.unitCount -= 1,
            |receipt| receipt.unitsRoot = B256::ZERO,
        ];
        for change in changes {
            let err = check(&receipt(change), operator).unwrap_err();
            assert_eq!(err, UselessReceipt::OtherInterval);
        }
        let needed = wallet(8).address();
        let err = check(&receipt(|_| ()), needed).unwrap_err();
        assert_eq!(err, UselessReceipt::WrongSigner { needed });
        let unsigned = SignedReceipt {
            signature: Bytes::from_static(b"nothing"),
            ..receipt(|_| ())
        };
        assert!(check(&unsigned, operator).is_err());
    }

    #[test]
    fn a_receipt_is_found_by_its_interval_after_a_restart_and_goes_with_its_task() {
        let dir = tempfile::tempdir().unwrap();
        {
            let book = ReceiptBook::open(&Store::open(dir.path()).unwrap()).unwrap();
            book.keep(&receipt(|_| ())).unwrap();
            // Of the same task, for the units that follow.
            book.keep(&receipt(|receipt| receipt.firstUnit = 10))
                .unwrap();
        }
        let book = ReceiptBook::open(&Store::open(dir.path()).unwrap()).unwrap();
        assert_eq!(
            book.find(&interval()).unwrap().unwrap().receipt.firstUnit,
            7
        );
        let other = Interval {
            units_root: B256::ZERO,
            ..interval()
        };
        assert!(book.find(&other).unwrap().is_none());
        let task_id = interval().task_id.bytes();
        let needed = [(task_id, 7..10), (task_id, 10..13)];
        assert_eq!(book.covered().unwrap(), needed);
        book.forget(task_id).unwrap();
        assert!(book.covered().unwrap().is_empty());
    }
}
