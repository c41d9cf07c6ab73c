//! Other people's Merkle trees, over the same Keccak.

use std::hash::Hasher as StdHasher;

use alloy_primitives::{B256, Keccak256};
use inferix_prover::sum_tree::{Node, NodePreimage};
use merkle_light::hash::Algorithm;

/// A hash and a sum, as `merkle_light` stores elements: 48 bytes, big-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SumElement(pub [[u8; 16]; 3]);

impl AsRef<[u8]> for SumElement {
    fn as_ref(&self) -> &[u8] {
        self.0.as_flattened()
    }
}

impl From<Node> for SumElement {
    fn from(node: Node) -> Self {
        let [a, b] = [&node.hash[..16], &node.hash[16..]].map(|half| half.try_into().unwrap());
        Self([a, b, node.sum.to_be_bytes()])
    }
}

impl From<SumElement> for Node {
    fn from(element: SumElement) -> Self {
        let [a, b, sum] = element.0;
        let hash = B256::from_slice([a, b].as_flattened());
        Self {
            hash,
            sum: u128::from_be_bytes(sum),
        }
    }
}

/// Our node, as an algorithm of `merkle_light`.
#[derive(Clone, Debug, Default)]
pub struct SumAlgorithm;

impl StdHasher for SumAlgorithm {
    fn write(&mut self, _: &[u8]) {}
    fn finish(&self) -> u64 {
        0
    }
}

impl Algorithm<SumElement> for SumAlgorithm {
    fn hash(&mut self) -> SumElement {
        SumElement::default()
    }
    fn leaf(&mut self, leaf: SumElement) -> SumElement {
        leaf
    }
    fn node(&mut self, left: SumElement, right: SumElement) -> SumElement {
        let preimage = NodePreimage {
            left: left.into(),
            right: right.into(),
        };
        preimage.node().unwrap().into()
    }
}

/// Plain Keccak without sums, as `merkle_light` is meant to be used.
#[derive(Clone, Default)]
pub struct KeccakAlgorithm(Keccak256);

impl StdHasher for KeccakAlgorithm {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn finish(&self) -> u64 {
        0
    }
}

impl Algorithm<[u8; 32]> for KeccakAlgorithm {
    fn hash(&mut self) -> [u8; 32] {
        self.0.clone().finalize().0
    }
    fn leaf(&mut self, leaf: [u8; 32]) -> [u8; 32] {
        leaf
    }
}

/// Plain Keccak without sums, as `rs_merkle` is meant to be used.
#[derive(Clone, Debug)]
pub struct RsKeccak;

impl rs_merkle::Hasher for RsKeccak {
    type Hash = [u8; 32];
    fn hash(data: &[u8]) -> [u8; 32] {
        alloy_primitives::keccak256(data).0
    }
}
