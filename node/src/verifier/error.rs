//! Why a verifier can't go on.

use alloy::primitives::Address;

use crate::{blobs::BlobError, chain::ChainError, store::StoreError, supervisor::Retryable};

/// Why a verifier can't go on.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The account is not registered as a verifier, or the key is not its operator.
    #[error(
        "key {key} is not the operator of a registered verifier {account}: run `inferix verifier register`, or set wallet.owner"
    )]
    NotRegistered {
        /// The account.
        account: Address,
        /// The key.
        key: Address,
    },
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob folder failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The CPU device can't be started.
    #[error("the CPU device did not start")]
    Device(#[from] inferix_gpu::GpuError),
}

impl Retryable for VerifierError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(err) => err.is_retryable(),
            Self::Blob(_) => true,
            Self::NotRegistered { .. } | Self::Store(_) | Self::Device(_) => false,
        }
    }
}
