//! What a claim hides is demanded, and what is shown is read.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

mod common;

use common::{
    chain::{Chain, SHAPE, attacked, predicates},
    sample::{self, Sample, Shape, honest},
};
use inferix_prover::{
    U96,
    attack::Attack,
    fraud::{Demand, Known, Predicate, TaskEvidence},
    sum_tree::{NodePreimage, Span},
};

#[test]
fn a_hidden_node_is_demanded_and_then_refuted() {
    let claim = attacked(Attack::HideNodeSum, SHAPE, 3);
    let chain = Chain::new();
    let findings = chain.find(&claim);
    assert_eq!(findings.frauds, []);
    let whole = Span::whole(claim.lines[0].leafCount);
    let top = Demand::Nodes {
        line_index: 0,
        level: whole.level,
        position: 0,
    };
    assert_eq!(findings.demands, [top]);

    // The worker shows what the top hashes: the rest is known from the leaves.
    let shown = attacked(Attack::InflateNodeSum, SHAPE, 3);
    let mut known = Known::new();
    known.add_node(*shown.blob.lines[0].nodes.last().unwrap());
    let findings = chain.find_knowing(&claim, Some(&claim.blob), &known);
    assert_eq!(predicates(&findings), [Predicate::NodeSum].into());
    assert_eq!(findings.demands, []);
}

#[test]
fn a_claim_without_blob_is_demanded_top_down_and_then_found_honest() {
    let claim = honest(11, SHAPE);
    let chain = Chain::new();
    let mut known = Known::new();
    let mut rounds = 0;
    loop {
        let findings = chain.find_knowing(&claim, None, &known);
        assert_eq!(findings.frauds, []);
        if findings.demands.is_empty() {
            break;
        }
        for demand in findings.demands {
            serve(&claim, demand, &mut known);
        }
        rounds += 1;
        assert!(rounds < 100, "demands come to an end");
    }
    // With the work done in hidden leaves known, a lie in one is found as with the blob.
    assert_eq!(known_intervals(&claim), 24);
}

fn known_intervals(claim: &Sample) -> usize {
    claim
        .blob
        .lines
        .iter()
        .map(|line| line.intervals.len())
        .sum()
}

/// Shows what is asked for, as an honest worker does.
fn serve(claim: &Sample, demand: Demand, known: &mut Known) {
    let line = |index: usize| &claim.blob.lines[index];
    let at = |index: u64| usize::try_from(index).unwrap();
    match demand {
        Demand::Interval {
            line_index,
            leaf_index,
        } => {
            known.add_interval(line(line_index).intervals[at(leaf_index)].interval);
        }
        Demand::Nodes {
            line_index,
            level,
            position,
        } => {
            let tree = line(line_index).interval_tree().unwrap();
            known.add_span(
                &tree
                    .descent(Span {
                        level,
                        index: position,
                    })
                    .unwrap(),
            );
        }
        Demand::Unit {
            line_index,
            leaf_index,
            position,
        } => {
            let held = &line(line_index).intervals[at(leaf_index)];
            let tree = held.unit_tree().unwrap();
            let unit = held.units[at(position)];
            known.add_unit(unit);
            known.add_root(tree.root_preimage().unwrap());
            let siblings = tree.prove(position).unwrap().siblings;
            known.add_path(unit.leaf(), position, tree.leaf_count(), &siblings);
        }
        Demand::UnitNodes {
            line_index,
            leaf_index,
            level,
            position,
        } => {
            let tree = line(line_index).intervals[at(leaf_index)]
                .unit_tree()
                .unwrap();
            known.add_span(
                &tree
                    .descent(Span {
                        level,
                        index: position,
                    })
                    .unwrap(),
            );
        }
        Demand::Task {
            line_index,
            position,
        } => {
            let line = line(line_index);
            let tree = line.task_tree().unwrap();
            known.add_order(line.order.clone());
            known.add_listed_task(TaskEvidence {
                task: line.tasks[usize::try_from(position).unwrap()],
                index: position,
                top: tree.root_preimage().unwrap(),
                siblings: tree.prove(u64::from(position)).unwrap().siblings,
            });
        }
        Demand::Job {
            line_index,
            position,
        } => {
            let line = line(line_index);
            let task = line.tasks[usize::try_from(position).unwrap()];
            known.add_job(line.job(task.job_id).unwrap().clone());
        }
    }
}

#[test]
fn another_leaf_count_than_the_trees_is_demanded_until_it_is_lost() {
    for leaf_count in [1, 11, 13, 64, 1 << 63, u64::MAX] {
        let mut claim = honest(3, SHAPE);
        claim.lines[0].leafCount = leaf_count;
        let claim = sample::sample(claim.blob, claim.lines);
        let findings = Chain::new().find(&claim);
        assert!(!findings.demands.is_empty(), "{leaf_count} leaves");
    }
}

#[test]
fn a_tree_that_repeats_a_node_is_walked_once_and_its_leaf_is_found_twice() {
    let claim = honest(3, Shape { lines: 1, ..SHAPE });
    let leaf = claim.blob.lines[0].intervals[0].interval.leaf();
    // 2^40 leaves out of 40 nodes.
    let mut node = leaf;
    let mut known = Known::new();
    for _ in 0..40 {
        let preimage = NodePreimage {
            left: node,
            right: node,
        };
        known.add_node(preimage);
        node = preimage.node().unwrap();
    }
    let mut claim = claim;
    claim.lines[0].topHash = node.hash;
    claim.lines[0].sumIbmMicro = U96::try_from(node.sum).unwrap();
    claim.lines[0].leafCount = 1 << 40;
    let claim = sample::sample(claim.blob, claim.lines);
    let findings = Chain::new().find_knowing(&claim, Some(&claim.blob), &known);
    assert!(predicates(&findings).contains(&Predicate::UnitsRepeated));
}

#[test]
fn a_listed_task_without_proof_is_not_believed() {
    let claim = honest(3, SHAPE);
    let line = &claim.blob.lines[0];
    let tree = line.task_tree().unwrap();
    let mut known = Known::new();
    known.add_order(line.order.clone());
    known.add_listed_task(TaskEvidence {
        task: line.tasks[1],
        index: 0,
        top: tree.root_preimage().unwrap(),
        siblings: tree.prove(0).unwrap().siblings,
    });
    let findings = Chain::new().find_knowing(&claim, None, &known);
    assert!(findings.demands.contains(&Demand::Task {
        line_index: 0,
        position: 0
    }));
}
