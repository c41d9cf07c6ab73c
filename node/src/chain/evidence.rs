//! What proves something about a claim, in the structs that the contracts take.

use alloy::primitives::U256;
use inferix_prover::{
    fraud::{ChainEvidence, LeafEvidence, TaskEvidence, UnitEvidence},
    interval::Interval,
    sum_tree::{Node, NodePreimage, RootPreimage},
    task::Task,
    unit::UnitLeaf,
};

use super::{
    ChainError, PostedClaim,
    bindings::{fraud_proofs as sol, recode},
};

pub(crate) fn line_ref(claim: &PostedClaim, line_index: usize) -> Result<sol::LineRef, ChainError> {
    Ok(sol::LineRef {
        header: recode(&claim.header)?,
        lines: claim.lines.iter().map(recode).collect::<Result<_, _>>()?,
        lineIndex: U256::from(line_index),
    })
}

/// An interval as the contracts take it.
pub fn interval(leaf: &Interval) -> sol::Interval {
    sol::Interval {
        seq: leaf.seq,
        jobId: leaf.job_id.bytes(),
        taskId: leaf.task_id.bytes(),
        deviceId: leaf.device_id.bytes(),
        taskIndex: leaf.task_index,
        checkpointIndex: leaf.checkpoint_index,
        startMs: leaf.start_ms,
        endMs: leaf.end_ms,
        activeMs: leaf.active_ms,
        firstUnit: leaf.first_unit,
        unitCount: leaf.unit_count,
        unitsRoot: leaf.units_root,
        cost: leaf.cost,
        ibmMicro: leaf.ibm_micro,
        telemetryDigest: leaf.telemetry_digest,
    }
}

pub(crate) fn unit_leaf(unit: &UnitLeaf) -> sol::Unit {
    sol::Unit {
        unitIndex: unit.unit_index,
        status: unit.status,
        outputRoot: unit.output_root,
        cost: unit.cost,
    }
}

pub(crate) fn listed(task: &Task) -> sol::Task {
    sol::Task {
        jobId: task.job_id.bytes(),
        firstUnit: task.first_unit,
        unitCount: task.unit_count,
        maxCost: task.max_cost,
        referenceRate: task.reference_rate,
        leaseEndsAt: task.lease_ends_at,
    }
}

pub(crate) fn siblings(nodes: &[Node]) -> Vec<sol::Sibling> {
    nodes
        .iter()
        .map(|node| sol::Sibling {
            hash: node.hash,
            sum: node.sum,
        })
        .collect()
}

pub(crate) fn top(root: &RootPreimage) -> sol::SumTop {
    sol::SumTop {
        leafCount: root.leaf_count,
        hash: root.top.hash,
        sum: root.top.sum,
    }
}

pub(crate) fn leaf_evidence(evidence: &LeafEvidence) -> sol::LeafEvidence {
    sol::LeafEvidence {
        leaf: interval(&evidence.leaf),
        index: evidence.index,
        siblings: siblings(&evidence.siblings),
    }
}

pub(crate) fn unit_evidence(evidence: &UnitEvidence) -> sol::UnitEvidence {
    sol::UnitEvidence {
        unit: unit_leaf(&evidence.unit),
        position: evidence.position,
        top: top(&evidence.top),
        siblings: siblings(&evidence.siblings),
    }
}

pub(crate) fn task_evidence(evidence: &TaskEvidence) -> sol::TaskEvidence {
    sol::TaskEvidence {
        task: listed(&evidence.task),
        index: evidence.index,
        top: top(&evidence.top),
        siblings: siblings(&evidence.siblings),
    }
}

pub(crate) fn chain_evidence(evidence: &ChainEvidence) -> sol::ChainEvidence {
    let branch = |preimage: &NodePreimage| sol::Branch {
        leftHash: preimage.left.hash,
        leftSum: preimage.left.sum,
        rightHash: preimage.right.hash,
        rightSum: preimage.right.sum,
    };
    sol::ChainEvidence {
        chain: evidence.chain.iter().map(branch).collect(),
        path: evidence.path,
    }
}
