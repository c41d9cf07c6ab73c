//! What one unit computed, as a leaf, and the tree of an interval's units.
//!
//! # Layout
//!
//! `unitIndex u64 ‖ status u8 ‖ outputRoot b32 ‖ cost u64`, 49 bytes; the leaf's sum is its cost.

use alloy_primitives::B256;
use inferix_gpu::{UnitOutput, UnitStatus};
use serde::{Deserialize, Serialize};

use crate::{
    DecodeError,
    bytes::{ArrayWriter, Reader},
    sum_tree::{LeafTag, Node, SumTree, SumTreeError, leaf_hash},
};

/// Status of a unit that ran to its end.
pub const DONE: u8 = 0;

/// Status of a unit that reached its `maxCost` and stopped: a valid output, paid at `maxCost`.
pub const CAPPED: u8 = 1;

/// What one unit computed, as its interval commits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitLeaf {
    /// Index of the unit, counted over the whole job.
    pub unit_index: u64,
    /// How it ended: [`DONE`] or [`CAPPED`]. Another byte can be read and hashed, and is a fraud.
    pub status: u8,
    /// Root of its output region.
    pub output_root: B256,
    /// Work units that the program counted for itself.
    pub cost: u64,
}

impl UnitLeaf {
    /// Length of the canonical bytes.
    pub const LEN_BYTES: usize = 49;

    /// Writes the canonical bytes.
    pub fn to_bytes(&self) -> [u8; Self::LEN_BYTES] {
        ArrayWriter::new()
            .put(self.unit_index.to_be_bytes())
            .put([self.status])
            .put(self.output_root)
            .put(self.cost.to_be_bytes())
            .finish()
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] and [`DecodeError::TrailingBytes`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let unit = Self::read(&mut reader)?;
        reader.end()?;
        Ok(unit)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            unit_index: r.u64("unit unitIndex")?,
            status: r.u8("unit status")?,
            output_root: r.b256("unit outputRoot")?,
            cost: r.u64("unit cost")?,
        })
    }

    /// Returns the leaf: its hash, and the cost as its sum.
    pub fn leaf(&self) -> Node {
        let hash = leaf_hash(LeafTag::Unit, &self.to_bytes());
        Node {
            hash,
            sum: u128::from(self.cost),
        }
    }
}

impl From<&UnitOutput> for UnitLeaf {
    fn from(output: &UnitOutput) -> Self {
        Self {
            unit_index: output.unit_index,
            status: match output.status {
                UnitStatus::Done => DONE,
                UnitStatus::Capped => CAPPED,
            },
            output_root: B256::new(output.output_root),
            cost: output.cost,
        }
    }
}

/// Builds the tree of an interval's units; its root is the interval's `units_root`, its top's sum the
/// interval's cost.
///
/// # Errors
///
/// None that units can cause: 2^32 costs of 64 bits don't overflow.
pub fn unit_tree(units: &[UnitLeaf]) -> Result<SumTree, SumTreeError> {
    SumTree::build_parallel(units.len(), |i| units[i].leaf())
}
