//! What is nobody's lie, and what is the manager's: voids, contradictions and double leases.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

mod common;

use common::{
    chain::{CHECKPOINTS, Chain, SHAPE, posted},
    sample::{self, honest},
};
use inferix_prover::{
    U96,
    fraud::{Demand, ManagerFraud, ObservedOrder, Void},
    id::DeviceId,
    task::task_tree,
};

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
    order.deviceId = DeviceId::from_parts(sample::address("other worker"), U96::ZERO).bytes();
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
