//! What to claim, and when: pure decisions.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use alloy::primitives::{Address, B256, FixedBytes, U256, aliases::U96};
use inferix_prover::{
    blob::{BlobInterval, BlobLine, ClaimBlob, SignedJob},
    id::{DeviceId, JobId},
    interval::amount_wei,
    sum_tree::SumTreeError,
    typed_data::WorkOrder,
};

use crate::{
    api::types::Lease,
    chain::calls::{ClaimDraft, LineDraft},
    meter::ClosedInterval,
};

/// A claim's gas and its finalization's, for comparing with its value (`contracts/snapshots`).
const CLAIM_GAS: u64 = 80_000 + 60_000;
/// Lines that the contract takes in one claim.
const MAX_LINES: usize = 8;

/// The manager and the builder of an order.
pub type OrderKey = (Address, Address);

/// Names the list that an order and those before it hold.
pub fn order_key(order: &WorkOrder) -> OrderKey {
    (order.manager, order.builder)
}

/// What there is to claim from.
#[derive(Clone, Copy, Debug)]
pub struct Holdings<'a> {
    /// Intervals that no confirmed claim holds, in the order of time.
    pub closed: &'a [ClosedInterval],
    /// Tasks of which units may still be executed, with their positions in their orders' lists.
    pub active_tasks: &'a [(OrderKey, u32)],
    /// The latest order of each manager for each builder, as its lease came.
    pub orders: &'a BTreeMap<OrderKey, Lease>,
    /// Where the chain's cursor of each order stands.
    pub cursors: &'a BTreeMap<OrderKey, u32>,
    /// Jobs of the tasks that were leased, executed or not.
    pub jobs: &'a BTreeMap<JobId, crate::api::types::SignedJob>,
}

/// Which claim is made.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The device.
    pub device_id: DeviceId,
    /// The claim's number.
    pub seq: u32,
    /// Where the device's last claim ended, in Unix milliseconds.
    pub after_ms: u64,
}

/// A claim ready to be published and posted.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What is posted.
    pub draft: ClaimDraft,
    /// What is published.
    pub blob: ClaimBlob,
    /// The last interval that is in it.
    pub through_seq: u32,
    /// What it comes to, in wei.
    pub value_wei: U256,
    /// Where each line's cursor stands.
    pub cursors_from: Vec<u32>,
}

/// Gathers a claim from all intervals that can be claimed, or `None` where there are none.
///
/// A line takes the tasks of one order from the cursor on, up to the first that is still worked on. A
/// claim takes intervals in the order of time without gaps, so that what stays behind can follow in the
/// next: its span begins where this one's ends.
///
/// # Errors
///
/// None that measured intervals can cause.
pub fn gather(holdings: &Holdings<'_>, slot: Slot) -> Result<Option<Prepared>, SumTreeError> {
    let ready = ready_prefix(holdings);
    if ready.is_empty() {
        return Ok(None);
    }
    let mut by_order: BTreeMap<OrderKey, Vec<&ClosedInterval>> = BTreeMap::new();
    for closed in ready {
        by_order
            .entry((closed.manager, closed.builder))
            .or_default()
            .push(closed);
    }

    let mut lines = Vec::new();
    let mut blob_lines = Vec::new();
    let mut value_wei = U256::ZERO;
    let mut cursors_from = Vec::new();
    for (key, intervals) in &by_order {
        let Some(lease) = holdings.orders.get(key) else {
            continue;
        };
        let last_task = intervals
            .iter()
            .map(|closed| closed.interval.task_index)
            .max();
        let cursor_to = last_task.unwrap_or_default().saturating_add(1);
        let cursor_from = holdings.cursors.get(key).copied().unwrap_or_default();
        let line = blob_line(lease, intervals, cursor_from..cursor_to, holdings.jobs);
        let tree = line.interval_tree()?;
        let top = tree.top()?;
        let sum_ibm_micro = U96::from(top.sum);
        value_wei +=
            U256::from(amount_wei(sum_ibm_micro, lease.order.priceWei).unwrap_or_default());
        lines.push(LineDraft {
            order: lease.order.clone(),
            signature: FixedBytes::new(line.order_signature),
            cursor_to,
            top_hash: top.hash,
            leaf_count: tree.leaf_count(),
            sum_ibm_micro,
        });
        blob_lines.push(line);
        cursors_from.push(cursor_from);
    }

    let first = ready
        .iter()
        .map(|closed| closed.interval.start_ms)
        .min()
        .unwrap_or_default();
    let blob = ClaimBlob {
        device_id: slot.device_id,
        seq: slot.seq,
        start_ms: first.max(slot.after_ms),
        end_ms: ready
            .iter()
            .map(|closed| closed.interval.end_ms)
            .max()
            .unwrap_or_default(),
        lines: blob_lines,
    };
    let draft = ClaimDraft {
        device_id: slot.device_id,
        seq: slot.seq,
        start_ms: blob.start_ms,
        end_ms: blob.end_ms,
        blob_hash: blob.hash(),
        lines,
    };
    let through_seq = ready
        .last()
        .map(|closed| closed.interval.seq)
        .unwrap_or_default();
    Ok(Some(Prepared {
        draft,
        blob,
        through_seq,
        value_wei,
        cursors_from,
    }))
}

/// The jobs that a claim's lines consume tasks of and do not show, each with its line's manager.
pub fn missing_jobs(prepared: &Prepared) -> BTreeSet<(Address, JobId)> {
    let place = |index| usize::try_from(index).unwrap_or(usize::MAX);
    let lines = prepared.blob.lines.iter();
    let lines = lines.zip(&prepared.draft.lines).zip(&prepared.cursors_from);
    let missing = lines.flat_map(|((line, draft), from)| {
        let listed = line.tasks.iter().take(place(draft.cursor_to));
        let hidden = listed
            .skip(place(*from))
            .filter(|task| line.job(task.job_id).is_none());
        hidden.map(|task| (line.order.manager, task.job_id))
    });
    missing.collect()
}

/// The intervals from the oldest on that can be claimed now.
fn ready_prefix<'a>(holdings: &Holdings<'a>) -> &'a [ClosedInterval] {
    let mut keys = BTreeSet::new();
    let is_ready = |closed: &ClosedInterval, keys: &mut BTreeSet<OrderKey>| {
        let key = (closed.manager, closed.builder);
        keys.insert(key);
        let is_done = holdings
            .active_tasks
            .iter()
            .all(|(order, index)| *order != key || *index > closed.interval.task_index);
        let is_open = holdings
            .cursors
            .get(&key)
            .is_some_and(|cursor| closed.interval.task_index >= *cursor);
        is_done && is_open && holdings.orders.contains_key(&key) && keys.len() <= MAX_LINES
    };
    let count = holdings
        .closed
        .iter()
        .take_while(|closed| is_ready(closed, &mut keys))
        .count();
    &holdings.closed[..count]
}

/// The last of the oldest intervals that can never be claimed, because the cursor has passed their task. They
/// would hold up all that follow.
pub fn passed(holdings: &Holdings<'_>) -> Option<u32> {
    let is_passed = |closed: &&ClosedInterval| {
        let cursor = holdings.cursors.get(&(closed.manager, closed.builder));
        cursor.is_some_and(|cursor| closed.interval.task_index < *cursor)
    };
    let passed = holdings.closed.iter().take_while(is_passed);
    passed.last().map(|closed| closed.interval.seq)
}

/// The intervals that can never be claimed, because no claim of their order can land any more. Those of other
/// orders are not held up by them.
pub fn expired(
    holdings: &Holdings<'_>,
    now: u64,
    grace_s: u64,
) -> BTreeMap<OrderKey, BTreeSet<u32>> {
    let is_over = |key: &OrderKey| {
        let lease = holdings.orders.get(key);
        lease.is_some_and(|lease| now >= lease.order.leaseEndsAt.saturating_add(grace_s))
    };
    let mut expired: BTreeMap<OrderKey, BTreeSet<u32>> = BTreeMap::new();
    for closed in holdings.closed {
        let key = (closed.manager, closed.builder);
        if is_over(&key) {
            expired.entry(key).or_default().insert(closed.interval.seq);
        }
    }
    expired
}

/// What stands behind a line. It shows the job of every task that the line consumes, also of those of which
/// no unit was done: verifiers demand what is missing.
fn blob_line(
    lease: &Lease,
    intervals: &[&ClosedInterval],
    consumed: Range<u32>,
    jobs: &BTreeMap<JobId, crate::api::types::SignedJob>,
) -> BlobLine {
    let place = |index| usize::try_from(index).unwrap_or(usize::MAX);
    let consumed = lease
        .tasks
        .iter()
        .take(place(consumed.end))
        .skip(place(consumed.start));
    let listed: BTreeSet<JobId> = consumed.map(|task| task.job_id).collect();
    let jobs = listed
        .iter()
        .filter_map(|job_id| jobs.get(job_id))
        .map(|signed| SignedJob {
            job: signed.job.clone(),
            signature: compact(&signed.signature),
        })
        .collect();
    let intervals = intervals
        .iter()
        .map(|closed| BlobInterval {
            interval: closed.interval,
            units: closed.units.clone(),
        })
        .collect();
    BlobLine {
        order: lease.order.clone(),
        order_signature: compact(&lease.order_signature),
        tasks: lease.tasks.clone(),
        jobs,
        intervals,
        ..BlobLine::default()
    }
}

/// Signatures were checked when the lease was accepted.
fn compact(bytes: &[u8]) -> [u8; 64] {
    bytes.try_into().unwrap_or([0; 64])
}

/// What the decision to post depends on.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The chain's time, in seconds.
    pub now: u64,
    /// When the device's last claim was posted; 0 for none.
    pub last_posted_at: u64,
    /// Claims of a device are at least this far apart, in seconds.
    pub spacing_s: u64,
    /// When the oldest interval ended, in seconds.
    pub oldest_at: u64,
    /// When the first of the orders' leases ends, in seconds.
    pub lease_ends_at: u64,
    /// How long after that a claim may land, in seconds.
    pub grace_s: u64,
    /// How long claims gather, in seconds.
    pub claim_every_s: u64,
    /// Whether all is to be claimed now: the worker is drained.
    pub is_draining: bool,
    /// What gas costs, in wei of the chain's coin.
    pub gas_price_wei: u128,
    /// What the claim comes to, in wei of IFX.
    pub value_wei: U256,
    /// What one IFX is worth, in wei of the chain's coin.
    pub ifx_price_wei: u64,
    /// The largest share of its value that a claim's gas may cost, in 1/10000.
    pub max_gas_bps: u64,
}

/// Whether to post a claim now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Post it.
    Post,
    /// It is too soon after the last.
    Spacing,
    /// It may gather more.
    Gathering,
    /// Gas costs too much for its value, and there is time.
    GasTooDear,
    /// It can't land any more.
    TooLate,
}

/// Decides whether to post a claim now.
pub fn decide(timing: &Timing) -> Decision {
    let last_call = timing.lease_ends_at.saturating_add(timing.grace_s);
    if timing.now >= last_call {
        return Decision::TooLate;
    }
    if timing.last_posted_at != 0 && timing.now < timing.last_posted_at + timing.spacing_s {
        return Decision::Spacing;
    }
    // The last third of the grace is kept for stuck transactions and outages.
    if timing.now >= last_call.saturating_sub(timing.grace_s / 3) {
        return Decision::Post;
    }
    let is_due = timing.now >= timing.oldest_at.saturating_add(timing.claim_every_s);
    if !is_due && !timing.is_draining {
        return Decision::Gathering;
    }
    let gas_wei = U256::from(timing.gas_price_wei) * U256::from(CLAIM_GAS);
    let value = timing.value_wei * U256::from(timing.ifx_price_wei) / U256::from(10_u64.pow(18));
    if gas_wei * U256::from(10_000) > value * U256::from(timing.max_gas_bps) {
        return Decision::GasTooDear;
    }
    Decision::Post
}

/// The first lease end among the orders that a claim consumes.
pub fn first_lease_end(draft: &ClaimDraft) -> u64 {
    draft
        .lines
        .iter()
        .map(|line| line.order.leaseEndsAt)
        .min()
        .unwrap_or(0)
}

/// Names a claim's transactions.
pub fn intent(step: &str, device_id: B256, seq: u32) -> String {
    format!("{step}/{device_id}/{seq:010}")
}

#[cfg(test)]
mod tests;
