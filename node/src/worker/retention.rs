//! What a worker must keep, and what nobody can ask it for any more: pure decisions.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use alloy::primitives::B256;
use inferix_prover::id::TaskId;

use super::{LeaseRecord, LeaseState, book::StoredOutputs};
use crate::{
    queue::UnitRanges,
    settlement::{
        ClaimRecord,
        plan::{OrderKey, order_key},
    },
};

/// What a worker keeps, and what may still be asked of it.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    /// All leases.
    pub leases: &'a [LeaseRecord],
    /// The claims of all devices.
    pub claims: &'a [ClaimRecord],
    /// Tasks of intervals that no confirmed claim holds.
    pub journaled: &'a BTreeSet<TaskId>,
    /// Tasks with reports that no manager has taken.
    pub unsent: &'a BTreeSet<B256>,
    /// Until when a claim of each list may land, Unix time in seconds.
    pub lands_until: &'a BTreeMap<OrderKey, u64>,
    /// The chain's time, in seconds.
    pub now: u64,
}

/// The tasks of which lease, outputs and receipts can go.
///
/// A task stays for as long as its lease lives (its manager would send it again), its work is unclaimed or
/// unreported, a claim that consumes it can be asked about, or a claim that would consume it can still land:
/// that one has to show its job, also where no unit of it was done.
pub fn forgettable(shelf: &Shelf<'_>) -> Vec<TaskId> {
    shelf
        .leases
        .iter()
        .filter(|record| !is_needed(record, shelf))
        .map(|record| record.task.task_id())
        .collect()
}

/// The blobs of outputs that are not wholly under receipts.
///
/// Of those that are, the manager must show what is asked for: the worker loses nothing with them but half of the
/// fee of a demand. All else that can be asked of an interval stands in the claim's blob.
pub fn uncovered(
    outputs: &[(B256, StoredOutputs)],
    covered: &[(B256, Range<u64>)],
) -> BTreeSet<B256> {
    let mut units: BTreeMap<B256, UnitRanges> = BTreeMap::new();
    for (task_id, range) in covered {
        units.entry(*task_id).or_default().insert(range.clone());
    }
    let is_covered = |(task_id, stored): &&(B256, StoredOutputs)| {
        let end = stored.first_unit.saturating_add(stored.unit_count);
        let covered = units.get(task_id);
        covered.is_some_and(|covered| covered.contains(&(stored.first_unit..end)))
    };
    let uncovered = outputs.iter().filter(|output| !is_covered(output));
    uncovered.map(|(_, stored)| stored.blob).collect()
}

fn is_needed(record: &LeaseRecord, shelf: &Shelf<'_>) -> bool {
    let task_id = record.task.task_id();
    if record.state == LeaseState::Active || record.task.lease_ends_at >= shelf.now {
        return true;
    }
    if shelf.journaled.contains(&task_id) || shelf.unsent.contains(&task_id.bytes()) {
        return true;
    }
    let key = order_key(&record.lease.order);
    let mut is_consumed = false;
    for claim in shelf.claims {
        let Some(consumed) = claim.consumed(key) else {
            continue;
        };
        if consumed.contains(&record.task_index) && claim.is_askable(shelf.now) {
            return true;
        }
        is_consumed |= claim.has_landed() && record.task_index < consumed.end;
    }
    let lands_until = shelf.lands_until.get(&key).copied().unwrap_or(u64::MAX);
    !is_consumed && shelf.now < lands_until
}

#[cfg(test)]
mod tests;
