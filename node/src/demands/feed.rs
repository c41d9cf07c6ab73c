//! What was asked on chain since the last look.

use alloy::{primitives::B256, sol_types::SolEvent};

use crate::{
    chain::{ChainError, Reader, bindings::demands as sol},
    store::{Store, Tree},
};

/// A demand as its event tells it.
#[derive(Clone, Debug)]
pub(crate) struct OpenedDemand {
    /// Its id.
    pub(crate) demand_id: B256,
    /// What is asked.
    pub(crate) demand: sol::Demand,
    /// Until when it must be served, Unix time in seconds. A receipt may put it off.
    pub(crate) deadline_at: u64,
    /// The block that holds the event.
    pub(crate) block_number: u64,
}

/// Reads opened demands, and remembers how far.
#[derive(Debug)]
pub(crate) struct DemandFeed {
    progress: Tree,
    confirmations_blocks: u64,
}

impl DemandFeed {
    /// Opens the feed where the last look ended. Blocks less deep than `confirmations_blocks` are read again.
    ///
    /// # Errors
    ///
    /// [`ChainError::Store`].
    pub(crate) fn open(store: &Store, confirmations_blocks: u64) -> Result<Self, ChainError> {
        Ok(Self {
            progress: store.tree("demand progress")?,
            confirmations_blocks,
        })
    }

    /// Reads what was asked since the last look, and up to which block that was: it is to be
    /// [marked](Self::mark) once it was acted on.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::Store`].
    pub(crate) async fn look(
        &self,
        reader: &Reader,
    ) -> Result<(Vec<OpenedDemand>, u64), ChainError> {
        let head = reader.head().await?.number;
        let first = reader.deployment().first_block;
        let from = self
            .progress
            .get::<u64>("block")?
            .map_or(first, |block| block.saturating_add(1));
        if from > head {
            return Ok((Vec::new(), from.saturating_sub(1)));
        }
        let topics = vec![sol::DemandOpened::SIGNATURE_HASH];
        let logs = reader
            .logs(reader.deployment().demands, topics, from, head)
            .await?;
        let opened = logs.iter().filter_map(|log| {
            let event = sol::DemandOpened::decode_log(&log.inner).ok()?;
            Some(OpenedDemand {
                demand_id: event.demandId,
                demand: event.demand.clone(),
                deadline_at: event.deadlineAt,
                block_number: log.block_number.unwrap_or(head),
            })
        });
        let safe = head.saturating_sub(self.confirmations_blocks);
        Ok((opened.collect(), safe.max(from.saturating_sub(1))))
    }

    /// Marks what was asked up to a block as acted on.
    ///
    /// # Errors
    ///
    /// [`ChainError::Store`].
    pub(crate) fn mark(&self, block: u64) -> Result<(), ChainError> {
        Ok(self.progress.put("block", &block)?)
    }
}
