//! Serves demands on the worker's claims: one that is not served is a lost dispute.

use std::sync::Arc;

use alloy::primitives::B256;
use inferix_prover::blob::ClaimBlob;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{Outbox, Stage};
use crate::{
    chain::{PostedClaim, Sender, bindings::demands},
    demands::{AnswerError, DemandFeed, OPEN_TO_MANAGER, OPEN_TO_WORKER, Question, answer, serve},
    worker::{Context, WorkerError},
};

/// Serves demands on one device's claims.
#[derive(Debug)]
pub struct DemandServer {
    ctx: Arc<Context>,
    sender: Arc<Sender>,
    outbox: Outbox,
    feed: DemandFeed,
}

impl DemandServer {
    /// Makes the service.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`], [`WorkerError::Chain`].
    pub fn new(ctx: Arc<Context>, sender: Arc<Sender>) -> Result<Self, WorkerError> {
        let outbox = Outbox::open(&ctx.store, ctx.device_id.bytes())?;
        let feed = DemandFeed::open(&ctx.store, ctx.config.chain.confirmations_blocks)?;
        Ok(Self {
            ctx,
            sender,
            outbox,
            feed,
        })
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data or all endpoints fail.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), WorkerError> {
        loop {
            self.step().await?;
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.ctx.config.chain.poll_interval) => {}
            }
        }
    }

    /// Serves what was demanded since the last look. Recent blocks are read again: a demand that is
    /// served is seen to be so.
    async fn step(&self) -> Result<(), WorkerError> {
        let reader = &self.ctx.reader;
        let (opened, read_to) = self.feed.look(reader).await?;
        for opened in &opened {
            let demand = &opened.demand;
            let Some(claim) = self.own_claim(demand.claimId)? else {
                continue;
            };
            let status = reader.demand_state(opened.demand_id).await?.0;
            if !matches!(status, OPEN_TO_WORKER | OPEN_TO_MANAGER) {
                continue;
            }
            let deadline_at = opened.deadline_at;
            warn!(claim_id = %demand.claimId, kind = demand.kind, deadline_at, "demand on a claim");
            self.serve(opened.demand_id, demand, claim).await?;
        }
        Ok(self.feed.mark(read_to)?)
    }

    fn own_claim(&self, claim_id: B256) -> Result<Option<PostedClaim>, WorkerError> {
        let claims = self.outbox.all()?.into_iter();
        let posted = claims.filter_map(|record| match record.stage {
            Stage::Posted {
                header,
                lines,
                block_number,
            } => {
                let claim_id = header.claim_id().bytes();
                Some(PostedClaim {
                    claim_id,
                    header,
                    lines,
                    block_number,
                })
            }
            Stage::Drafted | Stage::Final { .. } | Stage::Rejected | Stage::Dropped { .. } => None,
        });
        Ok(posted.into_iter().find(|claim| claim.claim_id == claim_id))
    }

    async fn serve(
        &self,
        demand_id: B256,
        demand: &demands::Demand,
        claim: PostedClaim,
    ) -> Result<(), WorkerError> {
        let ctx = &self.ctx;
        let bytes = ctx.blobs.get(claim.header.blobHash).await?;
        let blob = ClaimBlob::from_bytes(&bytes).ok();
        let line_index = usize::from(demand.lineIndex);
        let Some(line) = blob.as_ref().and_then(|blob| blob.lines.get(line_index)) else {
            error!(%demand_id, "demand is on a line that the claim blob does not have");
            return Ok(());
        };
        let output = self.output(demand, line).await?;
        let question = Question {
            deployment: ctx.reader.deployment(),
            claim: &claim,
            demand,
            line,
            shown: None,
            output: output.as_deref(),
            payee: ctx.account,
        };
        let call = match answer(&question) {
            Ok(call) => call,
            Err(AnswerError::Chain(err)) => return Err(err.into()),
            Err(err) => {
                error!(%demand_id, %err, "demand can't be served: the claim will be lost");
                return Ok(());
            }
        };
        serve(&self.sender, demand_id, call).await?;
        Ok(())
    }

    /// The output of the unit that is asked for.
    async fn output(
        &self,
        demand: &demands::Demand,
        line: &inferix_prover::blob::BlobLine,
    ) -> Result<Option<Vec<u8>>, WorkerError> {
        let leaf_index = usize::try_from(demand.leafIndex).unwrap_or(usize::MAX);
        let position = usize::try_from(demand.position).unwrap_or(usize::MAX);
        let Some(held) = line.intervals.get(leaf_index) else {
            return Ok(None);
        };
        let Some(unit) = held.units.get(position).or(held.units.first()) else {
            return Ok(None);
        };
        let task_id = held.interval.task_id.bytes();
        let Some(stored) = self.ctx.book.output(task_id, unit.unit_index)? else {
            return Ok(None);
        };
        let bytes = self.ctx.blobs.get(stored.blob).await?;
        Ok(stored.unit(&bytes, unit.unit_index).map(<[u8]>::to_vec))
    }
}
