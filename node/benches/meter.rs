//! What measuring costs beside the work that is measured.
//!
//! Names read `meter/op=<operation> units=<count>`: each writes to the journal and syncs it, as a worker does.
//! After them comes `percent.meter_overhead`: units of the demo scene are rendered by the engine, and each batch
//! is timed and written down. Only the render time and the time spent in journal and meter are compared, both
//! of the same run, so that a busy machine slows both.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group};
use inferix_gpu::{
    Program, TaskInput,
    cpu::CpuExecutor,
    render::RenderParams,
    scene::{build, generate, import::import_bytes},
};
use inferix_node::{
    engine::{Engine, Progress, Run},
    meter::{BatchRecord, Entry, Ledger, OpenInterval},
};
use inferix_prover::{
    id::{DeviceId, JobId, TaskId},
    unit::UnitLeaf,
};

const RENDER: Duration = Duration::from_secs(20);

const SAMPLES: usize = 20;
const SAMPLING: Duration = Duration::from_secs(2);

/// Batches of an interval: a second each, for a minute.
const INTERVAL_BATCHES: u32 = 60;

/// Units of a batch of a fast device.
const BATCH_UNITS: u64 = 256;

fn meter(c: &mut Criterion) {
    let mut group = c.benchmark_group("meter");
    // Each run leaves its bytes in the journal.
    group
        .sample_size(SAMPLES)
        .measurement_time(SAMPLING)
        .warm_up_time(SAMPLING / 4);
    let dir = tempfile::tempdir_in(".").unwrap();
    for unit_count in [4, BATCH_UNITS] {
        let ledger = ledger(&dir.path().join(format!("batch-{unit_count}")));
        open(&ledger, 0);
        let id = format!("op=batch units={unit_count}");
        group.bench_function(BenchmarkId::from_parameter(id), |b| {
            b.iter_batched(
                || batch(unit_count),
                |batch| ledger.record(|_| Some(Entry::Batch(batch))).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    let mut journal_count = 0;
    let unit_count = BATCH_UNITS * u64::from(INTERVAL_BATCHES);
    let id = format!("op=close units={unit_count}");
    group.bench_function(BenchmarkId::from_parameter(id), |b| {
        b.iter_batched_ref(
            || {
                journal_count += 1;
                let ledger = ledger(&dir.path().join(format!("close-{journal_count}")));
                open(&ledger, 0);
                for _ in 0..INTERVAL_BATCHES {
                    let batch = batch(BATCH_UNITS);
                    ledger.record(|_| Some(Entry::Batch(batch))).unwrap();
                }
                ledger
            },
            |ledger| close(ledger),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, meter);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(print_overhead());
}

async fn print_overhead() {
    let generated = generate::demo();
    let import = import_bytes(&generated.glb, &generated.options).unwrap();
    let params = RenderParams::new(1920, 1080, 16);
    let input = TaskInput {
        program: Program::Render,
        input: Arc::from(build(&import.parts).unwrap()),
        params: Arc::from(&params.encode()[..]),
    };
    let dir = tempfile::tempdir_in(".").unwrap();
    let ledger = ledger(&dir.path().join("0.journal"));
    let engine = Engine::start(Arc::new(CpuExecutor::new(0).unwrap()));
    let mut running = engine.run(Run {
        input_key: B256::ZERO,
        task: input,
        first_unit: 0,
        unit_count: u32::try_from(params.unit_count()).unwrap(),
        max_cost: u64::MAX,
    });

    let (mut render, mut meter, mut batch_count) = (Duration::ZERO, Duration::ZERO, 0_u32);
    let mut end_ms = 0;
    while let Some(progress) = running.next().await {
        let Progress::Batch { output, lap } = progress else {
            continue;
        };
        render += lap.wall;
        end_ms += u64::try_from(lap.wall.as_millis()).unwrap();
        let units: Vec<UnitLeaf> = output.outputs.iter().map(UnitLeaf::from).collect();

        let began = Instant::now();
        if batch_count.is_multiple_of(INTERVAL_BATCHES) {
            close(&ledger);
            open(&ledger, end_ms);
        }
        let active_us = u64::try_from(lap.active.as_micros()).unwrap();
        let batch = BatchRecord {
            units,
            active_us,
            end_ms,
            output_blob: B256::ZERO,
        };
        ledger.record(|_| Some(Entry::Batch(batch))).unwrap();
        meter += began.elapsed();

        batch_count += 1;
        if render >= RENDER {
            running.stop();
        }
    }
    let percent = meter.as_secs_f64() / render.as_secs_f64() * 100.0;
    println!(
        "batches {batch_count} in {:.1} s, {:.2} ms of meter each",
        render.as_secs_f64(),
        meter.as_secs_f64() * 1000.0 / f64::from(batch_count)
    );
    println!("percent.meter_overhead {percent:.3}");
}

fn ledger(path: &Path) -> Ledger {
    Ledger::open(path, DeviceId::default()).unwrap()
}

fn close(ledger: &Ledger) {
    ledger.record(|meter| meter.close("cpu", 1)).unwrap();
}

fn batch(unit_count: u64) -> BatchRecord {
    let unit = |unit_index| UnitLeaf {
        unit_index,
        status: 0,
        output_root: B256::with_last_byte(7),
        cost: 1_000_000,
    };
    BatchRecord {
        units: (0..unit_count).map(unit).collect(),
        active_us: 900_000,
        end_ms: 1_000,
        output_blob: B256::ZERO,
    }
}

fn open(ledger: &Ledger, start_ms: u64) {
    let opened = OpenInterval {
        manager: Address::ZERO,
        builder: Address::ZERO,
        job_id: JobId::default(),
        task_id: TaskId::default(),
        task_index: 0,
        reference_rate: 1_000_000,
        ib_micro: 50_000,
        checkpoint_index: 1,
        start_ms,
    };
    ledger.record(|meter| Some(meter.open(opened))).unwrap();
}
