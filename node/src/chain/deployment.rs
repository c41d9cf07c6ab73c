//! Where a chain's contracts are.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

/// A chain and the contracts of one deployment on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The chain's id: messages are signed for it, and nothing is sent to another.
    pub chain_id: u64,
    /// Block in which the first contract was created: logs are read from there.
    pub first_block: u64,
    /// The token.
    pub ifx: Address,
    /// Nodes, stakes, devices.
    pub node_registry: Address,
    /// Builders' money, and what accounts have earned.
    pub builder_accounts: Address,
    /// Programs that may be claimed.
    pub program_registry: Address,
    /// Block hashes with the time of their recording.
    pub checkpoints: Address,
    /// Claims.
    pub work_claims: Address,
    /// One-transaction refutations.
    pub fraud_proofs: Address,
    /// What is unpaid without penalty.
    pub voids: Address,
    /// What managers answer for.
    pub manager_frauds: Address,
    /// Demands for what is hidden.
    pub demands: Address,
    /// Disputes over results.
    pub dispute_game: Address,
}

/// Why a deployment file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// The file can't be read or written.
    #[error(
        "can't use deployment file {path}: get it from whoever runs the network, or start `inferix devnet`"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no deployment.
    #[error("{path} is no deployment file: get it from whoever runs the network")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Deployment {
    /// Reads a deployment file.
    ///
    /// # Errors
    ///
    /// Every variant of [`DeploymentError`].
    pub fn read(path: &Path) -> Result<Self, DeploymentError> {
        let text = std::fs::read_to_string(path).map_err(|source| DeploymentError::Io {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_str(&text).map_err(|source| DeploymentError::Malformed {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes a deployment file, at once: nobody sees half of it.
    ///
    /// # Errors
    ///
    /// Every variant of [`DeploymentError`].
    pub fn write(&self, path: &Path) -> Result<(), DeploymentError> {
        let io = |source| DeploymentError::Io {
            path: path.to_owned(),
            source,
        };
        let text =
            serde_json::to_string_pretty(self).map_err(|source| DeploymentError::Malformed {
                path: path.to_owned(),
                source,
            })?;
        let next = path.with_extension("next");
        std::fs::write(&next, text + "\n").map_err(io)?;
        std::fs::rename(&next, path).map_err(io)
    }
}
