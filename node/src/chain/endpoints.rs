//! Where managers can be reached, as the registry's events tell it.

use std::collections::BTreeMap;

use alloy::{primitives::Address, sol_types::SolEvent};

use super::{ChainError, Reader, bindings::node_registry};
use crate::{
    roles,
    store::{Store, Tree},
};

/// Where managers can be reached: read once, then followed.
///
/// # Layout
///
/// The tree `manager endpoints`: the account to its endpoint; the tree `manager endpoints read`: `block`.
#[derive(Debug)]
pub struct ManagerEndpoints {
    endpoints: Tree,
    progress: Tree,
    confirmations_blocks: u64,
}

impl ManagerEndpoints {
    /// Opens what was read before. Blocks less deep than `confirmations_blocks` are read again.
    ///
    /// # Errors
    ///
    /// [`ChainError::Store`].
    pub fn open(store: &Store, confirmations_blocks: u64) -> Result<Self, ChainError> {
        Ok(Self {
            endpoints: store.tree("manager endpoints")?,
            progress: store.tree("manager endpoints read")?,
            confirmations_blocks,
        })
    }

    /// Reads what changed since the last time, and returns where a manager can be reached.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::Store`].
    pub async fn of(
        &self,
        reader: &Reader,
        managers: impl IntoIterator<Item = Address>,
    ) -> Result<Vec<String>, ChainError> {
        let head = reader.head().await?.number;
        let first = reader.deployment().first_block;
        let read_to = self.progress.get::<u64>("block")?;
        let from = read_to.map_or(first, |block| block.saturating_add(1));
        if from <= head {
            let changed = reader.endpoint_changes(from, head).await?;
            self.endpoints.put_all(changed.iter())?;
            // What is safe only moves on with the chain: a write for each look would be for nothing.
            let safe = head.saturating_sub(self.confirmations_blocks);
            if safe >= from {
                self.progress.put("block", &safe)?;
            }
        }
        let mut endpoints = Vec::new();
        for manager in managers {
            endpoints.extend(self.endpoints.get::<String>(manager)?);
        }
        Ok(endpoints)
    }
}

impl Reader {
    /// Managers that have registered, with the endpoints that they told last.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn manager_endpoints(&self) -> Result<Vec<(Address, String)>, ChainError> {
        let head = self.head().await?.number;
        let endpoints = self.endpoint_changes(self.deployment.first_block, head);
        Ok(endpoints.await?.into_iter().collect())
    }

    /// The endpoints that were told from one block to another, the latest of each account.
    async fn endpoint_changes(
        &self,
        from: u64,
        to: u64,
    ) -> Result<BTreeMap<Address, String>, ChainError> {
        let topics = vec![
            node_registry::NodeRegistered::SIGNATURE_HASH,
            node_registry::EndpointChanged::SIGNATURE_HASH,
        ];
        let registry = self.deployment.node_registry;
        let mut endpoints = BTreeMap::new();
        for log in self.logs(registry, topics, from, to).await? {
            if let Ok(event) = node_registry::NodeRegistered::decode_log(&log.inner) {
                if event.roles & roles::MANAGER != 0 {
                    endpoints.insert(event.node, event.endpoint.clone());
                }
            } else if let Ok(event) = node_registry::EndpointChanged::decode_log(&log.inner) {
                endpoints.insert(event.node, event.endpoint.clone());
            }
        }
        Ok(endpoints)
    }
}
