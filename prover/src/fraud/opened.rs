//! A tree as far as its preimages are known.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};

use super::ChainEvidence;
use crate::sum_tree::{Node, NodePreimage, Proof, RootPreimage, Span, SumTree};

/// A tree that was opened from its top, or rebuilt from its leaves.
#[derive(Debug)]
pub(super) enum Opened {
    /// The leaves give the top: each hash and sum is as it should be.
    Whole(SumTree),
    /// The tree was walked.
    Walked(Walk),
}

/// What a walk from the top found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    top: Node,
    leaf_count: u64,
    /// What the nodes hash that were opened, by their place.
    opened: BTreeMap<Span, NodePreimage>,
    /// The leaves that were reached and are known, with the sum that the tree states for them.
    pub(super) leaves: BTreeMap<u64, Node>,
    /// Nodes that state another sum than their children's.
    pub(super) false_nodes: Vec<Span>,
    /// Leaves whose stated sum is not their own.
    pub(super) false_leaves: Vec<u64>,
    /// Places whose preimage is unknown. A place on level 0 is a leaf.
    pub(super) hidden: Vec<Span>,
}

impl Walk {
    /// Walks from a tree's top as far as preimages are known. `leaf_sum` returns a known leaf's own sum.
    ///
    /// A hash that comes a second time brings the same leaves again, so only its first leaf is looked at.
    /// `seen` carries that over to further trees.
    pub(super) fn from_top(
        root: RootPreimage,
        node_at: impl Fn(B256) -> Option<NodePreimage>,
        leaf_sum: impl Fn(B256) -> Option<u128>,
        seen: &mut BTreeSet<B256>,
    ) -> Self {
        let RootPreimage { leaf_count, top } = root;
        let mut walk = Self {
            top,
            leaf_count,
            ..Self::default()
        };
        // (place, node as stated above it, whether only its first leaf is wanted)
        let mut todo = vec![(Span::whole(leaf_count), top, false)];
        while let Some((span, node, is_repeat)) = todo.pop() {
            let Some((left, right)) = span.children(leaf_count) else {
                walk.leaf(span.index, node, leaf_sum(node.hash));
                continue;
            };
            let Some(right) = right else {
                todo.push((left, node, is_repeat));
                continue;
            };
            let Some(preimage) = node_at(node.hash) else {
                // A leaf in a node's place has no preimage here: no leaf below can be shown in its place.
                let hidden = if leaf_sum(node.hash).is_some() {
                    span.first_leaf()
                } else {
                    span
                };
                walk.hidden.push(hidden);
                continue;
            };
            walk.opened.insert(span, preimage);
            if preimage.left.sum.checked_add(preimage.right.sum) != Some(node.sum) {
                walk.false_nodes.push(span);
            }
            let is_repeat = !seen.insert(node.hash) || is_repeat;
            if !is_repeat {
                todo.push((right, preimage.right, false));
            }
            todo.push((left, preimage.left, is_repeat));
        }
        walk
    }

    fn leaf(&mut self, index: u64, stated: Node, own_sum: Option<u128>) {
        let Some(own_sum) = own_sum else {
            self.hidden.push(Span { level: 0, index });
            return;
        };
        self.leaves.insert(index, stated);
        if own_sum != stated.sum {
            self.false_leaves.push(index);
        }
    }

    /// The way from the top to a place, and what it hashes too if it was opened.
    pub(super) fn chain(&self, to: Span, is_inclusive: bool) -> ChainEvidence {
        let mut evidence = ChainEvidence::default();
        let whole = Span::whole(self.leaf_count);
        let lowest = if is_inclusive { to.level } else { to.level + 1 };
        for level in (lowest..=whole.level).rev() {
            // The top of 2^64 leaves is as many levels up as an index has bits.
            let index = |level: u32| to.index.checked_shr(level - to.level).unwrap_or(0);
            let Some(preimage) = self.opened.get(&Span {
                level,
                index: index(level),
            }) else {
                continue;
            };
            if level > to.level && index(level - 1) & 1 == 1 {
                evidence.path.set_bit(evidence.chain.len(), true);
            }
            evidence.chain.push(*preimage);
        }
        evidence
    }

    fn siblings(&self, index: u64) -> Option<Vec<Node>> {
        let mut siblings = Vec::new();
        for level in 0..Span::whole(self.leaf_count).level {
            let above = Span {
                level: level + 1,
                index: index >> level >> 1,
            };
            let Some((_, Some(_))) = above.children(self.leaf_count) else {
                continue;
            };
            let preimage = self.opened.get(&above)?;
            let is_right = (index >> level) & 1 == 1;
            siblings.push(if is_right {
                preimage.left
            } else {
                preimage.right
            });
        }
        Some(siblings)
    }
}

impl Opened {
    /// Proves a leaf as the contract checks it: bottom up, each sum computed. `None` where the way up is not
    /// known, or states a false sum.
    pub(super) fn siblings(&self, index: u64, leaf: Node) -> Option<Vec<Node>> {
        match self {
            Self::Whole(tree) => Some(tree.prove(index).ok()?.siblings),
            Self::Walked(walk) => {
                let siblings = walk.siblings(index)?;
                let proof = Proof {
                    leaf_index: index,
                    leaf_count: walk.leaf_count,
                    siblings,
                };
                (proof.top(leaf).ok()?.hash == walk.top.hash).then_some(proof.siblings)
            }
        }
    }
}

/// Adds a tree's nodes to what is known.
pub(super) fn add_tree(nodes: &mut BTreeMap<B256, NodePreimage>, tree: &SumTree) {
    let whole = Span::whole(tree.leaf_count());
    for level in 0..whole.level {
        let width = tree
            .leaf_count()
            .div_ceil(1_u64.checked_shl(level).unwrap_or(u64::MAX));
        for index in (0..width.saturating_sub(1)).step_by(2) {
            let (left, right) = (tree.node(level, index), tree.node(level, index + 1));
            if let (Some(left), Some(right)) = (left, right) {
                let preimage = NodePreimage { left, right };
                nodes.insert(preimage.hash(), preimage);
            }
        }
    }
}

/// Finds a preimage in the first store that has it.
pub(super) fn find_node(
    hash: B256,
    stores: [&BTreeMap<B256, NodePreimage>; 3],
) -> Option<NodePreimage> {
    stores.iter().find_map(|nodes| nodes.get(&hash)).copied()
}

/// Where a chain leads: the last node's own hash and stated sum, or `None` where a preimage does not fit.
pub(super) fn descend(top: Node, chain: &[NodePreimage], path: U256) -> Option<Node> {
    chain
        .iter()
        .enumerate()
        .try_fold(top, |node, (at, preimage)| {
            (preimage.hash() == node.hash).then_some(if path.bit(at) {
                preimage.right
            } else {
                preimage.left
            })
        })
}
