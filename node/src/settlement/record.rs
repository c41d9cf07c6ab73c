//! The outbox: one record for each claim, written before anything is sent.

use std::ops::Range;

use alloy::primitives::{B256, U256};
use inferix_prover::claim::{ClaimHeader, Line};
use serde::{Deserialize, Serialize};

use super::plan::{OrderKey, order_key};
use crate::{
    chain::calls::ClaimDraft,
    store::{Store, StoreError, Tree},
};

/// Where a claim stands at its worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Written down; whether it was posted is for the chain to say.
    Drafted,
    /// On chain, and open to challenge.
    Posted {
        /// The header, as the contract has it now.
        header: ClaimHeader,
        /// The lines.
        lines: Vec<Line>,
        /// Block that holds it.
        block_number: u64,
    },
    /// Paid.
    Final {
        /// What the worker was credited, in wei.
        paid_wei: U256,
    },
    /// Refuted.
    Rejected,
    /// It could not be posted. Its intervals stay in the journal, and what can still be claimed of them is in a
    /// later draft.
    Dropped {
        /// Why.
        reason: String,
    },
}

/// A claim and what it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// What is posted.
    pub draft: ClaimDraft,
    /// The last interval that is in it.
    pub through_seq: u32,
    /// What it comes to, in wei.
    pub value_wei: U256,
    /// Where each line's cursor stood when it was drafted.
    #[serde(default)]
    pub cursors_from: Vec<u32>,
    /// Until when parts of it may be demanded, Unix time in seconds; 0 before it is posted.
    #[serde(default)]
    pub askable_until: u64,
    /// How often it and drafts of the same number before it were refused.
    #[serde(default)]
    pub refusal_count: u32,
    /// When it is tried again after the last refusal, by the chain's time in seconds.
    #[serde(default)]
    pub retry_at: u64,
    /// Where it stands.
    pub stage: Stage,
    /// Gas of the transactions so far.
    pub gas_used: u64,
}

impl ClaimRecord {
    /// Whether something that it commits to may still be asked for at `now`, or will be.
    pub fn is_askable(&self, now: u64) -> bool {
        match self.stage {
            Stage::Drafted | Stage::Posted { .. } => true,
            Stage::Final { .. } | Stage::Rejected => now < self.askable_until,
            Stage::Dropped { .. } => false,
        }
    }

    /// Whether the chain has had it.
    pub fn has_landed(&self) -> bool {
        match self.stage {
            Stage::Posted { .. } | Stage::Final { .. } | Stage::Rejected => true,
            Stage::Drafted | Stage::Dropped { .. } => false,
        }
    }

    /// The tasks that it consumes of an order's list.
    pub fn consumed(&self, key: OrderKey) -> Option<Range<u32>> {
        let mut lines = self.draft.lines.iter().enumerate();
        let (index, line) = lines.find(|(_, line)| order_key(&line.order) == key)?;
        let from = self.cursors_from.get(index).copied().unwrap_or_default();
        Some(from..line.cursor_to)
    }
}

/// All claims of a device.
#[derive(Clone, Debug)]
pub struct Outbox {
    claims: Tree,
    device_id: B256,
}

impl Outbox {
    /// Opens the outbox of a device.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn open(store: &Store, device_id: B256) -> Result<Self, StoreError> {
        Ok(Self {
            claims: store.tree("claims")?,
            device_id,
        })
    }

    /// Writes a record.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub fn put(&self, record: &ClaimRecord) -> Result<(), StoreError> {
        self.claims.put(self.key(record.draft.seq), record)
    }

    /// All records, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn all(&self) -> Result<Vec<ClaimRecord>, StoreError> {
        Ok(self
            .claims
            .scan(self.device_id)?
            .into_iter()
            .map(|(_, record)| record)
            .collect())
    }

    /// The records of all devices of a store.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn of_all_devices(store: &Store) -> Result<Vec<ClaimRecord>, StoreError> {
        let records = store.tree("claims")?.scan([])?.into_iter();
        Ok(records.map(|(_, record)| record).collect())
    }

    fn key(&self, seq: u32) -> Vec<u8> {
        let mut key = self.device_id.to_vec();
        key.extend(seq.to_be_bytes());
        key
    }
}
