//! A Merkle tree of fixed depth over raw 32-byte leaves, most of which are zero.
//!
//! `node = H(left ‖ right)`; a leaf enters as it is. It is the tree of `gpu/src/memory.rs` and of
//! `MerkleMemory.sol`. Nodes are kept in pages that come to be with the first write below them.

use alloy_primitives::{B256, keccak256};
use rayon::prelude::*;

/// Nodes of a page.
const PAGE: usize = 256;

/// From how many nodes on a level is hashed in parallel.
const PARALLEL_FROM: usize = 512;

/// The inner nodes of a tree; the leaves are elsewhere.
#[derive(Clone, Debug)]
pub(super) struct InnerNodes {
    /// From the leaves' parents up to the root.
    levels: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Level {
    pages: Vec<Option<Box<[B256; PAGE]>>>,
    zero: B256,
}

impl Level {
    fn get(&self, index: usize) -> B256 {
        let page = self.pages.get(index / PAGE).and_then(Option::as_ref);
        page.map_or(self.zero, |page| page[index % PAGE])
    }

    fn set(&mut self, index: usize, node: B256) {
        let zero = self.zero;
        if let Some(page) = self.pages.get_mut(index / PAGE) {
            page.get_or_insert_with(|| Box::new([zero; PAGE]))[index % PAGE] = node;
        }
    }
}

impl InnerNodes {
    /// Makes the tree over `2^depth` zero leaves.
    pub(super) fn new(depth: u32) -> Self {
        let zeros = zero_roots(depth);
        let level = |height: u32| Level {
            pages: vec![None; (1_usize << (depth - height)).div_ceil(PAGE)],
            zero: zeros[as_index(height)],
        };
        Self {
            levels: (1..=depth).map(level).collect(),
        }
    }

    /// Hashes again what stands above leaves that were written.
    ///
    /// `indices` ascend, each once; `leaf` reads a leaf.
    pub(super) fn update(&mut self, indices: &[usize], leaf: impl Fn(usize) -> B256 + Sync) {
        let mut parents = parents_of(indices);
        for height in 0..self.levels.len() {
            let node = |index: &usize| {
                let child = |index| match height.checked_sub(1) {
                    Some(below) => self.levels[below].get(index),
                    None => leaf(index),
                };
                node_hash(child(2 * index), child(2 * index + 1))
            };
            let hashes: Vec<B256> = if parents.len() >= PARALLEL_FROM {
                parents.par_iter().map(node).collect()
            } else {
                parents.iter().map(node).collect()
            };
            for (index, hash) in parents.iter().zip(hashes) {
                self.levels[height].set(*index, hash);
            }
            parents = parents_of(&parents);
        }
    }

    /// The root; of a tree of one leaf, that leaf.
    pub(super) fn root(&self, leaf: B256) -> B256 {
        self.levels.last().map_or(leaf, |level| level.get(0))
    }

    /// The node that stands `height` above the leaves, at `index` of its level.
    pub(super) fn node(&self, height: u32, index: usize, leaf: impl Fn(usize) -> B256) -> B256 {
        match as_index(height).checked_sub(1) {
            Some(above) => self.levels.get(above).map_or(B256::ZERO, |l| l.get(index)),
            None => leaf(index),
        }
    }

    /// The siblings of a node and of its ancestors, bottom up.
    pub(super) fn siblings(
        &self,
        height: u32,
        index: usize,
        leaf: impl Fn(usize) -> B256,
    ) -> Vec<B256> {
        let depth = u32::try_from(self.levels.len()).unwrap_or(u32::MAX);
        (height..depth)
            .map(|at| self.node(at, (index >> (at - height)) ^ 1, &leaf))
            .collect()
    }
}

/// Returns the root that a node has with its siblings, bottom up; bit `i` of `index` says on which side of
/// sibling `i` the path is.
pub fn fold(mut node: B256, index: u64, siblings: &[B256]) -> B256 {
    let mut path = index;
    for sibling in siblings {
        node = if path & 1 == 0 {
            node_hash(node, *sibling)
        } else {
            node_hash(*sibling, node)
        };
        path >>= 1;
    }
    node
}

/// Returns the roots of all-zero trees of heights 0 to `depth`.
pub fn zero_roots(depth: u32) -> Vec<B256> {
    let mut roots = vec![B256::ZERO];
    for height in 0..as_index(depth) {
        roots.push(node_hash(roots[height], roots[height]));
    }
    roots
}

/// Returns the hash of two nodes.
pub fn node_hash(left: B256, right: B256) -> B256 {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(left.as_slice());
    bytes[32..].copy_from_slice(right.as_slice());
    keccak256(bytes)
}

fn parents_of(indices: &[usize]) -> Vec<usize> {
    let mut parents: Vec<usize> = indices.iter().map(|index| index / 2).collect();
    parents.dedup();
    parents
}

/// Heights are below 32.
fn as_index(height: u32) -> usize {
    usize::try_from(height).unwrap_or(usize::MAX)
}
