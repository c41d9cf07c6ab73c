//! Each predicate is found on a claim that violates it, with evidence that the contracts accept, and none on
//! honest claims.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use common::sample::{self, IB_MICRO, Rng, Sample, Shape, checkpoint_at, honest};
use inferix_prover::{
    U96,
    attack::Attack,
    blob::ClaimBlob,
    fraud::{
        ClaimView, Demand, Facts, Findings, Fraud, Known, ManagerFraud, ObservedOrder, Predicate,
        Void, find,
    },
    sum_tree::Span,
    task::task_tree,
};
use proptest::prelude::*;

const SHAPE: Shape = Shape {
    lines: 2,
    tasks: 3,
    intervals_per_task: 4,
    units_per_interval: 5,
};
const DRIFT_SECONDS: u64 = 5;
const CHECKPOINTS: u32 = 2_000;

/// What a sample's chain says.
struct Chain {
    domain: alloy_sol_types::Eip712Domain,
    checkpoints: BTreeMap<u32, u64>,
    live_programs: BTreeSet<B256>,
    other_orders: Vec<ObservedOrder>,
}

impl Chain {
    fn new() -> Self {
        Self {
            domain: sample::domain(),
            checkpoints: (1..=CHECKPOINTS).map(|i| (i, checkpoint_at(i))).collect(),
            live_programs: [B256::repeat_byte(1)].into(),
            other_orders: Vec::new(),
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            domain: &self.domain,
            drift_seconds: DRIFT_SECONDS,
            checkpoints: &self.checkpoints,
            live_programs: Some(&self.live_programs),
            other_orders: &self.other_orders,
        }
    }

    fn find(&self, claim: &Sample) -> Findings {
        self.find_knowing(claim, Some(&claim.blob), &Known::new())
    }

    /// Finds, and checks all evidence as the contracts do.
    fn find_knowing(&self, claim: &Sample, blob: Option<&ClaimBlob>, known: &Known) -> Findings {
        let (header, lines) = (&claim.header, claim.lines.as_slice());
        let findings = find(
            ClaimView {
                header,
                lines,
                blob,
                known,
            },
            self.facts(),
        );
        for fraud in &findings.frauds {
            assert!(fraud.holds(header, lines), "no evidence: {fraud:?}");
        }
        for void in &findings.voids {
            assert!(
                void.holds(header, lines, self.facts()),
                "no evidence: {void:?}"
            );
        }
        for fraud in &findings.manager_frauds {
            assert!(fraud.holds(header, lines), "no evidence: {fraud:?}");
        }
        findings
    }
}

fn attacked(attack: Attack, shape: Shape, seed: u64) -> Sample {
    let honest = honest(seed, shape);
    let mut blob = honest.blob;
    let cursors: Vec<_> = blob
        .lines
        .iter()
        .map(|line| (0, line.order.taskCount))
        .collect();
    let lines = attack
        .commit(&mut blob, &cursors, IB_MICRO, 1_000_000)
        .unwrap();
    sample::sample(blob, lines)
}

/// Posts a sample again after its first line's leaves were changed.
fn posted(mut claim: Sample, change: impl FnOnce(&mut ClaimBlob)) -> Sample {
    change(&mut claim.blob);
    let lines = claim.blob.lines.iter().zip(&claim.lines);
    let lines = lines.map(|(line, old)| line.to_line(old.cursorFrom, old.cursorTo).unwrap());
    let lines = lines.collect();
    let (end_ms, start_ms) = (claim.header.endMs, claim.header.startMs);
    claim.blob.end_ms = end_ms;
    claim.blob.start_ms = start_ms;
    sample::sample(claim.blob, lines)
}

fn predicates(findings: &Findings) -> BTreeSet<Predicate> {
    findings.frauds.iter().map(Fraud::predicate).collect()
}

fn expected(attack: Attack) -> Predicate {
    match attack {
        Attack::InflateTopSum | Attack::InflateNodeSum | Attack::HideNodeSum => Predicate::NodeSum,
        Attack::InflateLeafSum => Predicate::LeafSum,
        Attack::InflateCost | Attack::InflateUnitNodeSum | Attack::InflateUnitSum => {
            Predicate::UnitCost
        }
        Attack::InflateWork | Attack::ExceedMaxCost | Attack::StretchTime => {
            Predicate::LeafArithmetic
        }
        Attack::LeaveCursor | Attack::ForgeTask => Predicate::TaskNotInOrder,
        Attack::TakeForeignUnits | Attack::RepeatUnit => Predicate::UnitsNotTask,
        Attack::RepeatInterval => Predicate::UnitsRepeated,
        Attack::BorrowDevice => Predicate::ForeignDevice,
    }
}

#[test]
fn each_attack_is_found_as_its_predicate() {
    for attack in Attack::ALL {
        if attack == Attack::HideNodeSum {
            continue;
        }
        let findings = Chain::new().find(&attacked(attack, SHAPE, 3));
        assert!(
            predicates(&findings).contains(&expected(attack)),
            "{attack:?}: {findings:#?}"
        );
        assert_eq!(findings.demands, [], "{attack:?}");
    }
}

#[test]
fn an_attack_by_one_lie_is_no_other_fraud() {
    // Some lies can't be told alone: a cost that no units add up to exceeds their bound too.
    for attack in [
        Attack::InflateTopSum,
        Attack::InflateNodeSum,
        Attack::InflateLeafSum,
        Attack::InflateWork,
        Attack::LeaveCursor,
        Attack::ForgeTask,
        Attack::RepeatInterval,
        Attack::BorrowDevice,
    ] {
        let findings = Chain::new().find(&attacked(attack, SHAPE, 3));
        assert_eq!(
            predicates(&findings),
            [expected(attack)].into(),
            "{attack:?}"
        );
        assert_eq!(findings.frauds.len(), 1, "{attack:?}");
    }
}

#[test]
fn every_attack_is_found_with_one_leaf_and_one_unit() {
    let shape = Shape {
        lines: 1,
        tasks: 1,
        intervals_per_task: 1,
        units_per_interval: 1,
    };
    for attack in Attack::ALL {
        let findings = Chain::new().find(&attacked(attack, shape, 5));
        assert!(!findings.frauds.is_empty(), "{attack:?}: {findings:?}");
    }
}

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
            known.add_listed_task(inferix_prover::fraud::TaskEvidence {
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
    for leaf_count in [1, 11, 13, 64] {
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
        let preimage = inferix_prover::sum_tree::NodePreimage {
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
fn leaves_outside_of_their_bounds_are_voided_and_nobody_is_slashed() {
    let chain = Chain::new();
    let unknown = posted(honest(3, SHAPE), |blob| {
        blob.lines[0].intervals[0].interval.checkpoint_index = CHECKPOINTS + 1;
    });
    let late = posted(honest(3, SHAPE), |blob| {
        blob.lines[0].intervals[0].interval.checkpoint_index += 2;
    });
    let early = posted(honest(3, SHAPE), |blob| {
        blob.lines[0].intervals[0].interval.start_ms = sample::START_MS - 1;
    });
    let overlapping = posted(honest(3, SHAPE), |blob| {
        let first_end = blob.lines[0].intervals[0].interval.end_ms;
        blob.lines[0].intervals[1].interval.start_ms = first_end - 1;
    });
    for (claim, needed) in [
        (unknown, "Checkpoint"),
        (late, "Checkpoint"),
        (early, "OutsideSpan"),
    ] {
        let findings = chain.find(&claim);
        assert_eq!(findings.frauds, []);
        assert_eq!(findings.voids.len(), 1, "{needed}");
        assert!(format!("{:?}", findings.voids[0]).starts_with(needed));
        assert_eq!(findings.voids[0].leaf().index, 0);
    }
    let findings = chain.find(&overlapping);
    assert!(
        matches!(findings.voids.as_slice(), [Void::Overlap { leaf, other }]
        if (leaf.index, other.index) == (1, 0))
    );
}

#[test]
fn a_suspended_program_voids_its_leaves() {
    let mut chain = Chain::new();
    chain.live_programs.clear();
    let findings = chain.find(&honest(3, SHAPE));
    assert_eq!(findings.voids.len(), 24);
    assert!(
        findings
            .voids
            .iter()
            .all(|void| matches!(void, Void::Suspended { .. }))
    );
}

#[test]
fn a_task_that_contradicts_its_job_is_the_managers_fraud() {
    let mut claim = honest(3, SHAPE);
    let line = &mut claim.blob.lines[0];
    line.order.priceWei = U96::from(4_000_000_000_000_000_000_u64);
    line.order_signature = sample::sign(&line.order, "operator");
    let findings = Chain::new().find(&posted(claim, |_| ()));
    assert_eq!(findings.frauds, []);
    assert!(matches!(
        findings.manager_frauds.as_slice(),
        [ManagerFraud::TaskContradictsJob { line_index: 0, .. }]
    ));
}

#[test]
fn a_job_that_its_builder_did_not_sign_is_demanded() {
    let mut claim = honest(3, SHAPE);
    let line = &mut claim.blob.lines[0];
    line.jobs[0].signature = sample::sign(&line.jobs[0].job, "somebody");
    let findings = Chain::new().find(&posted(claim, |_| ()));
    assert!(matches!(
        findings.demands.as_slice(),
        [Demand::Job { line_index: 0, .. }, ..]
    ));
}

#[test]
fn units_leased_twice_at_once_are_the_managers_fraud() {
    let claim = honest(3, SHAPE);
    let mut chain = Chain::new();
    let line = &claim.blob.lines[0];
    let mut order = line.order.clone();
    let tasks = vec![line.tasks[1]];
    order.worker = sample::address("other worker");
    order.tasksRoot = task_tree(&tasks).unwrap().root().unwrap();
    order.taskCount = 1;
    let signature = sample::sign(&order, "operator");
    chain.other_orders.push(ObservedOrder {
        order: order.clone(),
        signature,
        tasks,
    });
    // A newer order for the same worker repeats the list: the same lease.
    let mut newer = line.order.clone();
    newer.capWei -= U96::from(1_u64);
    let tasks = line.tasks.clone();
    let signature = sample::sign(&newer, "operator");
    chain.other_orders.push(ObservedOrder {
        order: newer,
        signature,
        tasks,
    });

    let findings = chain.find(&claim);
    assert_eq!(findings.frauds, []);
    assert_eq!(
        findings.manager_frauds.len(),
        4,
        "one for each leaf of the task"
    );
    for fraud in &findings.manager_frauds {
        assert!(
            matches!(fraud, ManagerFraud::DoubleLease { other_order, .. } if *other_order == order)
        );
    }
}

#[test]
fn evidence_for_another_claim_does_not_hold() {
    let claim = attacked(Attack::RepeatInterval, SHAPE, 3);
    let fraud = Chain::new().find(&claim).frauds.remove(0);
    let other = attacked(Attack::RepeatInterval, SHAPE, 4);
    assert!(!fraud.holds(&other.header, &other.lines));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_found_on_honest_claims(
        seed in any::<u64>(),
        lines in 1..4_u64,
        tasks in 1..5_u64,
        intervals_per_task in 1..5_u64,
        units_per_interval in 1..7_u64,
    ) {
        let claim = honest(seed, Shape { lines, tasks, intervals_per_task, units_per_interval });
        let findings = Chain::new().find(&claim);
        prop_assert!(findings.is_empty(), "{:?}", findings);
        let read = ClaimBlob::from_bytes(&claim.blob.to_bytes()).unwrap();
        prop_assert_eq!(read, claim.blob);
    }

    #[test]
    fn each_attack_is_found_on_claims_of_any_shape(
        seed in any::<u64>(),
        tasks in 1..4_u64,
        intervals_per_task in 1..6_u64,
        units_per_interval in 1..6_u64,
        pick in 0..Attack::ALL.len(),
    ) {
        let shape = Shape { lines: 2, tasks, intervals_per_task, units_per_interval };
        let attack = Attack::ALL[pick];
        let findings = Chain::new().find(&attacked(attack, shape, seed));
        let is_found = !findings.frauds.is_empty()
            || (attack == Attack::HideNodeSum && !findings.demands.is_empty());
        prop_assert!(is_found, "{:?}: {:?}", attack, findings);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), at in 0..600_usize) {
        let _ = ClaimBlob::from_bytes(&bytes);
        let mut real = honest(1, SHAPE).blob.to_bytes();
        let mut rng = Rng(at as u64);
        for _ in 0..8 {
            let at = (rng.next() as usize) % real.len();
            real[at] ^= 1 << (rng.next() % 8);
        }
        if let Ok(blob) = ClaimBlob::from_bytes(&real) {
            prop_assert_eq!(blob.to_bytes(), real);
        }
    }
}
