//! What the manager asks of the chain, kept for as long as a poll of it lasts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy::primitives::{Address, U256};
use futures::future::BoxFuture;
use tokio::time::Instant;

/// Answers that are kept at most. Strangers name accounts, so there must be a bound.
const KEPT_MAX: usize = 4096;

/// A registered node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeView {
    /// The key that signs for it. Zero: the account is not registered.
    pub operator: Address,
    /// Its roles, as the bits of [`Role`].
    pub roles: u8,
    /// Speed of its first device, in micro-IB.
    pub ib_micro: u64,
    /// What it asks per IBM, in wei.
    pub price_wei: U256,
    /// Its stake.
    pub stake_wei: U256,
    /// What claims have locked of that.
    pub locked_wei: U256,
    /// When its exit ends, Unix time in seconds. Zero: it stays.
    pub exit_at: u64,
}

/// What a node may act as: its bit in [`NodeView::roles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Executes tasks.
    Worker = 1,
    /// Splits jobs.
    Manager = 2,
    /// Checks claims.
    Verifier = 4,
}

/// The part of a builder's balance that a manager may spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocationView {
    /// What no claim has reserved.
    pub free_wei: U256,
    /// What claims have reserved.
    pub reserved_wei: U256,
}

/// How far a worker's list was claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CursorView {
    /// The first task that is not claimed.
    pub cursor: u32,
    /// Work claimed in all, in micro-IBM.
    pub claimed_ibm_micro: U256,
    /// Money claimed in all.
    pub claimed_wei: U256,
}

/// The protocol's parameters that decide about leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseParameters {
    /// How far ahead a lease may end, in seconds.
    pub max_lease_s: u64,
    /// How long after the lease a claim may land, in seconds.
    pub lease_grace_s: u64,
    /// How far apart honest clocks may be, in seconds.
    pub drift_s: u64,
    /// How many times a line's money its claim locks.
    pub penalty_multiplier: u64,
    /// What a line locks at least.
    pub min_lock_wei: U256,
}

/// The chain did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the chain can't be read at present")]
pub struct LedgerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Reads accounts from the chain.
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Reads a node's record.
    fn node(&self, account: Address) -> BoxFuture<'_, Result<NodeView, LedgerError>>;

    /// Reads a device's speed. Zero: it is not registered.
    fn device_ib_micro(
        &self,
        account: Address,
        device_index: u32,
    ) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// Reads what a builder allocated to a manager.
    fn allocation(
        &self,
        builder: Address,
        manager: Address,
    ) -> BoxFuture<'_, Result<AllocationView, LedgerError>>;

    /// Reads how far a worker's list was claimed.
    fn cursor(
        &self,
        worker: Address,
        manager: Address,
        builder: Address,
    ) -> BoxFuture<'_, Result<CursorView, LedgerError>>;

    /// Reads the parameters.
    fn parameters(&self) -> BoxFuture<'_, Result<LeaseParameters, LedgerError>>;
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

impl NodeView {
    /// Whether the node is registered for a role and stays.
    pub fn acts_as(&self, role: Role) -> bool {
        self.operator != Address::ZERO && self.roles & role as u8 != 0 && self.exit_at == 0
    }

    /// Returns the stake that no claim has locked.
    pub fn free_stake_wei(&self) -> U256 {
        self.stake_wei.saturating_sub(self.locked_wei)
    }
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
    /// [`LedgerError`].
    pub async fn node(&self, account: Address) -> Result<NodeView, LedgerError> {
        self.nodes.read(account, self.keep, self.ledger.node(account)).await
    }

    /// Reads a device's speed. Zero: it is not registered.
    ///
    /// # Errors
    ///
    /// [`LedgerError`].
    pub async fn device_ib_micro(&self, account: Address, device_index: u32) -> Result<u64, LedgerError> {
        let read = self.ledger.device_ib_micro(account, device_index);
        self.devices.read((account, device_index), self.keep, read).await
    }

    /// Reads what a builder allocated to a manager.
    ///
    /// # Errors
    ///
    /// [`LedgerError`].
    pub async fn allocation(
        &self,
        builder: Address,
        manager: Address,
    ) -> Result<AllocationView, LedgerError> {
        let read = self.ledger.allocation(builder, manager);
        self.allocations.read((builder, manager), self.keep, read).await
    }

    /// Reads how far a list was claimed, afresh.
    ///
    /// # Errors
    ///
    /// [`LedgerError`].
    pub async fn cursor(
        &self,
        worker: Address,
        manager: Address,
        builder: Address,
    ) -> Result<CursorView, LedgerError> {
        self.ledger.cursor(worker, manager, builder).await
    }

    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// [`LedgerError`].
    pub async fn parameters(&self) -> Result<LeaseParameters, LedgerError> {
        self.parameters.read((), self.keep, self.ledger.parameters()).await
    }
}

#[derive(Debug)]
struct Kept<K, V>(Mutex<BTreeMap<K, (Instant, V)>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Ord, V: Copy> Kept<K, V> {
    async fn read<E>(
        &self,
        key: K,
        keep: Duration,
        read: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some((read_at, value)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            if read_at.elapsed() < keep {
                return Ok(*value);
            }
        }
        let value = read.await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (read_at, _)| read_at.elapsed() < keep);
        }
        if kept.len() < KEPT_MAX {
            kept.insert(key, (Instant::now(), value));
        }
        Ok(value)
    }
}
