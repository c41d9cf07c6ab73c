//! What proves a fraud, in the fields that the contracts take.

use alloy_primitives::U256;

use crate::{
    interval::Interval,
    sum_tree::{Node, NodePreimage, RootPreimage},
    task::Task,
    typed_data::{CompactSignature, Job, WorkOrder},
    unit::UnitLeaf,
};

/// An interval and its place in a line's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafEvidence {
    /// The claim's line.
    pub line_index: usize,
    /// The interval.
    pub leaf: Interval,
    /// The leaf's index in the line's tree.
    pub index: u64,
    /// Its proof, bottom up.
    pub siblings: Vec<Node>,
}

/// A unit and its place in an interval's tree of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitEvidence {
    /// The unit.
    pub unit: UnitLeaf,
    /// The leaf's index in the tree of units.
    pub position: u32,
    /// What the interval's `unitsRoot` hashes.
    pub top: RootPreimage,
    /// Its proof, bottom up.
    pub siblings: Vec<Node>,
}

/// A listed task and its place in an order's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEvidence {
    /// The task.
    pub task: Task,
    /// Its index in the list.
    pub index: u32,
    /// What the order's `tasksRoot` hashes.
    pub top: RootPreimage,
    /// Its proof, bottom up.
    pub siblings: Vec<Node>,
}

/// A way down a tree by node preimages, sums as they are stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainEvidence {
    /// What the nodes on the way hash, from the top down.
    pub chain: Vec<NodePreimage>,
    /// Bit `k` is set where the way below the `k`-th of them goes right.
    pub path: U256,
}

/// A predicate of `PROTOCOL.md`, *Fraud predicates*. Several frauds can prove one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Predicate {
    /// A node of the line's tree states another sum than its children's.
    NodeSum,
    /// An interval's stated sum is not its `ibmMicro`.
    LeafSum,
    /// The units don't add up to the interval's cost and count.
    UnitCost,
    /// An interval contradicts itself or its task.
    LeafArithmetic,
    /// An interval's task is not listed where it says, or is not the line's to claim.
    TaskNotInOrder,
    /// An interval's units are not the task's.
    UnitsNotTask,
    /// Two intervals share a unit.
    UnitsRepeated,
    /// An interval is another device's.
    ForeignDevice,
}

/// A lie of the worker, with its evidence. Each variant is one `prove…` of `IFraudProofs.sol`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fraud {
    /// The last node of the chain states another sum than its children's, or these overflow.
    NodeSum {
        /// The claim's line.
        line_index: usize,
        /// The way to the node, itself included.
        chain: ChainEvidence,
    },
    /// The sum that the tree states for an interval is not its `ibmMicro`.
    LeafSum {
        /// The claim's line.
        line_index: usize,
        /// The interval.
        leaf: Interval,
        /// The way to it.
        chain: ChainEvidence,
    },
    /// The units root's count is not `unitCount`, or its sum not `cost`.
    UnitsRoot {
        /// The interval.
        leaf: LeafEvidence,
        /// What its `unitsRoot` hashes.
        units: RootPreimage,
    },
    /// A node in the tree of units states another sum than its children's, or these overflow.
    UnitNodeSum {
        /// The interval.
        leaf: LeafEvidence,
        /// What its `unitsRoot` hashes.
        units: RootPreimage,
        /// The way to the node, itself included.
        chain: ChainEvidence,
    },
    /// A unit's cost is not the sum that the tree states for it.
    UnitSum {
        /// The interval.
        leaf: LeafEvidence,
        /// What its `unitsRoot` hashes.
        units: RootPreimage,
        /// The unit.
        unit: UnitLeaf,
        /// The way to it.
        chain: ChainEvidence,
    },
    /// `ibmMicro`, the cost or the times of an interval contradict each other or its task.
    LeafArithmetic {
        /// The interval.
        leaf: LeafEvidence,
        /// Its task.
        task: Task,
    },
    /// A unit's cost is above the task's `maxCost`, or its status is none.
    UnitAboveMaxCost {
        /// The interval.
        leaf: LeafEvidence,
        /// Its task.
        task: Task,
        /// The unit.
        unit: UnitEvidence,
    },
    /// The interval's `taskIndex` is outside of the line's cursor range.
    TaskOutsideCursor {
        /// The interval.
        leaf: LeafEvidence,
    },
    /// The task that is listed at the interval's `taskIndex` is another, or its job is.
    TaskNotInOrder {
        /// The interval.
        leaf: LeafEvidence,
        /// The line's order.
        order: WorkOrder,
        /// The task that is listed.
        listed: TaskEvidence,
    },
    /// The interval has no units, or some that are not the task's.
    UnitsNotTask {
        /// The interval.
        leaf: LeafEvidence,
        /// Its task.
        task: Task,
    },
    /// The `k`-th unit of the interval is not `firstUnit + k`.
    UnitMisplaced {
        /// The interval.
        leaf: LeafEvidence,
        /// The unit.
        unit: UnitEvidence,
    },
    /// Two leaves of the claim have one task and share a unit.
    UnitsRepeated {
        /// The one that comes later in the claim.
        leaf: LeafEvidence,
        /// The one before it.
        other: LeafEvidence,
    },
    /// The leaf is of another device than the claim.
    ForeignDevice {
        /// The interval.
        leaf: LeafEvidence,
    },
}

/// A leaf that is not to be paid, and nobody's lie. Each variant is one `void…` of `IVoids.sol`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Void {
    /// The leaf's checkpoint is unknown, or was recorded later than the leaf's start, beyond the drift.
    Checkpoint {
        /// The leaf to void.
        leaf: LeafEvidence,
    },
    /// The leaf lies outside of the claim's span.
    OutsideSpan {
        /// The leaf to void.
        leaf: LeafEvidence,
    },
    /// Two leaves of the claim overlap in time.
    Overlap {
        /// The later one, which is to be voided.
        leaf: LeafEvidence,
        /// The earlier one.
        other: LeafEvidence,
    },
    /// The leaf's program is suspended, or was never registered.
    Suspended {
        /// The leaf to void.
        leaf: LeafEvidence,
        /// Its task.
        task: Task,
        /// The task's job.
        job: Job,
    },
}

/// What a manager signed against a builder. Each variant is one `prove…` of `IManagerFrauds.sol`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there is one of them, or none")]
pub enum ManagerFraud {
    /// A task that the line consumes contradicts its job.
    TaskContradictsJob {
        /// The claim's line.
        line_index: usize,
        /// The line's order.
        order: WorkOrder,
        /// The task.
        listed: TaskEvidence,
        /// The job that its `jobId` hashes.
        job: Job,
    },
    /// Units of a leaf are leased twice, by leases that overlapped.
    DoubleLease {
        /// The leaf that was claimed.
        leaf: LeafEvidence,
        /// The task of the leaf.
        leaf_task: TaskEvidence,
        /// Another order of the manager, or the line's own.
        other_order: WorkOrder,
        /// The operator's, under the other order.
        signature: CompactSignature,
        /// A task of the other order that shares a unit with the leaf.
        other: TaskEvidence,
    },
}

impl Fraud {
    /// The claim's line that lies.
    pub fn line_index(&self) -> usize {
        match self {
            Self::NodeSum { line_index, .. } | Self::LeafSum { line_index, .. } => *line_index,
            Self::UnitsRoot { leaf, .. }
            | Self::UnitNodeSum { leaf, .. }
            | Self::UnitSum { leaf, .. }
            | Self::LeafArithmetic { leaf, .. }
            | Self::UnitAboveMaxCost { leaf, .. }
            | Self::TaskOutsideCursor { leaf }
            | Self::TaskNotInOrder { leaf, .. }
            | Self::UnitsNotTask { leaf, .. }
            | Self::UnitMisplaced { leaf, .. }
            | Self::UnitsRepeated { leaf, .. }
            | Self::ForeignDevice { leaf } => leaf.line_index,
        }
    }

    /// The interval that lies. `None` where the lie is in the line's tree above it.
    pub fn leaf(&self) -> Option<&Interval> {
        match self {
            Self::NodeSum { .. } => None,
            Self::LeafSum { leaf, .. } => Some(leaf),
            Self::UnitsRoot { leaf, .. }
            | Self::UnitNodeSum { leaf, .. }
            | Self::UnitSum { leaf, .. }
            | Self::LeafArithmetic { leaf, .. }
            | Self::UnitAboveMaxCost { leaf, .. }
            | Self::TaskOutsideCursor { leaf }
            | Self::TaskNotInOrder { leaf, .. }
            | Self::UnitsNotTask { leaf, .. }
            | Self::UnitMisplaced { leaf, .. }
            | Self::UnitsRepeated { leaf, .. }
            | Self::ForeignDevice { leaf } => Some(&leaf.leaf),
        }
    }

    /// The predicate that the evidence proves.
    pub fn predicate(&self) -> Predicate {
        match self {
            Self::NodeSum { .. } => Predicate::NodeSum,
            Self::LeafSum { .. } => Predicate::LeafSum,
            Self::UnitsRoot { .. } | Self::UnitNodeSum { .. } | Self::UnitSum { .. } => {
                Predicate::UnitCost
            }
            Self::LeafArithmetic { .. } | Self::UnitAboveMaxCost { .. } => {
                Predicate::LeafArithmetic
            }
            Self::TaskOutsideCursor { .. } | Self::TaskNotInOrder { .. } => {
                Predicate::TaskNotInOrder
            }
            Self::UnitsNotTask { .. } | Self::UnitMisplaced { .. } => Predicate::UnitsNotTask,
            Self::UnitsRepeated { .. } => Predicate::UnitsRepeated,
            Self::ForeignDevice { .. } => Predicate::ForeignDevice,
        }
    }
}

impl Void {
    /// The leaf to void.
    pub fn leaf(&self) -> &LeafEvidence {
        match self {
            Self::Checkpoint { leaf }
            | Self::OutsideSpan { leaf }
            | Self::Overlap { leaf, .. }
            | Self::Suspended { leaf, .. } => leaf,
        }
    }
}
