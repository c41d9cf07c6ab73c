//! The seam between a program's units and a device.
//!
//! Two executors given the same input return the same bytes, whatever the device, the driver, the
//! number of threads and the number of runs. The CPU defines those bytes: any other executor is an
//! optimization of it, and is wrong where the two differ.

use std::{fmt, sync::Arc, time::Duration};

use crate::{GpuError, program::Program};

/// What a job fixes for all its units: the program and its two read-only regions.
#[derive(Clone, Debug)]
pub struct TaskInput {
    /// The program that the units belong to.
    pub program: Program,
    /// The input region: for rendering, the compiled scene.
    pub input: Arc<[u8]>,
    /// The parameter region: for rendering, [`RenderParams`](crate::render::RenderParams).
    pub params: Arc<[u8]>,
}

/// Consecutive units to run, and what each may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitBatch {
    /// Index of the first unit, counted over the whole job.
    pub first_unit: u64,
    /// How many units follow it, itself included.
    pub unit_count: u32,
    /// Work units at which a unit stops as [`UnitStatus::Capped`].
    pub max_cost: u64,
}

/// How a unit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitStatus {
    /// It ran to its end.
    Done,
    /// It reached its `max_cost` and stopped: a valid output, paid at `max_cost`.
    Capped,
}

/// What one unit computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitOutput {
    /// Index of the unit, counted over the whole job.
    pub unit_index: u64,
    /// How it ended.
    pub status: UnitStatus,
    /// Work units that the program counted for itself.
    pub cost: u64,
    /// Root of the output region, as [`memory::subtree_root`](crate::memory::subtree_root) makes it.
    pub output_root: [u8; 32],
    /// The output region.
    pub output: Vec<u8>,
}

/// What one submitted batch computed, its units in order.
#[derive(Clone, Debug)]
pub struct BatchOutput {
    /// The batch that was submitted.
    pub batch: UnitBatch,
    /// One output for each unit, in order.
    pub outputs: Vec<UnitOutput>,
    /// Time that the device was busy, where the device has a clock of its own (CUDA events). `None`
    /// on a CPU, where the meter reads the process' CPU time instead.
    pub device_time: Option<Duration>,
}

/// A device that can run programs.
pub trait Executor: Send + Sync + fmt::Debug {
    /// Names the device, as logs and receipts show it.
    fn device_name(&self) -> &str;

    /// Threads over which the device spreads a batch: the divisor of its CPU time. One on a GPU.
    fn thread_count(&self) -> usize;

    /// Validates the regions, once, and makes them resident on the device.
    ///
    /// # Errors
    ///
    /// [`GpuError::InvalidInput`] if a region is not one that the program may be run on: the job is
    /// refused. [`GpuError::OutOfMemory`] if it does not fit: it may run elsewhere.
    fn prepare(&self, task: TaskInput) -> Result<Box<dyn Session>, GpuError>;
}

/// One prepared input on one device. Batches are queued with [`submit`](Session::submit) and come back
/// in the same order from [`collect`](Session::collect).
pub trait Session: Send + fmt::Debug {
    /// How many units the input has in all.
    fn unit_count(&self) -> u64;

    /// Queues a batch and returns at once.
    ///
    /// # Errors
    ///
    /// [`GpuError::UnitOutOfRange`] if a unit is not the job's.
    fn submit(&mut self, batch: UnitBatch) -> Result<(), GpuError>;

    /// Waits for the oldest batch in flight. `None` when none is.
    ///
    /// # Errors
    ///
    /// [`GpuError::DeviceLost`] if the device failed: the batches in flight are lost.
    fn collect(&mut self) -> Result<Option<BatchOutput>, GpuError>;

    /// Asks the batches in flight to end early: their `collect` returns [`GpuError::Canceled`].
    fn cancel(&self);
}
