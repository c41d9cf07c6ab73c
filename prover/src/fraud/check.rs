//! Checks evidence as the contracts do: the twin of `FraudProofs.sol`, `Voids.sol` and `ManagerFrauds.sol`.
//!
//! A verifier calls this before it sends, so that a transaction that would be refused costs no gas.

use alloy_primitives::B256;

use super::{
    ChainEvidence, Facts, Fraud, LeafEvidence, ManagerFraud, TaskEvidence, UnitEvidence, Void,
    opened::descend,
};
use crate::{
    claim::{ClaimHeader, Line},
    interval::{Interval, payable_micro},
    sum_tree::{Node, Proof, RootPreimage},
    task::Task,
    typed_data::{Job, WorkOrder},
    unit::{CAPPED, UnitLeaf},
};

impl Fraud {
    /// Whether the contract would accept this evidence against the claim.
    pub fn holds(&self, header: &ClaimHeader, lines: &[Line]) -> bool {
        self.is_proven(header, lines).unwrap_or(false)
    }

    fn is_proven(&self, header: &ClaimHeader, lines: &[Line]) -> Option<bool> {
        let line = lines.get(self.line_index())?;
        let proven = |leaf: &LeafEvidence| is_leaf(lines, leaf);
        Some(match self {
            Self::NodeSum { chain, .. } => is_node_sum_wrong(line.top(), chain)?,
            Self::LeafSum { leaf, chain, .. } => {
                let stated = descend(line.top(), &chain.chain, chain.path)?;
                stated.hash == leaf.leaf_hash() && stated.sum != leaf.leaf().sum
            }
            Self::UnitsRoot { leaf, units } => {
                let is_false = units.leaf_count != u64::from(leaf.leaf.unit_count)
                    || units.top.sum != leaf.leaf.cost;
                proven(leaf) && is_units(leaf, units) && is_false
            }
            Self::UnitNodeSum { leaf, units, chain } => {
                proven(leaf) && is_units(leaf, units) && is_node_sum_wrong(units.top, chain)?
            }
            Self::UnitSum {
                leaf,
                units,
                unit,
                chain,
            } => {
                let stated = descend(units.top, &chain.chain, chain.path)?;
                let is_false = stated.hash == unit.leaf().hash && stated.sum != unit.leaf().sum;
                proven(leaf) && is_units(leaf, units) && is_false
            }
            Self::LeafArithmetic { leaf, task } => {
                let is_false = is_arithmetic_wrong(&leaf.leaf, task, header.ibMicro);
                proven(leaf) && is_task(leaf, task) && is_false
            }
            Self::UnitAboveMaxCost { leaf, task, unit } => {
                let is_false = is_unit_above_max_cost(task, &unit.unit);
                proven(leaf) && is_task(leaf, task) && is_unit(leaf, unit) && is_false
            }
            Self::TaskOutsideCursor { leaf } => {
                proven(leaf) && !(line.cursorFrom..line.cursorTo).contains(&leaf.leaf.task_index)
            }
            Self::TaskNotInOrder {
                leaf,
                order,
                listed,
            } => {
                let is_there = listed.task.task_id() == leaf.leaf.task_id
                    && listed.task.job_id == leaf.leaf.job_id;
                let is_same_place = listed.index == leaf.leaf.task_index;
                let is_order = order.order_hash() == line.orderHash;
                proven(leaf) && is_order && is_listed(order, listed) && is_same_place && !is_there
            }
            Self::UnitsNotTask { leaf, task } => {
                let is_false = !task.holds(leaf.leaf.first_unit, leaf.leaf.unit_count);
                proven(leaf) && is_task(leaf, task) && is_false
            }
            Self::UnitMisplaced { leaf, unit } => {
                let is_false = is_unit_misplaced(&leaf.leaf, &unit.unit, u64::from(unit.position));
                proven(leaf) && is_unit(leaf, unit) && is_false
            }
            Self::UnitsRepeated { leaf, other } => {
                let is_same = (leaf.line_index, leaf.index) == (other.line_index, other.index);
                let is_task = leaf.leaf.task_id == other.leaf.task_id;
                let is_shared =
                    shares_unit(&leaf.leaf, other.leaf.first_unit, other.leaf.unit_count);
                !is_same && proven(leaf) && proven(other) && is_task && is_shared
            }
            Self::ForeignDevice { leaf } => {
                proven(leaf) && leaf.leaf.device_id != header.device_id()
            }
        })
    }
}

impl Void {
    /// Whether the contract would void this leaf of the claim.
    pub fn holds(&self, header: &ClaimHeader, lines: &[Line], facts: Facts<'_>) -> bool {
        let shown = self.leaf();
        let leaf = &shown.leaf;
        let is_void = match self {
            Self::Checkpoint { .. } => {
                let recorded_at = facts.checkpoints.get(&leaf.checkpoint_index).copied();
                is_checkpoint_void(leaf, recorded_at, facts.drift_seconds)
            }
            Self::OutsideSpan { .. } => {
                leaf.start_ms < header.startMs || leaf.end_ms > header.endMs
            }
            Self::Overlap { other: before, .. } => {
                let other = &before.leaf;
                let place =
                    |shown: &LeafEvidence| (shown.leaf.start_ms, shown.line_index, shown.index);
                let is_later = place(shown) > place(before);
                let is_shared = leaf.start_ms < other.end_ms && other.start_ms < leaf.end_ms;
                is_leaf(lines, before) && is_later && is_shared
            }
            Self::Suspended { task, job, .. } => {
                let is_job = is_task(shown, task) && job.job_id() == task.job_id;
                is_job
                    && facts
                        .live_programs
                        .is_some_and(|live| !live.contains(&job.programId))
            }
        };
        is_leaf(lines, shown) && is_void
    }
}

impl ManagerFraud {
    /// Whether the contract would accept this evidence. Signatures of other orders are not looked at.
    pub fn holds(&self, header: &ClaimHeader, lines: &[Line]) -> bool {
        match self {
            Self::TaskContradictsJob {
                line_index,
                order,
                listed,
                job,
            } => {
                let Some(line) = lines.get(*line_index) else {
                    return false;
                };
                order.order_hash() == line.orderHash
                    && is_listed(order, listed)
                    && (line.cursorFrom..line.cursorTo).contains(&listed.index)
                    && job.job_id() == listed.task.job_id
                    && is_contradiction(&listed.task, order, job)
            }
            Self::DoubleLease {
                leaf,
                leaf_task,
                other_order,
                other,
                ..
            } => {
                let Some(line) = lines.get(leaf.line_index) else {
                    return false;
                };
                let leased = (&leaf.leaf, &leaf_task.task);
                is_leaf(lines, leaf)
                    && is_task(leaf, &leaf_task.task)
                    && other_order.manager == line.manager
                    && is_listed(other_order, other)
                    && is_double_lease(
                        (header, line),
                        leased,
                        (other_order, other.index, &other.task),
                    )
            }
        }
    }
}

/// Whether an interval's payable work, its cost or its times contradict each other or its task.
pub(super) fn is_arithmetic_wrong(leaf: &Interval, task: &Task, ib_micro: u64) -> bool {
    // 32 and 64 bits: the product can't overflow 128.
    let max_cost = u128::from(leaf.unit_count) * u128::from(task.max_cost);
    let payable = payable_micro(leaf.cost, task.reference_rate, ib_micro, leaf.active_ms);
    leaf.end_ms < leaf.start_ms
        || u64::from(leaf.active_ms) > leaf.end_ms - leaf.start_ms
        || leaf.cost > max_cost
        || leaf.ibm_micro != payable
}

pub(super) fn is_checkpoint_void(
    leaf: &Interval,
    recorded_at: Option<u64>,
    drift_seconds: u64,
) -> bool {
    let ms = |seconds: u64| u128::from(seconds) * 1000;
    match recorded_at {
        None | Some(0) => true,
        Some(at) => ms(at) > u128::from(leaf.start_ms) + ms(drift_seconds),
    }
}

pub(super) fn is_unit_above_max_cost(task: &Task, unit: &UnitLeaf) -> bool {
    unit.cost > task.max_cost || unit.status > CAPPED
}

pub(super) fn is_unit_misplaced(leaf: &Interval, unit: &UnitLeaf, position: u64) -> bool {
    u128::from(unit.unit_index) != u128::from(leaf.first_unit) + u128::from(position)
}

pub(super) fn is_contradiction(task: &Task, order: &WorkOrder, job: &Job) -> bool {
    job.builder != order.builder
        || job.manager != order.manager
        || task.reference_rate != job.referenceRate
        || task.max_cost != job.maxCost
        || u128::from(task.first_unit) + u128::from(task.unit_count) > u128::from(job.unitCount)
        || order.priceWei > job.priceCapWei
        || task.lease_ends_at > job.deadlineAt
}

/// Whether task `index` of `order` leases a unit of the leaf a second time, by a lease that overlaps the
/// leaf's. A newer order repeats the list of the one before: the same place for the same worker is the
/// same lease.
pub(super) fn is_double_lease(
    (header, line): (&ClaimHeader, &Line),
    (leaf, leaf_task): (&Interval, &Task),
    (order, index, task): (&WorkOrder, u32, &Task),
) -> bool {
    let is_same_lease = order.deviceId == header.deviceId
        && order.builder == line.builder
        && index == leaf.task_index;
    !is_same_lease
        && leaf.job_id == task.job_id
        && shares_unit(leaf, task.first_unit, task.unit_count)
        && header.postedAt < task.lease_ends_at
        && task.lease_ends_at <= leaf_task.lease_ends_at
}

fn shares_unit(leaf: &Interval, first_unit: u64, unit_count: u32) -> bool {
    let end = |first: u64, count: u32| u128::from(first) + u128::from(count);
    u128::from(leaf.first_unit) < end(first_unit, unit_count)
        && u128::from(first_unit) < end(leaf.first_unit, leaf.unit_count)
}

fn is_node_sum_wrong(top: Node, evidence: &ChainEvidence) -> Option<bool> {
    let (last, way) = evidence.chain.split_last()?;
    let stated = descend(top, way, evidence.path)?;
    let sum = last.left.sum.checked_add(last.right.sum);
    Some(last.hash() == stated.hash && sum != Some(stated.sum))
}

fn is_leaf(lines: &[Line], shown: &LeafEvidence) -> bool {
    let Some(line) = lines.get(shown.line_index) else {
        return false;
    };
    is_below(
        line.topHash,
        (line.leafCount, shown.index),
        shown.leaf.leaf(),
        &shown.siblings,
    )
}

fn is_task(shown: &LeafEvidence, task: &Task) -> bool {
    task.task_id() == shown.leaf.task_id
}

fn is_units(shown: &LeafEvidence, units: &RootPreimage) -> bool {
    units.hash() == shown.leaf.units_root
}

fn is_unit(shown: &LeafEvidence, unit: &UnitEvidence) -> bool {
    let place = (unit.top.leaf_count, u64::from(unit.position));
    is_units(shown, &unit.top)
        && is_below(unit.top.top.hash, place, unit.unit.leaf(), &unit.siblings)
}

fn is_listed(order: &WorkOrder, listed: &TaskEvidence) -> bool {
    listed.top.hash() == order.tasksRoot && is_below_top(listed)
}

/// Whether a task stands at its place under the top that is shown with it.
pub(super) fn is_below_top(listed: &TaskEvidence) -> bool {
    let place = (listed.top.leaf_count, u64::from(listed.index));
    is_below(
        listed.top.top.hash,
        place,
        listed.task.leaf(),
        &listed.siblings,
    )
}

/// Whether a leaf stands at its place under a top. Only hashes are compared: a top that states a false sum is
/// a fraud of its own.
fn is_below(
    top_hash: B256,
    (leaf_count, leaf_index): (u64, u64),
    leaf: Node,
    siblings: &[Node],
) -> bool {
    let proof = Proof {
        leaf_index,
        leaf_count,
        siblings: siblings.to_vec(),
    };
    proof.top(leaf).is_ok_and(|top| top.hash == top_hash)
}
