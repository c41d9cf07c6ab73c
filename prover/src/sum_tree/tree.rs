//! A tree with all its nodes, to append to and to prove from.

use alloy_primitives::B256;
use rayon::prelude::*;

use super::{
    LEAF_SUM_BITS, Node, NodePreimage, Proof, RootPreimage, Span, SumTreeError, root_hash,
};
use crate::bytes::widen;

/// How many levels one round of a 32-ary descent goes down.
pub const DESCENT_LEVELS: u32 = 5;

/// Below this many nodes, handing a level to the pool costs more than hashing it.
const PARALLEL_MIN: usize = 1 << 9;

/// An append-only Merkle-sum tree that keeps its nodes.
///
/// Only complete nodes are kept, those with `2^level` leaves below. The ragged right edge, one node a
/// level at most, is hashed when it is asked for: so appending never rewrites a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SumTree {
    /// `levels[k][i]` is the complete node over leaves `i × 2^k ..`. No level is empty.
    levels: Vec<Vec<Node>>,
    sum: u128,
}

impl SumTree {
    /// Returns a tree without leaves, to append to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a tree on the calling thread.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::LeafSumTooLarge`] and [`SumTreeError::SumOverflow`], as [`append`](Self::append).
    pub fn build(leaves: Vec<Node>) -> Result<Self, SumTreeError> {
        Self::stack(leaves, |below| below.chunks_exact(2).map(parent).collect())
    }

    /// Builds a tree in rayon's pool: the same bytes as [`build`](Self::build) gives, whatever the
    /// number of threads. `leaf_at` hashes leaf `i`.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::LeafSumTooLarge`] and [`SumTreeError::SumOverflow`], as [`append`](Self::append).
    pub fn build_parallel(
        leaf_count: usize,
        leaf_at: impl Fn(usize) -> Node + Sync,
    ) -> Result<Self, SumTreeError> {
        if leaf_count < PARALLEL_MIN {
            return Self::build((0..leaf_count).map(leaf_at).collect());
        }
        let leaves = (0..leaf_count)
            .into_par_iter()
            .with_min_len(PARALLEL_MIN / 4)
            .map(&leaf_at)
            .collect();
        Self::stack(leaves, |below| {
            if below.len() < PARALLEL_MIN {
                return below.chunks_exact(2).map(parent).collect();
            }
            below
                .par_chunks_exact(2)
                .with_min_len(PARALLEL_MIN / 4)
                .map(parent)
                .collect()
        })
    }

    /// Appends a leaf, in amortised constant time.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::LeafSumTooLarge`] for a sum of more than 96 bits, [`SumTreeError::SumOverflow`]
    /// if the tree's sum does not fit in 128. The tree is left as it was.
    pub fn append(&mut self, leaf: Node) -> Result<(), SumTreeError> {
        self.sum = add_leaf(self.sum, leaf)?;
        let mut node = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            match nodes.as_slice() {
                [.., left, right] if nodes.len().is_multiple_of(2) => {
                    node = parent(&[*left, *right]);
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// How many leaves there are.
    pub fn leaf_count(&self) -> u64 {
        widen(self.levels.first().map_or(0, Vec::len))
    }

    /// The leaves in order.
    pub fn leaves(&self) -> &[Node] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The sum of all leaves.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// Returns the last node left.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::Empty`] without leaves.
    pub fn top(&self) -> Result<Node, SumTreeError> {
        let span = Span::whole(self.leaf_count());
        self.node(span.level, 0).ok_or(SumTreeError::Empty)
    }

    /// Returns the root.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::Empty`] without leaves.
    pub fn root(&self) -> Result<B256, SumTreeError> {
        Ok(root_hash(self.leaf_count(), self.top()?))
    }

    /// Returns what the root hashes.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::Empty`] without leaves.
    pub fn root_preimage(&self) -> Result<RootPreimage, SumTreeError> {
        Ok(RootPreimage {
            leaf_count: self.leaf_count(),
            top: self.top()?,
        })
    }

    /// Returns the node `index` of a level, complete or ragged.
    pub fn node(&self, level: u32, index: u64) -> Option<Node> {
        let complete = usize::try_from(level)
            .ok()
            .and_then(|level| self.levels.get(level));
        let at = usize::try_from(index).ok()?;
        if let Some(node) = complete.and_then(|nodes| nodes.get(at)) {
            return Some(*node);
        }
        (index == self.leaf_count().checked_shr(level).unwrap_or(0))
            .then(|| self.ragged(level))
            .flatten()
    }

    /// Proves a leaf.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::IndexOutOfRange`] for a leaf that is not in the tree.
    pub fn prove(&self, leaf_index: u64) -> Result<Proof, SumTreeError> {
        let leaf_count = self.check_index(leaf_index)?;
        let mut siblings = Vec::new();
        for level in 0..Span::whole(leaf_count).level {
            let sibling = (leaf_index >> level) ^ 1;
            siblings.extend(self.node(level, sibling));
        }
        Ok(Proof {
            leaf_index,
            leaf_count,
            siblings,
        })
    }

    /// Proves leaves `left_index` and `left_index + 1`: that nothing lies between them.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::IndexOutOfRange`] unless both are in the tree.
    pub fn prove_adjacent(&self, left_index: u64) -> Result<[Proof; 2], SumTreeError> {
        Ok([
            self.prove(left_index)?,
            self.prove(left_index.saturating_add(1))?,
        ])
    }

    /// Returns what the nodes above a leaf hash, from the top down. A single leaf has none.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::IndexOutOfRange`] for a leaf that is not in the tree.
    pub fn chain(&self, leaf_index: u64) -> Result<Vec<NodePreimage>, SumTreeError> {
        let leaf_count = self.check_index(leaf_index)?;
        let levels = (0..Span::whole(leaf_count).level).rev();
        Ok(levels
            .filter_map(|level| {
                let left_index = (leaf_index >> level) & !1;
                let left = self.node(level, left_index)?;
                let right = self.node(level, left_index | 1)?;
                Some(NodePreimage { left, right })
            })
            .collect())
    }

    /// Returns one round of the 32-ary descent: the nodes [`DESCENT_LEVELS`] below a node, or the leaves
    /// where there are fewer levels. [`fold_span`](super::fold_span) leads from them back to the node.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::IndexOutOfRange`] for a node that is not in the tree.
    pub fn descent(&self, span: Span) -> Result<Vec<Node>, SumTreeError> {
        let nodes = span.below(DESCENT_LEVELS, self.leaf_count())?;
        Ok(nodes
            .filter_map(|below| self.node(below.level, below.index))
            .collect())
    }

    /// Hashes levels on top of `leaves` until one node is left of a level.
    fn stack(
        leaves: Vec<Node>,
        level_above: impl Fn(&[Node]) -> Vec<Node>,
    ) -> Result<Self, SumTreeError> {
        let sum = leaves
            .iter()
            .try_fold(0, |sum, leaf| add_leaf(sum, *leaf))?;
        let mut levels = Vec::new();
        let mut level = leaves;
        while !level.is_empty() {
            let above = level_above(&level);
            levels.push(level);
            level = above;
        }
        Ok(Self { levels, sum })
    }

    fn check_index(&self, leaf_index: u64) -> Result<u64, SumTreeError> {
        let count = self.leaf_count();
        if leaf_index >= count {
            return Err(SumTreeError::IndexOutOfRange {
                index: leaf_index,
                count,
            });
        }
        Ok(count)
    }

    /// The node of `level` over the leaves that no complete node of it covers. `None` if all are covered.
    fn ragged(&self, level: u32) -> Option<Node> {
        let mut ragged = None;
        for nodes in self.levels.iter().take(usize::try_from(level).ok()?) {
            if nodes.len().is_multiple_of(2) {
                continue;
            }
            let last = nodes.last()?;
            ragged = Some(match ragged {
                None => *last,
                Some(right) => parent(&[*last, right]),
            });
        }
        ragged
    }
}

/// Hashes the node over a pair. The tree's sum was checked when its leaves came in, and no node's is
/// larger: the addition can't overflow.
fn parent(pair: &[Node]) -> Node {
    let preimage = NodePreimage {
        left: pair[0],
        right: pair[1],
    };
    Node {
        hash: preimage.hash(),
        sum: pair[0].sum.saturating_add(pair[1].sum),
    }
}

pub(super) fn add_leaf(sum: u128, leaf: Node) -> Result<u128, SumTreeError> {
    if leaf.sum >> LEAF_SUM_BITS != 0 {
        return Err(SumTreeError::LeafSumTooLarge { sum: leaf.sum });
    }
    sum.checked_add(leaf.sum).ok_or(SumTreeError::SumOverflow {
        left: sum,
        right: leaf.sum,
    })
}
