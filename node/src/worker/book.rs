//! What a worker has been leased, in the store: it must outlive a crash, since an order is money.

use alloy::primitives::{Address, B256};
use inferix_prover::task::Task;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    api::types::{Lease, ResultReport},
    store::{Store, StoreError, Tree},
};

/// Where a lease stands at its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseState {
    /// Units are left to execute.
    Active,
    /// No further unit will be executed under it: it is done, given up, or over.
    Ended,
}

/// A lease and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// The manager's API.
    pub manager_url: Url,
    /// The leased task.
    pub task: Task,
    /// Its position in the order's list.
    pub task_index: u32,
    /// The lease as it came, save for the order's list, which stands beside it.
    pub lease: Lease,
    /// Where it stands.
    pub state: LeaseState,
}

/// The latest order of a manager for a builder: the one that a claim consumes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OrderRecord {
    /// The lease that it came with.
    pub lease: Lease,
}

/// The worker's leases, orders and unsent reports.
#[derive(Clone, Debug)]
pub struct Book {
    leases: Tree,
    orders: Tree,
    reports: Tree,
    outputs: Tree,
}

/// Outputs of consecutive units, one after the other in one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOutputs {
    /// The first unit.
    pub first_unit: u64,
    /// How many.
    pub unit_count: u64,
    /// The blob.
    pub blob: B256,
}

impl StoredOutputs {
    /// The output of one unit, out of the blob's bytes.
    pub fn unit<'a>(&self, bytes: &'a [u8], unit_index: u64) -> Option<&'a [u8]> {
        let size = bytes
            .len()
            .checked_div(usize::try_from(self.unit_count).ok()?)?;
        let at = usize::try_from(unit_index.checked_sub(self.first_unit)?).ok()?;
        bytes.get(at.checked_mul(size)?..at.checked_add(1)?.checked_mul(size)?)
    }
}

impl Book {
    /// Opens the book.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            leases: store.tree("leases")?,
            orders: store.tree("orders")?,
            reports: store.tree("reports")?,
            outputs: store.tree("outputs")?,
        })
    }

    /// Writes down an accepted lease and its order.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so do the methods below.
    pub fn accept(
        &self,
        manager_url: &Url,
        task: Task,
        lease: Lease,
    ) -> Result<LeaseRecord, StoreError> {
        let key = order_key(lease.order.manager, lease.order.builder);
        // The order first: an order without its lease costs nothing, a lease without its order its pay.
        self.orders.put(
            key,
            &OrderRecord {
                lease: lease.clone(),
            },
        )?;
        let record = LeaseRecord {
            manager_url: manager_url.clone(),
            task,
            task_index: lease.task_index,
            lease: Lease {
                tasks: Vec::new(),
                ..lease
            },
            state: LeaseState::Active,
        };
        self.leases.put(task.task_id().bytes(), &record)?;
        Ok(record)
    }

    /// Marks that no further unit is executed under a lease.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn end(&self, record: &LeaseRecord) -> Result<(), StoreError> {
        let record = LeaseRecord {
            state: LeaseState::Ended,
            ..record.clone()
        };
        self.leases.put(record.task.task_id().bytes(), &record)
    }

    /// The lease of a task.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn lease(&self, task_id: B256) -> Result<Option<LeaseRecord>, StoreError> {
        self.leases.get(task_id)
    }

    /// All leases.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn leases(&self) -> Result<Vec<LeaseRecord>, StoreError> {
        Ok(self
            .leases
            .scan([])?
            .into_iter()
            .map(|(_, record)| record)
            .collect())
    }

    /// Forgets a lease and where its outputs are stored.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn forget(&self, task_id: B256) -> Result<(), StoreError> {
        let outputs: Vec<(Vec<u8>, StoredOutputs)> = self.outputs.scan(task_id)?;
        self.outputs
            .remove_all(outputs.into_iter().map(|(key, _)| key))?;
        // The lease last: as long as it is there, a restart forgets the rest again.
        self.leases.remove(task_id)
    }

    /// Where all outputs are stored that are not forgotten, each with its task.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn outputs(&self) -> Result<Vec<(B256, StoredOutputs)>, StoreError> {
        let stored: Vec<(Vec<u8>, StoredOutputs)> = self.outputs.scan([])?;
        let task_of = |key: &[u8]| key.get(..32).map(B256::from_slice).unwrap_or_default();
        let stored = stored.into_iter();
        Ok(stored
            .map(|(key, stored)| (task_of(&key), stored))
            .collect())
    }

    /// The latest order of a manager for a builder.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn order(&self, manager: Address, builder: Address) -> Result<Option<Lease>, StoreError> {
        let record: Option<OrderRecord> = self.orders.get(order_key(manager, builder))?;
        Ok(record.map(|record| record.lease))
    }

    /// The latest orders of all managers.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn orders(&self) -> Result<Vec<Lease>, StoreError> {
        let records: Vec<(Vec<u8>, OrderRecord)> = self.orders.scan([])?;
        Ok(records
            .into_iter()
            .map(|(_, record)| record.lease)
            .collect())
    }

    /// The latest orders of a manager.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn orders_of(&self, manager: Address) -> Result<Vec<Lease>, StoreError> {
        let records: Vec<(_, OrderRecord)> = self.orders.scan(format!("{manager:#x}/"))?;
        Ok(records
            .into_iter()
            .map(|(_, record)| record.lease)
            .collect())
    }

    /// Where the output of a unit is stored: demands may ask for it until the claim is final.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn output(
        &self,
        task_id: B256,
        unit_index: u64,
    ) -> Result<Option<StoredOutputs>, StoreError> {
        let stored: Vec<(Vec<u8>, StoredOutputs)> = self.outputs.scan(task_id)?;
        let mut stored = stored.into_iter().map(|(_, stored)| stored);
        Ok(stored.find(|stored| {
            let end = stored.first_unit.saturating_add(stored.unit_count);
            (stored.first_unit..end).contains(&unit_index)
        }))
    }

    /// Writes down a report before the journal holds its units.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn queue_report(&self, manager_url: &Url, report: &ResultReport) -> Result<(), StoreError> {
        let stored = StoredOutputs {
            first_unit: report.first_unit,
            unit_count: u64::try_from(report.units.len()).unwrap_or(u64::MAX),
            blob: report.output_blob,
        };
        self.outputs.put(report_key(report), &stored)?;
        self.reports
            .put(report_key(report), &(manager_url.clone(), report.clone()))
    }

    /// Reports that no manager has taken.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn reports(&self) -> Result<Vec<(Url, ResultReport)>, StoreError> {
        Ok(self
            .reports
            .scan([])?
            .into_iter()
            .map(|(_, queued)| queued)
            .collect())
    }

    /// Forgets a report that its manager has taken, or refused for good.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn drop_report(&self, report: &ResultReport) -> Result<(), StoreError> {
        self.reports.remove(report_key(report))
    }
}

fn order_key(manager: Address, builder: Address) -> String {
    format!("{manager:#x}/{builder:#x}")
}

fn report_key(report: &ResultReport) -> Vec<u8> {
    let mut key = report.task_id.to_vec();
    key.extend(report.first_unit.to_be_bytes());
    key
}
