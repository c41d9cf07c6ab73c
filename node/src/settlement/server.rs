//! Serves demands on the worker's claims: one that is not served is a lost dispute.

use std::sync::Arc;

use alloy::{primitives::B256, sol_types::SolEvent};
use inferix_prover::blob::ClaimBlob;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    Outbox, Stage,
    answer::{AnswerError, Question, answer},
};
use crate::{
    chain::{ChainError, PostedClaim, Sender, bindings::demands},
    store::Tree,
    worker::{Context, WorkerError},
};

/// Status of a demand that the worker must serve.
const OPEN_TO_WORKER: u8 = 1;
/// Status of a demand that the manager must serve. What the worker has too, it serves for the fee.
const OPEN_TO_MANAGER: u8 = 2;

/// Serves demands on one device's claims.
#[derive(Debug)]
pub struct DemandServer {
    ctx: Arc<Context>,
    sender: Arc<Sender>,
    outbox: Outbox,
    progress: Tree,
}

impl DemandServer {
    /// Makes the service.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`].
    pub fn new(ctx: Arc<Context>, sender: Arc<Sender>) -> Result<Self, WorkerError> {
        let outbox = Outbox::open(&ctx.store, ctx.device_id.bytes())?;
        let progress = ctx.store.tree("demand progress")?;
        Ok(Self {
            ctx,
            sender,
            outbox,
            progress,
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
        let head = reader.head().await?.number;
        let first = reader.deployment().first_block;
        let from = self
            .progress
            .get::<u64>("block")?
            .map_or(first, |block| block.saturating_add(1));
        if from > head {
            return Ok(());
        }
        let topics = vec![demands::DemandOpened::SIGNATURE_HASH];
        let logs = reader
            .logs(reader.deployment().demands, topics, from, head)
            .await?;
        for log in &logs {
            let Ok(event) = demands::DemandOpened::decode_log(&log.inner) else {
                continue;
            };
            let Some(claim) = self.own_claim(event.claimId)? else {
                continue;
            };
            let status = reader.demand_state(event.demandId).await?.0;
            if !matches!(status, OPEN_TO_WORKER | OPEN_TO_MANAGER) {
                continue;
            }
            warn!(claim_id = %event.claimId, kind = event.demand.kind, deadline_at = event.deadlineAt, "demand on a claim");
            self.serve(event.demandId, &event.demand, claim).await?;
        }
        let safe = head.saturating_sub(self.ctx.config.chain.confirmations_blocks);
        Ok(self
            .progress
            .put("block", &safe.max(from.saturating_sub(1)))?)
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
        match self.sender.send(&format!("serve/{demand_id}"), call).await {
            Ok(receipt) => info!(%demand_id, gas_used = receipt.gas_used, "demand served"),
            Err(err) if err.is_retryable() => return Err(err.into()),
            Err(err @ (ChainError::Refused(_) | ChainError::Reverted { .. })) => {
                debug!(%demand_id, %err, "demand not served: somebody else may have");
            }
            Err(err) => error!(%demand_id, %err, "demand not served"),
        }
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
