//! Why the manager did not do what a request asked.

use alloy::primitives::{Address, B256, U256};
use inferix_prover::id::{JobId, TaskId};

use super::{
    admission::JobRefusal, loose::QuotaError, orders::OrderError, receipts::ReceiptRefusal,
    results::ReportRefusal,
};
use crate::{
    blobs::BlobError, chain::ChainError, queue::QueueError, store::StoreError, wallet::WalletError,
};

/// Why the manager did not do what a request asked.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// The caller has no registration for this.
    #[error("{account} is not registered as a {role}, or is leaving")]
    NotRegistered {
        /// Who asked.
        account: Address,
        /// What it would have to be.
        role: &'static str,
    },
    /// The caller may neither work nor pay here.
    #[error("{account} is no worker and has allocated nothing to this manager: allocate first")]
    Stranger {
        /// Who asked.
        account: Address,
    },
    /// The worker has no such device.
    #[error("worker {worker} has registered no device {device_index}")]
    DeviceUnknown {
        /// The worker.
        worker: Address,
        /// The device.
        device_index: u32,
    },
    /// The job is not taken.
    #[error("the job is refused")]
    JobRefused(#[from] JobRefusal),
    /// The builder's allocation does not cover a first task.
    #[error(
        "{free_wei} wei of the allocation are free, a first task needs {needed_wei}: allocate more"
    )]
    AllocationTooLow {
        /// What is free.
        free_wei: U256,
        /// What is needed.
        needed_wei: U256,
    },
    /// The input was not sent.
    #[error("the input blob {blob} is not here: send it first")]
    InputMissing {
        /// The blob.
        blob: B256,
    },
    /// The report is not taken.
    #[error("the report is refused")]
    ReportRefused(#[from] ReportRefusal),
    /// There is no receipt.
    #[error("there is no receipt")]
    ReceiptRefused(#[from] ReceiptRefusal),
    /// The outputs were not sent.
    #[error("the output blob {blob} is not here: send it first")]
    OutputMissing {
        /// The blob.
        blob: B256,
    },
    /// The claim's blob was not sent.
    #[error("the claim blob {blob} is not here: send it first")]
    ClaimMissing {
        /// The blob.
        blob: B256,
    },
    /// No such job, or none that the caller may see.
    #[error("job {job_id} is not here")]
    JobUnknown {
        /// The job.
        job_id: JobId,
    },
    /// No such task, or not the caller's.
    #[error("task {task_id} is not leased to the caller here")]
    TaskUnknown {
        /// The task.
        task_id: TaskId,
    },
    /// No such blob, or none that the caller may see.
    #[error("blob {blob} is not here")]
    BlobUnknown {
        /// The blob.
        blob: B256,
    },
    /// Only the job's builder may do this.
    #[error("only builder {builder} may do this")]
    NotBuilder {
        /// The builder.
        builder: Address,
    },
    /// Too much was sent that nothing names.
    #[error(transparent)]
    Quota(#[from] QuotaError),
    /// The chain did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// An order was not signed.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// A receipt was not signed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// A blob was not stored or read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is stopping.
    #[error("the manager is stopping")]
    Stopping,
}

impl ManagerError {
    /// Tells a blob that is missing, in the words of what named it, from one that can't be read.
    pub(super) fn of_blob(err: BlobError, missing: impl FnOnce(B256) -> Self) -> Self {
        if let BlobError::Missing { hash } = err {
            return missing(hash);
        }
        err.into()
    }
}
