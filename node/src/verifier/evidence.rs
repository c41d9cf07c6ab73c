//! From what the finder found to the calls that prove it.

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolCall,
};
use inferix_prover::{
    fraud::{ChainEvidence, Fraud, LeafEvidence, TaskEvidence, UnitEvidence, Void},
    interval::Interval,
    sum_tree::{Node, NodePreimage, RootPreimage},
    task::Task,
    unit::UnitLeaf,
};

use crate::chain::{
    Call, ChainError, Deployment, PostedClaim,
    bindings::{fraud_proofs as sol, recode, voids},
};

/// Hashes what is committed before a proof, so that a copied proof earns nothing.
pub(super) fn commitment(claim_id: B256, prover: Address, salt: B256) -> B256 {
    let mut bytes = claim_id.to_vec();
    bytes.extend(prover);
    bytes.extend(salt);
    keccak256(bytes)
}

/// The call that proves a fraud.
pub(super) fn prove(
    deployment: &Deployment,
    claim: &PostedClaim,
    fraud: &Fraud,
    prover: Address,
    salt: B256,
) -> Result<Call, ChainError> {
    let target = line_ref(claim, fraud.line_index())?;
    let accusation = sol::Accusation {
        target,
        prover,
        salt,
    };
    let data = match fraud {
        Fraud::NodeSum { chain, .. } => {
            let sol::ChainEvidence { chain, path } = chain_evidence(chain);
            sol::proveNodeSumCall {
                accusation,
                chain,
                path,
            }
            .abi_encode()
        }
        Fraud::LeafSum { leaf, chain, .. } => {
            let (leaf, chain) = (interval(leaf), chain_evidence(chain));
            sol::proveLeafSumCall {
                accusation,
                leaf,
                chain,
            }
            .abi_encode()
        }
        Fraud::UnitsRoot { leaf, units } => {
            let (leaf, units) = (leaf_evidence(leaf), top(units));
            sol::proveUnitsRootCall {
                accusation,
                leaf,
                units,
            }
            .abi_encode()
        }
        Fraud::UnitNodeSum { leaf, units, chain } => {
            let (leaf, units, chain) = (leaf_evidence(leaf), top(units), chain_evidence(chain));
            sol::proveUnitNodeSumCall {
                accusation,
                leaf,
                units,
                chain,
            }
            .abi_encode()
        }
        Fraud::UnitSum {
            leaf,
            units,
            unit,
            chain,
        } => sol::proveUnitSumCall {
            accusation,
            leaf: leaf_evidence(leaf),
            units: top(units),
            unit: unit_leaf(unit),
            chain: chain_evidence(chain),
        }
        .abi_encode(),
        Fraud::LeafArithmetic { leaf, task } => {
            let (leaf, task) = (leaf_evidence(leaf), listed(task));
            sol::proveLeafArithmeticCall {
                accusation,
                leaf,
                task,
            }
            .abi_encode()
        }
        Fraud::UnitAboveMaxCost { leaf, task, unit } => sol::proveUnitAboveMaxCostCall {
            accusation,
            leaf: leaf_evidence(leaf),
            task: listed(task),
            unit: unit_evidence(unit),
        }
        .abi_encode(),
        Fraud::TaskOutsideCursor { leaf } => {
            let leaf = leaf_evidence(leaf);
            sol::proveTaskOutsideCursorCall { accusation, leaf }.abi_encode()
        }
        Fraud::TaskNotInOrder {
            leaf,
            order,
            listed,
        } => sol::proveTaskNotInOrderCall {
            accusation,
            leaf: leaf_evidence(leaf),
            order: recode(order)?,
            listed: task_evidence(listed),
        }
        .abi_encode(),
        Fraud::UnitsNotTask { leaf, task } => {
            let (leaf, task) = (leaf_evidence(leaf), listed(task));
            sol::proveUnitsNotTaskCall {
                accusation,
                leaf,
                task,
            }
            .abi_encode()
        }
        Fraud::UnitMisplaced { leaf, unit } => {
            let (leaf, unit) = (leaf_evidence(leaf), unit_evidence(unit));
            sol::proveUnitMisplacedCall {
                accusation,
                leaf,
                unit,
            }
            .abi_encode()
        }
        Fraud::UnitsRepeated { leaf, other } => sol::proveUnitsRepeatedCall {
            accusation,
            leaf: leaf_evidence(leaf),
            otherLineIndex: U256::from(other.line_index),
            other: leaf_evidence(other),
        }
        .abi_encode(),
        Fraud::ForeignDevice { leaf } => {
            let leaf = leaf_evidence(leaf);
            sol::proveForeignDeviceCall { accusation, leaf }.abi_encode()
        }
    };
    Ok(Call::new(deployment.fraud_proofs, data))
}

/// The call that voids a leaf.
pub(super) fn void(
    deployment: &Deployment,
    claim: &PostedClaim,
    found: &Void,
) -> Result<Call, ChainError> {
    let target = |leaf: &LeafEvidence| -> Result<voids::LineRef, ChainError> {
        recode(&line_ref(claim, leaf.line_index)?)
    };
    let data = match found {
        Void::Checkpoint { leaf } => {
            let (target, leaf) = (target(leaf)?, recode(&leaf_evidence(leaf))?);
            voids::voidCheckpointCall { target, leaf }.abi_encode()
        }
        Void::OutsideSpan { leaf } => {
            let (target, leaf) = (target(leaf)?, recode(&leaf_evidence(leaf))?);
            voids::voidOutsideSpanCall { target, leaf }.abi_encode()
        }
        Void::Overlap { leaf, other } => voids::voidOverlapCall {
            target: target(leaf)?,
            leaf: recode(&leaf_evidence(leaf))?,
            otherLineIndex: U256::from(other.line_index),
            other: recode(&leaf_evidence(other))?,
        }
        .abi_encode(),
        Void::Suspended { leaf, task, job } => voids::voidSuspendedCall {
            target: target(leaf)?,
            leaf: recode(&leaf_evidence(leaf))?,
            task: recode(&listed(task))?,
            job: recode(job)?,
        }
        .abi_encode(),
    };
    Ok(Call::new(deployment.voids, data))
}

/// The leaf that a void is about.
pub(super) fn voided_leaf(found: &Void) -> &LeafEvidence {
    match found {
        Void::Checkpoint { leaf }
        | Void::OutsideSpan { leaf }
        | Void::Overlap { leaf, .. }
        | Void::Suspended { leaf, .. } => leaf,
    }
}

fn line_ref(claim: &PostedClaim, line_index: usize) -> Result<sol::LineRef, ChainError> {
    Ok(sol::LineRef {
        header: recode(&claim.header)?,
        lines: claim.lines.iter().map(recode).collect::<Result<_, _>>()?,
        lineIndex: U256::from(line_index),
    })
}

fn interval(leaf: &Interval) -> sol::Interval {
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

fn unit_leaf(unit: &UnitLeaf) -> sol::Unit {
    sol::Unit {
        unitIndex: unit.unit_index,
        status: unit.status,
        outputRoot: unit.output_root,
        cost: unit.cost,
    }
}

fn listed(task: &Task) -> sol::Task {
    sol::Task {
        jobId: task.job_id.bytes(),
        firstUnit: task.first_unit,
        unitCount: task.unit_count,
        maxCost: task.max_cost,
        referenceRate: task.reference_rate,
        leaseEndsAt: task.lease_ends_at,
    }
}

fn siblings(nodes: &[Node]) -> Vec<sol::Sibling> {
    nodes
        .iter()
        .map(|node| sol::Sibling {
            hash: node.hash,
            sum: node.sum,
        })
        .collect()
}

fn top(root: &RootPreimage) -> sol::SumTop {
    sol::SumTop {
        leafCount: root.leaf_count,
        hash: root.top.hash,
        sum: root.top.sum,
    }
}

fn leaf_evidence(evidence: &LeafEvidence) -> sol::LeafEvidence {
    sol::LeafEvidence {
        leaf: interval(&evidence.leaf),
        index: evidence.index,
        siblings: siblings(&evidence.siblings),
    }
}

fn unit_evidence(evidence: &UnitEvidence) -> sol::UnitEvidence {
    sol::UnitEvidence {
        unit: unit_leaf(&evidence.unit),
        position: evidence.position,
        top: top(&evidence.top),
        siblings: siblings(&evidence.siblings),
    }
}

fn task_evidence(evidence: &TaskEvidence) -> sol::TaskEvidence {
    sol::TaskEvidence {
        task: listed(&evidence.task),
        index: evidence.index,
        top: top(&evidence.top),
        siblings: siblings(&evidence.siblings),
    }
}

fn chain_evidence(evidence: &ChainEvidence) -> sol::ChainEvidence {
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
