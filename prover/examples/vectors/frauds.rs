//! `fraud.json`: what a verifier sends against each way to cheat.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{SolCall, SolType, SolValue, sol};
use inferix_prover::{
    attack::Attack,
    fraud::{ChainEvidence, Fraud, LeafEvidence, TaskEvidence, UnitEvidence},
    interval::Interval,
    sum_tree::{Node, NodePreimage, RootPreimage},
    task::Task,
    unit::UnitLeaf,
};

use crate::{
    OURS,
    common::{
        cases::{FraudCase, FraudFile},
        chain::{Chain, attacked},
        sample::{Sample, Shape},
    },
    known,
};

/// The calls of `IFraudProofs.sol`, written down a second time: whoever changes one side alone is told so by
/// the reader of the other.
mod abi {
    use super::sol;

    sol! {
        struct ClaimHeader {
            bytes32 deviceId; uint32 seq; uint32 paramsVersion; uint64 ibMicro;
            uint64 startMs; uint64 endMs; uint64 postedAt; uint64 deadlineAt; bytes32 blobHash;
            bytes32 linesHash;
        }
        struct Line {
            address builder; address manager; bytes32 orderHash; uint32 cursorFrom; uint32 cursorTo;
            bytes32 topHash; uint64 leafCount; uint96 sumIbmMicro; uint96 amountWei; uint96 shortfallWei;
        }
        struct WorkOrder {
            address manager; bytes32 deviceId; address builder; bytes32 tasksRoot; uint32 taskCount;
            uint96 capIbmMicro; uint96 capWei; uint96 priceWei; uint64 leaseEndsAt;
        }
        struct SolInterval {
            uint32 seq; bytes32 jobId; bytes32 taskId; bytes32 deviceId; uint32 taskIndex;
            uint32 checkpointIndex; uint64 startMs; uint64 endMs; uint32 activeMs; uint64 firstUnit;
            uint32 unitCount; bytes32 unitsRoot; uint128 cost; uint96 ibmMicro; bytes32 telemetryDigest;
        }
        struct SolUnit { uint64 unitIndex; uint8 status; bytes32 outputRoot; uint64 cost; }
        struct SolTask {
            bytes32 jobId; uint64 firstUnit; uint32 unitCount; uint64 maxCost; uint64 referenceRate;
            uint64 leaseEndsAt;
        }
        struct Sibling { bytes32 hash; uint128 sum; }
        struct Branch { bytes32 leftHash; uint128 leftSum; bytes32 rightHash; uint128 rightSum; }
        struct SumTop { uint64 leafCount; bytes32 hash; uint128 sum; }
        struct LineRef { ClaimHeader header; Line[] lines; uint256 lineIndex; }
        struct Leaf { SolInterval leaf; uint64 index; Sibling[] siblings; }
        struct Unit { SolUnit unit; uint32 position; SumTop top; Sibling[] siblings; }
        struct Listed { SolTask task; uint32 index; SumTop top; Sibling[] siblings; }
        struct Chain { Branch[] chain; uint256 path; }
        struct Accusation { LineRef target; address prover; bytes32 salt; }

        function proveNodeSum(Accusation accusation, Branch[] chain, uint256 path);
        function proveLeafSum(Accusation accusation, SolInterval leaf, Chain chain);
        function proveUnitsRoot(Accusation accusation, Leaf leaf, SumTop units);
        function proveUnitNodeSum(Accusation accusation, Leaf leaf, SumTop units, Chain chain);
        function proveUnitSum(Accusation accusation, Leaf leaf, SumTop units, SolUnit unit, Chain chain);
        function proveLeafArithmetic(Accusation accusation, Leaf leaf, SolTask task);
        function proveUnitAboveMaxCost(Accusation accusation, Leaf leaf, SolTask task, Unit unit);
        function proveTaskOutsideCursor(Accusation accusation, Leaf leaf);
        function proveTaskNotInOrder(Accusation accusation, Leaf leaf, WorkOrder order, Listed listed);
        function proveUnitsNotTask(Accusation accusation, Leaf leaf, SolTask task);
        function proveUnitMisplaced(Accusation accusation, Leaf leaf, Unit unit);
        function proveUnitsRepeated(Accusation accusation, Leaf leaf, uint256 otherLineIndex, Leaf other);
        function proveForeignDevice(Accusation accusation, Leaf leaf);
    }
}

const PROVER: Address = Address::repeat_byte(0x9e);
const SALT: B256 = B256::repeat_byte(0x5a);

pub fn fraud_file() -> FraudFile {
    let shape = Shape {
        lines: 2,
        tasks: 2,
        intervals_per_task: 3,
        units_per_interval: 3,
    };
    let mut frauds = vec![known::node_sum()];
    for attack in Attack::ALL {
        let claim = attacked(attack, shape, 3);
        for fraud in Chain::new().find(&claim).frauds {
            let claim_id = claim.header.claim_id().bytes();
            let commitment =
                keccak256([claim_id.as_slice(), PROVER.as_slice(), SALT.as_slice()].concat());
            frauds.push(FraudCase {
                name: attack.name().into(),
                source: OURS.into(),
                predicate: format!("{:?}", fraud.predicate()),
                claim_id,
                line_index: U256::from(fraud.line_index()).to::<u128>().into(),
                prover: PROVER,
                salt: SALT,
                commitment,
                calldata: calldata(&fraud, &claim).into(),
            });
        }
    }
    FraudFile { frauds }
}

fn calldata(fraud: &Fraud, claim: &Sample) -> Vec<u8> {
    let target = abi::LineRef {
        header: retyped(&claim.header),
        lines: claim.lines.iter().map(retyped).collect(),
        lineIndex: U256::from(fraud.line_index()),
    };
    let accusation = abi::Accusation {
        target,
        prover: PROVER,
        salt: SALT,
    };
    match fraud.clone() {
        Fraud::NodeSum { chain, .. } => {
            let ChainEvidence { chain, path } = chain;
            let chain = chain.into_iter().map(Into::into).collect();
            abi::proveNodeSumCall {
                accusation,
                chain,
                path,
            }
            .abi_encode()
        }
        Fraud::LeafSum { leaf, chain, .. } => abi::proveLeafSumCall {
            accusation,
            leaf: leaf.into(),
            chain: chain.into(),
        }
        .abi_encode(),
        Fraud::UnitsRoot { leaf, units } => abi::proveUnitsRootCall {
            accusation,
            leaf: leaf.into(),
            units: units.into(),
        }
        .abi_encode(),
        Fraud::UnitNodeSum { leaf, units, chain } => {
            let (leaf, units, chain) = (leaf.into(), units.into(), chain.into());
            abi::proveUnitNodeSumCall {
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
        } => {
            let (leaf, units, chain) = (leaf.into(), units.into(), chain.into());
            let unit = unit.into();
            abi::proveUnitSumCall {
                accusation,
                leaf,
                units,
                unit,
                chain,
            }
            .abi_encode()
        }
        Fraud::LeafArithmetic { leaf, task } => abi::proveLeafArithmeticCall {
            accusation,
            leaf: leaf.into(),
            task: task.into(),
        }
        .abi_encode(),
        Fraud::UnitAboveMaxCost { leaf, task, unit } => {
            let (leaf, task, unit) = (leaf.into(), task.into(), unit.into());
            abi::proveUnitAboveMaxCostCall {
                accusation,
                leaf,
                task,
                unit,
            }
            .abi_encode()
        }
        Fraud::TaskOutsideCursor { leaf } => abi::proveTaskOutsideCursorCall {
            accusation,
            leaf: leaf.into(),
        }
        .abi_encode(),
        Fraud::TaskNotInOrder {
            leaf,
            order,
            listed,
        } => {
            let (leaf, order, listed) = (leaf.into(), retyped(&order), listed.into());
            abi::proveTaskNotInOrderCall {
                accusation,
                leaf,
                order,
                listed,
            }
            .abi_encode()
        }
        Fraud::UnitsNotTask { leaf, task } => abi::proveUnitsNotTaskCall {
            accusation,
            leaf: leaf.into(),
            task: task.into(),
        }
        .abi_encode(),
        Fraud::UnitMisplaced { leaf, unit } => abi::proveUnitMisplacedCall {
            accusation,
            leaf: leaf.into(),
            unit: unit.into(),
        }
        .abi_encode(),
        Fraud::UnitsRepeated { leaf, other } => {
            let other_line = U256::from(other.line_index);
            let (leaf, other) = (leaf.into(), other.into());
            abi::proveUnitsRepeatedCall {
                accusation,
                leaf,
                otherLineIndex: other_line,
                other,
            }
            .abi_encode()
        }
        Fraud::ForeignDevice { leaf } => abi::proveForeignDeviceCall {
            accusation,
            leaf: leaf.into(),
        }
        .abi_encode(),
    }
}

/// Takes a struct for its namesake: their ABI encodings are the same.
fn retyped<T: SolValue, U: SolValue + From<<U::SolType as SolType>::RustType>>(value: &T) -> U {
    U::abi_decode(&value.abi_encode()).unwrap()
}

fn siblings(nodes: Vec<Node>) -> Vec<abi::Sibling> {
    nodes
        .into_iter()
        .map(|node| abi::Sibling {
            hash: node.hash,
            sum: node.sum,
        })
        .collect()
}

impl From<NodePreimage> for abi::Branch {
    fn from(preimage: NodePreimage) -> Self {
        let NodePreimage { left, right } = preimage;
        Self {
            leftHash: left.hash,
            leftSum: left.sum,
            rightHash: right.hash,
            rightSum: right.sum,
        }
    }
}

impl From<RootPreimage> for abi::SumTop {
    fn from(root: RootPreimage) -> Self {
        Self {
            leafCount: root.leaf_count,
            hash: root.top.hash,
            sum: root.top.sum,
        }
    }
}

impl From<Interval> for abi::SolInterval {
    fn from(interval: Interval) -> Self {
        Self {
            seq: interval.seq,
            jobId: interval.job_id.bytes(),
            taskId: interval.task_id.bytes(),
            deviceId: interval.device_id.bytes(),
            taskIndex: interval.task_index,
            checkpointIndex: interval.checkpoint_index,
            startMs: interval.start_ms,
            endMs: interval.end_ms,
            activeMs: interval.active_ms,
            firstUnit: interval.first_unit,
            unitCount: interval.unit_count,
            unitsRoot: interval.units_root,
            cost: interval.cost,
            ibmMicro: interval.ibm_micro,
            telemetryDigest: interval.telemetry_digest,
        }
    }
}

impl From<UnitLeaf> for abi::SolUnit {
    fn from(unit: UnitLeaf) -> Self {
        Self {
            unitIndex: unit.unit_index,
            status: unit.status,
            outputRoot: unit.output_root,
            cost: unit.cost,
        }
    }
}

impl From<Task> for abi::SolTask {
    fn from(task: Task) -> Self {
        Self {
            jobId: task.job_id.bytes(),
            firstUnit: task.first_unit,
            unitCount: task.unit_count,
            maxCost: task.max_cost,
            referenceRate: task.reference_rate,
            leaseEndsAt: task.lease_ends_at,
        }
    }
}

impl From<LeafEvidence> for abi::Leaf {
    fn from(shown: LeafEvidence) -> Self {
        let siblings = siblings(shown.siblings);
        Self {
            leaf: shown.leaf.into(),
            index: shown.index,
            siblings,
        }
    }
}

impl From<UnitEvidence> for abi::Unit {
    fn from(shown: UnitEvidence) -> Self {
        let siblings = siblings(shown.siblings);
        Self {
            unit: shown.unit.into(),
            position: shown.position,
            top: shown.top.into(),
            siblings,
        }
    }
}

impl From<TaskEvidence> for abi::Listed {
    fn from(shown: TaskEvidence) -> Self {
        let siblings = siblings(shown.siblings);
        Self {
            task: shown.task.into(),
            index: shown.index,
            top: shown.top.into(),
            siblings,
        }
    }
}

impl From<ChainEvidence> for abi::Chain {
    fn from(shown: ChainEvidence) -> Self {
        Self {
            chain: shown.chain.into_iter().map(Into::into).collect(),
            path: shown.path,
        }
    }
}
