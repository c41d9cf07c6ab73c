//! What a task queue holds and promises.
//!
//! Each method that writes makes exactly one durable write, and makes it before it returns. A crash
//! therefore falls between two calls, and whoever calls orders its calls so that any prefix is sound.

use std::{collections::BTreeSet, fmt, ops::Range, sync::Arc};

use alloy::primitives::{Address, B256};
use inferix_prover::{
    id::{JobId, TaskId},
    task::Task,
};
use serde::{Deserialize, Serialize};

use super::UnitRanges;
use crate::{
    api::types::{JobState, OutputPiece, SignedJob},
    store::StoreError,
};

/// A job as it was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobEntry {
    /// The job with what its workers and verifiers need.
    pub signed: SignedJob,
    /// When it was accepted, Unix time in seconds.
    pub accepted_at: u64,
    /// When the builder canceled it, if so.
    pub canceled_at: Option<u64>,
}

/// A task that a worker was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseEntry {
    /// The task; it says until when.
    pub task: Task,
    /// Who has it.
    pub worker: Address,
    /// On which of its devices.
    pub device_index: u32,
    /// Since when, Unix time in seconds.
    pub leased_at: u64,
    /// Whether the worker handed it back. Its units stay blocked until the lease ends: an overlapping
    /// lease would be the manager's fraud.
    pub is_released: bool,
}

/// Consecutive units whose outputs arrived and matched their roots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The job.
    pub job_id: JobId,
    /// The task that they belong to.
    pub task_id: TaskId,
    /// Who delivered them.
    pub worker: Address,
    /// Where their outputs lie.
    pub piece: OutputPiece,
    /// Work units of those among them that had not been delivered before.
    pub cost: u64,
    /// When, Unix time in seconds.
    pub delivered_at: u64,
}

/// Everything about one job, at one instant.
#[derive(Clone, Debug)]
pub struct JobView {
    /// The job.
    pub entry: JobEntry,
    /// All its leases, ended ones too, by the order of their grant.
    pub leases: Vec<LeaseEntry>,
    /// All deliveries, by the order of their units.
    pub deliveries: Vec<Delivery>,
    /// Units delivered.
    pub delivered: UnitRanges,
    /// Work units of those.
    pub cost: u64,
}

/// Why a queue did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No such job is held.
    #[error("job {job_id} is not held here")]
    JobUnknown {
        /// The job.
        job_id: JobId,
    },
    /// The job takes no more leases.
    #[error("job {job_id} is {state:?}")]
    JobEnded {
        /// The job.
        job_id: JobId,
        /// Where it stands.
        state: JobState,
    },
    /// No such lease is held.
    #[error("task {task_id} is not under lease here")]
    TaskUnknown {
        /// The task.
        task_id: TaskId,
    },
    /// A unit that was to be leased is not free.
    #[error("units {first_unit}..{end_unit} of job {job_id} are not all free")]
    UnitsTaken {
        /// The job.
        job_id: JobId,
        /// First unit.
        first_unit: u64,
        /// One past the last.
        end_unit: u64,
    },
    /// Units that were delivered do not belong to the lease.
    #[error("units {first_unit}..{end_unit} are not of task {task_id}")]
    UnitsNotTask {
        /// The task.
        task_id: TaskId,
        /// First unit.
        first_unit: u64,
        /// One past the last.
        end_unit: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds jobs, leases and deliveries. Calls may block on a disk.
pub trait TaskQueue: Send + Sync + fmt::Debug {
    /// Adds a job. Adding it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`QueueError::Store`].
    fn add(&self, entry: JobEntry) -> Result<(), QueueError>;

    /// Returns a job.
    fn job(&self, job_id: JobId) -> Option<Arc<JobView>>;

    /// Returns all jobs, by their ids.
    fn jobs(&self) -> Vec<Arc<JobView>>;

    /// Returns the lease of a task.
    fn lease_of(&self, task_id: TaskId) -> Option<LeaseEntry>;

    /// Gives free units to a worker. Leases that ended at `free_at` or before block no units.
    ///
    /// # Errors
    ///
    /// [`QueueError::JobUnknown`], [`QueueError::JobEnded`], [`QueueError::UnitsTaken`],
    /// [`QueueError::Store`].
    fn lease(&self, lease: LeaseEntry, free_at: u64) -> Result<(), QueueError>;

    /// Forgets a lease of which no order ever left: its units are free at once.
    ///
    /// # Errors
    ///
    /// [`QueueError::TaskUnknown`], [`QueueError::Store`].
    fn undo_lease(&self, task_id: TaskId) -> Result<(), QueueError>;

    /// Notes that a worker handed its task back. Its units are free when the lease ends.
    ///
    /// # Errors
    ///
    /// [`QueueError::TaskUnknown`], [`QueueError::Store`].
    fn release(&self, task_id: TaskId) -> Result<(), QueueError>;

    /// Notes delivered units. The same delivery again changes nothing.
    ///
    /// # Errors
    ///
    /// [`QueueError::TaskUnknown`], [`QueueError::UnitsNotTask`], [`QueueError::Store`].
    fn deliver(&self, delivery: Delivery) -> Result<(), QueueError>;

    /// Cancels a job: no unit of it is leased from then on.
    ///
    /// # Errors
    ///
    /// [`QueueError::JobUnknown`], [`QueueError::Store`].
    fn cancel(&self, job_id: JobId, canceled_at: u64) -> Result<(), QueueError>;

    /// Forgets a job with its leases and deliveries.
    ///
    /// # Errors
    ///
    /// [`QueueError::JobUnknown`], [`QueueError::Store`].
    fn forget(&self, job_id: JobId) -> Result<(), QueueError>;
}

impl LeaseEntry {
    /// Returns the units.
    pub fn units(&self) -> Range<u64> {
        let first = self.task.first_unit;
        first..first.saturating_add(u64::from(self.task.unit_count))
    }

    /// Whether the units are blocked for other workers.
    pub fn is_live(&self, now: u64) -> bool {
        now < self.task.lease_ends_at
    }
}

impl Delivery {
    /// Returns the units.
    pub fn units(&self) -> Range<u64> {
        let first = self.piece.first_unit;
        first..first.saturating_add(u64::from(self.piece.unit_count))
    }
}

impl JobEntry {
    /// Names the job.
    pub fn job_id(&self) -> JobId {
        self.signed.job.job_id()
    }
}

impl JobView {
    /// Returns the units that may be leased, if the job is open. Leases that ended at `free_at` or before
    /// block no units.
    pub fn free(&self, free_at: u64) -> UnitRanges {
        let mut free = UnitRanges::of(0..self.entry.signed.job.unitCount);
        free.remove_all(&self.delivered);
        for lease in self.leases.iter().filter(|lease| lease.is_live(free_at)) {
            free.remove(lease.units());
        }
        free
    }

    /// Returns the units that are under a live lease, not handed back and not delivered.
    pub fn leased(&self, now: u64) -> UnitRanges {
        let mut leased = UnitRanges::default();
        for lease in self
            .leases
            .iter()
            .filter(|lease| lease.is_live(now) && !lease.is_released)
        {
            leased.insert(lease.units());
        }
        leased.remove_all(&self.delivered);
        leased
    }

    /// Returns the state. All but cancellation follows from what is there.
    pub fn state(&self, now: u64) -> JobState {
        if self.delivered.count() == self.entry.signed.job.unitCount {
            return JobState::Done;
        }
        if self.entry.canceled_at.is_some() {
            return JobState::Canceled;
        }
        if self.entry.signed.job.deadlineAt <= now {
            return JobState::Expired;
        }
        if self.leases.is_empty() && self.delivered.is_empty() {
            return JobState::Queued;
        }
        JobState::Running
    }

    /// Returns when the job came to its end, if it did.
    pub fn ended_at(&self, now: u64) -> Option<u64> {
        match self.state(now) {
            JobState::Done => self
                .deliveries
                .iter()
                .map(|delivery| delivery.delivered_at)
                .max(),
            JobState::Canceled => self.entry.canceled_at,
            JobState::Expired => Some(self.entry.signed.job.deadlineAt),
            JobState::Queued | JobState::Running => None,
        }
    }

    /// Returns all who hold or delivered a part.
    pub fn workers(&self, now: u64) -> BTreeSet<Address> {
        let holders = self
            .leases
            .iter()
            .filter(|lease| lease.is_live(now) && !lease.is_released)
            .map(|lease| lease.worker);
        holders
            .chain(self.deliveries.iter().map(|delivery| delivery.worker))
            .collect()
    }

    /// Returns the blobs that the job names.
    pub fn blobs(&self) -> impl Iterator<Item = B256> + '_ {
        let outputs = self.deliveries.iter().map(|delivery| delivery.piece.blob);
        outputs.chain([self.entry.signed.input_blob])
    }
}
