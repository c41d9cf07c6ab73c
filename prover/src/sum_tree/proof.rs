//! Proofs, and the shape that they follow.

use alloy_primitives::B256;

use super::{Node, SumTreeError, root_hash};
use crate::bytes::widen;

/// The siblings that lead from a leaf to its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The leaf's index.
    pub leaf_index: u64,
    /// How many leaves the tree has.
    pub leaf_count: u64,
    /// Bottom up, the sibling at each level at which the node is not carried.
    pub siblings: Vec<Node>,
}

/// A node's place: node `index` of level `level` covers leaves `index × 2^level ..`, as many of
/// `2^level` as there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Levels above the leaves.
    pub level: u32,
    /// Index among the level's nodes.
    pub index: u64,
}

impl Proof {
    /// Returns the top that the proof leads to from `leaf`.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::IndexOutOfRange`], [`SumTreeError::WrongNodeCount`] and
    /// [`SumTreeError::SumOverflow`] for a proof that no tree has.
    pub fn top(&self, leaf: Node) -> Result<Node, SumTreeError> {
        let (index, count) = (self.leaf_index, self.leaf_count);
        if index >= count {
            return Err(SumTreeError::IndexOutOfRange { index, count });
        }
        let paired: Vec<u32> = paired_levels(index, count).collect();
        if paired.len() != self.siblings.len() {
            let (got, needed) = (widen(self.siblings.len()), widen(paired.len()));
            return Err(SumTreeError::WrongNodeCount { got, needed });
        }
        paired
            .iter()
            .zip(&self.siblings)
            .try_fold(leaf, |node, (level, sibling)| {
                if (index >> level) & 1 == 0 {
                    return Node::parent(node, *sibling);
                }
                Node::parent(*sibling, node)
            })
    }

    /// Checks that `leaf` is in the tree of `root`, at the proof's index.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::WrongRoot`] if it is not, and what [`top`](Self::top) returns.
    pub fn verify(&self, leaf: Node, root: B256) -> Result<(), SumTreeError> {
        let got = root_hash(self.leaf_count, self.top(leaf)?);
        if got != root {
            return Err(SumTreeError::WrongRoot { got, needed: root });
        }
        Ok(())
    }
}

impl Span {
    /// The top of a tree.
    pub fn whole(leaf_count: u64) -> Self {
        let level = u64::BITS - leaf_count.saturating_sub(1).leading_zeros();
        Self { level, index: 0 }
    }

    /// How many leaves of a tree of `leaf_count` lie below.
    pub fn leaf_count(self, leaf_count: u64) -> u64 {
        let first = u128::from(self.index) << self.level.min(64);
        let end = (u128::from(self.index) + 1) << self.level.min(64);
        let count = end.min(u128::from(leaf_count)).saturating_sub(first);
        u64::try_from(count).unwrap_or(leaf_count)
    }

    /// The place of the first leaf below.
    pub fn first_leaf(self) -> Self {
        Self {
            level: 0,
            index: self.index.checked_shl(self.level).unwrap_or(0),
        }
    }

    /// The two children of a node with more than one leaf. The right one is `None` where the left one is
    /// carried up. `None` at level zero.
    pub fn children(self, leaf_count: u64) -> Option<(Self, Option<Self>)> {
        let level = self.level.checked_sub(1)?;
        let left = Self {
            level,
            index: self.index << 1,
        };
        let right = Self {
            level,
            index: left.index | 1,
        };
        Some((left, (right.leaf_count(leaf_count) != 0).then_some(right)))
    }

    /// The places `levels` further down, left to right, or the leaves where there are fewer levels.
    ///
    /// # Errors
    ///
    /// [`SumTreeError::IndexOutOfRange`] if the tree has no such node.
    pub fn below(
        self,
        levels: u32,
        leaf_count: u64,
    ) -> Result<impl Iterator<Item = Self>, SumTreeError> {
        if self.leaf_count(leaf_count) == 0 || self.level > Self::whole(leaf_count).level {
            return Err(SumTreeError::IndexOutOfRange {
                index: self.index,
                count: leaf_count,
            });
        }
        let down = levels.min(self.level);
        let level = self.level - down;
        let width = leaf_count.div_ceil(1_u64.checked_shl(level).unwrap_or(u64::MAX));
        let first = self.index.checked_shl(down).unwrap_or(0);
        let span_width = 1_u64.checked_shl(down).unwrap_or(u64::MAX);
        let end = first.saturating_add(span_width).min(width);
        Ok((first..end).map(move |index| Self { level, index }))
    }
}

/// Folds the nodes of one round of descent, `levels` levels up, to the node above them.
///
/// # Errors
///
/// [`SumTreeError::Empty`] without nodes, [`SumTreeError::WrongNodeCount`] with more than `2^levels`,
/// [`SumTreeError::SumOverflow`] where sums don't fit.
pub fn fold_span(nodes: &[Node], levels: u32) -> Result<Node, SumTreeError> {
    let needed = 1_u64.checked_shl(levels).unwrap_or(u64::MAX);
    if widen(nodes.len()) > needed {
        return Err(SumTreeError::WrongNodeCount {
            got: widen(nodes.len()),
            needed,
        });
    }
    let mut level = nodes.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => Node::parent(*left, *right),
                carried => Ok(carried[0]),
            })
            .collect::<Result<_, _>>()?;
    }
    level.first().copied().ok_or(SumTreeError::Empty)
}

/// The levels at which the node above leaf `index` of `count` has a sibling: at the others it is the
/// last of an odd number, and is carried.
fn paired_levels(index: u64, count: u64) -> impl Iterator<Item = u32> {
    (0..Span::whole(count).level).filter(move |level| {
        let last = (count - 1) >> level;
        (index >> level) != last || last & 1 == 1
    })
}
