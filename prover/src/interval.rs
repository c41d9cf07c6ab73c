//! A stretch of measured working time on one device: the leaf of a claim.
//!
//! # Layout
//!
//! The fields of [`Interval`] in their order, big-endian, 232 bytes. The leaf is
//! `keccak256(0x00 ‖ 0x01 ‖ bytes)` and its sum the payable work (`PROTOCOL.md`, *Leaves*).

use alloy_primitives::{B256, U256};

use serde::{Deserialize, Serialize};

use crate::{
    DecodeError, U96,
    bytes::{ArrayWriter, Reader, narrow_u96, widen_u96},
    id::{DeviceId, JobId, TaskId},
    sum_tree::{LeafTag, Node, leaf_hash},
};

/// What a reference rate is given per: work units.
const RATE_UNITS: u64 = 1_000_000_000_000;

/// Milliseconds in a minute: IB is work a minute.
const MINUTE_MS: u64 = 60_000;

/// A stretch of measured working time, and the units that were executed in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The device's running number of intervals.
    pub seq: u32,
    /// The job that the units belong to.
    pub job_id: JobId,
    /// The task under which they were leased.
    pub task_id: TaskId,
    /// The device.
    pub device_id: DeviceId,
    /// The task's position in the order's list.
    pub task_index: u32,
    /// The latest checkpoint that the worker knew when the interval opened. Counts from 1.
    pub checkpoint_index: u32,
    /// When it opened, in Unix milliseconds.
    pub start_ms: u64,
    /// When it closed, in Unix milliseconds.
    pub end_ms: u64,
    /// Device time in it, in milliseconds; never more than the wall time.
    pub active_ms: u32,
    /// Its first unit, counted over the whole job.
    pub first_unit: u64,
    /// How many consecutive units it holds.
    pub unit_count: u32,
    /// Root of the sum tree of its units.
    pub units_root: B256,
    /// Cost of all its units, in work units.
    pub cost: u128,
    /// Payable work, in micro-IBM.
    pub ibm_micro: U96,
    /// Digest of the device's telemetry. No money depends on it.
    pub telemetry_digest: B256,
}

impl Interval {
    /// Length of the canonical bytes.
    pub const LEN_BYTES: usize = 232;

    /// Writes the canonical bytes.
    pub fn to_bytes(&self) -> [u8; Self::LEN_BYTES] {
        ArrayWriter::new()
            .put(self.seq.to_be_bytes())
            .put(self.job_id.bytes())
            .put(self.task_id.bytes())
            .put(self.device_id.bytes())
            .put(self.task_index.to_be_bytes())
            .put(self.checkpoint_index.to_be_bytes())
            .put(self.start_ms.to_be_bytes())
            .put(self.end_ms.to_be_bytes())
            .put(self.active_ms.to_be_bytes())
            .put(self.first_unit.to_be_bytes())
            .put(self.unit_count.to_be_bytes())
            .put(self.units_root)
            .put(self.cost.to_be_bytes())
            .put(self.ibm_micro.to_be_bytes::<12>())
            .put(self.telemetry_digest)
            .finish()
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] and [`DecodeError::TrailingBytes`] unless there are exactly
    /// [`LEN_BYTES`](Self::LEN_BYTES) of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let interval = Self::read(&mut reader)?;
        reader.end()?;
        Ok(interval)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            seq: r.u32("interval seq")?,
            job_id: JobId::new(r.b256("interval jobId")?),
            task_id: TaskId::new(r.b256("interval taskId")?),
            device_id: DeviceId::new(r.b256("interval deviceId")?),
            task_index: r.u32("interval taskIndex")?,
            checkpoint_index: r.u32("interval checkpointIndex")?,
            start_ms: r.u64("interval startMs")?,
            end_ms: r.u64("interval endMs")?,
            active_ms: r.u32("interval activeMs")?,
            first_unit: r.u64("interval firstUnit")?,
            unit_count: r.u32("interval unitCount")?,
            units_root: r.b256("interval unitsRoot")?,
            cost: r.u128("interval cost")?,
            ibm_micro: r.u96("interval ibmMicro")?,
            telemetry_digest: r.b256("interval telemetryDigest")?,
        })
    }

    /// Hashes the interval as a leaf.
    pub fn leaf_hash(&self) -> B256 {
        leaf_hash(LeafTag::Interval, &self.to_bytes())
    }

    /// Returns the leaf: its hash, and the payable work as its sum.
    pub fn leaf(&self) -> Node {
        Node {
            hash: self.leaf_hash(),
            sum: widen_u96(self.ibm_micro),
        }
    }
}

/// Returns what an interval is paid, in micro-IBM (`PROTOCOL.md`, *Payable work*): the work that its
/// cost proves, and never more than its device could do in its active time.
///
/// `reference_rate` is in micro-IBM per 10^12 work units, `ib_micro` the device's speed.
pub fn payable_micro(cost: u128, reference_rate: u64, ib_micro: u64, active_ms: u32) -> U96 {
    // 128 + 64 and 64 + 32 bits: neither product can overflow 256.
    let proved_micro = U256::from(cost) * U256::from(reference_rate) / U256::from(RATE_UNITS);
    let time_micro = U256::from(ib_micro) * U256::from(active_ms) / U256::from(MINUTE_MS);
    // The time's part is below 2^96, so that the lesser of the two is.
    narrow_u96(proved_micro.min(time_micro)).unwrap_or(U96::MAX)
}

/// Returns a line's money for its work: `sum_ibm_micro × price_wei / 10^6`, truncated. `None` where it
/// does not fit in 96 bits.
pub fn amount_wei(sum_ibm_micro: U96, price_wei: U96) -> Option<U96> {
    let product = U256::from(widen_u96(sum_ibm_micro)) * U256::from(widen_u96(price_wei));
    narrow_u96(product / U256::from(1_000_000_u64))
}
