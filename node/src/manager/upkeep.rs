//! What the manager does on its own: follows how far its orders were claimed, and forgets what is over.

use std::{sync::Arc, time::Duration};

use inferix_prover::id::ClaimId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    access::BlobUse,
    desk::{Desk, KeptClaim},
    error::ManagerError,
};
use crate::{api::types::JobState, queue::LeaseEntry};

/// How often ended jobs and blobs are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

impl Desk {
    /// Keeps the manager's books until it is told to stop. Failures are tried again.
    pub async fn run_upkeep(self: Arc<Self>, poll_interval: Duration, cancel: CancellationToken) {
        let mut poll = tokio::time::interval(poll_interval);
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        loop {
            let done = tokio::select! {
                () = cancel.cancelled() => return,
                _ = poll.tick() => self.follow_cursors().await,
                _ = sweep.tick() => self.sweep().await.map(drop),
            };
            if let Err(err) = done {
                warn!(%err, "upkeep failed, it is tried again");
            }
        }
    }

    /// Reads how far each open list was claimed, which frees what its tasks reserved.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Chain`].
    pub async fn follow_cursors(&self) -> Result<(), ManagerError> {
        let parameters = self.views.parameters().await?;
        let claimable_from = self.now().saturating_sub(parameters.lease_grace_s);
        let pairs = self.orders().open_pairs(claimable_from);
        for pair in pairs {
            let cursor = self
                .views
                .cursor(pair.device_id, self.account(), pair.builder)
                .await?;
            self.orders().set_cursor(pair, cursor);
        }
        self.tell_gauges();
        Ok(())
    }

    /// Forgets jobs and claims that ended long ago, and removes blobs that nothing names any more.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Chain`], [`ManagerError::Queue`], [`ManagerError::Store`], [`ManagerError::Blob`].
    pub async fn sweep(self: &Arc<Self>) -> Result<usize, ManagerError> {
        let keep = self.config.keep_blobs;
        let askable_s = self.views.parameters().await?.askable_s;
        self.blocking(move |desk| desk.forget_old(keep.as_secs(), askable_s))
            .await?;
        let is_kept = |blob| {
            let uses = self.uses();
            uses.is_named(blob) || uses.loose.holds(blob)
        };
        let loose_count = self.sweep_loose().await?;
        let removed_count = loose_count + self.blobs().sweep(keep, is_kept).await?;
        if removed_count > 0 {
            info!(removed_count, "blobs swept");
        }
        Ok(removed_count)
    }

    /// Nothing goes that a demand on the manager can still ask for, however short `keep_s` is.
    fn forget_old(&self, keep_s: u64, askable_s: u64) -> Result<(), ManagerError> {
        let now = self.now();
        let keep_claim_s = keep_s.max(askable_s);
        let is_old = |at: u64| at.saturating_add(keep_claim_s) <= now;
        for job in self.queue.jobs() {
            let is_over = job
                .ended_at(now)
                .is_some_and(|at| at.saturating_add(keep_s) <= now);
            let mut leases = job.leases.iter();
            if is_over && leases.all(|lease| is_askable_no_more(lease, askable_s, now)) {
                self.receipts.forget(job.entry.job_id())?;
                self.queue.forget(job.entry.job_id())?;
            }
        }
        let claims = self.claims.scan::<KeptClaim>(b"")?;
        let old = claims
            .into_iter()
            .filter(|(_, claim)| is_old(claim.published_at));
        self.claims.remove_all(old.map(|(key, _)| key))?;

        let claims = self.claims.scan::<KeptClaim>(b"")?;
        let is_kept = |claim_id: &ClaimId| {
            claims
                .iter()
                .any(|(key, _)| key == claim_id.bytes().as_slice())
        };
        self.uses().retain(|named_by| match named_by {
            BlobUse::Input(job_id) | BlobUse::Output(job_id) => self.queue.job(*job_id).is_some(),
            BlobUse::Claim(claim_id) => is_kept(claim_id),
        });
        Ok(())
    }

    fn tell_gauges(&self) {
        let now = self.now();
        let is_open = |state| matches!(state, JobState::Queued | JobState::Running);
        let open_count = self
            .queue
            .jobs()
            .iter()
            .filter(|job| is_open(job.state(now)))
            .count();
        metrics::gauge!("inferix_open_jobs").set(open_count as f64);
        let live = self.live_devices(now);
        let ib_micro = live
            .values()
            .map(|device| device.ib_micro)
            .fold(0, u64::saturating_add);
        metrics::gauge!("inferix_live_devices").set(live.len() as f64);
        metrics::gauge!("inferix_live_ib").set(ib_micro as f64 / 1e6);
    }
}

fn is_askable_no_more(lease: &LeaseEntry, askable_s: u64, now: u64) -> bool {
    lease.task.lease_ends_at.saturating_add(askable_s) < now
}
