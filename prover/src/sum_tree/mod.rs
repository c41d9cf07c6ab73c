//! Merkle-sum trees: each node commits to the hashes of its two children and to both their sums.
//!
//! Intervals, units and tasks are all committed by such a tree. `SumTree.sol` checks the same bytes;
//! `test-vectors/sum_tree.json` holds both to them (`PROTOCOL.md`, *Merkle-sum tree*).
//!
//! # Layout
//!
//! - leaf: `keccak256(0x00 ‖ tag ‖ fields)`, its sum below 2^96;
//! - node: `keccak256(0x01 ‖ hL ‖ sumL ‖ hR ‖ sumR)`, sums u128. A tree that binds only the total of
//!   two children lets one leaf be shown with two sums (Hu, Zhang, Guo, ePrint 2018/1139);
//! - an odd last node is carried up and never duplicated (CVE-2012-2459): the shape of RFC 6962;
//! - root: `keccak256(0x02 ‖ leafCount u64 ‖ topHash ‖ topSum)`. Zero leaves are no tree.
//!
//! # Cost
//!
//! Each node takes one Keccak permutation, 97 bytes being below the rate of 136. [`SumTree`] keeps all
//! nodes to prove from, 96 bytes a leaf; [`Peaks`] keeps one node for each bit of the leaf count.

mod node;
mod peaks;
mod proof;
mod tree;

pub use node::{
    LEAF_SUM_BITS, LeafTag, Node, NodePreimage, RootPreimage, SumTreeError, leaf_hash, root_hash,
};
pub use peaks::Peaks;
pub use proof::{Proof, Span, fold_span};
pub use tree::{DESCENT_LEVELS, SumTree};
