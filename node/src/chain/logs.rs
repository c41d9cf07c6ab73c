//! Events of the contracts.

use alloy::{
    primitives::{Address, B256, Bytes},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
    transports::RpcError,
};
use tracing::debug;

use super::{
    ChainError, PostedClaim, Reader,
    bindings::{demands, recode, work_claims},
};

/// Blocks asked for at once at first; endpoints that refuse are asked for fewer.
const FIRST_LOG_RANGE: u64 = 10_000;

impl Reader {
    /// Claims posted from one block to another, in their order.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn posted_claims(&self, from: u64, to: u64) -> Result<Vec<PostedClaim>, ChainError> {
        let topics = vec![work_claims::ClaimPosted::SIGNATURE_HASH];
        let logs = self
            .logs(self.deployment.work_claims, topics, from, to)
            .await?;
        logs.iter().map(posted_claim).collect()
    }

    /// Logs of one contract with one of several first topics, from one block to another. Ranges that
    /// an endpoint finds too long are halved until it answers.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`] if even a single block is refused.
    pub async fn logs(
        &self,
        address: Address,
        topics: Vec<B256>,
        from: u64,
        to: u64,
    ) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new().address(address).event_signature(topics);
        self.logs_of(filter, from, to).await
    }

    /// Finds the claim of an id that was posted at a block or before, the latest blocks first.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn posted_claim_before(
        &self,
        claim_id: B256,
        block: u64,
    ) -> Result<Option<PostedClaim>, ChainError> {
        let filter = Filter::new()
            .address(self.deployment.work_claims)
            .event_signature(work_claims::ClaimPosted::SIGNATURE_HASH)
            .topic1(claim_id);
        let mut end = block;
        loop {
            let first = self.deployment.first_block;
            let from = end.saturating_sub(FIRST_LOG_RANGE - 1).max(first);
            let found = self.logs_of(filter.clone(), from, end).await?;
            if let Some(log) = found.last() {
                return posted_claim(log).map(Some);
            }
            if from <= first {
                return Ok(None);
            }
            end = from - 1;
        }
    }

    /// The calldata of the transactions that moved a demand to its line's manager.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn demand_shifts(
        &self,
        demand_id: B256,
        from: u64,
        to: u64,
    ) -> Result<Vec<Bytes>, ChainError> {
        let filter = Filter::new()
            .address(self.deployment.demands)
            .event_signature(demands::DemandShifted::SIGNATURE_HASH)
            .topic1(demand_id);
        let mut inputs = Vec::new();
        for log in self.logs_of(filter, from, to).await? {
            if let Some(tx_hash) = log.transaction_hash {
                inputs.extend(self.transaction_input(tx_hash).await?);
            }
        }
        Ok(inputs)
    }

    async fn logs_of(&self, filter: Filter, from: u64, to: u64) -> Result<Vec<Log>, ChainError> {
        let mut logs = Vec::new();
        let mut range_blocks = FIRST_LOG_RANGE;
        let mut next = from;
        while next <= to {
            let last = to.min(next.saturating_add(range_blocks - 1));
            let range = filter.clone().from_block(next).to_block(last);
            match self.provider.get_logs(&range).await {
                Ok(found) => {
                    logs.extend(found);
                    next = last + 1;
                    range_blocks = range_blocks.saturating_mul(2).min(FIRST_LOG_RANGE);
                }
                // Endpoints say «too many» in many words, but all of them in an error response.
                Err(RpcError::ErrorResp(err)) if range_blocks > 1 => {
                    debug!(%err, range_blocks, "log range refused, halved");
                    range_blocks /= 2;
                }
                Err(err) => return Err(err.into()),
            }
        }
        Ok(logs)
    }
}

/// Reads a claim out of its event.
///
/// # Errors
///
/// [`ChainError::Answer`] if the log is no such event.
pub fn posted_claim(log: &Log) -> Result<PostedClaim, ChainError> {
    let event = work_claims::ClaimPosted::decode_log(&log.inner)
        .map_err(|err| ChainError::Answer(Box::new(err.into())))?;
    Ok(PostedClaim {
        claim_id: event.claimId,
        header: recode(&event.header)?,
        lines: event.lines.iter().map(recode).collect::<Result<_, _>>()?,
        block_number: log.block_number.unwrap_or_default(),
    })
}
