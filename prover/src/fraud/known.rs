//! Preimages that a verifier has seen, by their hash.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::{TaskEvidence, check::is_below_top};
use crate::{
    blob::{BlobLine, SignedJob},
    id::JobId,
    interval::Interval,
    sum_tree::{Node, NodePreimage, RootPreimage},
    typed_data::WorkOrder,
    unit::UnitLeaf,
};

/// Preimages that a verifier has seen: in a blob, in calldata, in answers to demands. Each proves itself by
/// its hash, so it does not matter who showed it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) intervals: BTreeMap<B256, Interval>,
    pub(super) units: BTreeMap<B256, UnitLeaf>,
    pub(super) nodes: BTreeMap<B256, NodePreimage>,
    pub(super) roots: BTreeMap<B256, RootPreimage>,
    pub(super) orders: BTreeMap<B256, WorkOrder>,
    pub(super) jobs: BTreeMap<JobId, SignedJob>,
    /// By `tasksRoot` and index in the list.
    pub(super) listed: BTreeMap<(B256, u32), TaskEvidence>,
}

impl Known {
    /// Returns a store that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an interval.
    pub fn add_interval(&mut self, interval: Interval) {
        self.intervals.insert(interval.leaf_hash(), interval);
    }

    /// Adds a unit.
    pub fn add_unit(&mut self, unit: UnitLeaf) {
        self.units.insert(unit.leaf().hash, unit);
    }

    /// Adds what a node hashes.
    pub fn add_node(&mut self, preimage: NodePreimage) {
        self.nodes.insert(preimage.hash(), preimage);
    }

    /// Adds what a root hashes.
    pub fn add_root(&mut self, preimage: RootPreimage) {
        self.roots.insert(preimage.hash(), preimage);
    }

    /// Adds an order, as the claim's transaction shows it.
    pub fn add_order(&mut self, order: WorkOrder) {
        self.orders.insert(order.order_hash(), order);
    }

    /// Adds a job and its builder's signature.
    pub fn add_job(&mut self, signed: SignedJob) {
        self.jobs.insert(signed.job.job_id(), signed);
    }

    /// Adds a listed task, by the root that its proof leads to. One whose proof leads nowhere is left out.
    pub fn add_listed_task(&mut self, listed: TaskEvidence) {
        if is_below_top(&listed) {
            self.listed
                .insert((listed.top.hash(), listed.index), listed);
        }
    }

    /// Adds the nodes between neighbouring nodes of one level and the node above them all: what an answer
    /// to a demand for nodes shows.
    pub fn add_span(&mut self, nodes: &[Node]) {
        let mut level = nodes.to_vec();
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len().div_ceil(2));
            for pair in level.chunks(2) {
                let [left, right] = *pair else {
                    above.extend(pair);
                    continue;
                };
                let preimage = NodePreimage { left, right };
                self.add_node(preimage);
                let sum = left.sum.saturating_add(right.sum);
                above.push(Node {
                    hash: preimage.hash(),
                    sum,
                });
            }
            level = above;
        }
    }

    /// Adds the way from a leaf or node up to its top: what a bottom-up proof shows. `index` is the place of
    /// `node` on its level, which has `width` nodes.
    pub fn add_path(&mut self, node: Node, index: u64, width: u64, siblings: &[Node]) {
        let (mut node, mut index, mut width) = (node, index, width);
        let mut siblings = siblings.iter();
        while width > 1 {
            let is_carried = index & 1 == 0 && index == width - 1;
            if !is_carried {
                let Some(sibling) = siblings.next() else {
                    return;
                };
                let (left, right) = if index & 1 == 0 {
                    (node, *sibling)
                } else {
                    (*sibling, node)
                };
                let preimage = NodePreimage { left, right };
                self.add_node(preimage);
                node = Node {
                    hash: preimage.hash(),
                    sum: left.sum.saturating_add(right.sum),
                };
            }
            (index, width) = (index >> 1, width.div_ceil(2));
        }
    }

    /// Adds what a blob's line has beside its leaves.
    pub(super) fn add_explicit(&mut self, line: &BlobLine) {
        line.nodes
            .iter()
            .for_each(|preimage| self.add_node(*preimage));
        line.roots
            .iter()
            .for_each(|preimage| self.add_root(*preimage));
    }
}
