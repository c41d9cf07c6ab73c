//! What the manager offers, one method for each thing that can be asked of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::Eip712Domain,
};
use inferix_gpu::Executor;
use inferix_prover::{
    id::{ClaimId, JobId, TaskId},
    typed_data::{Receipt, domain},
    unit::UnitLeaf,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tracing::{debug, info};

use super::{
    access::{BlobUse, BlobUses, may_read_job},
    admission::{self, JobTerms},
    clock::Clock,
    cover::{TaskBound, price_of},
    error::ManagerError,
    ledger::{Ledger, Views, acts_as, lendable_wei},
    orders::{OrderBook, Pair},
    programs,
    results::{self, ReportRefusal},
    status,
};
use crate::{
    api::types::{
        ClaimNotice, JobState, JobStatus, ManagerInfo, OutputPiece, ReleaseRequest, ResultReport,
        SignedJob, SignedReceipt,
    },
    blobs::{BlobError, Blobs},
    chain::NodeView,
    config::ManagerConfig,
    queue::{Delivery, JobEntry, JobView, LeaseEntry, TaskQueue, UnitRanges},
    roles,
    store::{Store, Tree},
    wallet::Wallet,
};

/// Shortest lease, in seconds: below it a worker hardly fetches the input.
pub(super) const MIN_LEASE_S: u64 = 5;

/// A worker that has not asked for so long, in seconds, does not count as live.
const LIVE_S: u64 = 300;

/// Output pieces in one answer.
const PIECES_MAX: usize = 1000;

/// Blobs that are checked at once: each is held in memory whole.
const CHECKS_MAX: usize = 2;

/// A speed to bound a first task by when the job asks for none: one IB.
const FIRST_TASK_IB_MICRO: u64 = 1_000_000;

/// What a desk is made of.
#[derive(Debug)]
pub struct DeskParts {
    /// The manager's node account.
    pub account: Address,
    /// The operator's key.
    pub wallet: Wallet,
    /// The operator's settings.
    pub config: ManagerConfig,
    /// The chain that work settles on.
    pub chain_id: u64,
    /// The contract that messages are signed for.
    pub work_claims: Address,
    /// The node's store.
    pub store: Store,
    /// The jobs.
    pub queue: Arc<dyn TaskQueue>,
    /// The blobs.
    pub blobs: Blobs,
    /// The chain.
    pub ledger: Arc<dyn Ledger>,
    /// How long answers of the chain are kept.
    pub keep_views: Duration,
    /// What validates inputs.
    pub executor: Arc<dyn Executor>,
    /// The time.
    pub clock: Clock,
}

/// The manager.
#[derive(Debug)]
pub struct Desk {
    pub(super) account: Address,
    pub(super) config: ManagerConfig,
    pub(super) queue: Arc<dyn TaskQueue>,
    pub(super) blobs: Blobs,
    pub(super) views: Views,
    pub(super) clock: Clock,
    pub(super) wallet: Wallet,
    pub(super) claims: Tree,
    chain_id: u64,
    work_claims: Address,
    domain: Eip712Domain,
    executor: Arc<dyn Executor>,
    checks: Semaphore,
    orders: Mutex<OrderBook>,
    uses: Mutex<BlobUses>,
    seen: Mutex<BTreeMap<(Address, u32), SeenDevice>>,
    waits: Mutex<BTreeMap<JobId, String>>,
}

/// A claim whose blob is kept here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct KeptClaim {
    pub(super) worker: Address,
    pub(super) blob: B256,
    pub(super) published_at: u64,
}

/// A device that asked for a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenDevice {
    pub(super) ib_micro: u64,
    pub(super) price_wei: U256,
    pub(super) seen_at: u64,
}

impl Desk {
    /// Opens the manager as the last write left it.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Order`], [`ManagerError::Queue`], [`ManagerError::Store`].
    pub fn open(parts: DeskParts) -> Result<Arc<Self>, ManagerError> {
        let domain = domain(parts.chain_id, parts.work_claims);
        let mut orders = OrderBook::open(&parts.store, parts.account, domain.clone())?;
        let claims = parts.store.tree("claims")?;
        let mut uses = BlobUses::default();
        for job in parts.queue.jobs() {
            uses.insert_job(&job);
            undo_leases_without_order(parts.queue.as_ref(), &orders, &job)?;
            for lease in &job.leases {
                note_delivered(&mut orders, &job, lease.task.task_id());
            }
        }
        for (key, claim) in claims.scan::<KeptClaim>(b"")? {
            uses.insert(
                claim.blob,
                BlobUse::Claim(ClaimId::new(B256::from_slice(&key))),
            );
        }
        Ok(Arc::new(Self {
            views: Views::new(parts.ledger, parts.keep_views),
            account: parts.account,
            config: parts.config,
            queue: parts.queue,
            blobs: parts.blobs,
            clock: parts.clock,
            wallet: parts.wallet,
            chain_id: parts.chain_id,
            work_claims: parts.work_claims,
            executor: parts.executor,
            checks: Semaphore::new(CHECKS_MAX),
            orders: Mutex::new(orders),
            uses: Mutex::new(uses),
            seen: Mutex::default(),
            waits: Mutex::default(),
            domain,
            claims,
        }))
    }

    /// The manager's node account.
    pub fn account(&self) -> Address {
        self.account
    }

    /// The domain that messages are signed in.
    pub fn domain(&self) -> &Eip712Domain {
        &self.domain
    }

    /// The chain that work settles on.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The time.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Largest blob that is taken, in bytes.
    pub fn max_blob_bytes(&self) -> u64 {
        self.config.max_blob_bytes
    }

    /// The blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Reads a node's record.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Chain`].
    pub async fn node(&self, account: Address) -> Result<NodeView, ManagerError> {
        Ok(self.views.node(account).await?)
    }

    /// Tells what the manager is and can do at present.
    pub fn info(&self) -> ManagerInfo {
        let now = self.now();
        let live = self.live_devices(now);
        let prices = || live.values().map(|device| device.price_wei);
        let is_open =
            |job: &Arc<JobView>| matches!(job.state(now), JobState::Queued | JobState::Running);
        ManagerInfo {
            manager: self.account,
            chain_id: self.chain_id,
            work_claims: self.work_claims,
            program_ids: programs::program_ids(),
            reference_rate: self.config.reference_rate,
            live_ib_micro: live
                .values()
                .map(|device| device.ib_micro)
                .fold(0, u64::saturating_add),
            price_range_wei: prices().min().zip(prices().max()),
            open_job_count: self.queue.jobs().iter().filter(|job| is_open(job)).count() as u64,
        }
    }

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
        statuses.sort_by_key(|status| (std::cmp::Reverse(status.accepted_at), status.job_id));
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

    /// Returns a job as its builder signed it.
    ///
    /// # Errors
    ///
    /// [`ManagerError::JobUnknown`] also for those who may not see it; [`ManagerError::Chain`].
    pub async fn signed_job(
        &self,
        caller: Address,
        job_id: JobId,
    ) -> Result<SignedJob, ManagerError> {
        Ok(self
            .readable_job(caller, job_id)
            .await?
            .entry
            .signed
            .clone())
    }

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

        let permit = self
            .checks
            .acquire()
            .await
            .map_err(|_| ManagerError::Stopping)?;
        let blob = self
            .blobs
            .get(report.output_blob)
            .await
            .map_err(|err| match err {
                BlobError::Missing { hash } => ManagerError::OutputMissing { blob: hash },
                other => other.into(),
            })?;
        let receipt = self
            .blocking(move |desk| {
                results::check_outputs(&units, &blob, shape.log2_output)?;
                desk.keep_delivery(worker, &report, &units)
            })
            .await?;
        drop(permit);
        Ok(receipt)
    }

    /// Keeps a claim's blob for those who check the claim.
    ///
    /// # Errors
    ///
    /// [`ManagerError::NotRegistered`], [`ManagerError::ClaimMissing`], and failures of the chain, the blobs
    /// and the store.
    pub async fn publish_claim(
        self: &Arc<Self>,
        worker: Address,
        notice: ClaimNotice,
    ) -> Result<(), ManagerError> {
        self.require_role(worker, roles::WORKER, "worker").await?;
        if !self.blobs.has(notice.blob).await? {
            return Err(ManagerError::ClaimMissing { blob: notice.blob });
        }
        let claim = KeptClaim {
            worker,
            blob: notice.blob,
            published_at: self.now(),
        };
        let claim_id = ClaimId::new(notice.claim_id);
        self.blocking(move |desk| Ok(desk.claims.put(claim_id.bytes(), &claim)?))
            .await?;
        self.uses().insert(notice.blob, BlobUse::Claim(claim_id));
        debug!(%claim_id, %worker, "claim published");
        Ok(())
    }

    /// Checks that an account may send blobs: workers, and builders who have allocated money here.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Stranger`], [`ManagerError::Chain`].
    pub async fn check_may_send(&self, account: Address) -> Result<(), ManagerError> {
        if acts_as(&self.views.node(account).await?, roles::WORKER) {
            return Ok(());
        }
        let allocation = self.views.allocation(account, self.account).await?;
        if allocation.free_wei.is_zero() {
            return Err(ManagerError::Stranger { account });
        }
        Ok(())
    }

    /// Checks that an account may list a builder's jobs: its own, or as a verifier.
    ///
    /// # Errors
    ///
    /// [`ManagerError::NotBuilder`], [`ManagerError::Chain`].
    pub async fn check_may_list(
        &self,
        caller: Address,
        builder: Address,
    ) -> Result<(), ManagerError> {
        if caller == builder || acts_as(&self.views.node(caller).await?, roles::VERIFIER) {
            return Ok(());
        }
        Err(ManagerError::NotBuilder { builder })
    }

    /// Checks that an account may read a blob.
    ///
    /// # Errors
    ///
    /// [`ManagerError::BlobUnknown`] also for those who may not see it; [`ManagerError::Chain`].
    pub async fn check_may_read(&self, caller: Address, blob: B256) -> Result<(), ManagerError> {
        let node = self.views.node(caller).await?;
        let is_readable = |named_by: &BlobUse| match *named_by {
            // A claim's hash stands on chain: whoever knows it may check it.
            BlobUse::Claim(_) => true,
            BlobUse::Input(job_id) | BlobUse::Output(job_id) => {
                let job = self.queue.job(job_id);
                job.is_some_and(|job| may_read_job(&job, caller, &node, *named_by))
            }
        };
        let uses = self.uses().of(blob);
        if caller == self.account || uses.iter().any(is_readable) {
            return Ok(());
        }
        Err(ManagerError::BlobUnknown { blob })
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
        let permit = self
            .checks
            .acquire()
            .await
            .map_err(|_| ManagerError::Stopping)?;
        let input = self
            .blobs
            .get(signed.input_blob)
            .await
            .map_err(|err| match err {
                BlobError::Missing { hash } => ManagerError::InputMissing { blob: hash },
                other => other.into(),
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
        let computed = programs::input_root(input).map_err(admission::JobRefusal::from)?;
        admission::check_root("input", computed, input_root)?;
        programs::check_input(self.executor.as_ref(), program_id, input, params)
            .map_err(admission::JobRefusal::from)?;
        Ok(())
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
        let signature = Bytes::copy_from_slice(&self.wallet.sign_message(&receipt, &self.domain)?);
        Ok(SignedReceipt { receipt, signature })
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

    pub(super) async fn require_role(
        &self,
        account: Address,
        role: u8,
        name: &'static str,
    ) -> Result<NodeView, ManagerError> {
        let node = self.views.node(account).await?;
        if !acts_as(&node, role) {
            return Err(ManagerError::NotRegistered {
                account,
                role: name,
            });
        }
        Ok(node)
    }

    fn own_lease(&self, worker: Address, task_id: TaskId) -> Result<LeaseEntry, ManagerError> {
        let lease = self
            .queue
            .lease_of(task_id)
            .filter(|lease| lease.worker == worker);
        lease.ok_or(ManagerError::TaskUnknown { task_id })
    }

    fn status_of(&self, job: &JobView) -> JobStatus {
        let waiting_for = self.waits().get(&job.entry.job_id()).cloned();
        let builder = job.entry.signed.job.builder;
        let orders = self.orders();
        status::of(job, self.now(), waiting_for, |worker| {
            orders.last_price_wei(Pair { worker, builder })
        })
    }

    /// Runs what may block, on a thread that may.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, ManagerError> + Send + 'static,
    ) -> Result<T, ManagerError> {
        let desk = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&desk))
            .await
            .map_err(|_| ManagerError::Stopping)?
    }

    pub(super) fn orders(&self) -> MutexGuard<'_, OrderBook> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn uses(&self) -> MutexGuard<'_, BlobUses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waits(&self) -> MutexGuard<'_, BTreeMap<JobId, String>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_seen(&self, worker: Address, device_index: u32, device: SeenDevice) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((worker, device_index), device);
        seen.retain(|_, held| held.seen_at.saturating_add(LIVE_S) > device.seen_at);
    }

    pub(super) fn live_devices(&self, now: u64) -> BTreeMap<(Address, u32), SeenDevice> {
        let mut live = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        live.retain(|_, device| device.seen_at.saturating_add(LIVE_S) > now);
        live
    }
}

/// A lease whose order was never kept never left the node: its units are free again.
fn undo_leases_without_order(
    queue: &dyn TaskQueue,
    orders: &OrderBook,
    job: &JobView,
) -> Result<(), ManagerError> {
    for lease in &job.leases {
        let task_id = lease.task.task_id();
        if orders.place(task_id).is_none() {
            info!(%task_id, "lease without an order undone");
            queue.undo_lease(task_id)?;
        }
    }
    Ok(())
}

/// Once a task's own deliveries hold all its units, it can't cost more than they did.
fn note_delivered(orders: &mut OrderBook, job: &JobView, task_id: TaskId) {
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

fn overlaps(a: &std::ops::Range<u64>, b: &std::ops::Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}
