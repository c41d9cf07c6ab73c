//! Which blobs are named by what, and so who may read them.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};
use inferix_prover::id::{ClaimId, JobId};

use super::ledger::acts_as;
use crate::{chain::NodeView, queue::JobView, roles};

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
}

impl BlobUses {
    /// Notes that a blob is named.
    pub fn insert(&mut self, blob: B256, named_by: BlobUse) {
        self.uses.entry(blob).or_default().insert(named_by);
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

/// Whether an account may read what a job names. Verifiers execute jobs again, so they read all; the workers of
/// a job read its input.
pub fn may_read_job(job: &JobView, caller: Address, node: &NodeView, named_by: BlobUse) -> bool {
    if caller == job.entry.signed.job.builder || acts_as(node, roles::VERIFIER) {
        return true;
    }
    matches!(named_by, BlobUse::Input(_)) && job.leases.iter().any(|lease| lease.worker == caller)
}
