//! What a running worker tells of itself, in a file that its commands read: the store is the running
//! worker's own.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256, U256};
use inferix_prover::id::ClaimId;
use serde::{Deserialize, Serialize};

use crate::{
    settlement::{Outbox, Stage},
    store::StoreError,
    worker::{Context, LeaseState, Mode, WorkerError},
};

/// A worker's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// When this was written, Unix time in seconds.
    pub written_at: u64,
    /// The node account.
    pub account: Address,
    /// What the operator wants.
    pub mode: Mode,
    /// Leases of which units are left.
    pub active_leases: usize,
    /// Intervals that no confirmed claim holds.
    pub unclaimed_intervals: usize,
    /// Their work, in micro-IBM.
    pub unclaimed_ibm_micro: U256,
    /// Reports that no manager has taken.
    pub unsent_reports: usize,
    /// The worker's claims.
    pub claims: Vec<ClaimStatus>,
}

/// A claim of the worker's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimStatus {
    /// The claim.
    pub claim_id: B256,
    /// Its number.
    pub seq: u32,
    /// Its intervals.
    pub interval_count: u64,
    /// What it comes to, or was paid, in wei.
    pub value_wei: U256,
    /// Gas of its transactions.
    pub gas_used: u64,
    /// Where it stands.
    pub stage: String,
}

/// Why a status can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// There is no status.
    #[error("no worker has run on {dir}: check data_dir in the configuration")]
    Missing {
        /// The data folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no status.
    #[error("the status of another version can't be read")]
    Malformed(#[from] serde_json::Error),
}

impl Status {
    /// Gathers a worker's state.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store can't be read.
    pub fn gather(ctx: &Context) -> Result<Self, StoreError> {
        let closed = ctx.ledger.closed();
        let leases = ctx.book.leases()?;
        let claims = Outbox::open(&ctx.store, ctx.device_id.bytes())?.all()?;
        Ok(Self {
            written_at: ctx.now_ms() / 1000,
            account: ctx.account,
            mode: ctx.control.mode(),
            active_leases: leases
                .iter()
                .filter(|record| record.state == LeaseState::Active)
                .count(),
            unclaimed_intervals: closed.len(),
            unclaimed_ibm_micro: closed
                .iter()
                .map(|closed| U256::from(closed.interval.ibm_micro))
                .sum(),
            unsent_reports: ctx.book.reports()?.len(),
            claims: claims
                .iter()
                .map(|record| ClaimStatus {
                    claim_id: ClaimId::from_parts(ctx.device_id, record.draft.seq).bytes(),
                    seq: record.draft.seq,
                    interval_count: record.draft.lines.iter().map(|line| line.leaf_count).sum(),
                    value_wei: match &record.stage {
                        Stage::Final { paid_wei } => *paid_wei,
                        Stage::Drafted
                        | Stage::Posted { .. }
                        | Stage::Rejected
                        | Stage::Dropped { .. } => record.value_wei,
                    },
                    gas_used: record.gas_used,
                    stage: stage_word(&record.stage),
                })
                .collect(),
        })
    }

    /// Writes the state where commands read it.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Status`] if the file can't be written.
    pub fn write(&self, data_dir: &Path) -> Result<(), WorkerError> {
        let text = serde_json::to_string(self).map_err(std::io::Error::other);
        let next = file(data_dir).with_extension("next");
        text.and_then(|text| std::fs::write(&next, text))
            .and_then(|()| std::fs::rename(&next, file(data_dir)))
            .map_err(WorkerError::Status)
    }

    /// Reads the state that a worker wrote last.
    ///
    /// # Errors
    ///
    /// Every variant of [`StatusError`].
    pub fn read(data_dir: &Path) -> Result<Self, StatusError> {
        let text =
            std::fs::read_to_string(file(data_dir)).map_err(|source| StatusError::Missing {
                dir: data_dir.to_owned(),
                source,
            })?;
        Ok(serde_json::from_str(&text)?)
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("worker.status")
}

fn stage_word(stage: &Stage) -> String {
    match stage {
        Stage::Drafted => "drafted".to_owned(),
        Stage::Posted { header, .. } => format!("posted, open until {}", header.deadlineAt),
        Stage::Final { .. } => "final".to_owned(),
        Stage::Rejected => "rejected".to_owned(),
        Stage::Dropped { reason } => format!("dropped: {reason}"),
    }
}
