//! What workers bring: outputs that are held to their reports and kept.

use std::{ops::Range, sync::Arc};

use alloy::primitives::Address;
use inferix_prover::{id::TaskId, unit::UnitLeaf};
use tracing::{debug, info};

use super::{
    access::BlobUse,
    desk::Desk,
    error::ManagerError,
    orders::OrderBook,
    programs,
    receipts::{Piece, check_same},
    results::{self, ReportRefusal},
};
use crate::{
    api::types::{JobState, OutputPiece, ReleaseRequest, ResultReport},
    queue::{Delivery, JobView, LeaseEntry, UnitRanges},
};

/// How many times over a task's outputs are kept at most. A worker that crashed between a batch and its journal
/// delivers some of the batch's units again among others; nothing else makes batches overlap.
const COPIES_MAX: u64 = 4;

impl Desk {
    /// Takes a task back from its worker.
    ///
    /// # Errors
    ///
    /// [`ManagerError::TaskUnknown`], [`ManagerError::Queue`].
    pub async fn release(
        self: &Arc<Self>,
        worker: Address,
        request: ReleaseRequest,
    ) -> Result<(), ManagerError> {
        let task_id = TaskId::new(request.task_id);
        self.own_lease(worker, task_id)?;
        self.blocking(move |desk| Ok(desk.queue.release(task_id)?))
            .await?;
        metrics::counter!("inferix_tasks_released_total").increment(1);
        info!(%task_id, %worker, reason = request.reason, "task handed back");
        Ok(())
    }

    /// Takes results of a task's units. What nothing is new of is not kept again.
    ///
    /// # Errors
    ///
    /// [`ManagerError::TaskUnknown`], [`ManagerError::ReportRefused`], [`ManagerError::OutputMissing`], and
    /// failures of the blobs and the queue.
    pub async fn deliver(
        self: &Arc<Self>,
        worker: Address,
        report: ResultReport,
    ) -> Result<(), ManagerError> {
        let task_id = TaskId::new(report.task_id);
        let lease = self.own_lease(worker, task_id)?;
        let units = results::leaves(&report, &lease.task)?;
        let job_id = lease.task.job_id;
        let job = self
            .queue
            .job(job_id)
            .ok_or(ManagerError::JobUnknown { job_id })?;
        let signed = &job.entry.signed;
        let shape =
            programs::shape(signed.job.programId, &signed.params).map_err(ReportRefusal::from)?;
        let program = (signed.job.programId, shape.log2_output);

        let permit = self.check_turn().await?;
        self.touch_blob(report.output_blob);
        let blob = self.blobs.get(report.output_blob).await.map_err(|err| {
            ManagerError::of_blob(err, |blob| ManagerError::OutputMissing { blob })
        })?;
        self.blocking(move |desk| {
            results::check_outputs(&units, &blob, program)?;
            desk.keep_delivery(worker, &report, units)
        })
        .await?;
        drop(permit);
        Ok(())
    }

    /// Writes a checked delivery down.
    fn keep_delivery(
        &self,
        worker: Address,
        report: &ResultReport,
        units: Vec<UnitLeaf>,
    ) -> Result<(), ManagerError> {
        // One delivery at a time: what is new about it must not change below.
        let mut orders = self.orders();
        let task_id = TaskId::new(report.task_id);
        let lease = self.own_lease(worker, task_id)?;
        let job_id = lease.task.job_id;
        let job = self
            .queue
            .job(job_id)
            .ok_or(ManagerError::JobUnknown { job_id })?;
        let now = self.now();
        check_in_time(&job, &lease, report, now)?;

        let is_new = |unit: &&UnitLeaf| {
            !job.delivered
                .intersects(&(unit.unit_index..unit.unit_index + 1))
        };
        let new_cost = units
            .iter()
            .filter(is_new)
            .map(|unit| unit.cost)
            .fold(0, u64::saturating_add);
        let new_count = units.iter().filter(is_new).count() as u64;
        let delivery = Delivery {
            job_id,
            task_id,
            worker,
            piece: OutputPiece {
                first_unit: report.first_unit,
                unit_count: u32::try_from(units.len()).unwrap_or(u32::MAX),
                blob: report.output_blob,
            },
            cost: new_cost,
            delivered_at: now,
        };
        self.check_again(&job, &delivery, &units)?;
        if new_count > 0 {
            check_copies(&job, &lease, units.len())?;
            self.uses()
                .insert(report.output_blob, BlobUse::Output(job_id));
            let units_root = results::units_root(&units)?;
            let piece = Piece {
                blob: report.output_blob,
                units,
            };
            // The piece first: what counts as delivered has its receipt.
            self.receipts
                .keep((job_id, task_id), (&piece, units_root))?;
            self.queue.deliver(delivery)?;
        }
        if let Some(job) = self.queue.job(job_id) {
            note_delivered(&mut orders, &job, task_id);
            note_end(&job, now);
        }
        drop(orders);
        metrics::counter!("inferix_units_delivered_total").increment(new_count);
        let unit_count = report.units.len();
        debug!(%job_id, %task_id, %worker, unit_count, new_count, "units delivered");
        Ok(())
    }

    /// Checks that a delivery repeats what its task delivered before.
    fn check_again(
        &self,
        job: &JobView,
        delivery: &Delivery,
        units: &[UnitLeaf],
    ) -> Result<(), ManagerError> {
        let mut own = deliveries_of(job, delivery.task_id);
        if own.any(|held| overlaps(&held.units(), &delivery.units())) {
            let pieces = self.receipts.pieces(delivery.job_id, delivery.task_id)?;
            check_same(&pieces, units)?;
        }
        Ok(())
    }
}

fn deliveries_of(job: &JobView, task_id: TaskId) -> impl Iterator<Item = &Delivery> {
    let all = job.deliveries.iter();
    all.filter(move |delivery| delivery.task_id == task_id)
}

/// Batches that overlap are kept whole, so there is a bound to them.
fn check_copies(job: &JobView, lease: &LeaseEntry, new_len: usize) -> Result<(), ReportRefusal> {
    let held = deliveries_of(job, lease.task.task_id());
    let kept_count = held
        .map(|delivery| u64::from(delivery.piece.unit_count))
        .fold(0, u64::saturating_add);
    let max_count = COPIES_MAX.saturating_mul(lease.task.unit_count.into());
    let new_count = u64::try_from(new_len).unwrap_or(u64::MAX);
    if kept_count.saturating_add(new_count) > max_count {
        return Err(ReportRefusal::TooOften {
            kept_count,
            max_count,
        });
    }
    Ok(())
}

/// Once a task's own deliveries hold all its units, it can't cost more than they did.
pub(super) fn note_delivered(orders: &mut OrderBook, job: &JobView, task_id: TaskId) {
    let Some(lease) = job
        .leases
        .iter()
        .find(|lease| lease.task.task_id() == task_id)
    else {
        return;
    };
    let own = || deliveries_of(job, task_id);
    let mut held = UnitRanges::default();
    own().for_each(|delivery| held.insert(delivery.units()));
    let others = job
        .deliveries
        .iter()
        .filter(|delivery| delivery.task_id != task_id);
    let is_shared = others
        .into_iter()
        .any(|other| overlaps(&other.units(), &lease.units()));
    if held.contains(&lease.units()) && !is_shared {
        orders.set_delivered(
            task_id,
            own()
                .map(|delivery| delivery.cost)
                .fold(0, u64::saturating_add),
        );
    }
}

fn note_end(job: &JobView, now: u64) {
    if job.state(now) == JobState::Done {
        metrics::counter!("inferix_jobs_done_total").increment(1);
        info!(job_id = %job.entry.job_id(), cost = job.cost, "job done");
    }
}

/// Late results are welcome while nobody else has the units.
fn check_in_time(
    job: &JobView,
    lease: &LeaseEntry,
    report: &ResultReport,
    now: u64,
) -> Result<(), ReportRefusal> {
    let end = report.first_unit.saturating_add(report.units.len() as u64);
    let units = report.first_unit..end;
    let is_taken = job.leases.iter().any(|other| {
        other.task != lease.task && other.is_live(now) && overlaps(&other.units(), &units)
    });
    if !lease.is_live(now) && is_taken {
        return Err(ReportRefusal::LeaseEnded {
            lease_ends_at: lease.task.lease_ends_at,
        });
    }
    Ok(())
}

fn overlaps(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}
