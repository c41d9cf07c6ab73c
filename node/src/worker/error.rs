//! Why a worker can't go on.

use crate::{
    api::client::ClientError, blobs::BlobError, chain::ChainError, meter::JournalError,
    store::StoreError, supervisor::Retryable,
};

/// Why a worker can't go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The account is not registered as a worker.
    #[error("account {account} is not registered as a worker: run `inferix worker register` first")]
    NotRegistered {
        /// The account.
        account: alloy::primitives::Address,
    },
    /// The wallet's key is not the account's operator.
    #[error("key {key} is not the operator of {account} (that is {operator}): use its keystore")]
    NotOperator {
        /// The key.
        key: alloy::primitives::Address,
        /// The account.
        account: alloy::primitives::Address,
        /// Its operator.
        operator: alloy::primitives::Address,
    },
    /// The device is not registered.
    #[error("device {device_index} of {account} is not registered")]
    NoDevice {
        /// The account.
        account: alloy::primitives::Address,
        /// The device.
        device_index: u32,
    },
    /// No manager is configured.
    #[error("worker.managers is empty: name at least one manager's API")]
    NoManager,
    /// The engine's thread ended.
    #[error("the device's thread ended: restart the worker")]
    EngineEnded,
    /// The status file can't be written.
    #[error("the worker's status can't be written: check the free space")]
    Status(#[source] std::io::Error),
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob folder failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A manager failed.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Retryable for WorkerError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(err) => err.is_retryable(),
            // A full disk is emptied, a manager comes back. A store that failed once stays failed until it is
            // opened again: the node stops, and whoever watches over it starts it.
            Self::Journal(JournalError::Io { .. }) | Self::Blob(_) | Self::Client(_) => true,
            Self::Status(_) => true,
            Self::NotRegistered { .. }
            | Self::NotOperator { .. }
            | Self::NoDevice { .. }
            | Self::NoManager
            | Self::EngineEnded
            | Self::Journal(_)
            | Self::Store(_) => false,
        }
    }
}
