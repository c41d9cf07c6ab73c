//! Serves demands on the worker's claims: one that is not served is a lost dispute.

use std::{collections::BTreeSet, sync::Arc};

use alloy::primitives::B256;
use inferix_gpu::memory;
use inferix_prover::blob::{BlobInterval, BlobLine, ClaimBlob};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{
    Outbox, Stage,
    duty::{Duty, Standing, duty},
};
use crate::{
    api::types::SignedReceipt,
    blobs::BlobError,
    chain::{PostedClaim, Sender, bindings::demands},
    demands::{
        AnswerError, DemandFeed, OPEN_TO_MANAGER, OPEN_TO_WORKER, OpenedDemand, Question, Served,
        answer, move_duty, serve, shift,
    },
    worker::{Context, WorkerError},
};

/// `IDemands.DemandKind.Output`.
const OUTPUT: u8 = 6;

/// Serves demands on one device's claims.
#[derive(Debug)]
pub struct DemandServer {
    ctx: Arc<Context>,
    sender: Arc<Sender>,
    outbox: Outbox,
    feed: DemandFeed,
    /// Demands that the contract refused an answer to.
    refused: BTreeSet<B256>,
    /// Demands that nothing can be done about: each is told once.
    told: BTreeSet<B256>,
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
            refused: BTreeSet::new(),
            told: BTreeSet::new(),
        })
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data or all endpoints fail.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), WorkerError> {
        loop {
            self.step().await?;
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.ctx.config.chain.poll_interval) => {}
            }
        }
    }

    /// Meets what was demanded since the last look. Recent blocks are read again: a demand that is met is seen to
    /// be so. Those that hold one that the worker still must meet are read again until its deadline.
    async fn step(&mut self) -> Result<(), WorkerError> {
        let (opened, mut read_to) = self.feed.look(&self.ctx.reader).await?;
        for opened in &opened {
            let Some(claim) = self.own_claim(opened.demand.claimId)? else {
                continue;
            };
            if self.is_left_open(opened, &claim).await? {
                read_to = read_to.min(opened.block_number.saturating_sub(1));
            }
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

    /// Meets a demand as far as that is possible, and returns whether it still falls on the worker.
    async fn is_left_open(
        &mut self,
        opened: &OpenedDemand,
        claim: &PostedClaim,
    ) -> Result<bool, WorkerError> {
        let (demand_id, demand) = (opened.demand_id, &opened.demand);
        let ctx = Arc::clone(&self.ctx);
        let (status, deadline_at) = ctx.reader.demand_state(demand_id).await?;
        if !matches!(status, OPEN_TO_WORKER | OPEN_TO_MANAGER)
            || ctx.reader.head().await?.time > deadline_at
        {
            return Ok(false);
        }
        let bytes = ctx.blobs.get(claim.header.blobHash).await?;
        let blob = ClaimBlob::from_bytes(&bytes).ok();
        let line_index = usize::from(demand.lineIndex);
        let Some(line) = blob.as_ref().and_then(|blob| blob.lines.get(line_index)) else {
            self.tell_once(opened, "the claim blob has no such line");
            return Ok(false);
        };
        self.meet(opened, (claim, line), status).await
    }

    /// Sends what meets an open demand, and returns whether it still falls on the worker.
    async fn meet(
        &mut self,
        opened: &OpenedDemand,
        (claim, line): (&PostedClaim, &BlobLine),
        status: u8,
    ) -> Result<bool, WorkerError> {
        let (demand_id, demand) = (opened.demand_id, &opened.demand);
        let ctx = Arc::clone(&self.ctx);
        let (output, receipt) = self.output_and_receipt(demand, line).await?;
        let question = Question {
            deployment: ctx.reader.deployment(),
            claim,
            demand,
            line,
            shown: None,
            output: output.as_deref(),
            payee: ctx.account,
        };
        let answer = match answer(&question) {
            Err(AnswerError::Chain(err)) => return Err(err.into()),
            answer => answer,
        };
        let standing = Standing {
            status,
            has_answer: answer.is_ok(),
            has_receipt: receipt.is_some(),
            was_refused: self.refused.contains(&demand_id),
        };
        let duty = duty(standing);
        let (claim_id, kind) = (demand.claimId, demand.kind);
        warn!(%claim_id, %demand_id, kind, ?duty, "demand on a claim");
        let call = match (duty, receipt) {
            (Duty::Rest, _) => return Ok(false),
            (Duty::Shift, Some(receipt)) => shift(&question, &receipt),
            (Duty::Serve | Duty::Shift | Duty::Lost, _) => answer,
        };
        let served = match (call, duty) {
            (Ok(call), Duty::Shift) => move_duty(&self.sender, demand_id, call).await?,
            (Ok(call), _) => serve(&self.sender, demand_id, call).await?,
            (Err(AnswerError::Chain(err)), _) => return Err(err.into()),
            (Err(err), _) => {
                self.tell_once(opened, &err.to_string());
                return Ok(true);
            }
        };
        if served == Served::Refused {
            self.refused.insert(demand_id);
        }
        Ok(served == Served::Refused)
    }

    /// The output of the unit that is asked for, and the receipt of its interval.
    async fn output_and_receipt(
        &self,
        demand: &demands::Demand,
        line: &BlobLine,
    ) -> Result<(Option<Vec<u8>>, Option<SignedReceipt>), WorkerError> {
        let leaf_index = usize::try_from(demand.leafIndex).unwrap_or(usize::MAX);
        let Some(held) = line.intervals.get(leaf_index) else {
            return Ok((None, None));
        };
        if demand.kind != OUTPUT {
            return Ok((None, None));
        }
        let receipt = self.ctx.receipts.find(&held.interval)?;
        Ok((self.output(demand, held).await?, receipt))
    }

    /// The output of the unit that is asked for, if it is here and what the claim says.
    async fn output(
        &self,
        demand: &demands::Demand,
        held: &BlobInterval,
    ) -> Result<Option<Vec<u8>>, WorkerError> {
        let position = usize::try_from(demand.position).unwrap_or(usize::MAX);
        let Some(unit) = held.units.get(position).or(held.units.first()) else {
            return Ok(None);
        };
        let task_id = held.interval.task_id.bytes();
        let Some(stored) = self.ctx.book.output(task_id, unit.unit_index)? else {
            return Ok(None);
        };
        let bytes = match self.ctx.blobs.get(stored.blob).await {
            Ok(bytes) => bytes,
            Err(BlobError::Missing { .. } | BlobError::WrongHash { .. }) => return Ok(None),
            Err(err) => return Err(err.into()),
        };
        let output = stored.unit(&bytes, unit.unit_index);
        let is_whole = |output: &&[u8]| {
            let root = memory::subtree_root(output, output.len().max(1).ilog2());
            B256::from(root) == unit.output_root
        };
        Ok(output.filter(is_whole).map(<[u8]>::to_vec))
    }

    fn tell_once(&mut self, opened: &OpenedDemand, reason: &str) {
        let OpenedDemand {
            demand_id,
            demand,
            deadline_at,
            ..
        } = opened;
        if self.told.insert(*demand_id) {
            let (claim_id, kind) = (demand.claimId, demand.kind);
            error!(%demand_id, %claim_id, kind, deadline_at, reason, "demand can't be met: the claim will be lost");
        }
    }
}
