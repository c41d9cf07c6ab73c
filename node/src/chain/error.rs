//! Why the chain did not do what the node asked of it.

use alloy::{
    contract,
    primitives::{Bytes, Selector, TxHash, U256},
    transports::{RpcError, TransportErrorKind, http::reqwest},
};

use super::{Refusal, deployment::DeploymentError};
use crate::{store::StoreError, wallet::WalletError};

/// Why the chain did not do what the node asked of it.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A contract refused the call, for a reason that its interface declares.
    #[error("refused by the contract: {0:?}")]
    Refused(Box<Refusal>),
    /// A contract refused the call with an error that no interface of ours declares.
    #[error("refused with unknown error {selector}")]
    RefusedUnknown {
        /// The first four bytes of the revert data.
        selector: Selector,
    },
    /// A contract refused the call with a text, or without a reason.
    #[error("refused without a declared reason: {message}")]
    RefusedPlain {
        /// What the endpoint said.
        message: String,
    },
    /// A transaction was mined and reverted.
    #[error("transaction {tx_hash} was mined and reverted")]
    Reverted {
        /// The transaction.
        tx_hash: TxHash,
    },
    /// The endpoint failed, or could not be reached.
    #[error("no RPC endpoint answered: check chain.rpc_urls and the network")]
    Rpc(#[source] RpcError<TransportErrorKind>),
    /// The endpoint's answer makes no sense to a contract binding.
    #[error("an RPC endpoint gave an answer that is none")]
    Answer(#[source] Box<contract::Error>),
    /// The HTTP client can't be made.
    #[error("can't make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// A transaction was sent and was not mined in time.
    #[error("transaction {tx_hash} not mined after {waited_s} s: it is sent again at a higher fee")]
    NotMined {
        /// The transaction.
        tx_hash: TxHash,
        /// How long the node waited for it.
        waited_s: u64,
    },
    /// The account cannot pay for the call.
    #[error(
        "account {account} has {have_wei} wei of the chain's coin and needs {need_wei}: send it some"
    )]
    BalanceTooLow {
        /// The account.
        account: alloy::primitives::Address,
        /// What it holds.
        have_wei: U256,
        /// What the call needs.
        need_wei: U256,
    },
    /// The endpoint serves another chain than the deployment names.
    #[error(
        "the RPC endpoint serves chain {got}, the deployment file names chain {needed}: correct one of them"
    )]
    WrongChain {
        /// The endpoint's.
        got: u64,
        /// The deployment's.
        needed: u64,
    },
    /// No code stands at a contract's address.
    #[error(
        "there is no contract at {address} on this chain: the deployment file is of another network"
    )]
    NoContract {
        /// The address.
        address: alloy::primitives::Address,
    },
    /// A block that must exist was not found: the endpoint lags.
    #[error("the RPC endpoint does not know block {number}")]
    NoBlock {
        /// The block.
        number: u64,
    },
    /// The deployment file can't be used.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The key can't be used.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// What was sent can't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChainError {
    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rpc(_)
            | Self::NotMined { .. }
            | Self::NoBlock { .. }
            | Self::BalanceTooLow { .. } => true,
            Self::Refused(_)
            | Self::RefusedUnknown { .. }
            | Self::RefusedPlain { .. }
            | Self::Reverted { .. }
            | Self::Answer(_)
            | Self::Client(_)
            | Self::WrongChain { .. }
            | Self::NoContract { .. }
            | Self::Deployment(_)
            | Self::Wallet(_)
            | Self::Store(_) => false,
        }
    }

    /// The declared refusal, if the contract gave one.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self {
            Some(refusal)
        } else {
            None
        }
    }

    fn from_revert(data: &Bytes, message: &str) -> Self {
        if let Some(refusal) = Refusal::decode(data) {
            return Self::Refused(Box::new(refusal));
        }
        match data.get(..4) {
            Some(selector) => Self::RefusedUnknown {
                selector: Selector::from_slice(selector),
            },
            None => Self::RefusedPlain {
                message: message.to_owned(),
            },
        }
    }
}

impl From<RpcError<TransportErrorKind>> for ChainError {
    fn from(err: RpcError<TransportErrorKind>) -> Self {
        if let Some(payload) = err.as_error_resp() {
            if let Some(data) = payload.as_revert_data() {
                return Self::from_revert(&data, &payload.message);
            }
            if payload.message.contains("revert") {
                return Self::RefusedPlain {
                    message: payload.message.to_string(),
                };
            }
        }
        Self::Rpc(without_url(err))
    }
}

/// An endpoint's address may hold an API key: no error tells it.
fn without_url(err: RpcError<TransportErrorKind>) -> RpcError<TransportErrorKind> {
    let RpcError::Transport(TransportErrorKind::Custom(source)) = err else {
        return err;
    };
    match source.downcast::<reqwest::Error>() {
        Ok(source) => TransportErrorKind::custom(source.without_url()),
        Err(source) => RpcError::Transport(TransportErrorKind::Custom(source)),
    }
}

impl From<contract::Error> for ChainError {
    fn from(err: contract::Error) -> Self {
        if let contract::Error::TransportError(err) = err {
            return err.into();
        }
        Self::Answer(Box::new(err))
    }
}
