//! What a worker posts: a header, and a line for each order that it consumes.
//!
//! The contracts keep only a truncated hash of the header, so every later call supplies it again. Both
//! hashes are over the ABI encoding: that is what Solidity computes with `keccak256(abi.encode(…))`.

use alloy_primitives::{Address, B256, FixedBytes, keccak256};
use alloy_sol_types::{SolValue, sol};

use crate::{
    bytes::widen_u96,
    id::{ClaimId, DeviceId},
    sum_tree::{Node, root_hash},
};

sol! {
    /// A claim's header.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct ClaimHeader {
        bytes32 deviceId;
        uint32 seq;
        uint32 paramsVersion;
        uint64 ibMicro;
        uint64 startMs;
        uint64 endMs;
        uint64 postedAt;
        uint64 deadlineAt;
        bytes32 blobHash;
        bytes32 linesHash;
    }

    /// A claim's part for one order.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct Line {
        address builder;
        address manager;
        bytes32 orderHash;
        uint32 cursorFrom;
        uint32 cursorTo;
        bytes32 topHash;
        uint64 leafCount;
        uint96 sumIbmMicro;
        uint96 amountWei;
        uint96 shortfallWei;
    }
}

impl ClaimHeader {
    /// Names the device.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::new(self.deviceId)
    }

    /// Who is paid for the claim.
    pub fn worker(&self) -> Address {
        self.device_id().owner()
    }

    /// Names the claim.
    pub fn claim_id(&self) -> ClaimId {
        ClaimId::from_parts(self.device_id(), self.seq)
    }

    /// Hashes the ABI-encoded header.
    pub fn header_hash(&self) -> B256 {
        keccak256(self.abi_encode())
    }

    /// Returns what the ring keeps: the first 200 bits of the header's hash.
    pub fn hash200(&self) -> FixedBytes<25> {
        FixedBytes::from_slice(&self.header_hash()[..25])
    }
}

impl Line {
    /// The top of the line's tree.
    pub fn top(&self) -> Node {
        Node {
            hash: self.topHash,
            sum: widen_u96(self.sumIbmMicro),
        }
    }

    /// The root of the line's tree.
    pub fn root(&self) -> B256 {
        root_hash(self.leafCount, self.top())
    }
}

/// Hashes a claim's lines: `keccak256(abi.encode(lines))`.
pub fn lines_hash(lines: &[Line]) -> B256 {
    keccak256(lines.to_vec().abi_encode())
}
