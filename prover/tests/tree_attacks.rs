//! Known attacks on Merkle trees and Merkle-sum trees: that they work on the trees that have the flaw, and
//! fail on ours.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

mod common;

use alloy_primitives::{B256, keccak256};
use common::peers::{KeccakAlgorithm, SumAlgorithm, SumElement};
use inferix_prover::{
    interval::Interval,
    sum_tree::{LeafTag, Node, NodePreimage, Proof, SumTree, SumTreeError, leaf_hash, root_hash},
    task::Task,
    unit::UnitLeaf,
};
use merkle_light::merkle::MerkleTree;

fn leaves(count: u64) -> Vec<Node> {
    (0..count)
        .map(|i| Node {
            hash: keccak256(i.to_be_bytes()),
            sum: u128::from(i) + 1,
        })
        .collect()
}

#[test]
fn merkle_light_gives_the_same_top_where_its_rule_agrees() {
    for log in 0..11 {
        let leaves = leaves(1 << log);
        let top = SumTree::build(leaves.clone()).unwrap().top().unwrap();
        if leaves.len() == 1 {
            // It makes two leaves of one.
            continue;
        }
        let theirs = leaves.into_iter().map(SumElement::from);
        let theirs: MerkleTree<SumElement, SumAlgorithm> = MerkleTree::new(theirs);
        assert_eq!(Node::from(theirs.root()), top, "2^{log} leaves");
    }
}

#[test]
fn merkle_light_takes_a_duplicated_leaf_and_we_do_not() {
    // CVE-2012-2459: two lists of leaves, one root. With sums, the duplicate would even be paid.
    let three: Vec<[u8; 32]> = leaves(3).iter().map(|leaf| leaf.hash.0).collect();
    let four = [three.as_slice(), &three[2..]].concat();
    let of = |leaves: Vec<[u8; 32]>| MerkleTree::<_, KeccakAlgorithm>::new(leaves).root();
    assert_eq!(of(three), of(four));

    for count in 1..40 {
        let honest = leaves(count);
        let longer = [honest.as_slice(), &honest[honest.len() - 1..]].concat();
        let root = |leaves: Vec<Node>| SumTree::build(leaves).unwrap().root().unwrap();
        assert_ne!(root(honest), root(longer), "{count} leaves");
    }
}

#[test]
fn a_sub_tree_repeated_at_the_end_is_another_root() {
    // The general form of CVE-2012-2459: 6 leaves against 8 with the last two repeated.
    let six = leaves(6);
    let eight = [six.as_slice(), &six[4..]].concat();
    let of = |leaves: &[Node]| {
        let leaves = leaves.iter().map(|leaf| leaf.hash.0);
        MerkleTree::<_, KeccakAlgorithm>::new(leaves).root()
    };
    assert_eq!(of(&six), of(&eight));
    let root = |leaves: Vec<Node>| SumTree::build(leaves).unwrap().root().unwrap();
    assert_ne!(root(six), root(eight));
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let leaves = leaves(4);
    let tree = SumTree::build(leaves.clone()).unwrap();
    let root = tree.root().unwrap();
    let inner = Node::parent(leaves[0], leaves[1]).unwrap();
    let sibling = Node::parent(leaves[2], leaves[3]).unwrap();
    // The hashes fit, but the root binds the number of leaves.
    let shorter = Proof {
        leaf_index: 0,
        leaf_count: 2,
        siblings: vec![sibling],
    };
    assert!(matches!(
        shorter.verify(inner, root),
        Err(SumTreeError::WrongRoot { .. })
    ));
    let unchanged = Proof {
        leaf_index: 0,
        leaf_count: 4,
        siblings: vec![sibling],
    };
    let refusal = SumTreeError::WrongNodeCount { got: 1, needed: 2 };
    assert_eq!(unchanged.verify(inner, root), Err(refusal));
}

#[test]
fn no_preimage_of_a_node_is_one_of_a_leaf_or_root() {
    let node = [&[1][..], &[0; 96]].concat();
    assert_eq!(NodePreimage::default().hash(), keccak256(&node));
    let lengths = [
        Interval::LEN_BYTES + 2,
        UnitLeaf::LEN_BYTES + 2,
        Task::LEN_BYTES + 2,
        57,
    ];
    assert!(
        !lengths.contains(&node.len()),
        "lengths differ, and the first byte does too"
    );
    // The same bytes as another kind of leaf are another leaf.
    let hash = |tag| leaf_hash(tag, &[0; 49]);
    assert_ne!(hash(LeafTag::Unit), hash(LeafTag::Interval));
    assert_ne!(hash(LeafTag::Unit), hash(LeafTag::Task));
}

/// The classic sum tree, which binds only the total of two children.
fn classic_parent(left: B256, right: B256, total: u128) -> B256 {
    keccak256([left.as_slice(), right.as_slice(), &total.to_be_bytes()].concat())
}

#[test]
fn siblings_shown_differently_to_left_and_right_keep_no_total() {
    // Hu, Zhang, Guo, ePrint 2018/1139: two leaves of 10 under a total of 10. Each owner is shown the
    // other's leaf with sum 0, and both are content.
    let (left, right) = (keccak256("left"), keccak256("right"));
    let total = 10;
    let classic_root = classic_parent(left, right, total);
    let (left_sum, shown_to_left) = (10, 0);
    let (right_sum, shown_to_right) = (10, 0);
    assert_eq!(
        classic_parent(left, right, left_sum + shown_to_left),
        classic_root
    );
    assert_eq!(
        classic_parent(left, right, shown_to_right + right_sum),
        classic_root
    );
    assert_ne!(left_sum + right_sum, total);

    // Ours binds each sum: whichever preimage the cheat commits to, one of the two proofs fails.
    let proof = |leaf_index, hash| Proof {
        leaf_index,
        leaf_count: 2,
        siblings: vec![Node { hash, sum: 0 }],
    };
    for (committed_left, committed_right) in [(10, 0), (0, 10), (10, 10), (5, 5)] {
        let preimage = NodePreimage {
            left: Node {
                hash: left,
                sum: committed_left,
            },
            right: Node {
                hash: right,
                sum: committed_right,
            },
        };
        let root = root_hash(
            2,
            Node {
                hash: preimage.hash(),
                sum: total,
            },
        );
        let to_left = proof(0, right).verify(
            Node {
                hash: left,
                sum: left_sum,
            },
            root,
        );
        let to_right = proof(1, left).verify(
            Node {
                hash: right,
                sum: right_sum,
            },
            root,
        );
        assert!(
            to_left.is_err() || to_right.is_err(),
            "{committed_left} and {committed_right}"
        );
    }
}

#[test]
fn a_sum_that_overflows_is_refused_and_does_not_wrap() {
    let node = |sum| Node {
        hash: B256::ZERO,
        sum,
    };
    let (left, right) = (u128::MAX, 1);
    let overflow = SumTreeError::SumOverflow { left, right };
    assert_eq!(Node::parent(node(left), node(right)), Err(overflow));

    let proof = Proof {
        leaf_index: 0,
        leaf_count: 2,
        siblings: vec![node(right)],
    };
    assert_eq!(proof.top(node(left)), Err(overflow));
}

#[test]
fn a_leaf_of_more_than_96_bits_is_refused_and_nothing_is_appended() {
    let too_large = Node {
        hash: B256::ZERO,
        sum: 1 << 96,
    };
    let refusal = SumTreeError::LeafSumTooLarge { sum: 1 << 96 };
    assert_eq!(SumTree::build(vec![too_large]), Err(refusal));
    let mut tree = SumTree::build(leaves(3)).unwrap();
    let before = tree.clone();
    assert_eq!(tree.append(too_large), Err(refusal));
    assert_eq!(tree, before);
}

#[test]
fn zero_leaves_are_no_tree() {
    let tree = SumTree::new();
    assert_eq!(tree.root(), Err(SumTreeError::Empty));
    assert_eq!(
        tree.prove(0),
        Err(SumTreeError::IndexOutOfRange { index: 0, count: 0 })
    );
}
