//! The main loop: take a task, execute it, write down, report.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use inferix_gpu::{Program, TaskInput, executor::BatchOutput, memory};
use inferix_prover::{task::Task, unit::UnitLeaf};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{Context, LeaseRecord, Link, Mode, WorkerError, gauges};
use crate::{
    api::types::{ResultReport, UnitResult},
    engine::{Engine, Progress, Run, Running},
    manager::programs,
    meter::{BatchRecord, Entry, JournalError, Lap, OpenInterval},
};

/// The input region's size: no input is larger.
const MAX_INPUT_BYTES: u64 = 1 << memory::LOG2_INPUT;
/// How often a paused worker looks again.
pub(super) const IDLE_POLL: Duration = Duration::from_secs(1);
/// How soon and how seldom a journal that failed is tried again.
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LONGEST_PROBE: Duration = Duration::from_secs(30);

/// Takes tasks and executes them on one device.
#[derive(Debug)]
pub struct Worker {
    pub(super) ctx: Arc<Context>,
    engine: Arc<Engine>,
}

/// How a task ended.
enum End {
    /// All its units are done.
    Done,
    /// The lease ran out.
    LeaseOver,
    /// The operator or the supervisor stopped the worker: it goes on later.
    Stopped,
    /// It can't be executed here.
    Failed(String),
}

impl Worker {
    /// Makes the service.
    pub fn new(ctx: Arc<Context>, engine: Arc<Engine>) -> Self {
        Self { ctx, engine }
    }

    /// Runs until canceled, or until it is drained.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data or the chain fails; managers that fail are asked again.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), WorkerError> {
        info!(account = %self.ctx.account, device = self.engine.device_name(), "worker started");
        let mut is_drained = false;
        while !cancel.is_cancelled() {
            let wait = match self.ctx.control.mode() {
                Mode::Pause => IDLE_POLL,
                mode @ (Mode::Run | Mode::Drain) => match self.next_lease(mode).await? {
                    Ok(record) => {
                        match self.work(record, &cancel).await {
                            Err(WorkerError::Journal(err @ JournalError::Io { .. })) => {
                                self.await_journal(err, &cancel).await?;
                            }
                            worked => worked?,
                        }
                        continue;
                    }
                    Err(wait) => {
                        if mode == Mode::Drain && !is_drained {
                            info!("drained: no lease is left");
                        }
                        is_drained = mode == Mode::Drain;
                        wait
                    }
                },
            };
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        Ok(())
    }

    /// Waits until measured work can be written down again: what can't be is not paid, so none is done or leased.
    async fn await_journal(
        &self,
        failure: JournalError,
        cancel: &CancellationToken,
    ) -> Result<(), WorkerError> {
        let err = format!("{:#}", eyre::Report::new(failure));
        error!(
            err,
            "measured work can't be written down: no task is taken or executed until it can"
        );
        let mut wait = FIRST_PROBE;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST_PROBE);
            match self.ctx.ledger.probe() {
                Ok(()) => {
                    info!("measured work can be written down again");
                    return Ok(());
                }
                Err(JournalError::Io { source, .. }) => debug!(%source, "the journal fails still"),
                Err(err) => return Err(err.into()),
            }
        }
    }

    async fn work(
        &self,
        record: LeaseRecord,
        cancel: &CancellationToken,
    ) -> Result<(), WorkerError> {
        let Some(manager) = self.ctx.manager(&record.manager_url) else {
            warn!(manager = %record.manager_url, "lease is of a manager that is not configured any more");
            return Ok(self.ctx.book.end(&record)?);
        };
        let end = match self.load(manager, &record).await? {
            Ok(input) => self.execute(&record, input, cancel).await?,
            Err(End::Stopped) if self.left_s(&record.task) > 0 => {
                // The manager is away: the lease stays, and is taken up again.
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = tokio::time::sleep(IDLE_POLL) => {}
                }
                return Ok(());
            }
            Err(End::Stopped) => End::LeaseOver,
            Err(end) => end,
        };
        self.close_interval()?;
        let task_id = record.task.task_id();
        match end {
            End::Stopped => return Ok(()),
            End::Done => info!(%task_id, "task done"),
            End::LeaseOver => warn!(%task_id, "lease ended before the task was done"),
            End::Failed(reason) => {
                warn!(%task_id, reason, "task handed back");
                self.hand_back(manager, task_id.bytes(), reason).await;
            }
        }
        Ok(self.ctx.book.end(&record)?)
    }

    /// Fetches the job's input where it is not here, and checks it against what the builder signed. An input
    /// that can't be fetched at present stops the task, it does not fail it.
    async fn load(
        &self,
        manager: &Link,
        record: &LeaseRecord,
    ) -> Result<Result<TaskInput, End>, WorkerError> {
        let signed = &record.lease.job;
        if signed.job.programId.0 != Program::Render.program_id() {
            return Ok(Err(End::Failed(
                "this worker does not have the job's program".to_owned(),
            )));
        }
        let params_root = memory::subtree_root(&signed.params, memory::LOG2_PARAMS);
        if params_root != signed.job.paramsRoot.0 {
            return Ok(Err(End::Failed(
                "the parameters are not those that the builder signed".to_owned(),
            )));
        }
        if let Err(err) = programs::shape(signed.job.programId, &signed.params) {
            return Ok(Err(End::Failed(err.to_string())));
        }
        if !self.ctx.blobs.touch(signed.input_blob)? {
            let fetched = match manager.client().await {
                Ok(client) => {
                    client
                        .fetch_into(&self.ctx.blobs, signed.input_blob, MAX_INPUT_BYTES)
                        .await
                }
                Err(err) => Err(err),
            };
            match fetched {
                Ok(_) => {}
                Err(err) if err.is_retryable() => {
                    warn!(manager = %manager.url(), %err, "input not fetched yet");
                    return Ok(Err(End::Stopped));
                }
                Err(err) => {
                    let reason = format!("the input could not be fetched: {err}");
                    return Ok(Err(End::Failed(reason)));
                }
            }
        }
        let input = self.ctx.blobs.get(signed.input_blob).await?;
        let needed = signed.job.inputRoot;
        let hashed = input.clone();
        let root =
            tokio::task::spawn_blocking(move || memory::subtree_root(&hashed, memory::LOG2_INPUT));
        if root.await.is_ok_and(|root| root != needed.0) {
            return Ok(Err(End::Failed(
                "the input is not the one that the builder signed".to_owned(),
            )));
        }
        Ok(Ok(TaskInput {
            program: Program::Render,
            input: Arc::from(&input[..]),
            params: Arc::from(&signed.params[..]),
        }))
    }

    async fn execute(
        &self,
        record: &LeaseRecord,
        input: TaskInput,
        cancel: &CancellationToken,
    ) -> Result<End, WorkerError> {
        let task = &record.task;
        // An interval that a failure left open is closed first: its units count as done, and are not executed
        // and claimed a second time.
        self.close_interval()?;
        let next_unit = self.next_unit(task);
        let end_unit = task.first_unit + u64::from(task.unit_count);
        let left_count = u32::try_from(end_unit.saturating_sub(next_unit)).unwrap_or(u32::MAX);
        if left_count == 0 {
            return Ok(End::Done);
        }
        let mut running = self.engine.run(Run {
            input_key: task.job_id.bytes(),
            task: input,
            first_unit: next_unit,
            unit_count: left_count,
            max_cost: task.max_cost,
        });
        let lease_over = tokio::time::sleep(Duration::from_secs(self.left_s(task)));
        tokio::pin!(lease_over);
        let mut end = End::Done;
        let mut done_unit = next_unit;
        loop {
            let progress = tokio::select! {
                progress = running.next() => progress,
                () = cancel.cancelled(), if !matches!(end, End::Stopped) => {
                    end = self.stop(&running, End::Stopped);
                    continue;
                }
                () = &mut lease_over, if matches!(end, End::Done) => {
                    end = self.stop(&running, End::LeaseOver);
                    continue;
                }
            };
            match progress {
                None => break,
                Some(Progress::Started) => self.open_interval(record, done_unit).await?,
                Some(Progress::Batch { output, lap }) => {
                    if matches!(end, End::LeaseOver) {
                        // Units that end after the lease are another worker's by now.
                        continue;
                    }
                    self.keep(record, &output, lap).await?;
                    done_unit += u64::from(output.batch.unit_count);
                    let length = self.ctx.ledger.view(|meter| meter.open_length());
                    if length.is_some_and(|length| length >= self.ctx.config.worker.interval) {
                        self.close_interval()?;
                        self.open_interval(record, done_unit).await?;
                    }
                    if self.ctx.control.mode() == Mode::Pause {
                        end = self.stop(&running, End::Stopped);
                    }
                }
                Some(Progress::Failed(err)) => end = End::Failed(err.to_string()),
            }
        }
        if matches!(end, End::Done) && done_unit < end_unit {
            return Err(WorkerError::EngineEnded);
        }
        Ok(end)
    }

    fn stop(&self, running: &Running, end: End) -> End {
        running.stop();
        end
    }

    /// How long a task's lease lasts, in seconds.
    fn left_s(&self, task: &Task) -> u64 {
        task.lease_ends_at.saturating_sub(self.ctx.now_ms() / 1000)
    }

    /// The first unit of a task that the journal does not hold.
    fn next_unit(&self, task: &Task) -> u64 {
        let task_id = task.task_id();
        self.ctx.ledger.view(|meter| {
            meter
                .closed()
                .iter()
                .filter(|closed| closed.interval.task_id == task_id)
                .map(|closed| closed.interval.first_unit + u64::from(closed.interval.unit_count))
                .max()
                .unwrap_or(task.first_unit)
        })
    }

    async fn open_interval(
        &self,
        record: &LeaseRecord,
        first_unit: u64,
    ) -> Result<(), WorkerError> {
        let ctx = &self.ctx;
        let task_id = record.task.task_id();
        if ctx.ledger.view(|meter| meter.goes_on(task_id, first_unit)) {
            return Ok(());
        }
        self.close_interval()?;
        let start_ms = ctx.now_ms();
        if let Err(err) = ctx.anchor_clock().await {
            debug!(%err, "clock not anchored anew");
        }
        let opened = OpenInterval {
            manager: record.lease.order.manager,
            builder: record.lease.order.builder,
            job_id: record.task.job_id,
            task_id,
            task_index: record.task_index,
            reference_rate: record.task.reference_rate,
            ib_micro: ctx.ib_micro,
            checkpoint_index: ctx.checkpoint_index(),
            start_ms,
        };
        Ok(ctx.ledger.record(|meter| Some(meter.open(opened)))?)
    }

    fn close_interval(&self) -> Result<(), WorkerError> {
        let (name, threads) = (self.engine.device_name(), self.engine.thread_count());
        let mut is_closed = false;
        self.ctx.ledger.record(|meter| {
            let closing = meter.close(name, threads);
            is_closed = closing.is_some();
            closing
        })?;
        if is_closed {
            gauges::count_interval();
        }
        Ok(())
    }

    /// Stores outputs, queues the report, then writes the journal: in this order, what the journal holds
    /// can always be delivered.
    async fn keep(
        &self,
        record: &LeaseRecord,
        output: &BatchOutput,
        lap: Lap,
    ) -> Result<(), WorkerError> {
        let bytes: Vec<u8> = output
            .outputs
            .iter()
            .flat_map(|unit| unit.output.iter().copied())
            .collect();
        let output_blob = self.ctx.blobs.put(Bytes::from(bytes)).await?;
        let units: Vec<UnitLeaf> = output.outputs.iter().map(UnitLeaf::from).collect();
        let report = ResultReport {
            task_id: record.task.task_id().bytes(),
            first_unit: output.batch.first_unit,
            units: units.iter().map(unit_result).collect(),
            output_blob,
        };
        self.ctx.book.queue_report(&record.manager_url, &report)?;
        let measured = units.clone();
        let batch = BatchRecord {
            units,
            active_us: u64::try_from(lap.active.as_micros()).unwrap_or(u64::MAX),
            end_ms: self.ctx.now_ms(),
            output_blob,
        };
        if let Err(err) = self.ctx.ledger.record(|_| Some(Entry::Batch(batch))) {
            // What is not written down is not claimed, and is executed again: it is not delivered either.
            self.ctx.book.drop_report(&report)?;
            return Err(err.into());
        }
        gauges::count_batch(&measured, lap.active);
        Ok(())
    }
}

fn unit_result(unit: &UnitLeaf) -> UnitResult {
    UnitResult {
        status: unit.status,
        output_root: unit.output_root,
        cost: unit.cost,
    }
}
