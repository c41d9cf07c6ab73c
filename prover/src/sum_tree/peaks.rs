//! A tree without its inner nodes: what has to be kept to append and to know the root.

use alloy_primitives::B256;

use super::{Node, SumTreeError, root_hash, tree::add_leaf};
use crate::{
    DecodeError,
    bytes::{Reader, Writer},
};

/// The peaks of an append-only tree: one complete node for each bit of the leaf count.
///
/// # Layout
///
/// `leafCount u64 ‖ (hash b32 ‖ sum u128) × peaks`, largest peak first. The number of peaks is the
/// number of ones in the count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    leaf_count: u64,
    /// Largest first.
    nodes: Vec<Node>,
    sum: u128,
}

impl Peaks {
    /// Returns the peaks of a tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf, in amortised constant time.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::LeafSumTooLarge`] for a sum of more than 96 bits, [`SumTreeError::SumOverflow`]
    /// if the tree's sum does not fit in 128. The peaks are left as they were.
    pub fn append(&mut self, leaf: Node) -> Result<(), SumTreeError> {
        let sum = add_leaf(self.sum, leaf)?;
        let mut node = leaf;
        // Each low one of the count is a peak as large as the node that is carried into it.
        for _ in 0..self.leaf_count.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = Node::parent(left, node)?;
            }
        }
        self.nodes.push(node);
        self.leaf_count += 1;
        self.sum = sum;
        Ok(())
    }

    /// How many leaves there are.
    pub fn leaf_count(&self) -> u64 {
        self.leaf_count
    }

    /// The peaks, largest first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the last node left: the peaks bagged from the right.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::Empty`] without leaves, [`SumTreeError::SumOverflow`] for peaks that were read from
    /// bytes and overflow.
    pub fn top(&self) -> Result<Node, SumTreeError> {
        let (last, rest) = self.nodes.split_last().ok_or(SumTreeError::Empty)?;
        rest.iter()
            .rev()
            .try_fold(*last, |right, left| Node::parent(*left, right))
    }

    /// Returns the root.
    ///
    /// # Errors
    ///
    /// As [`top`](Self::top).
    pub fn root(&self) -> Result<B256, SumTreeError> {
        Ok(root_hash(self.leaf_count, self.top()?))
    }

    /// Writes the bytes to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u64(self.leaf_count);
        for node in &self.nodes {
            out.node(*node);
        }
        out.bytes
    }

    /// Reads kept bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for another length than the count asks for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let leaf_count = reader.u64("peaks leafCount")?;
        let nodes = (0..leaf_count.count_ones())
            .map(|_| reader.node("peaks node"))
            .collect::<Result<Vec<_>, _>>()?;
        reader.end()?;
        let sum = nodes
            .iter()
            .fold(0, |sum: u128, node| sum.saturating_add(node.sum));
        Ok(Self {
            leaf_count,
            nodes,
            sum,
        })
    }
}
