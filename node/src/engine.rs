//! What executes a task: native programs on a device of the `Executor` seam.
//!
//! The device is driven by a thread of its own, which keeps it busy: while one batch is written down
//! and reported, the next is computed. Batches are sized by time, so that an interval closes on time and
//! a `kill -9` loses little.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alloy::primitives::B256;
use inferix_gpu::{
    GpuError,
    executor::{BatchOutput, Executor, Session, TaskInput, UnitBatch},
};
use tokio::sync::mpsc;

use crate::meter::{Lap, WorkTimer};

/// Batches aim at this long: a `kill -9` loses at most one, and a journal append a second is cheap.
const BATCH_LENGTH: Duration = Duration::from_millis(1000);
/// Batches that wait for the journal before the device pauses.
const BACKLOG: usize = 4;

/// A range of units to run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Names the input, so that it is prepared once for all tasks of a job.
    pub input_key: B256,
    /// The program and its regions.
    pub task: TaskInput,
    /// First unit.
    pub first_unit: u64,
    /// How many.
    pub unit_count: u32,
    /// Work units at which a unit is capped.
    pub max_cost: u64,
}

/// What a run produces, in order. The channel closes after the last.
#[derive(Debug)]
pub enum Progress {
    /// A batch begins on the device.
    Started,
    /// A batch is done.
    Batch {
        /// Its outputs.
        output: BatchOutput,
        /// What it took.
        lap: Lap,
    },
    /// The run failed: units after the last batch were not done.
    Failed(GpuError),
}

/// A run under way.
#[derive(Debug)]
pub struct Running {
    progress: mpsc::Receiver<Progress>,
    stop: Arc<AtomicBool>,
}

impl Running {
    /// Waits for what comes next. `None` at the end.
    pub async fn next(&mut self) -> Option<Progress> {
        self.progress.recv().await
    }

    /// Lets no further batch begin; those in flight still arrive.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }
}

/// A device and the thread that drives it.
#[derive(Debug)]
pub struct Engine {
    orders: std::sync::mpsc::Sender<Order>,
    device_name: String,
    thread_count: usize,
}

struct Order {
    run: Run,
    progress: mpsc::Sender<Progress>,
    stop: Arc<AtomicBool>,
}

impl Engine {
    /// Starts the thread of a device. It ends when the engine is dropped.
    pub fn start(executor: Arc<dyn Executor>) -> Self {
        let (orders, inbox) = std::sync::mpsc::channel::<Order>();
        let engine = Self {
            orders,
            device_name: executor.device_name().to_owned(),
            thread_count: executor.thread_count(),
        };
        std::thread::spawn(move || {
            let mut device = Device {
                executor,
                prepared: None,
                units_per_second: None,
            };
            for order in inbox {
                if let Err(err) = device.run(&order) {
                    // Nobody listens any more: the worker has given the task up.
                    let _ = order.progress.blocking_send(Progress::Failed(err));
                }
            }
        });
        engine
    }

    /// Runs units. Runs queue up; one device executes one at a time.
    pub fn run(&self, run: Run) -> Running {
        let (progress, receiver) = mpsc::channel(BACKLOG);
        let stop = Arc::new(AtomicBool::new(false));
        // A thread that has ended has dropped the sender: the channel then closes at once.
        let _ = self.orders.send(Order {
            run,
            progress,
            stop: Arc::clone(&stop),
        });
        Running {
            progress: receiver,
            stop,
        }
    }

    /// The device's name.
    pub fn device_name(&self) -> &str {
        &self.device_name
    }

    /// Threads over which the device spreads its work.
    pub fn thread_count(&self) -> usize {
        self.thread_count
    }
}

struct Device {
    executor: Arc<dyn Executor>,
    prepared: Option<(B256, Box<dyn Session>)>,
    units_per_second: Option<f64>,
}

impl Device {
    fn run(&mut self, order: &Order) -> Result<(), GpuError> {
        let run = &order.run;
        if self
            .prepared
            .as_ref()
            .is_none_or(|(key, _)| *key != run.input_key)
        {
            // The old input goes first: both may not fit.
            self.prepared = None;
            self.units_per_second = None;
            self.prepared = Some((run.input_key, self.executor.prepare(run.task.clone())?));
        }
        let Some((_, session)) = &mut self.prepared else {
            return Ok(());
        };
        let ran = drive(
            session.as_mut(),
            order,
            &mut self.units_per_second,
            self.executor.thread_count(),
        );
        if ran.is_err() {
            // A session that failed may hold batches in flight: the next run starts afresh.
            self.prepared = None;
        }
        ran
    }
}

/// Keeps two batches in flight until the units are done or the run is stopped.
fn drive(
    session: &mut dyn Session,
    order: &Order,
    units_per_second: &mut Option<f64>,
    thread_count: usize,
) -> Result<(), GpuError> {
    let run = &order.run;
    let mut next_unit = run.first_unit;
    let mut left_count = run.unit_count;
    let mut in_flight = 0;
    let mut timer = WorkTimer::start(thread_count);
    loop {
        while in_flight < 2 && left_count > 0 && !order.stop.load(Ordering::Acquire) {
            let unit_count = batch_size(*units_per_second, left_count);
            session.submit(UnitBatch {
                first_unit: next_unit,
                unit_count,
                max_cost: run.max_cost,
            })?;
            if in_flight == 0 {
                timer = WorkTimer::start(thread_count);
                if order.progress.blocking_send(Progress::Started).is_err() {
                    order.stop.store(true, Ordering::Release);
                }
            }
            next_unit += u64::from(unit_count);
            left_count -= unit_count;
            in_flight += 1;
        }
        if in_flight == 0 {
            return Ok(());
        }
        let Some(output) = session.collect()? else {
            return Ok(());
        };
        in_flight -= 1;
        let lap = timer.lap(output.device_time);
        let rate = f64::from(output.batch.unit_count) / lap.wall.as_secs_f64().max(1e-6);
        *units_per_second = Some(rate);
        if order
            .progress
            .blocking_send(Progress::Batch { output, lap })
            .is_err()
        {
            order.stop.store(true, Ordering::Release);
        }
    }
}

/// Units for about one batch length at the pace so far; few at first.
fn batch_size(units_per_second: Option<f64>, left_count: u32) -> u32 {
    let aim = units_per_second.map_or(4.0, |rate| rate * BATCH_LENGTH.as_secs_f64());
    // The pace is finite and positive, and the bounds are whole numbers.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to u32"
    )]
    let unit_count = aim.clamp(1.0, 65_536.0) as u32;
    unit_count.min(left_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_pace_and_never_exceed_the_task() {
        assert_eq!(batch_size(None, 100), 4);
        assert_eq!(batch_size(Some(10.0), 100), 10);
        assert_eq!(batch_size(Some(0.001), 100), 1);
        assert_eq!(batch_size(Some(1e30), 7), 7);
    }
}
