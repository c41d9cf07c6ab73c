//! What workers bring: outputs that are held to their reports, kept, and receipted.

use std::{ops::Range, sync::Arc};

use alloy::primitives::{Address, Bytes};
use inferix_prover::{id::TaskId, typed_data::Receipt, unit::UnitLeaf};
use tracing::{debug, info};

use super::{
    access::BlobUse,
    desk::Desk,
    error::ManagerError,
    orders::OrderBook,
    programs,
    receipts::Receipted,
    results::{self, ReportRefusal},
};
use crate::{
    api::types::{JobState, OutputPiece, ReleaseRequest, ResultReport, SignedReceipt},
    queue::{Delivery, JobView, LeaseEntry, UnitRanges},
};

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

    /// Takes results of a task's units. A receipt is given unless another task delivered some of them before.
    ///
    /// # Errors
    ///
    /// [`ManagerError::TaskUnknown`], [`ManagerError::ReportRefused`], [`ManagerError::OutputMissing`], and
    /// failures of the blobs and the queue.
    pub async fn deliver(
        self: &Arc<Self>,
        worker: Address,
        report: ResultReport,
    ) -> Result<Option<SignedReceipt>, ManagerError> {
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
        let receipt = self
            .blocking(move |desk| {
                results::check_outputs(&units, &blob, program)?;
                desk.keep_delivery(worker, &report, &units)
            })
            .await?;
        drop(permit);
        Ok(receipt)
    }

    /// Writes a checked delivery down and signs its receipt.
    fn keep_delivery(
        &self,
        worker: Address,
        report: &ResultReport,
        units: &[UnitLeaf],
    ) -> Result<Option<SignedReceipt>, ManagerError> {
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
        let is_foreign = job
            .deliveries
            .iter()
            .any(|held| held.task_id != task_id && overlaps(&held.units(), &delivery.units()));
        if new_count > 0 || !is_foreign {
            self.uses()
                .insert(report.output_blob, BlobUse::Output(job_id));
            self.queue.deliver(delivery)?;
        }
        if let Some(job) = self.queue.job(job_id) {
            note_delivered(&mut orders, &job, task_id);
            note_end(&job, now);
        }
        drop(orders);
        metrics::counter!("inferix_units_delivered_total").increment(new_count);
        debug!(%job_id, %task_id, %worker, unit_count = units.len(), new_count, "units delivered");
        if is_foreign {
            return Ok(None);
        }
        self.receipt(worker, report, units).map(Some)
    }

    fn receipt(
        &self,
        worker: Address,
        report: &ResultReport,
        units: &[UnitLeaf],
    ) -> Result<SignedReceipt, ManagerError> {
        let task_id = TaskId::new(report.task_id);
        let lease = self.own_lease(worker, task_id)?;
        let receipt = Receipt {
            manager: self.account,
            worker,
            jobId: lease.task.job_id.bytes(),
            taskId: report.task_id,
            firstUnit: report.first_unit,
            unitCount: u32::try_from(units.len()).unwrap_or(u32::MAX),
            unitsRoot: results::units_root(units)?,
        };
        let receipted = Receipted {
            units: units.to_vec(),
            blob: report.output_blob,
        };
        self.receipts.keep(&receipt, &receipted)?;
        let signature = Bytes::copy_from_slice(&self.wallet.sign_message(&receipt, &self.domain)?);
        Ok(SignedReceipt { receipt, signature })
    }
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
    let own = || {
        job.deliveries
            .iter()
            .filter(|delivery| delivery.task_id == task_id)
    };
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
