//! Which blobs are named by what, and so who may read them, and who may send any.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::primitives::{Address, B256};
use inferix_prover::id::{ClaimId, JobId};
use tracing::debug;

use super::{
    desk::{Desk, KeptClaim},
    error::ManagerError,
    ledger::acts_as,
    loose::{LooseBlob, LooseBlobs},
};
use crate::{api::types::ClaimNotice, chain::NodeView, queue::JobView, roles};

/// What names a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobUse {
    /// A job's input.
    Input(JobId),
    /// Outputs of a job's units.
    Output(JobId),
    /// A worker's claim.
    Claim(ClaimId),
}

/// All blobs that something names.
#[derive(Debug, Default)]
pub struct BlobUses {
    uses: BTreeMap<B256, BTreeSet<BlobUse>>,
    /// Blobs that nothing names yet.
    pub(super) loose: LooseBlobs,
}

impl BlobUses {
    /// Notes that a blob is named.
    pub fn insert(&mut self, blob: B256, named_by: BlobUse) {
        self.uses.entry(blob).or_default().insert(named_by);
        self.loose.remove(blob);
    }

    /// Notes that a blob was sent, and returns whether nothing names it.
    pub fn insert_loose(&mut self, hash: B256, blob: LooseBlob) -> bool {
        let is_loose = !self.is_named(hash);
        if is_loose {
            self.loose.insert(hash, blob);
        }
        is_loose
    }

    /// Notes all blobs that a job names.
    pub fn insert_job(&mut self, job: &JobView) {
        let job_id = job.entry.job_id();
        self.insert(job.entry.signed.input_blob, BlobUse::Input(job_id));
        for delivery in &job.deliveries {
            self.insert(delivery.piece.blob, BlobUse::Output(job_id));
        }
    }

    /// Forgets what no longer names a blob.
    pub fn retain(&mut self, is_kept: impl Fn(&BlobUse) -> bool) {
        self.uses.retain(|_, uses| {
            uses.retain(&is_kept);
            !uses.is_empty()
        });
    }

    /// Returns what names a blob.
    pub fn of(&self, blob: B256) -> Vec<BlobUse> {
        self.uses
            .get(&blob)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Whether something names a blob.
    pub fn is_named(&self, blob: B256) -> bool {
        self.uses.contains_key(&blob)
    }
}

impl Desk {
    /// Keeps a claim's blob for those who check the claim.
    ///
    /// # Errors
    ///
    /// [`ManagerError::NotRegistered`], [`ManagerError::ClaimMissing`], and failures of the chain, the blobs
    /// and the store.
    pub async fn publish_claim(
        self: &Arc<Self>,
        worker: Address,
        notice: ClaimNotice,
    ) -> Result<(), ManagerError> {
        self.require_role(worker, roles::WORKER, "worker").await?;
        self.touch_blob(notice.blob);
        if !self.blobs.has(notice.blob).await? {
            return Err(ManagerError::ClaimMissing { blob: notice.blob });
        }
        let claim = KeptClaim {
            worker,
            blob: notice.blob,
            published_at: self.now(),
        };
        let claim_id = ClaimId::new(notice.claim_id);
        self.blocking(move |desk| Ok(desk.claims.put(claim_id.bytes(), &claim)?))
            .await?;
        self.uses().insert(notice.blob, BlobUse::Claim(claim_id));
        debug!(%claim_id, %worker, "claim published");
        Ok(())
    }

    /// Checks that an account may send blobs: workers, and builders who have allocated money here.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Stranger`], [`ManagerError::Chain`].
    pub async fn check_may_send(&self, account: Address) -> Result<(), ManagerError> {
        if acts_as(&self.views.node(account).await?, roles::WORKER) {
            return Ok(());
        }
        let allocation = self.views.allocation(account, self.account).await?;
        if allocation.free_wei.is_zero() {
            return Err(ManagerError::Stranger { account });
        }
        Ok(())
    }

    /// Checks that an account may list a builder's jobs: its own, or as a verifier.
    ///
    /// # Errors
    ///
    /// [`ManagerError::NotBuilder`], [`ManagerError::Chain`].
    pub async fn check_may_list(
        &self,
        caller: Address,
        builder: Address,
    ) -> Result<(), ManagerError> {
        if caller == builder || acts_as(&self.views.node(caller).await?, roles::VERIFIER) {
            return Ok(());
        }
        Err(ManagerError::NotBuilder { builder })
    }

    /// Checks that an account may read a blob.
    ///
    /// # Errors
    ///
    /// [`ManagerError::BlobUnknown`] also for those who may not see it; [`ManagerError::Chain`].
    pub async fn check_may_read(&self, caller: Address, blob: B256) -> Result<(), ManagerError> {
        let node = self.views.node(caller).await?;
        let is_readable = |named_by: &BlobUse| match *named_by {
            // A claim's hash stands on chain: whoever knows it may check it.
            BlobUse::Claim(_) => true,
            BlobUse::Input(job_id) | BlobUse::Output(job_id) => {
                let job = self.queue.job(job_id);
                job.is_some_and(|job| may_read_job(&job, caller, &node, *named_by))
            }
        };
        let uses = self.uses().of(blob);
        if caller == self.account || uses.iter().any(is_readable) {
            return Ok(());
        }
        Err(ManagerError::BlobUnknown { blob })
    }
}

/// Whether an account may read what a job names. Verifiers execute jobs again, so they read all; the workers of
/// a job read its input.
pub fn may_read_job(job: &JobView, caller: Address, node: &NodeView, named_by: BlobUse) -> bool {
    if caller == job.entry.signed.job.builder || acts_as(node, roles::VERIFIER) {
        return true;
    }
    matches!(named_by, BlobUse::Input(_)) && job.leases.iter().any(|lease| lease.worker == caller)
}
