//! The manager's desk: what it holds, and what its parts share.
//!
//! What can be asked of it stands by subject: [`jobs`](super::jobs), [`leasing`](super::leasing),
//! [`deliveries`](super::deliveries), [`access`](super::access).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alloy::{
    primitives::{Address, B256, U256},
    sol_types::Eip712Domain,
};
use inferix_gpu::Executor;
use inferix_prover::{
    id::{ClaimId, JobId, TaskId},
    typed_data::domain,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::info;

use super::{
    access::{BlobUse, BlobUses},
    clock::Clock,
    deliveries::note_delivered,
    error::ManagerError,
    ledger::{Ledger, Views, acts_as},
    loose::LooseBlob,
    orders::OrderBook,
    programs,
    receipts::ReceiptBook,
};
use crate::{
    api::types::{JobState, ManagerInfo},
    blobs::Blobs,
    chain::NodeView,
    config::ManagerConfig,
    queue::{JobView, LeaseEntry, TaskQueue},
    store::{Store, Tree},
    wallet::Wallet,
};

/// Shortest lease, in seconds: below it a worker hardly fetches the input.
pub(super) const MIN_LEASE_S: u64 = 5;

/// A worker that has not asked for so long, in seconds, does not count as live.
const LIVE_S: u64 = 300;

/// Blobs that are checked at once: each is held in memory whole.
const CHECKS_MAX: usize = 2;

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
    /// The chain's time.
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
    pub(super) loose: Tree,
    pub(super) receipts: ReceiptBook,
    chain_id: u64,
    work_claims: Address,
    pub(super) domain: Eip712Domain,
    pub(super) executor: Arc<dyn Executor>,
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
        let receipts = ReceiptBook::open(&parts.store)?;
        let mut uses = BlobUses::default();
        for job in parts.queue.jobs() {
            uses.insert_job(&job);
            let job_id = job.entry.job_id();
            for blob in receipts.blobs(job_id)? {
                uses.insert(blob, BlobUse::Output(job_id));
            }
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
        let loose = parts.store.tree("loose blobs")?;
        for (key, blob) in loose.scan::<LooseBlob>(b"")? {
            uses.insert_loose(B256::from_slice(&key), blob);
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
            loose,
            receipts,
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

    /// The chain's time.
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

    /// Waits until a blob may be held in memory to be checked.
    pub(super) async fn check_turn(&self) -> Result<SemaphorePermit<'_>, ManagerError> {
        self.checks
            .acquire()
            .await
            .map_err(|_| ManagerError::Stopping)
    }

    pub(super) fn own_lease(
        &self,
        worker: Address,
        task_id: TaskId,
    ) -> Result<LeaseEntry, ManagerError> {
        let lease = self
            .queue
            .lease_of(task_id)
            .filter(|lease| lease.worker == worker);
        lease.ok_or(ManagerError::TaskUnknown { task_id })
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
