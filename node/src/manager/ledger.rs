//! What the manager asks of the chain, kept for as long as a poll of it lasts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alloy::primitives::{Address, U256};
use futures::{FutureExt, future::BoxFuture};
use inferix_prover::id::DeviceId;
use tokio::time::Instant;

use crate::chain::{AllocationView, ChainError, CursorView, NodeView, Reader};

/// Answers that are kept at most. Strangers name accounts, so there must be a bound.
const KEPT_MAX: usize = 4096;

/// The protocol's parameters that decide about leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseParameters {
    /// How far ahead a lease may end, in seconds.
    pub max_lease_s: u64,
    /// How long after the lease a claim may land, in seconds.
    pub lease_grace_s: u64,
    /// How long after its lease ended a task can be asked about at most, in seconds: its claim lands as late as it
    /// may, is asked about as late as it may be, and the demand is moved to the manager as late as it may be.
    pub askable_s: u64,
    /// How far apart honest clocks may be, in seconds.
    pub drift_s: u64,
    /// How many times a line's money its claim locks.
    pub penalty_multiplier: u64,
    /// What a line locks at least.
    pub min_lock_wei: U256,
}

/// Reads accounts from the chain.
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Reads a node's record.
    fn node(&self, account: Address) -> BoxFuture<'_, Result<NodeView, ChainError>>;

    /// Reads a device's speed. Zero: it is not registered.
    fn device_ib_micro(
        &self,
        account: Address,
        device_index: u32,
    ) -> BoxFuture<'_, Result<u64, ChainError>>;

    /// Reads what a builder allocated to a manager.
    fn allocation(
        &self,
        builder: Address,
        manager: Address,
    ) -> BoxFuture<'_, Result<AllocationView, ChainError>>;

    /// Reads how far a worker's list was claimed.
    fn cursor(
        &self,
        device_id: DeviceId,
        manager: Address,
        builder: Address,
    ) -> BoxFuture<'_, Result<CursorView, ChainError>>;

    /// Reads the parameters.
    fn parameters(&self) -> BoxFuture<'_, Result<LeaseParameters, ChainError>>;
}

impl Ledger for Reader {
    fn node(&self, account: Address) -> BoxFuture<'_, Result<NodeView, ChainError>> {
        Self::node(self, account).boxed()
    }

    fn device_ib_micro(
        &self,
        account: Address,
        device_index: u32,
    ) -> BoxFuture<'_, Result<u64, ChainError>> {
        let read = async move {
            match Self::device_ib_micro(self, account, device_index).await {
                Err(ChainError::Refused(_)) => Ok(0),
                answer => answer,
            }
        };
        read.boxed()
    }

    fn allocation(
        &self,
        builder: Address,
        manager: Address,
    ) -> BoxFuture<'_, Result<AllocationView, ChainError>> {
        Self::allocation(self, builder, manager).boxed()
    }

    fn cursor(
        &self,
        device_id: DeviceId,
        manager: Address,
        builder: Address,
    ) -> BoxFuture<'_, Result<CursorView, ChainError>> {
        Self::cursor(self, device_id, manager, builder).boxed()
    }

    fn parameters(&self) -> BoxFuture<'_, Result<LeaseParameters, ChainError>> {
        let read = async move {
            let (_, parameters) = Self::parameters(self).await?;
            Ok(LeaseParameters {
                max_lease_s: parameters.maxLease.into(),
                lease_grace_s: parameters.leaseGrace.into(),
                askable_s: askable_s(
                    u64::from(parameters.leaseGrace),
                    u64::from(parameters.window),
                    u64::from(parameters.demandWindow),
                ),
                drift_s: parameters.drift.into(),
                penalty_multiplier: parameters.penaltyMultiplier.into(),
                min_lock_wei: U256::from(parameters.minLockWei),
            })
        };
        read.boxed()
    }
}

fn askable_s(lease_grace_s: u64, window_s: u64, demand_window_s: u64) -> u64 {
    let claim_s = lease_grace_s.saturating_add(window_s.saturating_mul(2));
    claim_s.saturating_add(demand_window_s.saturating_mul(2))
}

/// Whether a node is registered for a role, as [`crate::roles`] names them, and stays.
pub fn acts_as(node: &NodeView, role: u8) -> bool {
    node.has_role(role) && node.exit_at == 0
}

/// Returns what an allocation can pay for from here on: what is to be withdrawn is spoken for.
pub fn lendable_wei(allocation: &AllocationView) -> U256 {
    allocation.free_wei.saturating_sub(allocation.pending_wei)
}

/// Answers that many requests need, kept for a moment, so that strangers can't make the node ask the chain
/// once for each of their requests.
#[derive(Debug)]
pub struct Views {
    ledger: Arc<dyn Ledger>,
    keep: Duration,
    nodes: Kept<Address, NodeView>,
    devices: Kept<(Address, u32), u64>,
    allocations: Kept<(Address, Address), AllocationView>,
    parameters: Kept<(), LeaseParameters>,
}

impl Views {
    /// Puts a short memory before a ledger.
    pub fn new(ledger: Arc<dyn Ledger>, keep: Duration) -> Self {
        Self {
            ledger,
            keep,
            nodes: Kept::default(),
            devices: Kept::default(),
            allocations: Kept::default(),
            parameters: Kept::default(),
        }
    }

    /// Reads a node's record.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn node(&self, account: Address) -> Result<NodeView, ChainError> {
        self.nodes
            .read(account, self.keep, self.ledger.node(account))
            .await
    }

    /// Reads a device's speed. Zero: it is not registered.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn device_ib_micro(
        &self,
        account: Address,
        device_index: u32,
    ) -> Result<u64, ChainError> {
        let read = self.ledger.device_ib_micro(account, device_index);
        self.devices
            .read((account, device_index), self.keep, read)
            .await
    }

    /// Reads what a builder allocated to a manager.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn allocation(
        &self,
        builder: Address,
        manager: Address,
    ) -> Result<AllocationView, ChainError> {
        let read = self.ledger.allocation(builder, manager);
        self.allocations
            .read((builder, manager), self.keep, read)
            .await
    }

    /// Reads how far a list was claimed, afresh.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn cursor(
        &self,
        device_id: DeviceId,
        manager: Address,
        builder: Address,
    ) -> Result<CursorView, ChainError> {
        self.ledger.cursor(device_id, manager, builder).await
    }

    /// Reads what stands behind a lease, afresh. The cursor comes first: a claim that lands in between then counts
    /// twice against allocation and stake, and never not at all.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn cover(
        &self,
        device_id: DeviceId,
        manager: Address,
        builder: Address,
    ) -> Result<(CursorView, AllocationView, NodeView), ChainError> {
        let cursor = self.ledger.cursor(device_id, manager, builder).await?;
        let allocation = self.ledger.allocation(builder, manager).await?;
        let node = self.ledger.node(device_id.owner()).await?;
        Ok((cursor, allocation, node))
    }

    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn parameters(&self) -> Result<LeaseParameters, ChainError> {
        self.parameters
            .read((), self.keep, self.ledger.parameters())
            .await
    }
}

#[derive(Debug)]
struct Kept<K, V>(Mutex<BTreeMap<K, (Instant, V)>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Ord, V: Clone> Kept<K, V> {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<K, (Instant, V)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read<E>(
        &self,
        key: K,
        keep: Duration,
        read: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let kept = self.kept().get(&key).cloned();
        if let Some((_, value)) = kept.filter(|(read_at, _)| read_at.elapsed() < keep) {
            return Ok(value);
        }
        let value = read.await?;
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (read_at, _)| read_at.elapsed() < keep);
        }
        if kept.len() < KEPT_MAX {
            kept.insert(key, (Instant::now(), value.clone()));
        }
        Ok(value)
    }
}
