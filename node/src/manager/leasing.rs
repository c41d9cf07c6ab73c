//! How a worker comes by a task.
//!
//! The chain is read first, then everything is decided and written in one go under the order book's lock:
//! the lease in the queue, then the order that covers it, then the answer. Whatever was written when the
//! power fails, no unit is promised twice: a lease without an order is undone at the next start.

use std::{collections::BTreeMap, sync::Arc};

use alloy::primitives::{Address, U256};
use inferix_prover::{
    id::{JobId, TaskId},
    task::Task,
};
use tracing::{info, warn};

use super::{
    applicant::{Applicant, Reason, own_leases, suits},
    cover::{Cover, TaskBound, Uncovered, covered_unit_count, price_of},
    desk::{Desk, MIN_LEASE_S},
    error::ManagerError,
    ledger::{LeaseParameters, lendable_wei},
    orders::{AppendTerms, LockTerms, OrderBook, Pair, SignedOrder},
};
use crate::{
    api::types::{JobState, Lease, LeaseReply, LeaseRequest},
    chain::{AllocationView, CursorView},
    queue::{
        JobView, LeaseEntry,
        plan::{Candidate, TaskAim, job_order, task_unit_count},
    },
};

/// Tasks that one device may hold at once: what it works on, and what it fetches meanwhile.
const HELD_MAX: usize = 4;

/// When to ask again when there is nothing to do, in milliseconds.
const IDLE_RETRY_MS: u64 = 2000;

/// What the chain says about a device and a builder.
#[derive(Clone, Copy, Debug)]
struct PairView {
    pair: Pair,
    cursor: CursorView,
    allocation: AllocationView,
    parameters: LeaseParameters,
}

impl Desk {
    /// Leases units to a worker, if some job has them for it.
    ///
    /// # Errors
    ///
    /// [`ManagerError::NotRegistered`], [`ManagerError::DeviceUnknown`], and failures of the chain, the
    /// queue and the order book.
    pub async fn lease(
        self: &Arc<Self>,
        worker: Address,
        request: LeaseRequest,
    ) -> Result<LeaseReply, ManagerError> {
        let applicant = self.applicant(worker, request.device_index).await?;
        let now = self.now();
        let jobs = self.open_jobs(now);
        let own = own_leases(&jobs, &applicant, now);
        if let Some(lease) = self.lost_answer(&own, &request) {
            return Ok(LeaseReply::granted(self.trimmed(lease, &request.known)));
        }
        if own.len() >= HELD_MAX {
            return Ok(LeaseReply::idle(
                "the device holds enough tasks: deliver or hand back one".to_owned(),
            ));
        }

        let parameters = self.views.parameters().await?;
        let mut reason = "no job has free units".to_owned();
        for candidate in job_order(self.candidates(&jobs, now.saturating_sub(parameters.drift_s))) {
            match self.offer(&applicant, parameters, candidate).await? {
                Ok(lease) => {
                    return Ok(LeaseReply::granted(self.trimmed(lease, &request.known)));
                }
                Err(why) => {
                    self.waits().insert(candidate.job_id, why.clone());
                    reason = why;
                }
            }
        }
        Ok(LeaseReply::idle(reason))
    }

    fn open_jobs(&self, now: u64) -> Vec<Arc<JobView>> {
        let mut jobs = self.queue.jobs();
        jobs.retain(|job| matches!(job.state(now), JobState::Queued | JobState::Running));
        jobs
    }

    /// Finds a live lease of the device that it does not know of.
    fn lost_answer(&self, own: &[LeaseEntry], request: &LeaseRequest) -> Option<Lease> {
        let is_lost = |lease: &&LeaseEntry| !request.held.contains(&lease.task.task_id().bytes());
        let task_id = own.iter().find(is_lost)?.task.task_id();
        let orders = self.orders();
        let (pair, task_index) = orders.place(task_id)?;
        let signed = orders.signed(pair)?;
        drop(orders);
        self.lease_of(signed, task_index)
    }

    fn lease_of(&self, signed: SignedOrder, task_index: u32) -> Option<Lease> {
        let task = signed.tasks.get(usize::try_from(task_index).ok()?)?;
        let job = self.queue.job(task.job_id)?.entry.signed.clone();
        Some(Lease {
            task_index,
            tasks_from: 0,
            tasks: signed.tasks,
            order: signed.order,
            order_signature: signed.signature,
            job,
        })
    }

    fn candidates(&self, jobs: &[Arc<JobView>], free_at: u64) -> Vec<Candidate> {
        let live = self.live_devices(self.now());
        let mut busy: BTreeMap<Address, BTreeMap<(Address, u32), u64>> = BTreeMap::new();
        for job in jobs {
            let devices = busy.entry(job.entry.signed.job.builder).or_default();
            for lease in job
                .leases
                .iter()
                .filter(|lease| lease.is_live(free_at) && !lease.is_released)
            {
                let device = (lease.worker, lease.device_index);
                devices.insert(device, live.get(&device).map_or(0, |seen| seen.ib_micro));
            }
        }
        let has_free = |job: &&Arc<JobView>| !job.free(free_at).is_empty();
        let candidate = |job: &Arc<JobView>| {
            let signed = &job.entry.signed.job;
            let ib_micro = busy
                .get(&signed.builder)
                .into_iter()
                .flat_map(BTreeMap::values);
            Candidate {
                job_id: job.entry.job_id(),
                builder: signed.builder,
                builder_ib_micro: ib_micro.fold(0, |sum, ib| sum.saturating_add(*ib)),
                deadline_at: signed.deadlineAt,
                accepted_at: job.entry.accepted_at,
            }
        };
        jobs.iter().filter(has_free).map(candidate).collect()
    }

    /// Leases units of one job, or says why not.
    async fn offer(
        self: &Arc<Self>,
        applicant: &Applicant,
        parameters: LeaseParameters,
        candidate: Candidate,
    ) -> Result<Result<Lease, Reason>, ManagerError> {
        let job_id = candidate.job_id;
        let Some(job) = self.queue.job(job_id) else {
            return Ok(Err("the job is gone".to_owned()));
        };
        if let Err(reason) = suits(&job, applicant) {
            return Ok(Err(reason));
        }
        let pair = Pair {
            device_id: applicant.device_id(),
            builder: candidate.builder,
        };
        let manager = self.account();
        let cover = self.views.cover(pair.device_id, manager, pair.builder);
        let (cursor, allocation, node) = cover.await?;
        let view = PairView {
            pair,
            cursor,
            allocation,
            parameters,
        };
        let applicant = Applicant {
            node,
            ..applicant.clone()
        };
        self.blocking(move |desk| desk.grant(job_id, &applicant, &view))
            .await
    }

    /// Decides and writes a lease. Nothing is awaited here.
    fn grant(
        &self,
        job_id: JobId,
        applicant: &Applicant,
        view: &PairView,
    ) -> Result<Result<Lease, Reason>, ManagerError> {
        let mut orders = self.orders();
        orders.set_cursor(view.pair, view.cursor);
        let now = self.now();
        let free_at = now.saturating_sub(view.parameters.drift_s);
        let Some(job) = self.queue.job(job_id) else {
            return Ok(Err("the job is gone".to_owned()));
        };
        let Some(run) = job.free(free_at).first_run() else {
            return Ok(Err("no units are free".to_owned()));
        };
        let Some(lease_ends_at) = self.lease_ends_at(&job, now, view.parameters.max_lease_s) else {
            return Ok(Err("the deadline is too near for another lease".to_owned()));
        };

        let price_wei = orders.price_wei(view.pair, applicant.node.price_wei);
        let bound = TaskBound {
            max_cost: job.entry.signed.job.maxCost,
            reference_rate: job.entry.signed.job.referenceRate,
            ib_micro: applicant.ib_micro,
            // Its worker may have seen an earlier block.
            lease_s: (lease_ends_at - now).saturating_add(view.parameters.drift_s),
        };
        let aim = self
            .task_aim(&job, applicant, free_at)
            .min(u32::try_from(run.end - run.start).unwrap_or(u32::MAX));
        let cover = cover(&orders, applicant, view, (price_wei, now));
        let task_wei = |unit_count| price_of(bound.cap_ibm_micro(unit_count), price_wei);
        let unit_count = match covered_unit_count(aim, &cover, task_wei) {
            Ok(unit_count) => unit_count,
            Err(uncovered) => return Ok(Err(uncovered.in_words(view.pair))),
        };

        let task = Task {
            job_id,
            first_unit: run.start,
            unit_count,
            max_cost: bound.max_cost,
            reference_rate: bound.reference_rate,
            lease_ends_at,
        };
        let entry = LeaseEntry {
            task,
            worker: applicant.worker,
            device_index: applicant.device_index,
            leased_at: now,
            is_released: false,
        };
        let terms = AppendTerms {
            cap_ibm_micro: bound.cap_ibm_micro(unit_count),
            price_wei,
        };
        self.write_lease(&mut orders, entry, (view.pair, terms, free_at))
            .map(Ok)
    }

    /// The lease is written before the order: without an order it is undone, without a lease an order would
    /// promise units that somebody else gets.
    fn write_lease(
        &self,
        orders: &mut OrderBook,
        entry: LeaseEntry,
        (pair, terms, free_at): (Pair, AppendTerms, u64),
    ) -> Result<Lease, ManagerError> {
        let task = entry.task;
        let task_id = task.task_id();
        self.queue.lease(entry, free_at)?;
        let signed = match orders.append(pair, task, terms, &self.wallet) {
            Ok(signed) => signed,
            Err(err) => {
                self.undo(task_id);
                return Err(err.into());
            }
        };
        self.waits().remove(&task.job_id);
        metrics::counter!("inferix_tasks_leased_total").increment(1);
        info!(job_id = %task.job_id, %task_id, worker = %pair.worker(), unit_count = task.unit_count, "task leased");
        let task_index = signed.order.taskCount.saturating_sub(1);
        self.lease_of(signed, task_index)
            .ok_or(ManagerError::JobUnknown {
                job_id: task.job_id,
            })
    }

    fn undo(&self, task_id: TaskId) {
        if let Err(err) = self.queue.undo_lease(task_id) {
            warn!(%task_id, %err, "lease without an order stays until it ends");
        }
    }

    /// The end of a lease that begins: the operator's length, within the deadline and what the chain takes.
    fn lease_ends_at(&self, job: &JobView, now: u64, max_lease_s: u64) -> Option<u64> {
        let length_s = self.config.lease.as_secs().min(max_lease_s);
        let ends_at = now
            .saturating_add(length_s)
            .min(job.entry.signed.job.deadlineAt);
        (ends_at >= now.saturating_add(MIN_LEASE_S)).then_some(ends_at)
    }

    fn task_aim(&self, job: &JobView, applicant: &Applicant, free_at: u64) -> u32 {
        task_unit_count(&TaskAim {
            ib_micro: applicant.ib_micro,
            task_length: self.config.task_length,
            reference_rate: job.entry.signed.job.referenceRate,
            done_count: job.delivered.count(),
            done_cost: job.cost,
            free_count: job.free(free_at).count(),
            worker_count: self.live_devices(self.now()).len() as u64,
        })
    }
}

impl LeaseReply {
    fn granted(lease: Lease) -> Self {
        Self {
            lease: Some(Box::new(lease)),
            reason: None,
            retry_after_ms: 0,
        }
    }

    fn idle(reason: Reason) -> Self {
        Self {
            lease: None,
            reason: Some(reason),
            retry_after_ms: IDLE_RETRY_MS,
        }
    }
}

impl Uncovered {
    fn in_words(self, pair: Pair) -> Reason {
        match self {
            Self::Allocation => format!(
                "the allocation of builder {} is used up: allocate more",
                pair.builder
            ),
            Self::Stake => format!(
                "the free stake of worker {} covers no further task",
                pair.worker()
            ),
        }
    }
}

fn cover(
    orders: &OrderBook,
    applicant: &Applicant,
    view: &PairView,
    (price_wei, now): (U256, u64),
) -> Cover {
    let PairView {
        pair,
        parameters,
        allocation,
        ..
    } = *view;
    let claimable_from = now.saturating_sub(parameters.lease_grace_s);
    let order_exposure_wei = orders.revived_exposure_wei(pair, price_wei);
    let others_wei =
        orders.builder_exposure_wei(pair.builder, Some(pair.device_id), claimable_from);
    let locks = LockTerms {
        claimable_from,
        penalty_multiplier: parameters.penalty_multiplier,
        min_lock_wei: parameters.min_lock_wei,
    };
    Cover {
        allocation_wei: lendable_wei(&allocation),
        builder_exposure_wei: others_wei.saturating_add(order_exposure_wei),
        stake_wei: applicant.node.free_wei(),
        other_locks_wei: orders.other_locks_wei(pair, &locks),
        order_exposure_wei,
        penalty_multiplier: parameters.penalty_multiplier,
        min_lock_wei: parameters.min_lock_wei,
    }
}
