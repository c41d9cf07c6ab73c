//! What calldata shows of a claim, in the prover's structs. None of it is checked here.

use inferix_prover::{
    id::{DeviceId, JobId, TaskId},
    interval::Interval,
    sum_tree::{Node, RootPreimage},
};

use crate::chain::bindings::demands as sol;

pub(crate) fn nodes(siblings: &[sol::Sibling]) -> Vec<Node> {
    siblings
        .iter()
        .map(|sibling| Node {
            hash: sibling.hash,
            sum: sibling.sum,
        })
        .collect()
}

pub(crate) fn root(top: &sol::SumTop) -> RootPreimage {
    RootPreimage {
        leaf_count: top.leafCount,
        top: Node {
            hash: top.hash,
            sum: top.sum,
        },
    }
}

pub(crate) fn interval(leaf: &sol::Interval) -> Interval {
    Interval {
        seq: leaf.seq,
        job_id: JobId::new(leaf.jobId),
        task_id: TaskId::new(leaf.taskId),
        device_id: DeviceId::new(leaf.deviceId),
        task_index: leaf.taskIndex,
        checkpoint_index: leaf.checkpointIndex,
        start_ms: leaf.startMs,
        end_ms: leaf.endMs,
        active_ms: leaf.activeMs,
        first_unit: leaf.firstUnit,
        unit_count: leaf.unitCount,
        units_root: leaf.unitsRoot,
        cost: leaf.cost,
        ibm_micro: leaf.ibmMicro,
        telemetry_digest: leaf.telemetryDigest,
    }
}
