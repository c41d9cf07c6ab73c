//! What became of a claim, read from the chain.

use alloy::{primitives::U256, rpc::types::TransactionReceipt, sol_types::SolEvent};
use inferix_prover::claim::ClaimHeader;

use crate::{
    chain::{PostedClaim, Reader, bindings::work_claims, posted_claim},
    worker::{Context, WorkerError},
};

/// The device's claim of a number, if the chain has it.
pub(super) async fn find(ctx: &Context, seq: u32) -> Result<Option<PostedClaim>, WorkerError> {
    let head = ctx.reader.head().await?.number;
    let first = ctx.reader.deployment().first_block;
    let claims = ctx.reader.posted_claims(first, head).await?;
    Ok(claims
        .into_iter()
        .filter(|claim| claim.header.device_id() == ctx.device_id)
        .find(|claim| claim.header.seq == seq))
}

/// The claim that a transaction posted.
pub(super) fn posted_in(receipt: &TransactionReceipt) -> Option<PostedClaim> {
    receipt
        .inner
        .logs()
        .iter()
        .find_map(|log| posted_claim(log).ok())
}

/// What a finalization shared out between worker and treasury.
pub(super) fn finalized_in(receipt: &TransactionReceipt) -> Option<U256> {
    let logs = receipt.inner.logs().iter();
    let mut events =
        logs.filter_map(|log| work_claims::ClaimFinalized::decode_log(&log.inner).ok());
    events.next().map(|event| U256::from(event.paidWei))
}

/// What a claim that somebody else finalized was paid.
pub(super) async fn paid_wei(
    reader: &Reader,
    header: &ClaimHeader,
    from: u64,
) -> Result<U256, WorkerError> {
    let claim_id = header.claim_id().bytes();
    let topics = vec![work_claims::ClaimFinalized::SIGNATURE_HASH];
    let head = reader.head().await?.number;
    let contract = reader.deployment().work_claims;
    let events = reader.logs(contract, topics, from, head).await?;
    let paid = events
        .iter()
        .filter_map(|log| work_claims::ClaimFinalized::decode_log(&log.inner).ok())
        .find(|event| event.claimId == claim_id);
    let settled_wei = paid.map_or(U256::ZERO, |event| U256::from(event.paidWei));
    share_wei(reader, header, settled_wei).await
}

/// The worker's part of what a claim settled: the treasury has the rest.
pub(super) async fn share_wei(
    reader: &Reader,
    header: &ClaimHeader,
    settled_wei: U256,
) -> Result<U256, WorkerError> {
    let parameters = reader.parameters_at(header.paramsVersion).await?;
    Ok(settled_wei * U256::from(parameters.workerBps) / U256::from(10_000))
}
