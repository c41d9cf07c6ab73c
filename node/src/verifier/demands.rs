//! Asking on chain for what a claim hides, and reading the answers.

use alloy::{
    primitives::{B256, Bytes, U256},
    sol_types::{SolCall, SolEvent},
};
use inferix_prover::{
    blob::SignedJob,
    fraud::{Demand, Known, TaskEvidence},
    id::JobId,
    task::Task,
    unit::UnitLeaf,
};

use crate::{
    chain::{
        Call, ChainError, Deployment, PostedClaim, Reader,
        bindings::{demands as sol, ifx, recode},
        evidence,
    },
    demands::shown::{interval, nodes, root},
};

/// The contract's form of a demand.
pub(super) fn to_contract(claim_id: B256, demand: &Demand) -> sol::Demand {
    let place = |kind, line_index: usize| sol::Demand {
        claimId: claim_id,
        kind,
        // A claim has at most eight lines.
        lineIndex: u8::try_from(line_index).unwrap_or(u8::MAX),
        level: 0,
        leafIndex: 0,
        position: 0,
        chunkIndex: 0,
    };
    let level_byte = |level: u32| u8::try_from(level).unwrap_or(u8::MAX);
    match *demand {
        Demand::Interval {
            line_index,
            leaf_index,
        } => sol::Demand {
            leafIndex: leaf_index,
            ..place(0, line_index)
        },
        Demand::Nodes {
            line_index,
            level,
            position,
        } => sol::Demand {
            level: level_byte(level),
            position,
            ..place(1, line_index)
        },
        Demand::Unit {
            line_index,
            leaf_index,
            position,
        } => sol::Demand {
            leafIndex: leaf_index,
            position,
            ..place(2, line_index)
        },
        Demand::UnitNodes {
            line_index,
            leaf_index,
            level,
            position,
        } => sol::Demand {
            leafIndex: leaf_index,
            level: level_byte(level),
            position,
            ..place(3, line_index)
        },
        Demand::Task {
            line_index,
            position,
        } => sol::Demand {
            position: u64::from(position),
            ..place(4, line_index)
        },
        Demand::Job {
            line_index,
            position,
        } => sol::Demand {
            position: u64::from(position),
            ..place(5, line_index)
        },
    }
}

/// Names a demand as the contract does.
pub(super) fn demand_id(demand: &sol::Demand) -> B256 {
    alloy::primitives::keccak256(alloy::sol_types::SolValue::abi_encode(demand))
}

/// The call that opens a demand.
pub(super) fn open(
    deployment: &Deployment,
    claim: &PostedClaim,
    demand: &sol::Demand,
) -> Result<Call, ChainError> {
    let target = recode(&evidence::line_ref(claim, usize::from(demand.lineIndex))?)?;
    let call = sol::openCall {
        target,
        demand: demand.clone(),
    };
    Ok(Call::new(deployment.demands, call.abi_encode()))
}

/// The call that ends a demand that nobody served.
pub(super) fn expire(
    deployment: &Deployment,
    claim: &PostedClaim,
    demand: &sol::Demand,
) -> Result<Call, ChainError> {
    let target = recode(&evidence::line_ref(claim, usize::from(demand.lineIndex))?)?;
    let call = sol::expireCall {
        target,
        demand: demand.clone(),
    };
    Ok(Call::new(deployment.demands, call.abi_encode()))
}

/// The call that lets the contract take demand fees of the sender.
pub(super) fn allow(deployment: &Deployment, amount_wei: U256) -> Call {
    let call = ifx::approveCall {
        spender: deployment.demands,
        value: amount_wei,
    };
    Call::new(deployment.ifx, call.abi_encode())
}

/// What answers to demands on a claim have shown: it stands in their calldata.
pub(super) async fn answers(reader: &Reader, claim: &PostedClaim) -> Result<Known, ChainError> {
    let mut known = Known::new();
    let topics = vec![sol::DemandServed::SIGNATURE_HASH];
    let head = reader.head().await?.number;
    let contract = reader.deployment().demands;
    for log in reader
        .logs(contract, topics, claim.block_number, head)
        .await?
    {
        let Ok(event) = sol::DemandServed::decode_log(&log.inner) else {
            continue;
        };
        let Some(tx_hash) = log
            .transaction_hash
            .filter(|_| event.claimId == claim.claim_id)
        else {
            continue;
        };
        if let Some(input) = reader.transaction_input(tx_hash).await? {
            learn(&mut known, claim, &input);
        }
    }
    Ok(known)
}

/// Takes what an answer's calldata shows. The finder checks every hash, so that a forged one does no harm.
fn learn(known: &mut Known, claim: &PostedClaim, input: &Bytes) {
    if let Ok(call) = sol::serveIntervalCall::abi_decode(input) {
        add_leaf(known, claim, &call.demand, &call.leaf);
    } else if let Ok(call) = sol::serveNodesCall::abi_decode(input) {
        known.add_span(&nodes(&call.shown.nodes));
    } else if let Ok(call) = sol::serveUnitCall::abi_decode(input) {
        add_leaf(known, claim, &call.demand, &call.leaf);
        known.add_root(root(&call.unit.top));
        known.add_unit(UnitLeaf {
            unit_index: call.unit.unit.unitIndex,
            status: call.unit.unit.status,
            output_root: call.unit.unit.outputRoot,
            cost: call.unit.unit.cost,
        });
    } else if let Ok(call) = sol::serveUnitNodesCall::abi_decode(input) {
        add_leaf(known, claim, &call.demand, &call.leaf);
        known.add_root(root(&call.units));
        known.add_span(&nodes(&call.shown.nodes));
    } else if let Ok(call) = sol::serveTaskCall::abi_decode(input) {
        learn_task(known, &call.order, &call.listed);
    } else if let Ok(call) = sol::serveJobCall::abi_decode(input) {
        learn_task(known, &call.order, &call.listed);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(call.signature.r.as_slice());
        signature[32..].copy_from_slice(call.signature.vs.as_slice());
        if let Ok(job) = recode(&call.job) {
            known.add_job(SignedJob { job, signature });
        }
    }
}

fn add_leaf(
    known: &mut Known,
    claim: &PostedClaim,
    demand: &sol::Demand,
    leaf: &sol::LeafEvidence,
) {
    let interval = interval(&leaf.leaf);
    known.add_interval(interval);
    if let Some(line) = claim.lines.get(usize::from(demand.lineIndex)) {
        known.add_path(
            interval.leaf(),
            leaf.index,
            line.leafCount,
            &nodes(&leaf.siblings),
        );
    }
}

fn learn_task(known: &mut Known, order: &sol::WorkOrder, listed: &sol::TaskEvidence) {
    if let Ok(order) = recode(order) {
        known.add_order(order);
    }
    known.add_listed_task(TaskEvidence {
        task: Task {
            job_id: JobId::new(listed.task.jobId),
            first_unit: listed.task.firstUnit,
            unit_count: listed.task.unitCount,
            max_cost: listed.task.maxCost,
            reference_rate: listed.task.referenceRate,
            lease_ends_at: listed.task.leaseEndsAt,
        },
        index: listed.index,
        top: root(&listed.top),
        siblings: nodes(&listed.siblings),
    });
}
