//! What a verifier knows of each claim, in its store.

use alloy::primitives::B256;
use inferix_prover::claim::{ClaimHeader, Line};
use serde::{Deserialize, Serialize};

use crate::{
    chain::PostedClaim,
    store::{Store, StoreError, Tree},
};

/// Where a claim stands at a verifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Not looked at yet, or its blob is not found yet.
    Open,
    /// Nothing is wrong with it as far as was looked.
    Sound {
        /// Units that were executed again.
        rechecked_units: u64,
    },
    /// A fraud is being proven.
    Accused {
        /// Name of the fraud.
        fraud: String,
    },
    /// Refuted.
    Refuted {
        /// Name of the fraud.
        fraud: String,
    },
    /// A unit's output is wrong: refuting that takes the dispute game.
    WrongOutput {
        /// The unit.
        unit_index: u64,
    },
    /// It came to an end before it was judged.
    Missed {
        /// Why it was not judged.
        reason: String,
    },
}

/// A claim that a verifier watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The claim.
    pub claim_id: B256,
    /// Its header, as its event tells it.
    pub header: ClaimHeader,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Block that holds the event.
    pub block_number: u64,
    /// Where it stands.
    pub stage: Stage,
}

impl Watched {
    /// The claim as its event told it.
    pub fn posted(&self) -> PostedClaim {
        PostedClaim {
            claim_id: self.claim_id,
            header: self.header.clone(),
            lines: self.lines.clone(),
            block_number: self.block_number,
        }
    }
}

/// All watched claims, and how far the chain was read.
#[derive(Clone, Debug)]
pub struct WatchList {
    claims: Tree,
    progress: Tree,
}

impl WatchList {
    /// Opens the list.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            claims: store.tree("watched")?,
            progress: store.tree("watch progress")?,
        })
    }

    /// The block up to which the chain was read.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub fn read_to(&self) -> Result<Option<u64>, StoreError> {
        self.progress.get("block")
    }

    /// Adds claims that are not known, and marks the chain as read up to a block.
    ///
    /// # Errors
    ///
    /// As [`read_to`](Self::read_to).
    pub fn add(&self, posted: Vec<PostedClaim>, read_to: u64) -> Result<(), StoreError> {
        for claim in posted {
            if self.claims.get::<Watched>(claim.claim_id)?.is_some() {
                continue;
            }
            self.put(&Watched {
                claim_id: claim.claim_id,
                header: claim.header,
                lines: claim.lines,
                block_number: claim.block_number,
                stage: Stage::Open,
            })?;
        }
        self.progress.put("block", &read_to)
    }

    /// Writes a claim.
    ///
    /// # Errors
    ///
    /// As [`read_to`](Self::read_to).
    pub fn put(&self, watched: &Watched) -> Result<(), StoreError> {
        self.claims.put(watched.claim_id, watched)
    }

    /// All claims.
    ///
    /// # Errors
    ///
    /// As [`read_to`](Self::read_to).
    pub fn all(&self) -> Result<Vec<Watched>, StoreError> {
        Ok(self
            .claims
            .scan([])?
            .into_iter()
            .map(|(_, watched)| watched)
            .collect())
    }
}
