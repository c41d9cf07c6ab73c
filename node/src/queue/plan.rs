//! Which job is next, and how large a task is: pure decisions.

use std::time::Duration;

use alloy::primitives::Address;
use inferix_prover::id::JobId;

/// Units of a job's first tasks, before anything is known of its cost.
const PROBE_UNIT_COUNT: u64 = 4;

/// How many times what was measured a task may hold: one cheap corner of a frame says little.
const TRUST_FACTOR: u64 = 8;

/// A job that has free units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The job.
    pub job_id: JobId,
    /// Who pays.
    pub builder: Address,
    /// Speed that works for the builder at present, in micro-IB, over all its jobs.
    pub builder_ib_micro: u64,
    /// When its result is worthless, Unix time in seconds.
    pub deadline_at: u64,
    /// When it was accepted, Unix time in seconds.
    pub accepted_at: u64,
}

/// What a task's size follows from.
#[derive(Clone, Copy, Debug)]
pub struct TaskAim {
    /// The device's speed in micro-IB.
    pub ib_micro: u64,
    /// How much work a task aims at, at that speed.
    pub task_length: Duration,
    /// The job's rate, in micro-IBM per 10^12 work units.
    pub reference_rate: u64,
    /// Units of the job that are delivered.
    pub done_count: u64,
    /// Their cost in work units.
    pub done_cost: u64,
    /// Units that may be leased.
    pub free_count: u64,
    /// Workers that asked for tasks lately, at least one.
    pub worker_count: u64,
}

/// Puts jobs in the order in which they are offered: the builder for whom the least speed works at present
/// comes first, so that many jobs of one don't starve the one job of another; then the earliest deadline.
pub fn job_order(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|job| {
        (
            job.builder_ib_micro,
            job.builder,
            job.deadline_at,
            job.accepted_at,
            job.job_id,
        )
    });
    candidates
}

/// Returns how many units a task aims at, at least one.
pub fn task_unit_count(aim: &TaskAim) -> u32 {
    let by_work = match aim.done_count {
        0 => PROBE_UNIT_COUNT,
        done_count => units_by_work(aim).min(done_count.saturating_mul(TRUST_FACTOR)),
    };
    // Near the end tasks shrink, so that no worker is left with a long rest while others wait.
    let by_rest = aim
        .free_count
        .div_ceil(aim.worker_count.max(1).saturating_mul(2));
    let count = by_work.min(by_rest).clamp(1, u64::from(u32::MAX));
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Units that the device executes in the task's length, at the cost measured so far.
fn units_by_work(aim: &TaskAim) -> u64 {
    let ibm_micro = u128::from(aim.ib_micro) * aim.task_length.as_millis() / 60_000;
    let work = ibm_micro.saturating_mul(1_000_000_000_000) / u128::from(aim.reference_rate.max(1));
    let cost_per_unit = u128::from((aim.done_cost / aim.done_count.max(1)).max(1));
    u64::try_from(work / cost_per_unit).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;

    const AIM: TaskAim = TaskAim {
        ib_micro: 500_000,
        task_length: Duration::from_secs(120),
        reference_rate: 1_000_000,
        done_count: 1000,
        // 10^9 a unit: 1000 micro-IBM each, of which the device makes 1,000,000 in two minutes.
        done_cost: 1_000_000_000_000,
        free_count: 1_000_000,
        worker_count: 3,
    };

    fn candidate(job: u8, builder: u8, builder_ib_micro: u64, deadline_at: u64) -> Candidate {
        Candidate {
            job_id: JobId::new(B256::repeat_byte(job)),
            builder: Address::repeat_byte(builder),
            builder_ib_micro,
            deadline_at,
            accepted_at: 0,
        }
    }

    #[test]
    fn the_builder_with_least_service_is_first_and_then_the_earliest_deadline() {
        let order = job_order(vec![
            candidate(1, 1, 900, 5),
            candidate(2, 2, 100, 50),
            candidate(3, 2, 100, 40),
            candidate(4, 1, 900, 4),
        ]);
        let jobs: Vec<u8> = order.iter().map(|job| job.job_id.bytes()[0]).collect();
        assert_eq!(jobs, [3, 2, 4, 1]);
    }

    #[test]
    fn a_task_fills_its_length_at_the_measured_cost() {
        assert_eq!(task_unit_count(&AIM), 1000);
        assert_eq!(
            task_unit_count(&TaskAim {
                ib_micro: 50_000,
                ..AIM
            }),
            100
        );
    }

    #[test]
    fn the_first_task_is_a_probe_and_trust_grows_with_what_is_measured() {
        assert_eq!(
            task_unit_count(&TaskAim {
                done_count: 0,
                done_cost: 0,
                ..AIM
            }),
            4
        );
        let probed = TaskAim {
            done_count: 4,
            done_cost: 4_000_000_000,
            ..AIM
        };
        assert_eq!(task_unit_count(&probed), 32);
    }

    #[test]
    fn the_rest_of_a_job_is_shared_among_the_workers() {
        assert_eq!(
            task_unit_count(&TaskAim {
                free_count: 60,
                ..AIM
            }),
            10
        );
        assert_eq!(
            task_unit_count(&TaskAim {
                free_count: 1,
                ..AIM
            }),
            1
        );
    }
}
