//! The shapes of the files in `test-vectors/`. Their README tells what each field means.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes};
use inferix_prover::{
    U96,
    blob::ClaimBlob,
    claim::{ClaimHeader, Line},
    id::{DeviceId, JobId, TaskId},
    interval::Interval,
    sum_tree::{Node, NodePreimage},
    task::Task,
    typed_data::{ApiRequest, Job, OperatorConsent, Receipt, WorkOrder},
    unit::UnitLeaf,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An integer, as a string of decimal digits: JavaScript's numbers end at 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dec(pub u128);

impl Dec {
    pub fn u96(self) -> U96 {
        U96::try_from(self.0).unwrap()
    }
    pub fn u64(self) -> u64 {
        u64::try_from(self.0).unwrap()
    }
    pub fn u32(self) -> u32 {
        u32::try_from(self.0).unwrap()
    }
    pub fn u8(self) -> u8 {
        u8::try_from(self.0).unwrap()
    }
}

impl<T: Into<u128>> From<T> for Dec {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

pub fn dec96(value: U96) -> Dec {
    Dec(value.to())
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Dec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map(Self)
            .map_err(de::Error::custom)
    }
}

macro_rules! cases {
    ($($name:ident { $($field:ident: $type:ty,)* })*) => { $(
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub struct $name { $(pub $field: $type,)* }
    )* };
}

cases! {
    SumTreeFile { trees: Vec<TreeCase>, shapes: Vec<ShapeCase>, refused: Vec<RefusedProof>, }
    NodeCase { hash: B256, sum: Dec, }
    BranchCase { left: NodeCase, right: NodeCase, }
    TreeCase {
        name: String, source: String, leaves: Vec<NodeCase>, top: NodeCase, root: B256,
        proofs: Vec<ProofCase>, chains: Vec<ChainCase>, descents: Vec<DescentCase>,
    }
    ProofCase { leaf_index: Dec, siblings: Vec<NodeCase>, }
    ChainCase { leaf_index: Dec, branches: Vec<BranchCase>, }
    DescentCase { level: Dec, index: Dec, nodes: Vec<NodeCase>, }
    ShapeCase { name: String, source: String, leaf_count: Dec, leaf_index: Dec, siblings: Vec<RangeCase>, }
    RangeCase { from: Dec, to: Dec, }
    RefusedProof {
        name: String, leaf_count: Dec, leaf_index: Dec, leaf: NodeCase, siblings: Vec<NodeCase>, root: B256,
    }

    LeavesFile {
        keccak: Vec<KeccakCase>, intervals: Vec<IntervalCase>, units: Vec<UnitCase>, tasks: Vec<TaskCase>,
        payables: Vec<PayableCase>, amounts: Vec<AmountCase>,
    }
    KeccakCase { name: String, source: String, message: Bytes, hash: B256, }
    IntervalCase { name: String, source: String, interval: IntervalFields, bytes: Bytes, leaf_hash: B256, }
    IntervalFields {
        seq: Dec, job_id: B256, task_id: B256, device_id: B256, task_index: Dec, checkpoint_index: Dec,
        start_ms: Dec, end_ms: Dec, active_ms: Dec, first_unit: Dec, unit_count: Dec, units_root: B256,
        cost: Dec, ibm_micro: Dec, telemetry_digest: B256,
    }
    UnitCase { name: String, source: String, unit: UnitFields, bytes: Bytes, leaf_hash: B256, }
    UnitFields { unit_index: Dec, status: Dec, output_root: B256, cost: Dec, }
    TaskCase { name: String, source: String, task: TaskFields, bytes: Bytes, task_id: B256, }
    TaskFields {
        job_id: B256, first_unit: Dec, unit_count: Dec, max_cost: Dec, reference_rate: Dec,
        lease_ends_at: Dec,
    }
    PayableCase {
        name: String, source: String, cost: Dec, reference_rate: Dec, ib_micro: Dec, active_ms: Dec,
        ibm_micro: Dec,
    }
    AmountCase { name: String, source: String, sum_ibm_micro: Dec, price_wei: Dec, amount_wei: Dec, }

    TypedDataFile {
        standard: Vec<MailCase>, signatures: Vec<SignatureCase>, domains: Vec<DomainCase>,
        jobs: Vec<MessageCase<JobFields>>, work_orders: Vec<MessageCase<WorkOrderFields>>,
        receipts: Vec<MessageCase<ReceiptFields>>,
        operator_consents: Vec<MessageCase<OperatorConsentFields>>,
        api_requests: Vec<MessageCase<ApiRequestFields>>,
    }
    MailCase {
        name: String, source: String, domain_name: String, domain_version: String, chain_id: Dec,
        verifying_contract: Address, from: PersonCase, to: PersonCase, contents: String,
        domain_separator: B256, struct_hash: B256, signing_hash: B256,
    }
    PersonCase { name: String, wallet: Address, }
    SignatureCase {
        name: String, source: String, hash: B256, signature: Bytes, signer: Option<Address>,
    }
    DomainCase {
        name: String, source: String, chain_id: Dec, verifying_contract: Address, domain_separator: B256,
    }
    JobFields {
        builder: Address, manager: Address, program_id: B256, input_root: B256, params_root: B256,
        unit_count: Dec, max_cost: Dec, reference_rate: Dec, price_cap_wei: Dec, min_ib_micro: Dec,
        deadline_at: Dec, salt: Dec,
    }
    WorkOrderFields {
        manager: Address, device_id: B256, builder: Address, tasks_root: B256, task_count: Dec,
        cap_ibm_micro: Dec, cap_wei: Dec, price_wei: Dec, lease_ends_at: Dec,
    }
    ReceiptFields {
        manager: Address, worker: Address, job_id: B256, task_id: B256, first_unit: Dec,
        unit_count: Dec, units_root: B256,
    }
    OperatorConsentFields { owner: Address, operator: Address, }
    ApiRequestFields {
        caller: Address, method: String, path: String, body_hash: B256, nonce: Dec, expires_at: Dec,
    }

    ClaimFile { headers: Vec<HeaderCase>, lines: Vec<LinesCase>, }
    HeaderCase {
        name: String, source: String, header: HeaderFields, worker: Address, device_index: Dec, claim_id: B256,
        header_hash: B256, hash200: Bytes,
    }
    HeaderFields {
        device_id: B256, seq: Dec, params_version: Dec, ib_micro: Dec, start_ms: Dec,
        end_ms: Dec, posted_at: Dec, deadline_at: Dec, blob_hash: B256, lines_hash: B256,
    }
    LinesCase {
        name: String, source: String, lines: Vec<LineFields>, roots: Vec<B256>, lines_hash: B256,
    }
    LineFields {
        builder: Address, manager: Address, order_hash: B256, cursor_from: Dec, cursor_to: Dec,
        top_hash: B256, leaf_count: Dec, sum_ibm_micro: Dec, amount_wei: Dec, shortfall_wei: Dec,
    }

    FraudFile { frauds: Vec<FraudCase>, }
    FraudCase {
        name: String, source: String, predicate: String, claim_id: B256, line_index: Dec, prover: Address,
        salt: B256, commitment: B256, calldata: Bytes,
    }

    BlobFile { blobs: Vec<BlobCase>, refused: Vec<RefusedBlob>, }
    BlobCase { name: String, source: String, bytes: Bytes, hash: B256, decoded: BlobFields, }
    BlobFields {
        device_id: B256, seq: Dec, start_ms: Dec, end_ms: Dec,
        lines: Vec<BlobLineFields>,
    }
    BlobLineFields {
        order_hash: B256, order_signature: Bytes, task_count: Dec, job_ids: Vec<B256>,
        interval_count: Dec, unit_count: Dec, node_count: Dec, root_count: Dec, tasks_root: Option<B256>,
        root: Option<B256>,
    }
    RefusedBlob { name: String, bytes: Bytes, refusal: String, }
}

/// A message with its hashes, and its signature by the key of `SIGNER_KEY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MessageCase<T> {
    pub name: String,
    pub source: String,
    pub chain_id: Dec,
    pub verifying_contract: Address,
    pub message: T,
    pub struct_hash: B256,
    pub signing_hash: B256,
    pub signature: Bytes,
    pub signer: Address,
}

impl From<Node> for NodeCase {
    fn from(node: Node) -> Self {
        Self {
            hash: node.hash,
            sum: Dec(node.sum),
        }
    }
}

impl From<&NodeCase> for Node {
    fn from(case: &NodeCase) -> Self {
        Self {
            hash: case.hash,
            sum: case.sum.0,
        }
    }
}

impl From<NodePreimage> for BranchCase {
    fn from(preimage: NodePreimage) -> Self {
        Self {
            left: preimage.left.into(),
            right: preimage.right.into(),
        }
    }
}

impl From<&Interval> for IntervalFields {
    fn from(i: &Interval) -> Self {
        Self {
            seq: i.seq.into(),
            job_id: i.job_id.bytes(),
            task_id: i.task_id.bytes(),
            device_id: i.device_id.bytes(),
            task_index: i.task_index.into(),
            checkpoint_index: i.checkpoint_index.into(),
            start_ms: i.start_ms.into(),
            end_ms: i.end_ms.into(),
            active_ms: i.active_ms.into(),
            first_unit: i.first_unit.into(),
            unit_count: i.unit_count.into(),
            units_root: i.units_root,
            cost: i.cost.into(),
            ibm_micro: dec96(i.ibm_micro),
            telemetry_digest: i.telemetry_digest,
        }
    }
}

impl From<&IntervalFields> for Interval {
    fn from(f: &IntervalFields) -> Self {
        Self {
            seq: f.seq.u32(),
            job_id: JobId::new(f.job_id),
            task_id: TaskId::new(f.task_id),
            device_id: DeviceId::new(f.device_id),
            task_index: f.task_index.u32(),
            checkpoint_index: f.checkpoint_index.u32(),
            start_ms: f.start_ms.u64(),
            end_ms: f.end_ms.u64(),
            active_ms: f.active_ms.u32(),
            first_unit: f.first_unit.u64(),
            unit_count: f.unit_count.u32(),
            units_root: f.units_root,
            cost: f.cost.0,
            ibm_micro: f.ibm_micro.u96(),
            telemetry_digest: f.telemetry_digest,
        }
    }
}

impl From<&UnitLeaf> for UnitFields {
    fn from(u: &UnitLeaf) -> Self {
        Self {
            unit_index: u.unit_index.into(),
            status: u.status.into(),
            output_root: u.output_root,
            cost: u.cost.into(),
        }
    }
}

impl From<&UnitFields> for UnitLeaf {
    fn from(f: &UnitFields) -> Self {
        Self {
            unit_index: f.unit_index.u64(),
            status: f.status.u8(),
            output_root: f.output_root,
            cost: f.cost.u64(),
        }
    }
}

impl From<&Task> for TaskFields {
    fn from(t: &Task) -> Self {
        Self {
            job_id: t.job_id.bytes(),
            first_unit: t.first_unit.into(),
            unit_count: t.unit_count.into(),
            max_cost: t.max_cost.into(),
            reference_rate: t.reference_rate.into(),
            lease_ends_at: t.lease_ends_at.into(),
        }
    }
}

impl From<&TaskFields> for Task {
    fn from(f: &TaskFields) -> Self {
        Self {
            job_id: JobId::new(f.job_id),
            first_unit: f.first_unit.u64(),
            unit_count: f.unit_count.u32(),
            max_cost: f.max_cost.u64(),
            reference_rate: f.reference_rate.u64(),
            lease_ends_at: f.lease_ends_at.u64(),
        }
    }
}

impl From<&JobFields> for Job {
    fn from(f: &JobFields) -> Self {
        Self {
            builder: f.builder,
            manager: f.manager,
            programId: f.program_id,
            inputRoot: f.input_root,
            paramsRoot: f.params_root,
            unitCount: f.unit_count.u64(),
            maxCost: f.max_cost.u64(),
            referenceRate: f.reference_rate.u64(),
            priceCapWei: f.price_cap_wei.u96(),
            minIbMicro: f.min_ib_micro.u64(),
            deadlineAt: f.deadline_at.u64(),
            salt: f.salt.u64(),
        }
    }
}

impl From<&Job> for JobFields {
    fn from(j: &Job) -> Self {
        Self {
            builder: j.builder,
            manager: j.manager,
            program_id: j.programId,
            input_root: j.inputRoot,
            params_root: j.paramsRoot,
            unit_count: j.unitCount.into(),
            max_cost: j.maxCost.into(),
            reference_rate: j.referenceRate.into(),
            price_cap_wei: dec96(j.priceCapWei),
            min_ib_micro: j.minIbMicro.into(),
            deadline_at: j.deadlineAt.into(),
            salt: j.salt.into(),
        }
    }
}

impl From<&WorkOrderFields> for WorkOrder {
    fn from(f: &WorkOrderFields) -> Self {
        Self {
            manager: f.manager,
            deviceId: f.device_id,
            builder: f.builder,
            tasksRoot: f.tasks_root,
            taskCount: f.task_count.u32(),
            capIbmMicro: f.cap_ibm_micro.u96(),
            capWei: f.cap_wei.u96(),
            priceWei: f.price_wei.u96(),
            leaseEndsAt: f.lease_ends_at.u64(),
        }
    }
}

impl From<&WorkOrder> for WorkOrderFields {
    fn from(o: &WorkOrder) -> Self {
        Self {
            manager: o.manager,
            device_id: o.deviceId,
            builder: o.builder,
            tasks_root: o.tasksRoot,
            task_count: o.taskCount.into(),
            cap_ibm_micro: dec96(o.capIbmMicro),
            cap_wei: dec96(o.capWei),
            price_wei: dec96(o.priceWei),
            lease_ends_at: o.leaseEndsAt.into(),
        }
    }
}

impl From<&ReceiptFields> for Receipt {
    fn from(f: &ReceiptFields) -> Self {
        Self {
            manager: f.manager,
            worker: f.worker,
            jobId: f.job_id,
            taskId: f.task_id,
            firstUnit: f.first_unit.u64(),
            unitCount: f.unit_count.u32(),
            unitsRoot: f.units_root,
        }
    }
}

impl From<&OperatorConsentFields> for OperatorConsent {
    fn from(f: &OperatorConsentFields) -> Self {
        Self {
            owner: f.owner,
            operator: f.operator,
        }
    }
}

impl From<&ApiRequestFields> for ApiRequest {
    fn from(f: &ApiRequestFields) -> Self {
        Self {
            caller: f.caller,
            method: f.method.clone(),
            path: f.path.clone(),
            bodyHash: f.body_hash,
            nonce: f.nonce.u64(),
            expiresAt: f.expires_at.u64(),
        }
    }
}

impl From<&HeaderFields> for ClaimHeader {
    fn from(f: &HeaderFields) -> Self {
        Self {
            deviceId: f.device_id,
            seq: f.seq.u32(),
            paramsVersion: f.params_version.u32(),
            ibMicro: f.ib_micro.u64(),
            startMs: f.start_ms.u64(),
            endMs: f.end_ms.u64(),
            postedAt: f.posted_at.u64(),
            deadlineAt: f.deadline_at.u64(),
            blobHash: f.blob_hash,
            linesHash: f.lines_hash,
        }
    }
}

impl From<&ClaimHeader> for HeaderFields {
    fn from(h: &ClaimHeader) -> Self {
        Self {
            device_id: h.deviceId,
            seq: h.seq.into(),
            params_version: h.paramsVersion.into(),
            ib_micro: h.ibMicro.into(),
            start_ms: h.startMs.into(),
            end_ms: h.endMs.into(),
            posted_at: h.postedAt.into(),
            deadline_at: h.deadlineAt.into(),
            blob_hash: h.blobHash,
            lines_hash: h.linesHash,
        }
    }
}

impl From<&LineFields> for Line {
    fn from(f: &LineFields) -> Self {
        Self {
            builder: f.builder,
            manager: f.manager,
            orderHash: f.order_hash,
            cursorFrom: f.cursor_from.u32(),
            cursorTo: f.cursor_to.u32(),
            topHash: f.top_hash,
            leafCount: f.leaf_count.u64(),
            sumIbmMicro: f.sum_ibm_micro.u96(),
            amountWei: f.amount_wei.u96(),
            shortfallWei: f.shortfall_wei.u96(),
        }
    }
}

impl From<&Line> for LineFields {
    fn from(l: &Line) -> Self {
        Self {
            builder: l.builder,
            manager: l.manager,
            order_hash: l.orderHash,
            cursor_from: l.cursorFrom.into(),
            cursor_to: l.cursorTo.into(),
            top_hash: l.topHash,
            leaf_count: l.leafCount.into(),
            sum_ibm_micro: dec96(l.sumIbmMicro),
            amount_wei: dec96(l.amountWei),
            shortfall_wei: dec96(l.shortfallWei),
        }
    }
}

/// What a blob's case tells of what it decodes to.
pub fn decoded(blob: &ClaimBlob) -> BlobFields {
    let count = |n: usize| Dec(n as u128);
    let lines = blob.lines.iter().map(|line| BlobLineFields {
        order_hash: line.order.order_hash(),
        order_signature: line.order_signature.into(),
        task_count: count(line.tasks.len()),
        job_ids: line
            .jobs
            .iter()
            .map(|signed| signed.job.job_id().bytes())
            .collect(),
        interval_count: count(line.intervals.len()),
        unit_count: count(line.intervals.iter().map(|held| held.units.len()).sum()),
        node_count: count(line.nodes.len()),
        root_count: count(line.roots.len()),
        tasks_root: line.task_tree().unwrap().root().ok(),
        root: line.interval_tree().unwrap().root().ok(),
    });
    BlobFields {
        device_id: blob.device_id.bytes(),
        seq: blob.seq.into(),
        start_ms: blob.start_ms.into(),
        end_ms: blob.end_ms.into(),
        lines: lines.collect(),
    }
}
