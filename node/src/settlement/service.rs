//! Posts claims, waits out their windows, finalizes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::primitives::B256;
use bytes::Bytes;
use inferix_prover::{id::ClaimId, typed_data::domain};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

#[cfg(feature = "attack")]
use super::lies;
use super::{
    ClaimRecord, Outbox, Stage, check,
    holdings::OwnedHoldings,
    jobs, outcome,
    plan::{self, Decision, OrderKey, Prepared, Slot, Timing},
    refusal,
};
use crate::{
    api::{client::ClientError, types::ClaimNotice},
    chain::{ChainError, ClaimStatus, LastClaimView, PostedClaim, Sender, calls},
    status::Status,
    worker::{Context, Link, Mode, WorkerError, gauges},
};

/// Posts and finalizes one device's claims.
#[derive(Debug)]
pub struct Settlement {
    ctx: Arc<Context>,
    sender: Arc<Sender>,
    outbox: Outbox,
    #[cfg(feature = "attack")]
    cheat: Option<inferix_prover::attack::Attack>,
}

impl Settlement {
    /// Makes the service.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`].
    pub fn new(ctx: Arc<Context>, sender: Arc<Sender>) -> Result<Self, WorkerError> {
        let outbox = Outbox::open(&ctx.store, ctx.device_id.bytes())?;
        Ok(Self {
            ctx,
            sender,
            outbox,
            #[cfg(feature = "attack")]
            cheat: None,
        })
    }

    /// Makes all claims lie in one way, to see them refuted.
    #[cfg(feature = "attack")]
    pub fn with_cheat(self, cheat: Option<inferix_prover::attack::Attack>) -> Self {
        Self { cheat, ..self }
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data fails. What the chain or a manager refuses is logged and
    /// tried again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), WorkerError> {
        self.sender.recover().await?;
        let mut wait = self.ctx.config.chain.poll_interval;
        loop {
            let status = Status::gather(&self.ctx)?;
            gauges::tell(&self.ctx, &status, &self.outbox.all()?);
            status.write(self.ctx.data_dir())?;
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            wait = self.ctx.config.chain.poll_interval;
            match self.step().await {
                Ok(()) => {}
                Err(WorkerError::Chain(ChainError::Store(err))) => return Err(err.into()),
                Err(WorkerError::Chain(err)) if !err.is_retryable() => {
                    warn!(
                        err = format!("{:#}", eyre::Report::new(err)),
                        "settlement refused"
                    );
                    wait *= 5;
                }
                Err(err) => return Err(err),
            }
        }
    }

    async fn step(&self) -> Result<(), WorkerError> {
        let mut is_drafted = false;
        let mut refused = None;
        let last = self
            .ctx
            .reader
            .last_claim(self.ctx.device_id.bytes())
            .await?;
        gauges::note_contact();
        for record in self.outbox.all()? {
            match record.stage {
                Stage::Drafted => {
                    is_drafted = true;
                    self.post(record, last).await?;
                }
                Stage::Posted { .. } => self.follow(record, last).await?,
                Stage::Dropped { .. } if record.draft.seq > last.seq => refused = Some(record),
                Stage::Final { .. } | Stage::Rejected | Stage::Dropped { .. } => {}
            }
        }
        if !is_drafted {
            self.draft(last, refused).await?;
        }
        Ok(())
    }

    /// Writes a claim down, if there is one to post now. `refused` is the draft of the same number before it.
    async fn draft(
        &self,
        last: LastClaimView,
        refused: Option<ClaimRecord>,
    ) -> Result<(), WorkerError> {
        let ctx = &self.ctx;
        let (refusal_count, retry_at) =
            refused.map_or((0, 0), |refused| (refused.refusal_count, refused.retry_at));
        if ctx.now_ms() / 1000 < retry_at {
            return Ok(());
        }
        // The leases first: a task that ends in between then still counts as active, and is not claimed
        // without its last interval.
        let leases = ctx.book.leases()?;
        let closed = ctx.ledger.closed();
        if closed.is_empty() {
            return Ok(());
        }
        let mut owned = OwnedHoldings::gather(ctx, leases, &closed).await?;
        if let Some(through_seq) = plan::passed(&owned.view(&closed)) {
            error!(
                through_seq,
                "intervals of tasks that were claimed already are given up"
            );
            return Ok(ctx.ledger.claimed(through_seq)?);
        }
        let now = ctx.reader.head().await?.time;
        let (_, parameters) = ctx.reader.parameters().await?;
        let expired = plan::expired(&owned.view(&closed), now, u64::from(parameters.leaseGrace));
        if !expired.is_empty() {
            return self.give_up(expired);
        }
        let slot = Slot {
            device_id: ctx.device_id,
            seq: last.seq.saturating_add(1),
            after_ms: last.end_ms,
        };
        let Some(prepared) = plan::gather(&owned.view(&closed), slot).unwrap_or_default() else {
            return Ok(());
        };
        let oldest_at = closed
            .first()
            .map_or(0, |closed| closed.interval.end_ms / 1000);
        let timing = Timing {
            now,
            last_posted_at: last.posted_at,
            spacing_s: u64::from(parameters.window).div_ceil(12),
            oldest_at,
            lease_ends_at: plan::first_lease_end(&prepared.draft),
            grace_s: u64::from(parameters.leaseGrace),
            claim_every_s: ctx.config.worker.claim_every.as_secs(),
            is_draining: ctx.control.mode() == Mode::Drain,
            gas_price_wei: ctx.reader.gas_price_wei().await?,
            value_wei: prepared.value_wei,
            ifx_price_wei: ctx.config.worker.ifx_price_wei,
            max_gas_bps: ctx.config.worker.max_gas_bps,
        };
        match plan::decide(&timing) {
            Decision::Post => {}
            wait @ (Decision::Spacing
            | Decision::Gathering
            | Decision::GasTooDear
            | Decision::TooLate) => {
                debug!(?wait, "claim waits");
                return Ok(());
            }
        }
        let missing = plan::missing_jobs(&prepared);
        owned.jobs.extend(jobs::fetch(ctx, &missing).await);
        let shown = plan::gather(&owned.view(&closed), slot).unwrap_or_default();
        let Some(prepared) = self.checked(shown.unwrap_or(prepared)).await? else {
            return Ok(());
        };
        #[cfg(feature = "attack")]
        let prepared = {
            let mut prepared = prepared;
            if let Some(attack) = self.cheat {
                lies::lie(attack, &mut prepared, &owned.cursors, ctx.ib_micro);
            }
            prepared
        };
        ctx.blobs.put(Bytes::from(prepared.blob.to_bytes())).await?;
        info!(seq = slot.seq, value_wei = %prepared.value_wei, "claim drafted");
        let record = ClaimRecord {
            refusal_count,
            ..record(&prepared, Stage::Drafted)
        };
        Ok(self.outbox.put(&record)?)
    }

    /// Looks at a claim as verifiers will. Intervals for which it would be refuted are set aside, and the rest is
    /// drafted the next time.
    async fn checked(&self, prepared: Prepared) -> Result<Option<Prepared>, WorkerError> {
        let reader = &self.ctx.reader;
        let deployment = reader.deployment();
        let device_index = self.ctx.config.worker.device_index;
        let terms = check::Terms {
            domain: domain(deployment.chain_id, deployment.work_claims),
            ib_micro: reader
                .device_ib_micro(self.ctx.account, device_index)
                .await?,
            drift_s: u64::from(reader.parameters().await?.1.drift),
        };
        // A day's units are many to hash.
        let looked = tokio::task::spawn_blocking(move || {
            let refutable = check::refutable(&prepared, &terms);
            (prepared, refutable)
        });
        let Ok((prepared, refutable)) = looked.await else {
            return Ok(None);
        };
        let refutable = match refutable {
            Ok(refutable) if refutable.is_empty() => return Ok(Some(prepared)),
            Ok(refutable) => refutable,
            Err(err) => {
                error!(seq = prepared.draft.seq, %err, "claim can't be stated: it is not posted");
                return Ok(None);
            }
        };
        let interval_count = refutable.len();
        let predicates: BTreeSet<_> = refutable.values().copied().collect();
        let path = self.ctx.ledger.set_aside(refutable.into_keys().collect())?;
        error!(
            interval_count, ?predicates, file = %path.display(),
            "verifiers would refute a claim of these intervals: they are set aside and not claimed, the rest is.              Keep the file, check the disk and the memory of this machine, and report it"
        );
        Ok(None)
    }

    /// Gives up what was done under orders that ran out. What was done under others is drafted the next time.
    fn give_up(&self, expired: BTreeMap<OrderKey, BTreeSet<u32>>) -> Result<(), WorkerError> {
        for ((manager, builder), seqs) in &expired {
            error!(
                %manager, %builder, interval_count = seqs.len(),
                "work can't be claimed any more: its order ran out. Look above why it was not claimed before"
            );
        }
        let seqs = expired.into_values().flatten().collect();
        Ok(self.ctx.ledger.give_up(seqs)?)
    }

    /// Publishes and posts a drafted claim, unless the chain has it already.
    async fn post(&self, mut record: ClaimRecord, last: LastClaimView) -> Result<(), WorkerError> {
        let draft = &record.draft;
        if last.seq >= draft.seq {
            let posted = outcome::find(&self.ctx, draft.seq).await?;
            return match posted {
                Some(posted) => self.posted(record, posted).await,
                None => Ok(()),
            };
        }
        if self.ctx.now_ms() / 1000 < record.retry_at {
            return Ok(());
        }
        self.publish(draft.blob_hash, &record).await?;
        let intent = plan::intent("claim", self.ctx.device_id.bytes(), draft.seq);
        let call = calls::submit(self.ctx.reader.deployment(), draft)?;
        match self.sender.send(&intent, call).await {
            Ok(receipt) => {
                record.gas_used += receipt.gas_used;
                match outcome::posted_in(&receipt) {
                    Some(posted) => self.posted(record, posted).await,
                    None => Ok(()),
                }
            }
            Err(err) if refusal::is_refusal(&err) => self.refused(record, &err).await,
            Err(err) => Err(err.into()),
        }
    }

    /// Lets a refused claim wait. It is posted again as it is where time or money may cure it, else drafted anew.
    async fn refused(&self, mut record: ClaimRecord, err: &ChainError) -> Result<(), WorkerError> {
        let now = self.ctx.now_ms() / 1000;
        record.refusal_count = record.refusal_count.saturating_add(1);
        let (_, parameters) = self.ctx.reader.parameters().await?;
        let last_call =
            plan::first_lease_end(&record.draft).saturating_add(u64::from(parameters.leaseGrace));
        let left_s = last_call.saturating_sub(now);
        let wait_s = refusal::wait_s(record.refusal_count, left_s);
        record.retry_at = now.saturating_add(wait_s);
        let (seq, refusal_count) = (record.draft.seq, record.refusal_count);
        if err.refusal().is_some_and(refusal::may_pass_later) {
            warn!(seq, refusal_count, wait_s, %err, "claim not taken yet: it is posted again after the wait");
        } else {
            error!(seq, refusal_count, wait_s, %err, "claim can't be posted: it is drafted anew after the wait");
            // Its intervals stay in the journal: the next draft takes those that still can be claimed.
            record.stage = Stage::Dropped {
                reason: err.to_string(),
            };
        }
        Ok(self.outbox.put(&record)?)
    }

    async fn posted(
        &self,
        mut record: ClaimRecord,
        posted: PostedClaim,
    ) -> Result<(), WorkerError> {
        let version = posted.header.paramsVersion;
        let window = self.ctx.reader.parameters_at(version).await?.window;
        record.askable_until = posted.header.deadlineAt.saturating_add(u64::from(window));
        info!(claim_id = %posted.claim_id, seq = record.draft.seq, "claim posted");
        record.stage = Stage::Posted {
            header: posted.header,
            lines: posted.lines,
            block_number: posted.block_number,
        };
        // The journal first: a record that still says drafted is looked up on chain again, one that says
        // posted is not, and would leave its intervals in the journal for good.
        self.ctx.ledger.claimed(record.through_seq)?;
        Ok(self.outbox.put(&record)?)
    }

    /// Puts the claim's blob where verifiers look for it: at the managers of its lines.
    async fn publish(&self, blob_hash: B256, record: &ClaimRecord) -> Result<(), WorkerError> {
        let bytes = self.ctx.blobs.get(blob_hash).await?;
        let claim_id = ClaimId::from_parts(self.ctx.device_id, record.draft.seq).bytes();
        let notice = ClaimNotice {
            claim_id,
            blob: blob_hash,
        };
        let mut taken_count = 0;
        for manager in &self.ctx.managers {
            match publish_at(manager, &notice, bytes.clone()).await {
                Ok(()) => taken_count += 1,
                Err(err) => {
                    warn!(manager = %manager.url(), %err, "manager did not take the claim blob")
                }
            }
        }
        if taken_count == 0 {
            // A claim whose blob nobody can fetch is demanded, leaf by leaf: better to wait a little.
            debug!(
                seq = record.draft.seq,
                "claim is posted without a published blob"
            );
        }
        Ok(())
    }

    /// Follows a posted claim to its end.
    async fn follow(
        &self,
        mut record: ClaimRecord,
        last: LastClaimView,
    ) -> Result<(), WorkerError> {
        let Stage::Posted {
            header,
            lines,
            block_number,
        } = record.stage.clone()
        else {
            return Ok(());
        };
        if last.seq < record.draft.seq {
            warn!(
                seq = record.draft.seq,
                "claim is gone from the chain: it is posted again"
            );
            let intent = plan::intent("claim", self.ctx.device_id.bytes(), record.draft.seq);
            self.sender.forget(&intent)?;
            record.stage = Stage::Drafted;
            return Ok(self.outbox.put(&record)?);
        }
        let state = self.ctx.reader.claim_state(&header).await?;
        match state.status {
            ClaimStatus::Posted => {}
            ClaimStatus::Rejected => {
                error!(seq = record.draft.seq, "claim was refuted");
                record.stage = Stage::Rejected;
                return Ok(self.outbox.put(&record)?);
            }
            ClaimStatus::Final | ClaimStatus::None => {
                record.stage = Stage::Final {
                    paid_wei: outcome::paid_wei(&self.ctx.reader, &header, block_number).await?,
                };
                return Ok(self.outbox.put(&record)?);
            }
        }
        let now = self.ctx.reader.head().await?.time;
        if state.live_count > 0 || now <= state.deadline_at {
            return Ok(());
        }
        let intent = plan::intent("finalize", self.ctx.device_id.bytes(), record.draft.seq);
        let call = calls::finalize(self.ctx.reader.deployment(), &header, &lines)?;
        let receipt = self.sender.send(&intent, call).await?;
        record.gas_used += receipt.gas_used;
        let settled_wei = outcome::finalized_in(&receipt).unwrap_or_default();
        let paid_wei = outcome::share_wei(&self.ctx.reader, &header, settled_wei).await?;
        info!(seq = record.draft.seq, %paid_wei, "claim final");
        record.stage = Stage::Final { paid_wei };
        Ok(self.outbox.put(&record)?)
    }
}

async fn publish_at(manager: &Link, notice: &ClaimNotice, blob: Bytes) -> Result<(), ClientError> {
    let client = manager.client().await?;
    client.send_blob(blob).await?;
    client.publish_claim(notice).await
}

fn record(prepared: &Prepared, stage: Stage) -> ClaimRecord {
    ClaimRecord {
        draft: prepared.draft.clone(),
        through_seq: prepared.through_seq,
        value_wei: prepared.value_wei,
        cursors_from: prepared.cursors_from.clone(),
        askable_until: 0,
        refusal_count: 0,
        retry_at: 0,
        stage,
        gas_used: 0,
    }
}
