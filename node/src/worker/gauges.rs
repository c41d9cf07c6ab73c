//! What Prometheus is told of a worker. Counters begin anew with the process; gauges are read from the store.

use std::time::{Duration, SystemTime};

use alloy::primitives::U256;
use inferix_prover::unit::UnitLeaf;
use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::Context;
use crate::{
    settlement::{ClaimRecord, Stage},
    status::Status,
};

/// Says what each figure means.
pub fn describe() {
    describe_counter!("inferix_worker_units_total", "Units executed and journaled");
    describe_counter!("inferix_worker_cost_total", "Work units of these units");
    describe_counter!(
        "inferix_worker_active_ms_total",
        "Device time of these units"
    );
    describe_counter!("inferix_worker_intervals_total", "Intervals closed");
    describe_gauge!("inferix_worker_leases", "Leases of which units are left");
    describe_gauge!(
        "inferix_worker_unsent_reports",
        "Reports that no manager has taken"
    );
    describe_gauge!(
        "inferix_worker_claims",
        "Claims of the device, by their stage"
    );
    describe_gauge!(
        "inferix_worker_outbox_claims",
        "Claims drafted or posted, not at an end"
    );
    describe_gauge!(
        "inferix_worker_earned_wei",
        "What the device's final claims were paid"
    );
    describe_gauge!(
        "inferix_worker_journal_bytes",
        "Size of the device's journal"
    );
    describe_gauge!(
        "inferix_worker_chain_contact_timestamp_seconds",
        "When an endpoint of the chain answered last, Unix time"
    );
}

/// Counts a batch that the journal holds.
pub(super) fn count_batch(units: &[UnitLeaf], active: Duration) {
    let cost = units
        .iter()
        .fold(0_u64, |sum, unit| sum.saturating_add(unit.cost));
    counter!("inferix_worker_units_total").increment(u64::try_from(units.len()).unwrap_or(0));
    counter!("inferix_worker_cost_total").increment(cost);
    counter!("inferix_worker_active_ms_total")
        .increment(u64::try_from(active.as_millis()).unwrap_or(0));
}

/// Counts an interval that was closed.
pub(super) fn count_interval() {
    counter!("inferix_worker_intervals_total").increment(1);
}

/// Notes that the chain answered.
pub(crate) fn note_contact() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    gauge!("inferix_worker_chain_contact_timestamp_seconds")
        .set(now.unwrap_or_default().as_secs() as f64);
}

/// Tells where leases, reports and claims stand.
pub(crate) fn tell(ctx: &Context, status: &Status, claims: &[ClaimRecord]) {
    gauge!("inferix_worker_leases").set(status.active_leases as f64);
    gauge!("inferix_worker_unsent_reports").set(status.unsent_reports as f64);
    gauge!("inferix_worker_journal_bytes").set(ctx.ledger.size_bytes() as f64);
    for stage in ["drafted", "posted", "final", "rejected", "dropped"] {
        let count = claims
            .iter()
            .filter(|claim| word(&claim.stage) == stage)
            .count();
        gauge!("inferix_worker_claims", "stage" => stage).set(count as f64);
    }
    let is_open = |claim: &&ClaimRecord| matches!(word(&claim.stage), "drafted" | "posted");
    let open_count = claims.iter().filter(is_open).count();
    gauge!("inferix_worker_outbox_claims").set(open_count as f64);
    let earned_wei = claims
        .iter()
        .fold(U256::ZERO, |sum, claim| match &claim.stage {
            Stage::Final { paid_wei } => sum.saturating_add(*paid_wei),
            Stage::Drafted | Stage::Posted { .. } | Stage::Rejected | Stage::Dropped { .. } => sum,
        });
    gauge!("inferix_worker_earned_wei").set(f64::from(earned_wei));
}

fn word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Drafted => "drafted",
        Stage::Posted { .. } => "posted",
        Stage::Final { .. } => "final",
        Stage::Rejected => "rejected",
        Stage::Dropped { .. } => "dropped",
    }
}
