//! Where a job stands, in the words of the API.

use alloy::primitives::{Address, U256};

use super::cover::{cost_to_ibm_micro, price_of};
use crate::{
    api::types::{JobState, JobStatus},
    queue::JobView,
};

/// Composes a job's status.
pub fn of(
    job: &JobView,
    now: u64,
    waiting_for: Option<String>,
    price_wei: impl Fn(Address) -> U256,
) -> JobStatus {
    let signed = &job.entry.signed.job;
    let state = job.state(now);
    let done_count = job.delivered.count();
    let is_open = matches!(state, JobState::Queued | JobState::Running);
    let spent = job.deliveries.iter().map(|delivery| {
        price_of(
            cost_to_ibm_micro(u128::from(delivery.cost), signed.referenceRate),
            price_wei(delivery.worker),
        )
    });
    JobStatus {
        job_id: job.entry.job_id().bytes(),
        builder: signed.builder,
        state,
        waiting_for: waiting_for.filter(|_| is_open),
        unit_count: signed.unitCount,
        done_count,
        leased_count: job.leased(now).count(),
        worker_count: u32::try_from(job.workers(now).len()).unwrap_or(u32::MAX),
        cost: job.cost,
        spent_wei: spent.fold(U256::ZERO, U256::saturating_add),
        accepted_at: job.entry.accepted_at,
        eta_at: is_open.then(|| eta_at(job, now)).flatten(),
    }
}

/// Extends the pace since the first lease to the units that are left.
fn eta_at(job: &JobView, now: u64) -> Option<u64> {
    let started_at = job.leases.first()?.leased_at;
    let done_count = u128::from(job.delivered.count());
    let rest_count = u128::from(job.entry.signed.job.unitCount).saturating_sub(done_count);
    let elapsed_s = u128::from(now.saturating_sub(started_at).max(1));
    let rest_s = (elapsed_s * rest_count).checked_div(done_count)?;
    now.checked_add(u64::try_from(rest_s).ok()?)
}
