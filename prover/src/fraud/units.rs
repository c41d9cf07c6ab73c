//! The units below an interval.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;

use super::{
    Demand, Findings, Fraud, Known, LeafEvidence, UnitEvidence,
    check::{is_unit_above_max_cost, is_unit_misplaced},
    leaf::{Leaf, OpenLine},
    opened::{Opened, Walk, add_tree, find_node},
};
use crate::{
    sum_tree::{Node, RootPreimage, Span},
    task::Task,
    unit::{UnitLeaf, unit_tree},
};

/// A tree of units that the blob's units don't give.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnitsToWalk {
    root: RootPreimage,
    task: Option<Task>,
}

/// Checks an interval's tree of units, then its units; one finding of each kind is enough. Returns what has to
/// be walked.
pub(super) fn check(
    line: &OpenLine<'_>,
    leaf: &Leaf<'_>,
    task: Option<Task>,
    known: &Known,
    findings: &mut Findings,
) -> Option<UnitsToWalk> {
    let units_root = leaf.interval.units_root;
    let whole = unit_tree(leaf.units)
        .ok()
        .filter(|tree| tree.root() == Ok(units_root));
    let root = match &whole {
        Some(tree) => tree.root_preimage().ok(),
        None => line
            .explicit
            .roots
            .get(&units_root)
            .or(known.roots.get(&units_root))
            .copied(),
    };
    let Some(root) = root else {
        // An interval without units is refuted as such; there is no unit to ask for.
        if leaf.interval.unit_count != 0 {
            let (line_index, leaf_index) = (line.index, leaf.index);
            findings.demands.push(Demand::Unit {
                line_index,
                leaf_index,
                position: 0,
            });
        }
        return None;
    };
    let is_root_false = root.leaf_count != u64::from(leaf.interval.unit_count)
        || root.top.sum != leaf.interval.cost;
    if is_root_false {
        let fraud = line
            .prove(leaf)
            .map(|leaf| Fraud::UnitsRoot { leaf, units: root });
        findings.frauds.extend(fraud);
    }
    let Some(tree) = whole else {
        // A tree of another count than the leaf's is refuted already, and may be of any size.
        return (!is_root_false).then_some(UnitsToWalk { root, task });
    };
    let units: Vec<_> = (0..).zip(leaf.units.iter().copied()).collect();
    let tree = Opened::Whole(tree);
    Units {
        line,
        leaf,
        root,
        tree: &tree,
    }
    .check_each(&units, task, findings);
    None
}

impl UnitsToWalk {
    /// Walks the tree from its top, and checks what it meets.
    pub(super) fn walk(
        self,
        (line, leaf): (&OpenLine<'_>, &Leaf<'_>),
        known: &Known,
        seen: &mut BTreeSet<B256>,
        findings: &mut Findings,
    ) {
        let Self { root, task } = self;
        let own: BTreeMap<B256, UnitLeaf> = leaf
            .units
            .iter()
            .map(|unit| (unit.leaf().hash, *unit))
            .collect();
        let mut nodes = BTreeMap::new();
        if let Ok(tree) = unit_tree(leaf.units) {
            add_tree(&mut nodes, &tree);
        }
        let unit_of = |hash| own.get(&hash).or(known.units.get(&hash)).copied();
        let walk = Walk::from_top(
            root,
            |hash| find_node(hash, [&nodes, &line.explicit.nodes, &known.nodes]),
            |hash| unit_of(hash).map(|unit| u128::from(unit.cost)),
            seen,
        );

        report_walk(line, leaf, (root, &walk), &unit_of, findings);
        let units: Vec<_> = walk
            .leaves
            .iter()
            .filter_map(|(index, node)| Some((*index, unit_of(node.hash)?)))
            .collect();
        let tree = Opened::Walked(walk);
        Units {
            line,
            leaf,
            root,
            tree: &tree,
        }
        .check_each(&units, task, findings);
    }
}

fn report_walk(
    line: &OpenLine<'_>,
    leaf: &Leaf<'_>,
    (units, walk): (RootPreimage, &Walk),
    unit_of: &impl Fn(B256) -> Option<UnitLeaf>,
    findings: &mut Findings,
) {
    if let Some(span) = walk.false_nodes.first() {
        let chain = walk.chain(*span, true);
        let fraud = line
            .prove(leaf)
            .map(|leaf| Fraud::UnitNodeSum { leaf, units, chain });
        findings.frauds.extend(fraud);
    }
    let false_unit = walk.false_leaves.first().and_then(|index| {
        let unit = unit_of(walk.leaves.get(index)?.hash)?;
        let chain = walk.chain(
            Span {
                level: 0,
                index: *index,
            },
            false,
        );
        Some(Fraud::UnitSum {
            leaf: line.prove(leaf)?,
            units,
            unit,
            chain,
        })
    });
    findings.frauds.extend(false_unit);
    let (line_index, leaf_index) = (line.index, leaf.index);
    findings
        .demands
        .extend(walk.hidden.iter().map(|span| match span.level {
            0 => Demand::Unit {
                line_index,
                leaf_index,
                position: span.index,
            },
            level => Demand::UnitNodes {
                line_index,
                leaf_index,
                level,
                position: span.index,
            },
        }));
}

/// An interval whose units are known, at least in part.
struct Units<'a> {
    line: &'a OpenLine<'a>,
    leaf: &'a Leaf<'a>,
    root: RootPreimage,
    tree: &'a Opened,
}

impl Units<'_> {
    fn check_each(&self, units: &[(u64, UnitLeaf)], task: Option<Task>, findings: &mut Findings) {
        let interval = &self.leaf.interval;
        let misplaced = units
            .iter()
            .filter(|(position, unit)| is_unit_misplaced(interval, unit, *position))
            .find_map(|(position, unit)| self.prove(*position, unit));
        findings
            .frauds
            .extend(misplaced.map(|(leaf, unit)| Fraud::UnitMisplaced { leaf, unit }));

        let Some(task) = task else { return };
        let above = units
            .iter()
            .filter(|(_, unit)| is_unit_above_max_cost(&task, unit))
            .find_map(|(position, unit)| self.prove(*position, unit));
        let above = above.map(|(leaf, unit)| Fraud::UnitAboveMaxCost { leaf, task, unit });
        findings.frauds.extend(above);
    }

    fn prove(&self, index: u64, unit: &UnitLeaf) -> Option<(LeafEvidence, UnitEvidence)> {
        let node: Node = unit.leaf();
        let siblings = self.tree.siblings(index, node)?;
        let position = u32::try_from(index).ok()?;
        let unit = UnitEvidence {
            unit: *unit,
            position,
            top: self.root,
            siblings,
        };
        Some((self.line.prove(self.leaf)?, unit))
    }
}
