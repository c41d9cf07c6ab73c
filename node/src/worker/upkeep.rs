//! Forgets what nobody can ask the worker for any more, so that its data does not grow for ever.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use alloy::primitives::B256;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Context, LeaseState, Shelf, WorkerError, forgettable, uncovered};
use crate::settlement::{Outbox, plan::order_key};

/// The longest time between two looks.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Forgets leases, outputs and blobs of one worker.
#[derive(Debug)]
pub struct Upkeep {
    ctx: Arc<Context>,
}

impl Upkeep {
    /// Makes the service.
    pub fn new(ctx: Arc<Context>) -> Self {
        Self { ctx }
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data or the chain fails.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), WorkerError> {
        let wait = (self.ctx.config.worker.keep_blobs / 4).min(LONGEST_WAIT);
        loop {
            self.tidy().await?;
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Forgets once. What a crash leaves undone is done the next time: names go before what they name.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn tidy(&self) -> Result<(), WorkerError> {
        let now = self.ctx.reader.head().await?.time;
        let grace_s = u64::from(self.ctx.reader.parameters().await?.1.leaseGrace);
        let forgotten_count = self.forget(now, grace_s)?;
        let named = self.named(now)?;
        let min_age = self.ctx.config.worker.keep_blobs;
        let removed_count = self
            .ctx
            .blobs
            .sweep(min_age, |blob| named.contains(&blob))
            .await?;
        debug!(forgotten_count, removed_count, "upkeep looked");
        Ok(())
    }

    fn forget(&self, now: u64, grace_s: u64) -> Result<usize, WorkerError> {
        let book = &self.ctx.book;
        // The leases first: what a claim or the journal holds by then is seen below.
        let leases = book.leases()?;
        let reports = book.reports()?;
        let journaled = self.ctx.ledger.view(|meter| {
            let closed = meter.closed().iter();
            let closed = closed.map(|closed| closed.interval.task_id);
            closed.chain(meter.open_task()).collect()
        });
        let lands_until = book.orders()?.into_iter().map(|lease| {
            let until = lease.order.leaseEndsAt.saturating_add(grace_s);
            (order_key(&lease.order), until)
        });
        let tasks = forgettable(&Shelf {
            leases: &leases,
            claims: &Outbox::of_all_devices(&self.ctx.store)?,
            journaled: &journaled,
            unsent: &reports.iter().map(|(_, report)| report.task_id).collect(),
            lands_until: &lands_until.collect(),
            now,
        });
        for task_id in &tasks {
            self.ctx.receipts.forget(task_id.bytes())?;
            book.forget(task_id.bytes())?;
        }
        Ok(tasks.len())
    }

    /// The blobs that something names.
    fn named(&self, now: u64) -> Result<BTreeSet<B256>, WorkerError> {
        let (outputs, covered) = (self.ctx.book.outputs()?, self.ctx.receipts.covered()?);
        let mut named = uncovered(&outputs, &covered);
        let reports = self.ctx.book.reports()?.into_iter();
        named.extend(reports.map(|(_, report)| report.output_blob));
        let leases = self.ctx.book.leases()?.into_iter();
        named.extend(
            leases
                .filter(|record| record.state == LeaseState::Active)
                .map(|record| record.lease.job.input_blob),
        );
        let claims = Outbox::of_all_devices(&self.ctx.store)?.into_iter();
        named.extend(
            claims
                .filter(|record| record.is_askable(now))
                .map(|record| record.draft.blob_hash),
        );
        Ok(named)
    }
}
