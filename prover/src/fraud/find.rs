//! Reads a claim as a verifier does.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use alloy_sol_types::Eip712Domain;

use super::{
    Demand, Fraud, Known, ManagerFraud, ObservedOrder, Void,
    leaf::{Leaf, OpenLine},
    manager,
};
use crate::{
    blob::ClaimBlob,
    claim::{ClaimHeader, Line},
};

/// A claim as it was posted, and what is known of what stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct ClaimView<'a> {
    /// The header, as its event has it.
    pub header: &'a ClaimHeader,
    /// The lines, as its event has them.
    pub lines: &'a [Line],
    /// The blob. `None` where it was not found, or can't be read.
    pub blob: Option<&'a ClaimBlob>,
    /// What calldata and answers to demands have shown.
    pub known: &'a Known,
}

/// What the chain says beside the claim.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Domain of jobs and orders.
    pub domain: &'a Eip712Domain,
    /// How far clocks may be apart, in seconds: the parameter of the claim's version.
    pub drift_seconds: u64,
    /// When each checkpoint was recorded, in Unix seconds, by its index.
    pub checkpoints: &'a BTreeMap<u32, u64>,
    /// Programs that are registered and not suspended. `None` skips the check.
    pub live_programs: Option<&'a BTreeSet<B256>>,
    /// Orders that were seen elsewhere, their signers already checked.
    pub other_orders: &'a [ObservedOrder],
}

/// What can be proven against a claim, and what has to be demanded first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Lies of the worker: any one of them rejects the claim.
    pub frauds: Vec<Fraud>,
    /// Leaves that are not to be paid.
    pub voids: Vec<Void>,
    /// Lies of a manager. The worker stays paid.
    pub manager_frauds: Vec<ManagerFraud>,
    /// What is hidden, without repetitions and in order.
    pub demands: Vec<Demand>,
}

impl Findings {
    /// Whether there is nothing to do about the claim.
    pub fn is_empty(&self) -> bool {
        self.frauds.is_empty()
            && self.voids.is_empty()
            && self.manager_frauds.is_empty()
            && self.demands.is_empty()
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.frauds.append(&mut other.frauds);
        self.voids.append(&mut other.voids);
        self.manager_frauds.append(&mut other.manager_frauds);
        self.demands.append(&mut other.demands);
    }
}

/// Names every predicate that a claim violates, with evidence.
///
/// The outputs of units are not looked at: whether they are right, only running them tells. A leaf or an
/// interval yields one finding of each kind at most. With [`Findings::demands`] served and added to
/// [`ClaimView::known`], a second call finds what was hidden.
///
/// # Cost
///
/// Linear in the size of the claim and of what is known, save for sorting. Intervals are checked in rayon's
/// pool; the order of what is found does not depend on it.
pub fn find(claim: ClaimView<'_>, facts: Facts<'_>) -> Findings {
    let mut findings = Findings::default();
    let lines: Vec<_> = (0..claim.lines.len())
        .map(|i| OpenLine::open(claim, i, &mut findings))
        .collect();
    for line in &lines {
        findings.append(line.check_leaves(claim, facts));
        findings.append(manager::check(line, claim, facts));
    }
    find_repeated(&lines, &mut findings);
    find_overlaps(&lines, &mut findings);
    findings.demands.sort_unstable();
    findings.demands.dedup();
    findings
}

/// Finds intervals that share a unit: each one that begins before those of its task before it have ended.
fn find_repeated(lines: &[OpenLine<'_>], findings: &mut Findings) {
    let mut leaves: Vec<_> = all_leaves(lines)
        .filter(|(_, leaf)| leaf.interval.unit_count != 0)
        .collect();
    leaves.sort_by_key(|(line, leaf)| {
        (
            leaf.interval.task_id,
            leaf.interval.first_unit,
            line.index,
            leaf.index,
        )
    });
    let mut furthest: Option<(&OpenLine<'_>, &Leaf<'_>)> = None;
    for (line, leaf) in leaves {
        let Some((other_line, other)) = furthest else {
            furthest = Some((line, leaf));
            continue;
        };
        let is_same_task = other.interval.task_id == leaf.interval.task_id;
        if is_same_task && u128::from(leaf.interval.first_unit) < other.units_end() {
            let (first, second) = if (other_line.index, other.index) < (line.index, leaf.index) {
                ((other_line, other), (line, leaf))
            } else {
                ((line, leaf), (other_line, other))
            };
            if let (Some(leaf), Some(other)) = (second.0.prove(second.1), first.0.prove(first.1)) {
                findings.frauds.push(Fraud::UnitsRepeated { leaf, other });
            }
        }
        if !is_same_task || leaf.units_end() > other.units_end() {
            furthest = Some((line, leaf));
        }
    }
}

/// Finds leaves that begin before an earlier one has ended.
fn find_overlaps(lines: &[OpenLine<'_>], findings: &mut Findings) {
    let mut leaves: Vec<_> = all_leaves(lines).collect();
    leaves.sort_by_key(|(line, leaf)| (leaf.interval.start_ms, line.index, leaf.index));
    let mut furthest: Option<(&OpenLine<'_>, &Leaf<'_>)> = None;
    for (line, leaf) in leaves {
        let Some((other_line, other)) = furthest else {
            furthest = Some((line, leaf));
            continue;
        };
        let (a, b) = (&leaf.interval, &other.interval);
        if a.start_ms < b.end_ms && b.start_ms < a.end_ms {
            let evidence = line.prove(leaf).zip(other_line.prove(other));
            findings
                .voids
                .extend(evidence.map(|(leaf, other)| Void::Overlap { leaf, other }));
        }
        if a.end_ms > b.end_ms {
            furthest = Some((line, leaf));
        }
    }
}

fn all_leaves<'a, 'b>(
    lines: &'b [OpenLine<'a>],
) -> impl Iterator<Item = (&'b OpenLine<'a>, &'b Leaf<'a>)> {
    lines
        .iter()
        .flat_map(|line| line.leaves.iter().map(move |leaf| (line, leaf)))
}
