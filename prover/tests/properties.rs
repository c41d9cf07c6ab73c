//! Laws of the trees and encodings, over generated inputs.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

use alloy_primitives::B256;
use inferix_prover::sum_tree::{Node, NodePreimage, Peaks, Proof, Span, SumTree, fold_span};
use proptest::prelude::*;

const SUM_MAX: u128 = (1 << 96) - 1;

fn leaves(max: usize) -> impl Strategy<Value = Vec<Node>> {
    let leaf = (any::<[u8; 32]>(), 0..=SUM_MAX).prop_map(|(hash, sum)| Node {
        hash: B256::new(hash),
        sum,
    });
    prop::collection::vec(leaf, 1..max)
}

fn cheap_leaves(count: usize) -> Vec<Node> {
    (0..count)
        .map(|i| Node {
            hash: B256::with_last_byte((i % 251) as u8),
            sum: i as u128,
        })
        .collect()
}

/// The shape of RFC 6962, section 2.1, by its recursive definition: split at the largest power of two
/// below the count.
fn rfc6962(leaves: &[Node]) -> Node {
    if let [leaf] = leaves {
        return *leaf;
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    Node::parent(rfc6962(left), rfc6962(right)).unwrap()
}

proptest! {
    #[test]
    fn appending_and_building_give_the_same_tree(leaves in leaves(70)) {
        let built = SumTree::build(leaves.clone()).unwrap();
        let mut appended = SumTree::new();
        let mut peaks = Peaks::new();
        for leaf in &leaves {
            appended.append(*leaf).unwrap();
            peaks.append(*leaf).unwrap();
        }
        prop_assert_eq!(&built, &appended);
        prop_assert_eq!(built.root(), peaks.root());
        prop_assert_eq!(built.top().unwrap(), rfc6962(&leaves));
        prop_assert_eq!(Peaks::from_bytes(&peaks.to_bytes()).unwrap(), peaks);
    }

    #[test]
    fn every_proof_verifies_and_no_other_leaf_does(leaves in leaves(40)) {
        let tree = SumTree::build(leaves.clone()).unwrap();
        let root = tree.root().unwrap();
        for (index, leaf) in (0..).zip(&leaves) {
            let proof = tree.prove(index).unwrap();
            prop_assert_eq!(proof.verify(*leaf, root), Ok(()));
            let other = Node { sum: leaf.sum ^ 1, ..*leaf };
            prop_assert!(proof.verify(other, root).is_err());
            let moved = Proof { leaf_index: index ^ 1, ..proof };
            prop_assert!(moved.verify(*leaf, root).is_err());
        }
    }

    #[test]
    fn any_flipped_bit_of_a_proof_is_refused(leaves in leaves(20), pick in any::<[usize; 2]>()) {
        let tree = SumTree::build(leaves.clone()).unwrap();
        let (root, index) = (tree.root().unwrap(), pick[0] % leaves.len());
        let proof = tree.prove(index as u64).unwrap();
        for at in 0..proof.siblings.len() {
            let mut bad = proof.clone();
            bad.siblings[at].hash.0[pick[1] % 32] ^= 1;
            prop_assert!(bad.verify(leaves[index], root).is_err());
            let mut bad = proof.clone();
            bad.siblings[at].sum ^= 1 << (pick[1] % 100);
            prop_assert!(bad.verify(leaves[index], root).is_err());
        }
        let recount = Proof { leaf_count: proof.leaf_count + 1, ..proof.clone() };
        prop_assert!(recount.verify(leaves[index], root).is_err());
        let mut longer = proof;
        longer.siblings.push(Node::default());
        prop_assert!(longer.verify(leaves[index], root).is_err());
    }

    #[test]
    fn a_chain_leads_from_the_top_to_the_leaf(leaves in leaves(40), pick in any::<usize>()) {
        let tree = SumTree::build(leaves.clone()).unwrap();
        let index = pick % leaves.len();
        let mut node = tree.top().unwrap();
        for preimage in tree.chain(index as u64).unwrap() {
            prop_assert_eq!(preimage.node().unwrap(), node);
            let NodePreimage { left, right } = preimage;
            node = if below(&tree, left, index) { left } else { right };
        }
        prop_assert_eq!(node, leaves[index]);
    }

    #[test]
    fn each_round_of_descent_folds_to_the_node_above(count in 1_usize..3000, pick in any::<u64>()) {
        let tree = SumTree::build(cheap_leaves(count)).unwrap();
        let whole = Span::whole(tree.leaf_count());
        let level = pick as u32 % (whole.level + 1);
        let width = tree.leaf_count().div_ceil(1 << level);
        let span = Span { level, index: pick % width };
        let nodes = tree.descent(span).unwrap();
        prop_assert!(nodes.len() <= 32);
        prop_assert_eq!(fold_span(&nodes, 5).unwrap(), tree.node(span.level, span.index).unwrap());
    }
}

/// Whether `node` is above leaf `index`.
fn below(tree: &SumTree, node: Node, index: usize) -> bool {
    (0..64).any(|level| tree.node(level, (index as u64) >> level) == Some(node))
}

#[test]
fn building_in_the_pool_gives_the_same_tree() {
    for count in [1, 2, 3, 511, 512, 513, 1023, 4097] {
        let leaves = cheap_leaves(count);
        let parallel = SumTree::build_parallel(count, |i| leaves[i]).unwrap();
        assert_eq!(parallel, SumTree::build(leaves).unwrap(), "{count} leaves");
    }
}
