//! The task queue of a manager that runs alone: memory in front, the store behind.
//!
//! # Layout
//!
//! One tree, `queue`, with one record for each fact; what is free follows from the facts:
//!
//! - `job_id ‖ 0` the job
//! - `job_id ‖ 1 ‖ task_id` a lease
//! - `job_id ‖ 2 ‖ first_unit ‖ unit_count ‖ task_id` a delivery

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use inferix_prover::{
    id::{JobId, TaskId},
    task::Task,
};
use serde::{Deserialize, Serialize};

use super::{Delivery, JobEntry, JobView, LeaseEntry, QueueError, TaskQueue, UnitRanges};
use crate::{
    api::types::JobState,
    store::{Store, Tree},
};

/// A task queue on the node's own store.
#[derive(Debug)]
pub struct EmbeddedQueue {
    tree: Tree,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<JobId, Arc<JobView>>,
    tasks: BTreeMap<TaskId, Task>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    Job(JobEntry),
    Lease(LeaseEntry),
    Delivery(Delivery),
}

impl EmbeddedQueue {
    /// Opens the queue as the last write left it.
    ///
    /// # Errors
    ///
    /// [`QueueError::Store`].
    pub fn open(store: &Store) -> Result<Self, QueueError> {
        let tree = store.tree("queue")?;
        let mut state = State::default();
        for (_, record) in tree.scan::<Record>(b"")? {
            state.apply(record);
        }
        Ok(Self {
            tree,
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned state is whole: it changes only after the store took the write.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State, record: Record) -> Result<(), QueueError> {
        self.tree.put(record.key(), &record)?;
        state.apply(record);
        Ok(())
    }
}

impl TaskQueue for EmbeddedQueue {
    fn add(&self, entry: JobEntry) -> Result<(), QueueError> {
        let mut state = self.state();
        if state.jobs.contains_key(&entry.job_id()) {
            return Ok(());
        }
        self.write(&mut state, Record::Job(entry))
    }

    fn job(&self, job_id: JobId) -> Option<Arc<JobView>> {
        self.state().jobs.get(&job_id).cloned()
    }

    fn jobs(&self) -> Vec<Arc<JobView>> {
        self.state().jobs.values().cloned().collect()
    }

    fn lease_of(&self, task_id: TaskId) -> Option<LeaseEntry> {
        self.state().lease(task_id).ok().cloned()
    }

    fn lease(&self, lease: LeaseEntry, free_at: u64) -> Result<(), QueueError> {
        let mut state = self.state();
        let job_id = lease.task.job_id;
        let job = state.job(job_id)?;
        let job_state = job.state(lease.leased_at);
        if !matches!(job_state, JobState::Queued | JobState::Running) {
            return Err(QueueError::JobEnded {
                job_id,
                state: job_state,
            });
        }
        let units = lease.units();
        if units.is_empty() || !job.free(free_at).contains(&units) {
            return Err(QueueError::UnitsTaken {
                job_id,
                first_unit: units.start,
                end_unit: units.end,
            });
        }

        self.write(&mut state, Record::Lease(lease))
    }

    fn undo_lease(&self, task_id: TaskId) -> Result<(), QueueError> {
        let mut state = self.state();
        let task = state.lease(task_id)?.task;

        self.tree.remove(lease_key(task.job_id, task_id))?;
        state.tasks.remove(&task_id);
        if let Some(job) = state.jobs.get_mut(&task.job_id) {
            Arc::make_mut(job).leases.retain(|lease| lease.task != task);
        }
        Ok(())
    }

    fn release(&self, task_id: TaskId) -> Result<(), QueueError> {
        let mut state = self.state();
        let lease = LeaseEntry {
            is_released: true,
            ..state.lease(task_id)?.clone()
        };
        self.write(&mut state, Record::Lease(lease))
    }

    fn deliver(&self, delivery: Delivery) -> Result<(), QueueError> {
        let mut state = self.state();
        let task_id = delivery.task_id;
        let lease = state.lease(task_id)?;
        if !lease
            .task
            .holds(delivery.piece.first_unit, delivery.piece.unit_count)
        {
            let units = delivery.units();
            return Err(QueueError::UnitsNotTask {
                task_id,
                first_unit: units.start,
                end_unit: units.end,
            });
        }
        let key = delivery.key();
        if state
            .job(delivery.job_id)?
            .deliveries
            .iter()
            .any(|held| held.key() == key)
        {
            return Ok(());
        }

        self.write(&mut state, Record::Delivery(delivery))
    }

    fn cancel(&self, job_id: JobId, canceled_at: u64) -> Result<(), QueueError> {
        let mut state = self.state();
        let entry = state.job(job_id)?.entry.clone();
        if entry.canceled_at.is_some() {
            return Ok(());
        }
        self.write(
            &mut state,
            Record::Job(JobEntry {
                canceled_at: Some(canceled_at),
                ..entry
            }),
        )
    }

    fn forget(&self, job_id: JobId) -> Result<(), QueueError> {
        let mut state = self.state();
        state.job(job_id)?;
        let keys = self
            .tree
            .scan::<serde_json::Value>(job_id.bytes())?
            .into_iter()
            .map(|(key, _)| key);

        self.tree.remove_all(keys)?;
        state.jobs.remove(&job_id);
        state.tasks.retain(|_, task| task.job_id != job_id);
        Ok(())
    }
}

impl State {
    fn job(&self, job_id: JobId) -> Result<&JobView, QueueError> {
        self.jobs
            .get(&job_id)
            .map(Arc::as_ref)
            .ok_or(QueueError::JobUnknown { job_id })
    }

    fn lease(&self, task_id: TaskId) -> Result<&LeaseEntry, QueueError> {
        let held = self.tasks.get(&task_id).and_then(|task| {
            let leases = &self.jobs.get(&task.job_id)?.leases;
            leases.iter().find(|lease| lease.task == *task)
        });
        held.ok_or(QueueError::TaskUnknown { task_id })
    }

    /// Takes over a fact that the store holds.
    fn apply(&mut self, record: Record) {
        match record {
            Record::Job(entry) => self.apply_job(entry),
            Record::Lease(lease) => {
                let (task, task_id) = (lease.task, lease.task.task_id());
                let Some(job) = self.jobs.get_mut(&task.job_id) else {
                    return;
                };
                let leases = &mut Arc::make_mut(job).leases;
                leases.retain(|held| held.task != lease.task);
                // The order must not depend on when the store is read.
                let place = |held: &LeaseEntry| (held.leased_at, held.task.first_unit);
                let at = leases.partition_point(|held| place(held) <= place(&lease));
                leases.insert(at, lease);
                self.tasks.insert(task_id, task);
            }
            Record::Delivery(delivery) => {
                let Some(job) = self.jobs.get_mut(&delivery.job_id) else {
                    return;
                };
                let job = Arc::make_mut(job);
                job.delivered.insert(delivery.units());
                job.cost = job.cost.saturating_add(delivery.cost);
                let at = job
                    .deliveries
                    .partition_point(|held| held.key() <= delivery.key());
                job.deliveries.insert(at, delivery);
            }
        }
    }

    fn apply_job(&mut self, entry: JobEntry) {
        match self.jobs.get_mut(&entry.job_id()) {
            Some(job) => Arc::make_mut(job).entry = entry,
            None => {
                let job = JobView {
                    entry,
                    leases: Vec::new(),
                    deliveries: Vec::new(),
                    delivered: UnitRanges::default(),
                    cost: 0,
                };
                self.jobs.insert(job.entry.job_id(), Arc::new(job));
            }
        }
    }
}

impl Record {
    fn key(&self) -> Vec<u8> {
        match self {
            Self::Job(entry) => [entry.job_id().bytes().as_slice(), &[0]].concat(),
            Self::Lease(lease) => lease_key(lease.task.job_id, lease.task.task_id()),
            Self::Delivery(delivery) => delivery.key(),
        }
    }
}

impl Delivery {
    fn key(&self) -> Vec<u8> {
        [
            self.job_id.bytes().as_slice(),
            &[2],
            &self.piece.first_unit.to_be_bytes(),
            &self.piece.unit_count.to_be_bytes(),
            self.task_id.bytes().as_slice(),
        ]
        .concat()
    }
}

fn lease_key(job_id: JobId, task_id: TaskId) -> Vec<u8> {
    [job_id.bytes().as_slice(), &[1], task_id.bytes().as_slice()].concat()
}
