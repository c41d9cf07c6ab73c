//! Asks managers for the receipts of closed intervals, until each has one or never will.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::primitives::{Address, B256};
use inferix_prover::{blob::ClaimBlob, interval::Interval, typed_data::domain};
use tracing::{debug, warn};

use super::{Context, Link, ReceiptTerms, WorkerError, check_receipt};
use crate::{
    api::types::{ReceiptRequest, ResultReport},
    blobs::BlobError,
    settlement::Outbox,
};

/// Names an interval by its task, its first unit and the root of its units.
type Key = (B256, u64, B256);

/// What is left to ask for. It is found again after a restart: in the journal and in the blobs of claims that can
/// be asked about.
#[derive(Debug)]
pub(super) struct Collector {
    ctx: Arc<Context>,
    open: BTreeMap<Key, Interval>,
    /// Intervals that have a receipt, or to which the manager said no.
    settled: BTreeSet<Key>,
    /// Claims whose intervals were noted.
    noted: BTreeSet<B256>,
}

impl Collector {
    pub(super) fn new(ctx: Arc<Context>) -> Self {
        Self {
            ctx,
            open: BTreeMap::new(),
            settled: BTreeSet::new(),
            noted: BTreeSet::new(),
        }
    }

    /// Asks for all receipts that are missing. Returns whether every manager could be reached.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data or the chain fails.
    pub(super) async fn collect(&mut self) -> Result<bool, WorkerError> {
        self.note().await?;
        let reports = self.ctx.book.reports()?;
        let is_sent = |interval: &Interval| {
            let mut reports = reports.iter();
            !reports.any(|(_, report)| is_of(report, interval))
        };
        let open: Vec<_> = self.open.iter().map(|(key, open)| (*key, *open)).collect();
        let mut away = BTreeSet::new();
        for (key, interval) in open {
            if !is_sent(&interval) {
                continue;
            }
            let lease = self.ctx.book.lease(interval.task_id.bytes())?;
            let link = lease.as_ref().and_then(|lease| {
                let link = self.ctx.manager(&lease.manager_url)?;
                Some((lease.lease.order.manager, link))
            });
            if let Some((manager, link)) = link {
                // One that is away must not hold up the others, nor be waited for again and again.
                if away.contains(&manager) {
                    continue;
                }
                if !self.ask(&interval, manager, link).await? {
                    away.insert(manager);
                    continue;
                }
            }
            self.open.remove(&key);
            self.settled.insert(key);
        }
        Ok(away.is_empty())
    }

    /// Notes intervals that may be asked about and were not seen before.
    async fn note(&mut self) -> Result<(), WorkerError> {
        // The claims first: what leaves the journal in between is in one of them.
        let claims = Outbox::of_all_devices(&self.ctx.store)?;
        let closed: Vec<Interval> = self.ctx.ledger.view(|meter| {
            let closed = meter.closed().iter();
            closed.map(|closed| closed.interval).collect()
        });
        self.insert(closed)?;

        let now = self.ctx.now_ms() / 1000;
        for record in claims.iter().filter(|record| record.is_askable(now)) {
            let blob_hash = record.draft.blob_hash;
            if self.noted.contains(&blob_hash) {
                continue;
            }
            let bytes = match self.ctx.blobs.get(blob_hash).await {
                Ok(bytes) => bytes,
                Err(err @ (BlobError::Missing { .. } | BlobError::WrongHash { .. })) => {
                    warn!(seq = record.draft.seq, %err, "claim has no receipts asked for");
                    self.noted.insert(blob_hash);
                    continue;
                }
                Err(err) => return Err(err.into()),
            };
            let blob = ClaimBlob::from_bytes(&bytes).ok();
            let lines = blob.iter().flat_map(|blob| &blob.lines);
            let held = lines.flat_map(|line| &line.intervals);
            self.insert(held.map(|held| held.interval).collect())?;
            self.noted.insert(blob_hash);
        }
        Ok(())
    }

    fn insert(&mut self, intervals: Vec<Interval>) -> Result<(), WorkerError> {
        for interval in intervals {
            let key = (
                interval.task_id.bytes(),
                interval.first_unit,
                interval.units_root,
            );
            if self.settled.contains(&key) || self.open.contains_key(&key) {
                continue;
            }
            if self.ctx.receipts.find(&interval)?.is_some() {
                self.settled.insert(key);
            } else {
                self.open.insert(key, interval);
            }
        }
        Ok(())
    }

    /// Asks for one receipt. Returns whether that is settled: it is here, or will never be.
    async fn ask(
        &self,
        interval: &Interval,
        manager: Address,
        link: &Link,
    ) -> Result<bool, WorkerError> {
        let (ctx, task_id) = (&self.ctx, interval.task_id);
        let request = ReceiptRequest {
            task_id: task_id.bytes(),
            first_unit: interval.first_unit,
            unit_count: interval.unit_count,
            units_root: interval.units_root,
        };
        let answer = match link.client().await {
            Ok(client) => client.receipt(&request).await,
            Err(err) => Err(err),
        };
        let receipt = match answer {
            Ok(receipt) => receipt,
            Err(err) if err.is_retryable() => {
                debug!(manager = %link.url(), %err, "no receipt yet");
                return Ok(false);
            }
            Err(err) => {
                // The outputs stay here, so what is asked can be shown.
                warn!(manager = %link.url(), %task_id, %err, "receipt refused");
                return Ok(true);
            }
        };
        let node = match ctx.reader.node(manager).await {
            Ok(node) => node,
            Err(err) if err.is_retryable() => {
                debug!(%err, "receipt not checked yet");
                return Ok(false);
            }
            Err(err) => return Err(err.into()),
        };
        let deployment = ctx.reader.deployment();
        let terms = ReceiptTerms {
            manager,
            manager_operator: node.operator,
            worker: ctx.account,
            domain: &domain(deployment.chain_id, deployment.work_claims),
        };
        match check_receipt(&receipt, interval, &terms) {
            Ok(()) => {
                debug!(%task_id, first_unit = interval.first_unit, "receipt kept");
                ctx.receipts.keep(&receipt)?;
            }
            Err(err) => warn!(manager = %link.url(), %task_id, %err, "receipt is worth nothing"),
        }
        Ok(true)
    }
}

/// Whether a report holds units of an interval.
fn is_of(report: &ResultReport, interval: &Interval) -> bool {
    let count = u64::try_from(report.units.len()).unwrap_or(u64::MAX);
    let end = interval
        .first_unit
        .saturating_add(interval.unit_count.into());
    report.task_id == interval.task_id.bytes()
        && report.first_unit < end
        && interval.first_unit < report.first_unit.saturating_add(count)
}
