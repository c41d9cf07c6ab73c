//! Laws of the task queue: no unit is lost, none is leased twice at the same time, and a crash changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that can't go on must fail"
)]

mod common;

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use common::{LEASE_S, MAX_COST, NOW, RATE, wallet};
use inferix_node::{
    api::types::{JobState, OutputPiece},
    queue::{
        Delivery, EmbeddedQueue, JobEntry, JobView, LeaseEntry, QueueError, TaskQueue, UnitRanges,
    },
    store::Store,
};
use inferix_prover::{id::JobId, task::Task};
use proptest::prelude::*;

const UNIT_COUNT: u64 = 24;

#[derive(Clone, Copy, Debug)]
enum Step {
    Lease {
        worker: u8,
        first_unit: u64,
        unit_count: u32,
    },
    Deliver {
        lease_index: usize,
        from: u32,
        unit_count: u32,
    },
    Release {
        lease_index: usize,
    },
    Undo {
        lease_index: usize,
    },
    Pass {
        seconds: u64,
    },
    Cancel,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lease = (1_u8..4, 0..UNIT_COUNT, 1_u32..9).prop_map(|(worker, first_unit, unit_count)| {
        Step::Lease {
            worker,
            first_unit,
            unit_count,
        }
    });
    let deliver =
        (any::<usize>(), 0_u32..6, 1_u32..6).prop_map(|(lease_index, from, unit_count)| {
            Step::Deliver {
                lease_index,
                from,
                unit_count,
            }
        });
    prop::collection::vec(
        prop_oneof![
            8 => lease,
            6 => deliver,
            1 => any::<usize>().prop_map(|lease_index| Step::Release { lease_index }),
            1 => any::<usize>().prop_map(|lease_index| Step::Undo { lease_index }),
            3 => (1..LEASE_S).prop_map(|seconds| Step::Pass { seconds }),
            1 => Just(Step::Cancel),
            3 => Just(Step::Crash),
        ],
        1..60,
    )
}

/// What the queue must hold, kept as plainly as can be.
#[derive(Debug, Default)]
struct Model {
    leases: Vec<LeaseEntry>,
    delivered: BTreeMap<u64, u64>,
    is_canceled: bool,
}

impl Model {
    fn is_free(&self, unit: u64, now: u64) -> bool {
        let is_held =
            |lease: &LeaseEntry| lease.units().contains(&unit) && now < lease.task.lease_ends_at;
        !self.delivered.contains_key(&unit) && !self.leases.iter().any(is_held)
    }

    fn lease(&self, index: usize) -> Option<&LeaseEntry> {
        self.leases.get(index.checked_rem(self.leases.len())?)
    }
}

fn entry() -> JobEntry {
    let builder = wallet(1);
    let unit_count = u32::try_from(UNIT_COUNT).unwrap();
    let signed = common::signed_job(
        &builder,
        Address::ZERO,
        b"scene",
        (unit_count, 1, B256::ZERO),
    );
    JobEntry {
        signed,
        accepted_at: NOW,
        canceled_at: None,
    }
}

fn lease_of(job_id: JobId, worker: u8, units: (u64, u32), now: u64) -> LeaseEntry {
    let (first_unit, unit_count) = units;
    let task = Task {
        job_id,
        first_unit,
        unit_count,
        max_cost: MAX_COST,
        reference_rate: RATE,
        lease_ends_at: now + LEASE_S,
    };
    let worker = Address::repeat_byte(worker);
    LeaseEntry {
        task,
        worker,
        device_index: 0,
        leased_at: now,
        is_released: false,
    }
}

fn check(view: &JobView, model: &Model, now: u64) {
    let free = view.free(now);
    for unit in 0..UNIT_COUNT {
        let range = unit..unit + 1;
        assert_eq!(
            free.contains(&range),
            model.is_free(unit, now),
            "unit {unit} is free"
        );
        assert_eq!(
            view.delivered.contains(&range),
            model.delivered.contains_key(&unit)
        );
        // Nothing is lost: a unit is delivered, held by a live lease, or free.
        let is_held = view
            .leases
            .iter()
            .any(|lease| lease.is_live(now) && lease.units().contains(&unit));
        assert!(
            view.delivered.contains(&range) || is_held || free.contains(&range),
            "unit {unit}"
        );
    }
    assert_eq!(view.cost, model.delivered.values().sum::<u64>());
    for (i, lease) in view.leases.iter().enumerate() {
        for other in &view.leases[i + 1..] {
            let (a, b) = (lease.units(), other.units());
            let is_apart = a.end <= b.start || b.end <= a.start;
            // `other` was granted later: by then the earlier lease must have ended.
            assert!(
                is_apart || lease.task.lease_ends_at <= other.leased_at,
                "{lease:?} {other:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_unit_is_lost_and_none_is_leased_twice(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut queue = EmbeddedQueue::open(&store).unwrap();
        queue.add(entry()).unwrap();
        let job_id = entry().job_id();
        let (mut model, mut now) = (Model::default(), NOW);

        for step in steps {
            match step {
                Step::Lease { worker, first_unit, unit_count } => {
                    let lease = lease_of(job_id, worker, (first_unit, unit_count), now);
                    let is_within = lease.units().end <= UNIT_COUNT;
                    let may = is_within && lease.units().all(|unit| model.is_free(unit, now));
                    let is_done = model.delivered.len() as u64 == UNIT_COUNT;
                    match queue.lease(lease.clone(), now) {
                        Ok(()) => {
                            prop_assert!(may && !model.is_canceled && !is_done);
                            model.leases.push(lease);
                        }
                        Err(QueueError::UnitsTaken { .. }) => prop_assert!(!may),
                        Err(QueueError::JobEnded { state, .. }) => {
                            prop_assert!(model.is_canceled || is_done, "{state:?}");
                        }
                        Err(err) => panic!("{err}"),
                    }
                }
                Step::Deliver { lease_index, from, unit_count } => {
                    let Some(lease) = model.lease(lease_index).cloned() else { continue };
                    let first_unit = lease.task.first_unit + u64::from(from);
                    let units = first_unit..first_unit + u64::from(unit_count);
                    let new: Vec<u64> =
                        units.clone().filter(|unit| !model.delivered.contains_key(unit)).collect();
                    let delivery = Delivery {
                        job_id,
                        task_id: lease.task.task_id(),
                        worker: lease.worker,
                        piece: OutputPiece { first_unit, unit_count, blob: B256::repeat_byte(3) },
                        cost: new.len() as u64,
                        delivered_at: now,
                    };
                    match queue.deliver(delivery.clone()) {
                        Ok(()) => {
                            prop_assert!(lease.task.holds(first_unit, unit_count));
                            model.delivered.extend(new.into_iter().map(|unit| (unit, 1)));
                            queue.deliver(Delivery { cost: 7, ..delivery }).unwrap();
                        }
                        Err(QueueError::UnitsNotTask { .. }) => {
                            prop_assert!(!lease.task.holds(first_unit, unit_count));
                        }
                        Err(err) => panic!("{err}"),
                    }
                }
                Step::Release { lease_index } => {
                    if let Some(lease) = model.lease(lease_index) {
                        queue.release(lease.task.task_id()).unwrap();
                    }
                }
                Step::Undo { lease_index } => {
                    // Only the order book undoes, and only what it has not signed: nothing is delivered yet.
                    let Some(lease) = model.lease(lease_index).cloned() else { continue };
                    if lease.units().any(|unit| model.delivered.contains_key(&unit)) {
                        continue;
                    }
                    queue.undo_lease(lease.task.task_id()).unwrap();
                    model.leases.retain(|held| held.task != lease.task);
                }
                Step::Pass { seconds } => now += seconds,
                Step::Cancel => {
                    queue.cancel(job_id, now).unwrap();
                    model.is_canceled = true;
                }
                Step::Crash => {
                    drop(queue);
                    queue = EmbeddedQueue::open(&store).unwrap();
                }
            }
            // Each step is one write, so a crash after any step is a crash at any write.
            let view = queue.job(job_id).unwrap();
            check(&view, &model, now);
            let reopened = EmbeddedQueue::open(&store).unwrap().job(job_id).unwrap();
            prop_assert_eq!(format!("{view:?}"), format!("{reopened:?}"));
        }
    }
}

#[test]
fn a_lost_lease_is_leased_again_only_after_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let queue = EmbeddedQueue::open(&Store::open(dir.path()).unwrap()).unwrap();
    queue.add(entry()).unwrap();
    let job_id = entry().job_id();
    let first = lease_of(job_id, 1, (0, 24), NOW);
    queue.lease(first.clone(), NOW).unwrap();
    queue.release(first.task.task_id()).unwrap();

    let just_before = NOW + LEASE_S - 1;
    let second = |now| lease_of(job_id, 2, (0, 24), now);
    let err = queue.lease(second(just_before), just_before).unwrap_err();
    assert!(
        matches!(
            err,
            QueueError::UnitsTaken {
                first_unit: 0,
                end_unit: 24,
                ..
            }
        ),
        "{err}"
    );
    assert_eq!(
        queue.job(job_id).unwrap().leased(just_before),
        UnitRanges::default()
    );
    queue
        .lease(second(just_before + 1), just_before + 1)
        .unwrap();
}

#[test]
fn a_job_ends_by_its_last_unit_by_cancellation_or_by_its_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let queue = EmbeddedQueue::open(&store).unwrap();
    queue.add(entry()).unwrap();
    let job_id = entry().job_id();
    let state = |now| queue.job(job_id).unwrap().state(now);
    let deadline_at = entry().signed.job.deadlineAt;
    assert_eq!(
        (state(NOW), state(deadline_at)),
        (JobState::Queued, JobState::Expired)
    );

    let lease = lease_of(job_id, 1, (0, 24), NOW);
    queue.lease(lease.clone(), NOW).unwrap();
    assert_eq!(state(NOW), JobState::Running);
    queue.cancel(job_id, NOW + 1).unwrap();
    assert_eq!(state(NOW + 1), JobState::Canceled);
    assert_eq!(queue.job(job_id).unwrap().ended_at(NOW + 9), Some(NOW + 1));

    let piece = OutputPiece {
        first_unit: 0,
        unit_count: 24,
        blob: B256::ZERO,
    };
    let (task_id, worker) = (lease.task.task_id(), lease.worker);
    let delivery = Delivery {
        job_id,
        task_id,
        worker,
        piece,
        cost: 24,
        delivered_at: NOW + 2,
    };
    queue.deliver(delivery).unwrap();
    assert_eq!(
        state(NOW + 2),
        JobState::Done,
        "what is leased is still finished"
    );

    queue.forget(job_id).unwrap();
    assert!(queue.job(job_id).is_none());
    assert!(EmbeddedQueue::open(&store).unwrap().jobs().is_empty());
}
