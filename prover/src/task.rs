//! A range of units of a job, leased to one worker, and the list of them that an order holds.
//!
//! # Layout
//!
//! `jobId b32 ‖ firstUnit u64 ‖ unitCount u32 ‖ maxCost u64 ‖ referenceRate u64 ‖ leaseEndsAt u64`,
//! 68 bytes; the leaf's sum is `unitCount`, and the leaf's hash is the task's id.

use serde::{Deserialize, Serialize};

use crate::{
    DecodeError,
    bytes::{ArrayWriter, Reader},
    id::{JobId, TaskId},
    sum_tree::{LeafTag, Node, SumTree, SumTreeError, leaf_hash},
};

/// A range of units of a job, leased to one worker until a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The job.
    pub job_id: JobId,
    /// The first unit, counted over the whole job.
    pub first_unit: u64,
    /// How many consecutive units there are.
    pub unit_count: u32,
    /// The job's bound on a unit's cost, in work units.
    pub max_cost: u64,
    /// The job's rate, in micro-IBM per 10^12 work units.
    pub reference_rate: u64,
    /// When the lease ends, in Unix seconds.
    pub lease_ends_at: u64,
}

impl Task {
    /// Length of the canonical bytes.
    pub const LEN_BYTES: usize = 68;

    /// Writes the canonical bytes.
    pub fn to_bytes(&self) -> [u8; Self::LEN_BYTES] {
        ArrayWriter::new()
            .put(self.job_id.bytes())
            .put(self.first_unit.to_be_bytes())
            .put(self.unit_count.to_be_bytes())
            .put(self.max_cost.to_be_bytes())
            .put(self.reference_rate.to_be_bytes())
            .put(self.lease_ends_at.to_be_bytes())
            .finish()
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] and [`DecodeError::TrailingBytes`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let task = Self::read(&mut reader)?;
        reader.end()?;
        Ok(task)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            job_id: JobId::new(r.b256("task jobId")?),
            first_unit: r.u64("task firstUnit")?,
            unit_count: r.u32("task unitCount")?,
            max_cost: r.u64("task maxCost")?,
            reference_rate: r.u64("task referenceRate")?,
            lease_ends_at: r.u64("task leaseEndsAt")?,
        })
    }

    /// Returns the leaf: its hash, and the number of units as its sum.
    pub fn leaf(&self) -> Node {
        let hash = leaf_hash(LeafTag::Task, &self.to_bytes());
        Node {
            hash,
            sum: u128::from(self.unit_count),
        }
    }

    /// Names the task.
    pub fn task_id(&self) -> TaskId {
        TaskId::new(self.leaf().hash)
    }

    /// Whether the units `first_unit .. first_unit + unit_count` lie in the task's range, and are some.
    pub fn holds(&self, first_unit: u64, unit_count: u32) -> bool {
        // Ends are compared in 128 bits: a hostile range may run past 2^64.
        let end = |first: u64, count: u32| u128::from(first) + u128::from(count);
        unit_count != 0
            && first_unit >= self.first_unit
            && end(first_unit, unit_count) <= end(self.first_unit, self.unit_count)
    }
}

/// Builds the tree of an order's list; its root is the order's `tasksRoot`.
///
/// # Errors
///
/// None that tasks can cause: 2^32 counts of 32 bits don't overflow.
pub fn task_tree(tasks: &[Task]) -> Result<SumTree, SumTreeError> {
    SumTree::build_parallel(tasks.len(), |i| tasks[i].leaf())
}
