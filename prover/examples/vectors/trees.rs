//! `sum_tree.json` and `leaves.json`.

use alloy_primitives::{B256, keccak256};
use inferix_prover::{
    U96,
    interval::{Interval, amount_wei, payable_micro},
    sum_tree::{Node, Proof, Span, SumTree, root_hash},
    task::Task,
    unit::UnitLeaf,
};

use crate::{
    OURS,
    common::{
        cases::{
            AmountCase, ChainCase, Dec, DescentCase, IntervalCase, LeavesFile, NodeCase,
            PayableCase, ProofCase, RefusedProof, SumTreeFile, TaskCase, TreeCase, UnitCase, dec96,
        },
        sample::{Shape, honest},
    },
    known,
};

pub fn sum_tree_file() -> SumTreeFile {
    let mut trees = vec![known::tree_of_five()];
    trees.extend([1, 2, 3, 4, 6, 7, 8, 9, 33, 70].map(tree_case));
    SumTreeFile {
        trees,
        shapes: known::rfc6962_shapes(),
        refused: refused(),
    }
}

fn leaves(count: u64) -> Vec<Node> {
    let sum = |i: u64| match i {
        0 => (1 << 96) - 1,
        1 => 0,
        i => u128::from(i) * 1_000_003,
    };
    (0..count)
        .map(|i| Node {
            hash: keccak256(i.to_be_bytes()),
            sum: sum(i),
        })
        .collect()
}

fn tree_case(count: u64) -> TreeCase {
    let leaves = leaves(count);
    let tree = SumTree::build(leaves.clone()).unwrap();
    // All proofs of a small tree, the edges of a large one.
    let indices: Vec<u64> = (0..count)
        .filter(|i| count < 10 || [0, 31, 32, count - 1].contains(i))
        .collect();
    let proofs = indices.iter().map(|i| ProofCase {
        leaf_index: (*i).into(),
        siblings: tree
            .prove(*i)
            .unwrap()
            .siblings
            .into_iter()
            .map(NodeCase::from)
            .collect(),
    });
    let chains = indices.iter().map(|i| ChainCase {
        leaf_index: (*i).into(),
        branches: tree
            .chain(*i)
            .unwrap()
            .into_iter()
            .map(Into::into)
            .collect(),
    });
    let whole = Span::whole(count);
    let mut spans = vec![whole];
    if count > 32 {
        spans.extend([Span { level: 5, index: 0 }, Span { level: 5, index: 1 }]);
    }
    let descents = spans.iter().map(|span| DescentCase {
        level: span.level.into(),
        index: span.index.into(),
        nodes: tree
            .descent(*span)
            .unwrap()
            .into_iter()
            .map(NodeCase::from)
            .collect(),
    });
    TreeCase {
        name: format!("{count} leaves"),
        source: OURS.into(),
        leaves: leaves.into_iter().map(NodeCase::from).collect(),
        top: tree.top().unwrap().into(),
        root: tree.root().unwrap(),
        proofs: proofs.collect(),
        chains: chains.collect(),
        descents: descents.collect(),
    }
}

fn refused() -> Vec<RefusedProof> {
    let leaves = leaves(5);
    let tree = SumTree::build(leaves.clone()).unwrap();
    let (root, proof) = (tree.root().unwrap(), tree.prove(2).unwrap());
    let case = |name: &str, proof: Proof, leaf: Node, root: B256| RefusedProof {
        name: name.into(),
        leaf_count: proof.leaf_count.into(),
        leaf_index: proof.leaf_index.into(),
        leaf: leaf.into(),
        siblings: proof.siblings.into_iter().map(NodeCase::from).collect(),
        root,
    };
    let mut other_hash = proof.clone();
    other_hash.siblings[1].hash.0[0] ^= 1;
    let mut other_sum = proof.clone();
    other_sum.siblings[1].sum += 1;
    let mut shorter = proof.clone();
    shorter.siblings.pop();
    let mut longer = proof.clone();
    longer.siblings.push(leaves[0]);
    let moved = Proof {
        leaf_index: 3,
        ..proof.clone()
    };
    let beyond = Proof {
        leaf_index: 5,
        ..proof.clone()
    };
    let recounted = Proof {
        leaf_count: 6,
        ..proof.clone()
    };
    // The odd leaf of five, duplicated: what Bitcoin's shape would accept as a sixth leaf.
    let duplicated = {
        let six = SumTree::build([leaves.as_slice(), &leaves[4..]].concat()).unwrap();
        six.prove(5).unwrap()
    };
    // The node over leaves 2 and 3, shown as if it were a leaf of a tree of three.
    let inner = Node::parent(leaves[2], leaves[3]).unwrap();
    let inner_proof = Proof {
        leaf_index: 1,
        leaf_count: 3,
        siblings: proof.siblings[1..].to_vec(),
    };
    // A total that 128 bits don't hold.
    let large = Node {
        sum: u128::MAX,
        ..leaves[0]
    };
    let overflow = Proof {
        leaf_index: 0,
        leaf_count: 2,
        siblings: vec![large],
    };
    let overflow_root = root_hash(
        2,
        Node {
            hash: node_hash(leaves[2], large),
            sum: leaves[2].sum.wrapping_sub(1),
        },
    );
    vec![
        case(
            "a flipped bit in a sibling's hash",
            other_hash,
            leaves[2],
            root,
        ),
        case("another sum of a sibling", other_sum, leaves[2], root),
        case(
            "another sum of the leaf",
            proof.clone(),
            Node {
                sum: 7,
                ..leaves[2]
            },
            root,
        ),
        case("a sibling too few", shorter, leaves[2], root),
        case("a sibling too many", longer, leaves[2], root),
        case("another index", moved, leaves[2], root),
        case("an index past the end", beyond, leaves[2], root),
        case("another count", recounted, leaves[2], root),
        case("a duplicated odd leaf", duplicated, leaves[4], root),
        case("an inner node as a leaf", inner_proof, inner, root),
        case("a sum that overflows", overflow, leaves[2], overflow_root),
    ]
}

fn node_hash(left: Node, right: Node) -> B256 {
    inferix_prover::sum_tree::NodePreimage { left, right }.hash()
}

pub fn leaves_file() -> LeavesFile {
    let shape = Shape {
        lines: 1,
        tasks: 2,
        intervals_per_task: 1,
        units_per_interval: 2,
    };
    let line = honest(7, shape).blob.lines.remove(0);
    let widest = Interval {
        seq: u32::MAX,
        task_index: u32::MAX,
        checkpoint_index: u32::MAX,
        start_ms: u64::MAX,
        end_ms: u64::MAX,
        active_ms: u32::MAX,
        first_unit: u64::MAX,
        unit_count: u32::MAX,
        cost: u128::MAX,
        ibm_micro: U96::MAX,
        ..line.intervals[0].interval
    };
    let mut intervals = vec![known::interval()];
    intervals.extend([
        interval_case("all zero", &Interval::default()),
        interval_case("all as wide as they go", &widest),
        interval_case("of a sample", &line.intervals[0].interval),
    ]);
    let mut units = vec![known::unit()];
    units.extend(line.intervals[0].units.iter().map(unit_case));
    let mut tasks = vec![known::task()];
    tasks.extend(line.tasks.iter().map(task_case));
    LeavesFile {
        keccak: known::keccaks(),
        intervals,
        units,
        tasks,
        payables: payables(),
        amounts: amounts(),
    }
}

fn interval_case(name: &str, interval: &Interval) -> IntervalCase {
    IntervalCase {
        name: name.into(),
        source: OURS.into(),
        interval: interval.into(),
        bytes: interval.to_bytes().into(),
        leaf_hash: interval.leaf_hash(),
    }
}

fn unit_case(unit: &UnitLeaf) -> UnitCase {
    UnitCase {
        name: format!("unit {}", unit.unit_index),
        source: OURS.into(),
        unit: unit.into(),
        bytes: unit.to_bytes().into(),
        leaf_hash: unit.leaf().hash,
    }
}

fn task_case(task: &Task) -> TaskCase {
    TaskCase {
        name: format!("units from {}", task.first_unit),
        source: OURS.into(),
        task: task.into(),
        bytes: task.to_bytes().into(),
        task_id: task.task_id().bytes(),
    }
}

fn payables() -> Vec<PayableCase> {
    let mut cases = known::payables();
    for (name, cost, reference_rate, ib_micro, active_ms) in [
        ("no cost", 0, 1_000_000, 500_000, 60_000),
        ("no time", 1_000_000_000_000, 1_000_000, 500_000, 0),
        (
            "a division that truncates",
            1_999_999,
            1_000_000,
            500_000,
            60_000,
        ),
        (
            "all as wide as they go",
            u128::MAX,
            u64::MAX,
            u64::MAX,
            u32::MAX,
        ),
    ] {
        cases.push(PayableCase {
            name: name.into(),
            source: OURS.into(),
            cost: Dec(cost),
            reference_rate: reference_rate.into(),
            ib_micro: ib_micro.into(),
            active_ms: active_ms.into(),
            ibm_micro: dec96(payable_micro(cost, reference_rate, ib_micro, active_ms)),
        });
    }
    cases
}

fn amounts() -> Vec<AmountCase> {
    let mut cases = known::amounts();
    let (sum, price) = (U96::from(999_999_u64), U96::from(1_u64));
    cases.push(AmountCase {
        name: "less than a wei".into(),
        source: OURS.into(),
        sum_ibm_micro: dec96(sum),
        price_wei: dec96(price),
        amount_wei: dec96(amount_wei(sum, price).unwrap()),
    });
    cases
}
