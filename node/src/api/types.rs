//! What the manager's API says and hears, as JSON.

use alloy::primitives::{Address, B256, Bytes, U256};
use inferix_prover::{
    task::Task,
    typed_data::{Job, Receipt, WorkOrder},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;

/// A job with everything that a worker needs to execute it and a verifier to check it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedJob {
    /// What the builder signed.
    #[schema(schema_with = schema::of_message::<Job>)]
    pub job: Job,
    /// The builder's signature of it, 64 bytes.
    #[schema(value_type = String)]
    pub signature: Bytes,
    /// Blob that holds the input region.
    #[schema(value_type = String)]
    pub input_blob: B256,
    /// The parameter region.
    #[schema(value_type = String)]
    pub params: Bytes,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Accepted; no worker has a task of it yet.
    Queued,
    /// Some of its units are leased or done.
    Running,
    /// All units are done.
    Done,
    /// The builder canceled it: what is leased is still finished and paid.
    Canceled,
    /// Its deadline passed.
    Expired,
}

/// A job's progress.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobStatus {
    /// The job.
    #[schema(value_type = String)]
    pub job_id: B256,
    /// Who pays.
    #[schema(value_type = String)]
    pub builder: Address,
    /// Where it stands.
    pub state: JobState,
    /// Why it does not move on, in words, where it does not.
    pub waiting_for: Option<String>,
    /// Units in all.
    pub unit_count: u64,
    /// Units whose outputs arrived and matched their roots.
    pub done_count: u64,
    /// Units that workers have under lease and have not delivered.
    pub leased_count: u64,
    /// Workers that have delivered or hold a part of it.
    pub worker_count: u32,
    /// Work units of the units done.
    pub cost: u64,
    /// What the done units cost at their orders' prices, an upper bound.
    #[schema(value_type = String)]
    pub spent_wei: U256,
    /// When it was accepted, Unix time in seconds.
    pub accepted_at: u64,
    /// When it is likely done, Unix time in seconds, from its pace so far.
    pub eta_at: Option<u64>,
}

/// Outputs of consecutive units, one after the other in one blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputPiece {
    /// First unit.
    pub first_unit: u64,
    /// How many.
    pub unit_count: u32,
    /// Blob that holds their output regions in order.
    #[schema(value_type = String)]
    pub blob: B256,
}

/// What a worker offers when it asks for a task.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequest {
    /// The device's index in the worker's registration.
    pub device_index: u32,
    /// Tasks that the worker has for this device. A live lease that it does not know of, because an answer was
    /// lost or it lost its memory, is sent again instead of a further one.
    #[schema(value_type = Vec<String>)]
    pub held: Vec<B256>,
    /// Lists that the worker has from before: only what follows is sent. Left out, whole lists are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<KnownList>,
}

/// The beginning of an order's list, as its worker has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownList {
    /// Whose jobs it lists.
    #[schema(value_type = String)]
    pub builder: Address,
    /// How many tasks it has.
    pub task_count: u32,
    /// Their root.
    #[schema(value_type = String)]
    pub tasks_root: B256,
}

/// A task leased to a worker, with the order that covers it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// The task's position in the order's list.
    pub task_index: u32,
    /// Where `tasks` begins in the order's list: the worker has said that it has what stands before.
    #[serde(default)]
    pub tasks_from: u32,
    /// The order's list from there on. The leased task stands at `task_index` of the whole list.
    #[schema(schema_with = schema::of_messages::<Task>)]
    pub tasks: Vec<Task>,
    /// The order.
    #[schema(schema_with = schema::of_message::<WorkOrder>)]
    pub order: WorkOrder,
    /// The manager's signature of it, 64 bytes.
    #[schema(value_type = String)]
    pub order_signature: Bytes,
    /// The task's job.
    pub job: SignedJob,
}

/// The answer to a worker that asked for a task.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseReply {
    /// The task, if there is one.
    pub lease: Option<Box<Lease>>,
    /// Why there is none, in words.
    pub reason: Option<String>,
    /// When to ask again, in milliseconds.
    pub retry_after_ms: u64,
}

/// One unit's result as a worker reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitResult {
    /// 0 done, 1 capped.
    pub status: u8,
    /// Root of the output region.
    #[schema(value_type = String)]
    pub output_root: B256,
    /// Work units.
    pub cost: u64,
}

/// Consecutive units of a task that a worker has executed. Their outputs are in a blob that it has sent
/// before. Reporting the same units again is harmless.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultReport {
    /// The task.
    #[schema(value_type = String)]
    pub task_id: B256,
    /// First unit.
    pub first_unit: u64,
    /// Their results, in order.
    pub units: Vec<UnitResult>,
    /// Blob that holds their output regions in order.
    #[schema(value_type = String)]
    pub output_blob: B256,
}

/// A worker asks for the receipt of an interval, all units of which it has delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRequest {
    /// The task.
    #[schema(value_type = String)]
    pub task_id: B256,
    /// First unit.
    pub first_unit: u64,
    /// How many.
    pub unit_count: u32,
    /// Root of the tree of the interval's units.
    #[schema(value_type = String)]
    pub units_root: B256,
}

/// A manager's word that the outputs of an interval arrived and matched their roots.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// What is signed.
    #[schema(schema_with = schema::of_message::<Receipt>)]
    pub receipt: Receipt,
    /// The manager's signature of it, 64 bytes.
    #[schema(value_type = String)]
    pub signature: Bytes,
}

/// A worker hands a task back: drain, lost device, bad input.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The task.
    #[schema(value_type = String)]
    pub task_id: B256,
    /// Why, in words.
    pub reason: String,
}

/// A worker tells where the blob of a claim that it posted lies, so that verifiers find it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimNotice {
    /// The claim.
    #[schema(value_type = String)]
    pub claim_id: B256,
    /// The claim blob, sent before.
    #[schema(value_type = String)]
    pub blob: B256,
}

/// What a manager is and can do at present.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ManagerInfo {
    /// The manager's node account.
    #[schema(value_type = String)]
    pub manager: Address,
    /// The chain that it settles on.
    pub chain_id: u64,
    /// The `WorkClaims` contract that its messages are signed for.
    #[schema(value_type = String)]
    pub work_claims: Address,
    /// Programs that it takes jobs for.
    #[schema(value_type = Vec<String>)]
    pub program_ids: Vec<B256>,
    /// Micro-IBM per 10^12 work units that it signs jobs at.
    pub reference_rate: u64,
    /// Speed of the workers seen in the last minutes, in micro-IB.
    pub live_ib_micro: u64,
    /// Lowest and highest price per IBM among them, in wei.
    #[schema(value_type = Option<Vec<String>>)]
    pub price_range_wei: Option<(U256, U256)>,
    /// Jobs that are not at an end.
    pub open_job_count: u64,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiRefusal {
    /// A fixed word for programs: `unauthorized`, `replayed`, `expired`, `malformed`, `not_found`, ...
    pub code: String,
    /// What is wrong and what to do, for people.
    pub message: String,
}
