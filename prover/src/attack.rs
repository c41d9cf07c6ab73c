//! Dishonest claims, one for each way to lie. For tests and demonstrations only.
//!
//! An [`Attack`] takes the blob of an honest claim and returns the lines that a cheat would post for it. The
//! blob's hash is to be taken afterwards, and the header made from both.

use alloy_primitives::B256;

use crate::{
    U96,
    blob::{BlobInterval, BlobLine, ClaimBlob, LineError},
    claim::Line,
    id::{DeviceId, TaskId},
    interval::payable_micro,
    sum_tree::{Node, NodePreimage, RootPreimage, Span, SumTreeError},
    task::Task,
    unit::UnitLeaf,
};

/// A way to lie in the first line of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attack {
    /// The line states a larger sum than its top's children. NodeSum, or LeafSum with a single leaf.
    InflateTopSum,
    /// A node below the top states a larger sum than its children. NodeSum.
    InflateNodeSum,
    /// The same, and the blob holds no more than honest leaves. NodeSum, once the node is demanded.
    HideNodeSum,
    /// The tree states a larger sum for an interval than its `ibmMicro`. LeafSum.
    InflateLeafSum,
    /// An interval's cost is larger than the sum of its units. UnitCost.
    InflateCost,
    /// A node in an interval's tree of units states a larger sum than its children. UnitCost.
    InflateUnitNodeSum,
    /// The tree of units states a larger sum for a unit than its cost. UnitCost.
    InflateUnitSum,
    /// An interval's `ibmMicro` is larger than its payable work. LeafArithmetic.
    InflateWork,
    /// A unit cost more than its `maxCost`. LeafArithmetic.
    ExceedMaxCost,
    /// An interval was active for longer than it lasted. LeafArithmetic.
    StretchTime,
    /// An interval names a task that the line does not consume. TaskNotInOrder.
    LeaveCursor,
    /// An interval names a task that is not listed. TaskNotInOrder.
    ForgeTask,
    /// An interval holds units beyond its task. UnitsNotTask.
    TakeForeignUnits,
    /// An interval holds one unit twice in place of the next. UnitsNotTask.
    RepeatUnit,
    /// The line holds an interval twice. UnitsRepeated.
    RepeatInterval,
    /// An interval is another device's. ForeignDevice.
    BorrowDevice,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::InflateTopSum,
        Self::InflateNodeSum,
        Self::HideNodeSum,
        Self::InflateLeafSum,
        Self::InflateCost,
        Self::InflateUnitNodeSum,
        Self::InflateUnitSum,
        Self::InflateWork,
        Self::ExceedMaxCost,
        Self::StretchTime,
        Self::LeaveCursor,
        Self::ForgeTask,
        Self::TakeForeignUnits,
        Self::RepeatUnit,
        Self::RepeatInterval,
        Self::BorrowDevice,
    ];

    /// Names the attack, as a command line does.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InflateTopSum => "inflate-top-sum",
            Self::InflateNodeSum => "inflate-node-sum",
            Self::HideNodeSum => "hide-node-sum",
            Self::InflateLeafSum => "inflate-leaf-sum",
            Self::InflateCost => "inflate-cost",
            Self::InflateUnitNodeSum => "inflate-unit-node-sum",
            Self::InflateUnitSum => "inflate-unit-sum",
            Self::InflateWork => "inflate-work",
            Self::ExceedMaxCost => "exceed-max-cost",
            Self::StretchTime => "stretch-time",
            Self::LeaveCursor => "leave-cursor",
            Self::ForgeTask => "forge-task",
            Self::TakeForeignUnits => "take-foreign-units",
            Self::RepeatUnit => "repeat-unit",
            Self::RepeatInterval => "repeat-interval",
            Self::BorrowDevice => "borrow-device",
        }
    }

    /// Finds the attack of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attack| attack.name() == name)
    }

    /// Lies in the first line of a blob, and returns the lines to post. `cursors` are the ranges of tasks
    /// that the lines consume; `ib_micro` is the device's speed. What the lie gains is scaled by `by_micro`
    /// where it can be.
    ///
    /// # Errors
    ///
    /// [`LineError`] for a blob without lines or intervals to lie about.
    pub fn commit(
        self,
        blob: &mut ClaimBlob,
        cursors: &[(u32, u32)],
        ib_micro: u64,
        by_micro: u64,
    ) -> Result<Vec<Line>, LineError> {
        let line = blob.lines.first_mut().ok_or(SumTreeError::Empty)?;
        let held = line.intervals.first().ok_or(SumTreeError::Empty)?.clone();
        let task = usize::try_from(held.interval.task_index)
            .ok()
            .and_then(|i| line.tasks.get(i));
        let task = task.copied().unwrap_or_default();
        self.lie_in_leaves(
            line,
            Lie {
                held,
                task,
                ib_micro,
                by_micro,
            },
        )?;
        let mut lines = blob
            .lines
            .iter()
            .zip(cursors)
            .map(|(line, (from, to))| line.to_line(*from, *to))
            .collect::<Result<Vec<_>, _>>()?;
        if let (Some(line), Some(posted)) = (blob.lines.first_mut(), lines.first_mut()) {
            self.lie_in_tree(line, posted, by_micro)?;
        }
        Ok(lines)
    }

    fn lie_in_leaves(self, line: &mut BlobLine, lie: Lie) -> Result<(), SumTreeError> {
        let Lie {
            held:
                BlobInterval {
                    mut interval,
                    mut units,
                },
            task,
            ib_micro,
            by_micro,
        } = lie;
        let last = units.len().saturating_sub(1);
        match self {
            Self::InflateTopSum
            | Self::InflateNodeSum
            | Self::HideNodeSum
            | Self::InflateLeafSum => return Ok(()),
            Self::RepeatInterval => {
                let copy = BlobInterval { interval, units };
                line.intervals.push(copy);
                return Ok(());
            }
            Self::InflateCost => interval.cost += u128::from(by_micro),
            Self::InflateUnitNodeSum | Self::InflateUnitSum => {
                let nodes: Vec<Node> = units.iter().map(UnitLeaf::leaf).collect();
                let whole = Span::whole(u64::from(interval.unit_count));
                let is_unit = self == Self::InflateUnitSum;
                let level = if is_unit {
                    0
                } else {
                    whole.level.saturating_sub(1)
                };
                let span = Span { level, index: 0 };
                let lying = lying_tree(&nodes, span, u128::from(by_micro))?;
                interval.cost = lying.root.top.sum;
                interval.units_root = lying.root.hash();
                line.nodes.extend(lying.nodes);
                line.roots.push(lying.root);
            }
            Self::InflateWork => interval.ibm_micro += U96::from(by_micro),
            Self::ExceedMaxCost => units[last].cost = task.max_cost + 1,
            Self::StretchTime => {
                let lasted_ms = interval.end_ms.saturating_sub(interval.start_ms);
                interval.active_ms = u32::try_from(lasted_ms).unwrap_or(u32::MAX - 1) + 1;
            }
            Self::LeaveCursor => interval.task_index = line.order.taskCount,
            Self::ForgeTask => interval.task_id = TaskId::new(B256::repeat_byte(0xf0)),
            Self::TakeForeignUnits => {
                let beyond = task.first_unit + u64::from(task.unit_count);
                interval.first_unit = beyond;
                for (index, unit) in (beyond..).zip(&mut units) {
                    unit.unit_index = index;
                }
            }
            Self::RepeatUnit => units[last].unit_index = interval.first_unit.wrapping_sub(1),
            Self::BorrowDevice => {
                interval.device_id = DeviceId::from_parts(interval.device_id.owner(), U96::MAX);
            }
        }
        if matches!(
            self,
            Self::ExceedMaxCost | Self::TakeForeignUnits | Self::RepeatUnit
        ) {
            let held = BlobInterval { interval, units };
            let tree = held.unit_tree()?;
            (interval.units_root, interval.cost) = (tree.root()?, tree.sum());
            units = held.units;
        }
        let is_work_stated = matches!(self, Self::InflateWork);
        if !is_work_stated {
            let rate = task.reference_rate;
            interval.ibm_micro = payable_micro(interval.cost, rate, ib_micro, interval.active_ms);
        }
        line.intervals[0] = BlobInterval { interval, units };
        Ok(())
    }

    fn lie_in_tree(
        self,
        line: &mut BlobLine,
        posted: &mut Line,
        by_micro: u64,
    ) -> Result<(), LineError> {
        let whole = Span::whole(posted.leafCount);
        let level = match self {
            Self::InflateTopSum => Some(whole.level),
            Self::InflateNodeSum | Self::HideNodeSum => Some(whole.level.saturating_sub(1)),
            Self::InflateLeafSum => Some(0),
            Self::InflateCost
            | Self::InflateUnitNodeSum
            | Self::InflateUnitSum
            | Self::InflateWork
            | Self::ExceedMaxCost
            | Self::StretchTime
            | Self::LeaveCursor
            | Self::ForgeTask
            | Self::TakeForeignUnits
            | Self::RepeatUnit
            | Self::RepeatInterval
            | Self::BorrowDevice => None,
        };
        let Some(level) = level else { return Ok(()) };
        let span = Span { level, index: 0 };
        let leaves: Vec<Node> = line
            .intervals
            .iter()
            .map(|held| held.interval.leaf())
            .collect();
        let lying = lying_tree(&leaves, span, u128::from(by_micro))?;
        let sum_micro = lying.root.top.sum;
        let sum = U96::try_from(sum_micro).map_err(|_| LineError::SumTooLarge { sum_micro })?;
        posted.topHash = lying.root.top.hash;
        posted.sumIbmMicro = sum;
        posted.amountWei = crate::interval::amount_wei(sum, line.order.priceWei)
            .ok_or(LineError::AmountTooLarge { sum })?;
        if self != Self::HideNodeSum {
            line.nodes.extend(lying.nodes);
        }
        Ok(())
    }
}

struct Lie {
    held: BlobInterval,
    task: Task,
    ib_micro: u64,
    by_micro: u64,
}

/// A tree in which one node states another sum than its children give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LyingTree {
    /// What its root hashes.
    pub root: RootPreimage,
    /// What its nodes hash.
    pub nodes: Vec<NodePreimage>,
}

/// Builds a tree whose node at `span` states `by` more than it should. All nodes above it add up.
///
/// # Errors
///
/// [`SumTreeError::Empty`] without leaves, [`SumTreeError::SumOverflow`] where sums don't fit.
pub fn lying_tree(leaves: &[Node], span: Span, by: u128) -> Result<LyingTree, SumTreeError> {
    let mut level = leaves.to_vec();
    let mut nodes = Vec::new();
    for height in 0.. {
        if height == span.level {
            let node = usize::try_from(span.index)
                .ok()
                .and_then(|at| level.get_mut(at));
            if let Some(node) = node {
                let (left, right) = (node.sum, by);
                node.sum = left
                    .checked_add(right)
                    .ok_or(SumTreeError::SumOverflow { left, right })?;
            }
        }
        if level.len() <= 1 {
            break;
        }
        let pairs = level.chunks_exact(2).map(|pair| NodePreimage {
            left: pair[0],
            right: pair[1],
        });
        let pairs: Vec<_> = pairs.collect();
        let mut above = pairs
            .iter()
            .map(NodePreimage::node)
            .collect::<Result<Vec<_>, SumTreeError>>()?;
        above.extend(level.chunks_exact(2).remainder());
        nodes.extend(pairs);
        level = above;
    }
    let top = *level.first().ok_or(SumTreeError::Empty)?;
    let leaf_count = crate::bytes::widen(leaves.len());
    Ok(LyingTree {
        root: RootPreimage { leaf_count, top },
        nodes,
    })
}
