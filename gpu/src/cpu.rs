//! The CPU as a device: it defines what every other device has to return.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use crate::{
    BatchOutput, Executor, GpuError, Session, TaskInput, UnitBatch, UnitOutput,
    kernels::{Instructions, Kernels, ValidTask},
    memory::subtree_root,
    program::Program,
    render::{PIXEL_BYTES, RenderParams, pixels_cost},
    scene::ValidScene,
};

/// Paths that are rendered in one go: some milliseconds.
const RUN_SAMPLES: u32 = 64;

/// The processor of this machine, as a number of threads.
#[derive(Debug)]
pub struct CpuExecutor {
    name: String,
    kernels: Kernels,
    pool: Arc<ThreadPool>,
}

impl CpuExecutor {
    /// Starts `thread_count` threads; 0 starts one for each logical processor.
    ///
    /// # Errors
    ///
    /// [`GpuError::ThreadsUnavailable`] if the system refuses them.
    pub fn new(thread_count: usize) -> Result<Self, GpuError> {
        Self::with_kernels(thread_count, Kernels::detect())
    }

    /// Starts threads that run one build of the kernels.
    ///
    /// # Errors
    ///
    /// [`GpuError::ThreadsUnavailable`] if the system refuses them.
    pub fn with_kernels(thread_count: usize, kernels: Kernels) -> Result<Self, GpuError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(thread_count)
            .thread_name(|i| format!("cpu-executor-{i}"))
            .build()
            .map_err(|_| GpuError::ThreadsUnavailable { thread_count })?;
        let set = match kernels.instructions() {
            Instructions::Avx2 => "avx2",
            Instructions::Baseline => "baseline",
            Instructions::Scalar => "scalar",
        };
        let name = format!("cpu ({set}, {} threads)", pool.current_num_threads());
        Ok(Self {
            name,
            kernels,
            pool: Arc::new(pool),
        })
    }
}

impl Executor for CpuExecutor {
    fn device_name(&self) -> &str {
        &self.name
    }

    fn thread_count(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn prepare(&self, task: TaskInput) -> Result<Box<dyn Session>, GpuError> {
        let Program::Render = task.program;
        let params = RenderParams::decode(&task.params)?;
        let scene = ValidScene::new(&task.input)?;
        let task = Arc::new(ValidTask::new(scene, params)?);
        CpuSession::start(
            self.name.clone(),
            self.kernels,
            Arc::clone(&self.pool),
            task,
        )
        .map(|session| Box::new(session) as Box<dyn Session>)
    }
}

/// One scene on this machine. A thread of its own takes the batches in order and spreads them.
#[derive(Debug)]
struct CpuSession {
    device: String,
    task: Arc<ValidTask>,
    /// `None` once the session is dropped: the runner ends.
    batches: Option<Sender<(UnitBatch, u64)>>,
    results: Receiver<Result<BatchOutput, GpuError>>,
    in_flight: VecDeque<UnitBatch>,
    submitted_count: u64,
    signals: Arc<Signals>,
    runner: Option<JoinHandle<()>>,
}

/// What the session tells its runner besides batches.
#[derive(Debug, Default)]
struct Signals {
    /// Batches with a smaller number end early.
    canceled_below: AtomicU64,
    /// Everything ends.
    is_dropped: AtomicBool,
    submitted_count: AtomicU64,
}

impl Signals {
    fn is_canceled(&self, batch_number: u64) -> bool {
        self.is_dropped.load(Ordering::Relaxed)
            || batch_number < self.canceled_below.load(Ordering::Relaxed)
    }
}

impl CpuSession {
    fn start(
        device: String,
        kernels: Kernels,
        pool: Arc<ThreadPool>,
        task: Arc<ValidTask>,
    ) -> Result<Self, GpuError> {
        let (batches, queue) = channel::<(UnitBatch, u64)>();
        let (sender, results) = channel();
        let signals = Arc::new(Signals::default());
        let runner = Runner {
            kernels,
            pool,
            task: Arc::clone(&task),
            signals: Arc::clone(&signals),
        };
        let runner = std::thread::Builder::new()
            .name("cpu-session".to_owned())
            .spawn(move || {
                for (batch, number) in queue {
                    if sender.send(runner.run(batch, number)).is_err() {
                        return;
                    }
                }
            })
            .map_err(|_| GpuError::ThreadsUnavailable { thread_count: 1 })?;
        Ok(Self {
            device,
            task,
            batches: Some(batches),
            results,
            in_flight: VecDeque::new(),
            submitted_count: 0,
            signals,
            runner: Some(runner),
        })
    }

    fn lost(&self) -> GpuError {
        GpuError::DeviceLost {
            device: self.device.clone(),
        }
    }
}

impl Session for CpuSession {
    fn unit_count(&self) -> u64 {
        self.task.params().unit_count()
    }

    fn submit(&mut self, batch: UnitBatch) -> Result<(), GpuError> {
        let unit_count = self.unit_count();
        let end_unit = batch.first_unit.saturating_add(batch.unit_count.into());
        if end_unit > unit_count {
            let first_unit = batch.first_unit;
            return Err(GpuError::UnitOutOfRange {
                first_unit,
                end_unit,
                unit_count,
            });
        }
        let number = self.submitted_count;
        let sent = self
            .batches
            .as_ref()
            .is_some_and(|queue| queue.send((batch, number)).is_ok());
        if !sent {
            return Err(self.lost());
        }
        self.submitted_count += 1;
        self.signals
            .submitted_count
            .store(self.submitted_count, Ordering::Relaxed);
        self.in_flight.push_back(batch);
        Ok(())
    }

    fn collect(&mut self) -> Result<Option<BatchOutput>, GpuError> {
        if self.in_flight.pop_front().is_none() {
            return Ok(None);
        }
        match self.results.recv() {
            Ok(result) => result.map(Some),
            Err(_) => {
                self.in_flight.clear();
                Err(self.lost())
            }
        }
    }

    fn cancel(&self) {
        let submitted_count = self.signals.submitted_count.load(Ordering::Relaxed);
        self.signals
            .canceled_below
            .store(submitted_count, Ordering::Relaxed);
    }
}

impl Drop for CpuSession {
    fn drop(&mut self) {
        self.signals.is_dropped.store(true, Ordering::Relaxed);
        self.batches = None;
        if let Some(runner) = self.runner.take() {
            // A runner that panicked has already been reported by its lost channel.
            let _ = runner.join();
        }
    }
}

/// What the session's thread holds.
struct Runner {
    kernels: Kernels,
    pool: Arc<ThreadPool>,
    task: Arc<ValidTask>,
    signals: Arc<Signals>,
}

impl Runner {
    fn run(&self, batch: UnitBatch, number: u64) -> Result<BatchOutput, GpuError> {
        let units = batch.first_unit..batch.first_unit + u64::from(batch.unit_count);
        let render = |unit| self.render(unit, batch.max_cost, number);
        let outputs: Result<Vec<UnitOutput>, GpuError> = self
            .pool
            .install(|| units.into_par_iter().map(render).collect());
        if self.signals.is_canceled(number) {
            return Err(GpuError::Canceled);
        }
        Ok(BatchOutput {
            batch,
            outputs: outputs?,
            device_time: None,
        })
    }

    fn render(&self, unit_index: u64, max_cost: u64, number: u64) -> Result<UnitOutput, GpuError> {
        let params = self.task.params();
        let unit_count = params.unit_count();
        let end_unit = unit_index + 1;
        let tile = params.tile(unit_index).ok_or(GpuError::UnitOutOfRange {
            first_unit: unit_index,
            end_unit,
            unit_count,
        })?;
        let mut output = vec![0; 1 << params.log2_output()];
        let run_bytes = run_pixels(params) as usize * PIXEL_BYTES;
        let run_costs: Vec<AtomicU64> = output
            .chunks(run_bytes)
            .map(|_| AtomicU64::new(0))
            .collect();
        output
            .par_chunks_exact_mut(run_bytes)
            .enumerate()
            .for_each(|(run, out)| {
                // What is known of the runs above is at most their cost: if it exceeds the bound already,
                // this run is cut whatever it holds.
                let above = run_costs[..run]
                    .iter()
                    .map(|cost| cost.load(Ordering::Relaxed));
                let is_cut = above.fold(0_u64, u64::saturating_add) > max_cost;
                if is_cut || self.signals.is_canceled(number) {
                    return;
                }
                let first = u32::try_from(run).unwrap_or(u32::MAX) * run_pixels(params);
                self.kernels.render_run(&self.task, tile, first, out);
                run_costs[run].store(pixels_cost(out), Ordering::Relaxed);
            });
        if self.signals.is_canceled(number) {
            return Err(GpuError::Canceled);
        }
        // A run that was cut above its turn is all zero, and stands below a pixel that ends the unit.
        let (status, cost) = self.kernels.close_unit(&mut output, max_cost);
        let output_root = subtree_root(&output, params.log2_output());
        Ok(UnitOutput {
            unit_index,
            status,
            cost,
            output_root,
            output,
        })
    }
}

/// Returns how many pixels of a row are rendered in one go: enough to be worth a thread's while, few enough
/// that a cut or a cancellation takes effect soon. A power of two, as the edge of a tile is.
fn run_pixels(params: &RenderParams) -> u32 {
    (RUN_SAMPLES / params.samples)
        .next_power_of_two()
        .min(params.tile_edge)
}
