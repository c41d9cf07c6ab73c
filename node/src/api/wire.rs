//! How the signed structs of `inferix-prover` look as JSON.
//!
//! The crate that hashes them knows nothing of the API, so their shapes stand here; the compiler holds both
//! to the same fields. Signed messages keep the names of their EIP-712 types, so that a wallet can be handed
//! them as they are.

#![allow(non_snake_case, reason = "the names of the EIP-712 types")]

use alloy::primitives::{Address, B256};
use inferix_prover::{
    U96,
    id::JobId,
    task::Task,
    typed_data::{Job, Receipt, WorkOrder},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// What a builder orders: the EIP-712 struct of `PROTOCOL.md`, *Signed messages*.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(remote = "Job", deny_unknown_fields)]
#[schema(as = Job)]
pub(crate) struct JobWire {
    #[schema(value_type = String)]
    builder: Address,
    #[schema(value_type = String)]
    manager: Address,
    #[schema(value_type = String)]
    programId: B256,
    #[schema(value_type = String)]
    inputRoot: B256,
    #[schema(value_type = String)]
    paramsRoot: B256,
    unitCount: u64,
    maxCost: u64,
    referenceRate: u64,
    #[schema(value_type = String)]
    priceCapWei: U96,
    minIbMicro: u64,
    deadlineAt: u64,
    salt: u64,
}

/// What a manager allows one worker to claim from one builder's allocation: the EIP-712 struct of
/// `PROTOCOL.md`, *Signed messages*.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(remote = "WorkOrder", deny_unknown_fields)]
#[schema(as = WorkOrder)]
pub(crate) struct WorkOrderWire {
    #[schema(value_type = String)]
    manager: Address,
    #[schema(value_type = String)]
    worker: Address,
    #[schema(value_type = String)]
    builder: Address,
    #[schema(value_type = String)]
    tasksRoot: B256,
    taskCount: u32,
    #[schema(value_type = String)]
    capIbmMicro: U96,
    #[schema(value_type = String)]
    capWei: U96,
    #[schema(value_type = String)]
    priceWei: U96,
    leaseEndsAt: u64,
}

/// A manager's word that outputs arrived: the EIP-712 struct of `PROTOCOL.md`, *Signed messages*.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(remote = "Receipt", deny_unknown_fields)]
#[schema(as = Receipt)]
pub(crate) struct ReceiptWire {
    #[schema(value_type = String)]
    manager: Address,
    #[schema(value_type = String)]
    worker: Address,
    #[schema(value_type = String)]
    jobId: B256,
    #[schema(value_type = String)]
    taskId: B256,
    firstUnit: u64,
    unitCount: u32,
    #[schema(value_type = String)]
    unitsRoot: B256,
}

/// A range of units of a job, leased to one worker: the leaf of `PROTOCOL.md`, *Leaves*.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(remote = "Task", deny_unknown_fields)]
#[schema(as = Task)]
pub(crate) struct TaskWire {
    #[schema(value_type = String)]
    job_id: JobId,
    first_unit: u64,
    unit_count: u32,
    max_cost: u64,
    reference_rate: u64,
    lease_ends_at: u64,
}

/// A list of tasks, for `#[serde(with)]`.
pub(crate) mod tasks {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Task, TaskWire};

    #[derive(Serialize)]
    struct Shown<'a>(#[serde(with = "TaskWire")] &'a Task);

    #[derive(Deserialize)]
    struct Read(#[serde(with = "TaskWire")] Task);

    pub(crate) fn serialize<S: Serializer>(tasks: &[Task], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tasks.iter().map(Shown))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Task>, D::Error> {
        let tasks = Vec::<Read>::deserialize(deserializer)?;
        Ok(tasks.into_iter().map(|Read(task)| task).collect())
    }
}
