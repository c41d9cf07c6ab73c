//! A line opened, and what each of its intervals says.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use rayon::prelude::*;

use super::{
    ClaimView, Demand, Facts, Findings, Fraud, Known, LeafEvidence, TaskEvidence, Void,
    check::{is_arithmetic_wrong, is_checkpoint_void},
    opened::{Opened, Walk, add_tree, find_node},
    units::{self, UnitsToWalk},
};
use crate::{
    blob::{BlobLine, SignedJob},
    claim::Line,
    id::JobId,
    interval::Interval,
    sum_tree::{RootPreimage, Span, SumTree},
    task::Task,
    typed_data::{Job, WorkOrder},
    unit::UnitLeaf,
};

/// A line, its order and its tree, as far as they are known.
#[derive(Debug)]
pub(super) struct OpenLine<'a> {
    pub(super) index: usize,
    pub(super) line: &'a Line,
    pub(super) blob: Option<&'a BlobLine>,
    pub(super) order: Option<&'a WorkOrder>,
    /// What the blob's line has beside its leaves.
    pub(super) explicit: Known,
    /// The jobs of the blob's line.
    pub(super) jobs: BTreeMap<JobId, &'a SignedJob>,
    /// The line's intervals, where its tree was walked.
    intervals: BTreeMap<B256, Interval>,
    /// The tree of the order's list, where the blob's tasks give its root.
    list: Option<SumTree>,
    tree: Opened,
    /// The leaves that can be proven.
    pub(super) leaves: Vec<Leaf<'a>>,
}

/// An interval that can be proven, and the units that the blob says it has.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    pub(super) index: u64,
    pub(super) interval: Interval,
    pub(super) units: &'a [UnitLeaf],
}

impl Leaf<'_> {
    pub(super) fn units_end(&self) -> u128 {
        u128::from(self.interval.first_unit) + u128::from(self.interval.unit_count)
    }
}

impl<'a> OpenLine<'a> {
    /// Opens a claim's line, and finds what its tree alone tells.
    pub(super) fn open(claim: ClaimView<'a>, index: usize, findings: &mut Findings) -> Self {
        let line = &claim.lines[index];
        let blob = claim.blob.and_then(|blob| blob.lines.get(index));
        let order = blob
            .map(|blob| &blob.order)
            .filter(|order| order.order_hash() == line.orderHash)
            .or_else(|| claim.known.orders.get(&line.orderHash));
        let list = blob
            .and_then(|blob| blob.task_tree().ok())
            .filter(|list| order.is_some_and(|order| list.root() == Ok(order.tasksRoot)));

        let mut explicit = Known::new();
        blob.into_iter()
            .for_each(|blob| explicit.add_explicit(blob));
        let jobs = blob.map(|blob| blob.jobs.as_slice()).unwrap_or_default();
        let jobs = jobs
            .iter()
            .map(|signed| (signed.job.job_id(), signed))
            .collect();
        let (tree, intervals) = open_tree(line, blob, claim.known, &explicit);

        let leaves = Vec::new();
        let mut open = Self {
            index,
            line,
            blob,
            order,
            explicit,
            jobs,
            intervals,
            list,
            tree,
            leaves,
        };
        open.leaves = open.provable_leaves();
        open.report_tree(findings);
        open
    }

    /// Proves a leaf.
    pub(super) fn prove(&self, leaf: &Leaf<'_>) -> Option<LeafEvidence> {
        let siblings = self.tree.siblings(leaf.index, leaf.interval.leaf())?;
        let (line_index, index) = (self.index, leaf.index);
        Some(LeafEvidence {
            line_index,
            leaf: leaf.interval,
            index,
            siblings,
        })
    }

    /// Proves that a task is listed at an index. `None` where the list is not known.
    pub(super) fn listed(&self, index: u32, known: &Known) -> Option<TaskEvidence> {
        let order = self.order?;
        let Some(list) = &self.list else {
            return known.listed.get(&(order.tasksRoot, index)).cloned();
        };
        let task = *self.blob?.tasks.get(usize::try_from(index).ok()?)?;
        let siblings = list.prove(u64::from(index)).ok()?.siblings;
        Some(TaskEvidence {
            task,
            index,
            top: list.root_preimage().ok()?,
            siblings,
        })
    }

    /// The task that is listed at an index, without its proof.
    pub(super) fn listed_task(&self, index: u32, known: &Known) -> Option<Task> {
        if self.list.is_some() {
            return self.blob?.tasks.get(usize::try_from(index).ok()?).copied();
        }
        known
            .listed
            .get(&(self.order?.tasksRoot, index))
            .map(|listed| listed.task)
    }

    /// Finds a job, in the blob or elsewhere, whoever signed it.
    pub(super) fn job(&self, task: &Task, known: &'a Known) -> Option<&'a Job> {
        let shown = self.jobs.get(&task.job_id).copied();
        shown
            .or_else(|| known.jobs.get(&task.job_id))
            .map(|signed| &signed.job)
    }

    /// Checks each leaf alone.
    pub(super) fn check_leaves(&self, claim: ClaimView<'a>, facts: Facts<'a>) -> Findings {
        let found: Vec<_> = self
            .leaves
            .par_iter()
            .map(|leaf| self.check_leaf(leaf, claim, facts))
            .collect();
        let mut findings = Findings::default();
        // Trees of units that lie may share their nodes: one after the other, no node is opened twice.
        let mut seen = BTreeSet::new();
        for (leaf, (found, walk)) in self.leaves.iter().zip(found) {
            findings.append(found);
            if let Some(units) = walk {
                units.walk((self, leaf), claim.known, &mut seen, &mut findings);
            }
        }
        findings
    }

    fn check_leaf(
        &self,
        leaf: &Leaf<'a>,
        claim: ClaimView<'a>,
        facts: Facts<'a>,
    ) -> (Findings, Option<UnitsToWalk>) {
        let mut findings = Findings::default();
        let task = self.check_place(leaf, claim, &mut findings);
        if let Some(task) = task {
            self.check_task(leaf, task, claim, &mut findings);
        }
        let walk = units::check(self, leaf, task, claim.known, &mut findings);
        self.check_voids(leaf, task, (claim, facts), &mut findings);
        (findings, walk)
    }

    /// Checks device and task; returns the task if the leaf has the one that is listed where it says.
    fn check_place(
        &self,
        leaf: &Leaf<'_>,
        claim: ClaimView<'_>,
        findings: &mut Findings,
    ) -> Option<Task> {
        let interval = &leaf.interval;
        if interval.device_id != claim.header.device_id() {
            let fraud = self.prove(leaf).map(|leaf| Fraud::ForeignDevice { leaf });
            findings.frauds.extend(fraud);
        }
        if !(self.line.cursorFrom..self.line.cursorTo).contains(&interval.task_index) {
            let fraud = self
                .prove(leaf)
                .map(|leaf| Fraud::TaskOutsideCursor { leaf });
            findings.frauds.extend(fraud);
            return None;
        }
        let Some(task) = self.listed_task(interval.task_index, claim.known) else {
            let (line_index, position) = (self.index, interval.task_index);
            findings.demands.push(Demand::Task {
                line_index,
                position,
            });
            return None;
        };
        if task.task_id() != interval.task_id || task.job_id != interval.job_id {
            let fraud = self.prove(leaf).and_then(|leaf| {
                let listed = self.listed(leaf.leaf.task_index, claim.known)?;
                Some(Fraud::TaskNotInOrder {
                    leaf,
                    order: self.order?.clone(),
                    listed,
                })
            });
            findings.frauds.extend(fraud);
            return None;
        }
        Some(task)
    }

    fn check_task(
        &self,
        leaf: &Leaf<'_>,
        task: Task,
        claim: ClaimView<'_>,
        findings: &mut Findings,
    ) {
        let interval = &leaf.interval;
        if is_arithmetic_wrong(interval, &task, claim.header.ibMicro) {
            let fraud = self
                .prove(leaf)
                .map(|leaf| Fraud::LeafArithmetic { leaf, task });
            findings.frauds.extend(fraud);
        }
        if !task.holds(interval.first_unit, interval.unit_count) {
            let fraud = self
                .prove(leaf)
                .map(|leaf| Fraud::UnitsNotTask { leaf, task });
            findings.frauds.extend(fraud);
        }
    }

    fn check_voids(
        &self,
        leaf: &Leaf<'a>,
        task: Option<Task>,
        (claim, facts): (ClaimView<'a>, Facts<'a>),
        findings: &mut Findings,
    ) {
        let interval = &leaf.interval;
        let recorded_at = facts.checkpoints.get(&interval.checkpoint_index).copied();
        if is_checkpoint_void(interval, recorded_at, facts.drift_seconds) {
            findings
                .voids
                .extend(self.prove(leaf).map(|leaf| Void::Checkpoint { leaf }));
        }
        if interval.start_ms < claim.header.startMs || interval.end_ms > claim.header.endMs {
            findings
                .voids
                .extend(self.prove(leaf).map(|leaf| Void::OutsideSpan { leaf }));
        }
        let (Some(live), Some(task)) = (facts.live_programs, task) else {
            return;
        };
        let Some(job) = self.job(&task, claim.known) else {
            return;
        };
        if !live.contains(&job.programId) {
            let void = self.prove(leaf).map(|leaf| Void::Suspended {
                leaf,
                task,
                job: job.clone(),
            });
            findings.voids.extend(void);
        }
    }

    fn provable_leaves(&self) -> Vec<Leaf<'a>> {
        let held = self
            .blob
            .map(|blob| blob.intervals.as_slice())
            .unwrap_or_default();
        let Opened::Walked(walk) = &self.tree else {
            return (0..)
                .zip(held)
                .map(|(index, held)| Leaf {
                    index,
                    interval: held.interval,
                    units: &held.units,
                })
                .collect();
        };
        let units: BTreeMap<_, _> = held
            .iter()
            .map(|held| (held.interval.leaf_hash(), held.units.as_slice()))
            .collect();
        walk.leaves
            .iter()
            .filter_map(|(index, node)| {
                let interval = *self.intervals.get(&node.hash)?;
                let units = units.get(&node.hash).copied().unwrap_or_default();
                let leaf = Leaf {
                    index: *index,
                    interval,
                    units,
                };
                self.prove(&leaf).map(|_| leaf)
            })
            .collect()
    }

    /// Reports what the walk of the line's tree found.
    fn report_tree(&self, findings: &mut Findings) {
        let Opened::Walked(walk) = &self.tree else {
            return;
        };
        let line_index = self.index;
        for span in &walk.false_nodes {
            let chain = walk.chain(*span, true);
            findings.frauds.push(Fraud::NodeSum { line_index, chain });
        }
        for index in &walk.false_leaves {
            let chain = walk.chain(
                Span {
                    level: 0,
                    index: *index,
                },
                false,
            );
            let leaf = walk
                .leaves
                .get(index)
                .and_then(|leaf| self.intervals.get(&leaf.hash));
            let fraud = leaf.map(|leaf| Fraud::LeafSum {
                line_index,
                leaf: *leaf,
                chain,
            });
            findings.frauds.extend(fraud);
        }
        findings
            .demands
            .extend(walk.hidden.iter().map(|span| match span.level {
                0 => Demand::Interval {
                    line_index,
                    leaf_index: span.index,
                },
                level => Demand::Nodes {
                    line_index,
                    level,
                    position: span.index,
                },
            }));
    }
}

/// Opens a line's tree: by the blob's leaves, if they give its top, else by a walk. Returns the intervals
/// that a walk may have met.
fn open_tree(
    line: &Line,
    blob: Option<&BlobLine>,
    known: &Known,
    explicit: &Known,
) -> (Opened, BTreeMap<B256, Interval>) {
    let rebuilt = blob.and_then(|blob| blob.interval_tree().ok());
    let mut nodes = BTreeMap::new();
    if let Some(tree) = rebuilt {
        if tree.leaf_count() == line.leafCount && tree.top() == Ok(line.top()) {
            return (Opened::Whole(tree), BTreeMap::new());
        }
        add_tree(&mut nodes, &tree);
    }
    let held = blob
        .map(|blob| blob.intervals.as_slice())
        .unwrap_or_default();
    let mut intervals = known.intervals.clone();
    intervals.extend(
        held.iter()
            .map(|held| (held.interval.leaf_hash(), held.interval)),
    );
    let root = RootPreimage {
        leaf_count: line.leafCount,
        top: line.top(),
    };
    let walk = Walk::from_top(
        root,
        |hash| find_node(hash, [&nodes, &explicit.nodes, &known.nodes]),
        |hash| intervals.get(&hash).map(|interval| interval.leaf().sum),
        &mut BTreeSet::new(),
    );
    (Opened::Walked(walk), intervals)
}
