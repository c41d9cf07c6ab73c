//! Jobs as their builders see them: handing in, looking, canceling.

use std::{cmp::Reverse, sync::Arc};

use alloy::primitives::{Address, B256};
use inferix_prover::id::JobId;
use tracing::info;

use super::{
    access::{BlobUse, may_read_job},
    admission::{self, JobRefusal, JobTerms},
    cover::{TaskBound, price_of},
    desk::{Desk, MIN_LEASE_S},
    error::ManagerError,
    ledger::lendable_wei,
    programs, status,
};
use crate::{
    api::types::{JobStatus, OutputPiece, SignedJob},
    queue::{JobEntry, JobView},
};

/// Output pieces in one answer.
const PIECES_MAX: usize = 1000;

/// A speed to bound a first task by when the job asks for none: one IB.
const FIRST_TASK_IB_MICRO: u64 = 1_000_000;

impl Desk {
    /// Takes a job. Sending it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`ManagerError::JobRefused`], [`ManagerError::NotBuilder`], [`ManagerError::InputMissing`],
    /// [`ManagerError::AllocationTooLow`], and failures of the chain, the blobs and the queue.
    pub async fn submit(
        self: &Arc<Self>,
        caller: Address,
        signed: SignedJob,
    ) -> Result<JobStatus, ManagerError> {
        let job_id = signed.job.job_id();
        if self.queue.job(job_id).is_some() {
            return self.status(caller, job_id).await;
        }
        if caller != signed.job.builder {
            return Err(ManagerError::NotBuilder {
                builder: signed.job.builder,
            });
        }
        let now = self.now();
        let terms = JobTerms {
            manager: self.account,
            domain: &self.domain,
            reference_rate: self.config.reference_rate,
            min_lease_s: MIN_LEASE_S,
        };
        admission::check(&signed, &terms, now)?;
        self.check_allocation(&signed).await?;
        self.check_input(&signed).await?;

        let entry = JobEntry {
            signed,
            accepted_at: now,
            canceled_at: None,
        };
        let input_blob = entry.signed.input_blob;
        self.blocking(move |desk| Ok(desk.queue.add(entry)?))
            .await?;
        self.uses().insert(input_blob, BlobUse::Input(job_id));
        metrics::counter!("inferix_jobs_accepted_total").increment(1);
        info!(%job_id, builder = %caller, "job accepted");
        self.status(caller, job_id).await
    }

    /// Cancels a job: what is leased is still finished and paid.
    ///
    /// # Errors
    ///
    /// [`ManagerError::JobUnknown`], [`ManagerError::NotBuilder`], [`ManagerError::Queue`].
    pub async fn cancel(
        self: &Arc<Self>,
        caller: Address,
        job_id: JobId,
    ) -> Result<JobStatus, ManagerError> {
        let job = self
            .queue
            .job(job_id)
            .ok_or(ManagerError::JobUnknown { job_id })?;
        let builder = job.entry.signed.job.builder;
        if caller != builder {
            return Err(ManagerError::NotBuilder { builder });
        }
        self.blocking(move |desk| Ok(desk.queue.cancel(job_id, desk.now())?))
            .await?;
        info!(%job_id, "job canceled");
        self.status(caller, job_id).await
    }

    /// Tells where a job stands.
    ///
    /// # Errors
    ///
    /// [`ManagerError::JobUnknown`] also for those who may not see it; [`ManagerError::Chain`].
    pub async fn status(&self, caller: Address, job_id: JobId) -> Result<JobStatus, ManagerError> {
        let job = self.readable_job(caller, job_id).await?;
        Ok(self.status_of(&job))
    }

    /// Tells where all jobs of a builder stand, the latest first.
    pub fn jobs_of(&self, builder: Address) -> Vec<JobStatus> {
        let jobs = self.queue.jobs();
        let own = jobs
            .iter()
            .filter(|job| job.entry.signed.job.builder == builder);
        let mut statuses: Vec<_> = own.map(|job| self.status_of(job)).collect();
        statuses.sort_by_key(|status| (Reverse(status.accepted_at), status.job_id));
        statuses
    }

    /// Returns pieces of a job's outputs that end behind a unit, in order.
    ///
    /// # Errors
    ///
    /// [`ManagerError::JobUnknown`] also for those who may not see it; [`ManagerError::Chain`].
    pub async fn outputs(
        &self,
        caller: Address,
        job_id: JobId,
        from: u64,
    ) -> Result<Vec<OutputPiece>, ManagerError> {
        let job = self.readable_job(caller, job_id).await?;
        let pieces = job
            .deliveries
            .iter()
            .filter(|delivery| delivery.units().end > from);
        Ok(pieces
            .map(|delivery| delivery.piece.clone())
            .take(PIECES_MAX)
            .collect())
    }

    /// Returns a job as its builder signed it. The workers that its tasks were listed for read it too: their claims
    /// show it.
    ///
    /// # Errors
    ///
    /// [`ManagerError::JobUnknown`] also for those who may not see it; [`ManagerError::Chain`].
    pub async fn signed_job(
        &self,
        caller: Address,
        job_id: JobId,
    ) -> Result<SignedJob, ManagerError> {
        let listed = self.queue.job(job_id).filter(|job| {
            let mut leases = job.leases.iter();
            leases.any(|lease| lease.worker == caller)
        });
        let job = match listed {
            Some(job) => job,
            None => self.readable_job(caller, job_id).await?,
        };
        Ok(job.entry.signed.clone())
    }

    async fn check_allocation(&self, signed: &SignedJob) -> Result<(), ManagerError> {
        let job = &signed.job;
        let parameters = self.views.parameters().await?;
        let allocation = self.views.allocation(job.builder, self.account).await?;
        let claimable_from = self.now().saturating_sub(parameters.lease_grace_s);
        let exposure_wei = self
            .orders()
            .builder_exposure_wei(job.builder, None, claimable_from);
        let bound = TaskBound {
            max_cost: job.maxCost,
            reference_rate: job.referenceRate,
            ib_micro: job.minIbMicro.max(FIRST_TASK_IB_MICRO),
            lease_s: self.config.lease.as_secs(),
        };
        let needed_wei = price_of(bound.cap_ibm_micro(1), job.priceCapWei.to());
        let free_wei = lendable_wei(&allocation).saturating_sub(exposure_wei);
        if free_wei < needed_wei {
            return Err(ManagerError::AllocationTooLow {
                free_wei,
                needed_wei,
            });
        }
        Ok(())
    }

    async fn check_input(self: &Arc<Self>, signed: &SignedJob) -> Result<(), ManagerError> {
        let permit = self.check_turn().await?;
        self.touch_blob(signed.input_blob);
        let input = self.blobs.get(signed.input_blob).await.map_err(|err| {
            ManagerError::of_blob(err, |blob| ManagerError::InputMissing { blob })
        })?;
        let (program_id, params, input_root) = (
            signed.job.programId,
            signed.params.clone(),
            signed.job.inputRoot,
        );
        self.blocking(move |desk| desk.check_regions(program_id, &input, (&params, input_root)))
            .await?;
        drop(permit);
        Ok(())
    }

    fn check_regions(
        &self,
        program_id: B256,
        input: &bytes::Bytes,
        (params, input_root): (&[u8], B256),
    ) -> Result<(), ManagerError> {
        let computed = programs::input_root(input).map_err(JobRefusal::from)?;
        admission::check_root("input", computed, input_root)?;
        programs::check_input(self.executor.as_ref(), program_id, input, params)
            .map_err(JobRefusal::from)?;
        Ok(())
    }

    async fn readable_job(
        &self,
        caller: Address,
        job_id: JobId,
    ) -> Result<Arc<JobView>, ManagerError> {
        let job = self
            .queue
            .job(job_id)
            .ok_or(ManagerError::JobUnknown { job_id })?;
        if caller == job.entry.signed.job.builder || caller == self.account {
            return Ok(job);
        }
        let node = self.views.node(caller).await?;
        if may_read_job(&job, caller, &node, BlobUse::Output(job_id)) {
            return Ok(job);
        }
        Err(ManagerError::JobUnknown { job_id })
    }

    fn status_of(&self, job: &JobView) -> JobStatus {
        let waiting_for = self.waits().get(&job.entry.job_id()).cloned();
        let builder = job.entry.signed.job.builder;
        let orders = self.orders();
        status::of(job, self.now(), waiting_for, |worker| {
            orders.last_price_wei(worker, builder)
        })
    }
}
