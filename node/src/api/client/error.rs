//! Why a call of a manager's API came to nothing.

use alloy::primitives::Address;

use crate::{api::types::ApiRefusal, blobs::BlobError, wallet::WalletError};

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The manager said no.
    #[error("the manager at {base} refused: {} ({})", refusal.message, refusal.code)]
    Refused {
        /// The manager's address.
        base: String,
        /// The HTTP status.
        status: u16,
        /// Why.
        refusal: ApiRefusal,
    },
    /// The manager can't be reached, or broke off.
    #[error("the manager at {base} can't be reached: check the address, and that it runs")]
    Unreachable {
        /// The manager's address.
        base: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The manager is on another chain, or works with another contract.
    #[error(
        "the manager at {base} works with {got_contract} on chain {got}, not with {needed_contract} on chain {needed}"
    )]
    WrongChain {
        /// The manager's address.
        base: String,
        /// Its chain.
        got: u64,
        /// Its contract.
        got_contract: Address,
        /// The caller's chain.
        needed: u64,
        /// The caller's contract.
        needed_contract: Address,
    },
    /// The answer is no answer of this API.
    #[error(
        "the manager at {base} gave an answer that is none: is it an Inferix manager of this version?"
    )]
    Malformed {
        /// The manager's address.
        base: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A blob is not what was asked for, or can't be kept.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The key failed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The address can't be completed.
    #[error("{base} is no address of a manager")]
    WrongBase {
        /// The address.
        base: String,
    },
    /// The HTTP client can't be made.
    #[error("can't make an HTTP client")]
    Http(#[source] reqwest::Error),
}

impl ClientError {
    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 503 | 507),
            Self::Blob(err) => matches!(err, BlobError::BrokenStream(_)),
            Self::WrongChain { .. }
            | Self::Malformed { .. }
            | Self::Wallet(_)
            | Self::WrongBase { .. }
            | Self::Http(_) => false,
        }
    }

    /// Returns the refusal's fixed word, if the manager refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { refusal, .. } => Some(&refusal.code),
            Self::Unreachable { .. }
            | Self::WrongChain { .. }
            | Self::Malformed { .. }
            | Self::Blob(_)
            | Self::Wallet(_)
            | Self::WrongBase { .. }
            | Self::Http(_) => None,
        }
    }
}
