//! What a claim hides, and what to ask for on chain.

/// A place of a claim that has to be shown (`PROTOCOL.md`, *Demands*). Each variant is a kind of
/// `IDemands.sol`; leaves are level 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// A leaf of a line's tree.
    Interval {
        /// The claim's line.
        line_index: usize,
        /// The leaf.
        leaf_index: u64,
    },
    /// The nodes five levels below a node of a line's tree.
    Nodes {
        /// The claim's line.
        line_index: usize,
        /// The node's level.
        level: u32,
        /// The node's index on its level.
        position: u64,
    },
    /// A unit of an interval.
    Unit {
        /// The claim's line.
        line_index: usize,
        /// The interval.
        leaf_index: u64,
        /// The unit's index in the interval.
        position: u64,
    },
    /// The nodes five levels below a node of an interval's tree of units.
    UnitNodes {
        /// The claim's line.
        line_index: usize,
        /// The interval.
        leaf_index: u64,
        /// The node's level.
        level: u32,
        /// The node's index on its level.
        position: u64,
    },
    /// A task of the line's order.
    Task {
        /// The claim's line.
        line_index: usize,
        /// The task's index in the list.
        position: u32,
    },
    /// The job of a task of the line's order, with its builder's signature.
    Job {
        /// The claim's line.
        line_index: usize,
        /// The task's index in the list.
        position: u32,
    },
}
