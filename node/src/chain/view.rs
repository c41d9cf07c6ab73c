//! What the chain's answers say, in the node's own types.

use alloy::primitives::{Address, B256, U256};
use inferix_prover::claim::{ClaimHeader, Line};

/// A node account's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// The hot key that signs and sends. Zero: the account is not registered.
    pub operator: Address,
    /// Bits: 1 worker, 2 manager, 4 verifier.
    pub roles: u8,
    /// Devices registered.
    pub device_count: u8,
    /// Speed of device 0, in micro-IB.
    pub ib_micro: u64,
    /// When an exit that was asked for is possible, Unix time in seconds; 0 for none.
    pub exit_at: u64,
    /// What is at stake, in wei.
    pub stake_wei: U256,
    /// The part of it that claims hold, in wei.
    pub locked_wei: U256,
    /// Price per IBM, in wei.
    pub price_wei: U256,
}

impl NodeView {
    /// Stake that nothing holds, in wei.
    pub fn free_wei(&self) -> U256 {
        self.stake_wei.saturating_sub(self.locked_wei)
    }

    /// Whether the account is registered with a role.
    pub fn has_role(&self, role: u8) -> bool {
        self.operator != Address::ZERO && self.roles & role != 0
    }
}

/// A builder's allocation to a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationView {
    /// What claims may still reserve, in wei.
    pub free_wei: U256,
    /// The part of it that leaves when asked for after `available_at`, in wei.
    pub pending_wei: U256,
    /// When that is, Unix time in seconds.
    pub available_at: u64,
}

/// How far orders of a worker, a manager and a builder have been claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CursorView {
    /// Tasks consumed.
    pub cursor: u32,
    /// Work claimed, in micro-IBM.
    pub claimed_ibm_micro: U256,
    /// Money claimed, in wei.
    pub claimed_wei: U256,
}

/// A device's last claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastClaimView {
    /// Its number; 0 if there is none.
    pub seq: u32,
    /// Where its span ends, in Unix milliseconds.
    pub end_ms: u64,
    /// When it was posted, Unix time in seconds.
    pub posted_at: u64,
}

/// A recorded block hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointView {
    /// Its number, from 1; 0 if there is none.
    pub index: u32,
    /// When it was recorded, Unix time in seconds.
    pub recorded_at: u64,
}

/// Where a claim stands on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimStatus {
    /// The chain does not know it, or its ring slot was used again long after its end.
    None,
    /// It may be challenged.
    Posted,
    /// It is paid.
    Final,
    /// It was refuted.
    Rejected,
}

impl ClaimStatus {
    pub(super) fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Posted,
            2 => Self::Final,
            3 => Self::Rejected,
            _ => Self::None,
        }
    }
}

/// A claim's state on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimStateView {
    /// Where it stands.
    pub status: ClaimStatus,
    /// Demands and challenges that are not at an end.
    pub live_count: u16,
    /// Until when it may be challenged, Unix time in seconds.
    pub deadline_at: u64,
}

/// A posted claim as its event tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct PostedClaim {
    /// The claim.
    pub claim_id: B256,
    /// The header, as every later call needs it.
    pub header: ClaimHeader,
    /// The lines.
    pub lines: Vec<Line>,
    /// Block that holds the event.
    pub block_number: u64,
}

/// A block's number and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockView {
    /// Its number.
    pub number: u64,
    /// Its time, Unix time in seconds.
    pub time: u64,
}
