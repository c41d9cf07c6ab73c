//! From what the finder found to the calls that prove it.

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolCall,
};
use inferix_prover::fraud::{Fraud, LeafEvidence, ManagerFraud, Void};

use crate::chain::{
    Call, ChainError, Deployment, PostedClaim,
    bindings::{fraud_proofs as sol, manager_frauds, recode, voids},
    evidence::{
        chain_evidence, interval, leaf_evidence, line_ref, listed, task_evidence, top,
        unit_evidence, unit_leaf,
    },
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

/// The call that proves a manager's fraud. No commitment is needed: it pays nobody but the builder.
pub(super) fn prove_manager(
    deployment: &Deployment,
    claim: &PostedClaim,
    fraud: &ManagerFraud,
) -> Result<Call, ChainError> {
    let data = match fraud {
        ManagerFraud::TaskContradictsJob {
            line_index,
            order,
            listed,
            job,
        } => manager_frauds::proveTaskContradictsJobCall {
            target: recode(&line_ref(claim, *line_index)?)?,
            order: recode(order)?,
            listed: recode(&task_evidence(listed))?,
            job: recode(job)?,
        }
        .abi_encode(),
        ManagerFraud::DoubleLease {
            leaf,
            leaf_task,
            other_order,
            signature,
            other,
        } => manager_frauds::proveDoubleLeaseCall {
            target: recode(&line_ref(claim, leaf.line_index)?)?,
            leaf: recode(&leaf_evidence(leaf))?,
            leafTask: recode(&listed(&leaf_task.task))?,
            otherOrder: recode(other_order)?,
            signature: manager_frauds::Signature {
                r: B256::from_slice(&signature[..32]),
                vs: B256::from_slice(&signature[32..]),
            },
            other: recode(&task_evidence(other))?,
        }
        .abi_encode(),
    };
    Ok(Call::new(deployment.manager_frauds, data))
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
