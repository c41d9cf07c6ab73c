//! What measuring costs beside the work that is measured.
//!
//! Units of the demo scene are rendered by the engine, as a worker does it: each batch is timed, written to
//! the journal and synced. Only the render time and the time spent in journal and meter are compared, both
//! of the same run, so that a busy machine slows both. Prints `percent.meter_overhead`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256};
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

#[tokio::main]
async fn main() {
    let generated = generate::demo();
    let import = import_bytes(&generated.glb, &generated.options).unwrap();
    let params = RenderParams::new(1920, 1080, 16);
    let input = TaskInput {
        program: Program::Render,
        input: Arc::from(build(&import.parts).unwrap()),
        params: Arc::from(&params.encode()[..]),
    };
    let dir = tempfile::tempdir_in(".").unwrap();
    let ledger = Ledger::open(&dir.path().join("0.journal"), DeviceId::default()).unwrap();
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
        if batch_count.is_multiple_of(60) {
            ledger.record(|meter| meter.close("cpu", 1)).unwrap();
            ledger
                .record(|meter| Some(meter.open(opened(end_ms))))
                .unwrap();
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

fn opened(start_ms: u64) -> OpenInterval {
    OpenInterval {
        manager: Address::ZERO,
        builder: Address::ZERO,
        job_id: JobId::default(),
        task_id: TaskId::default(),
        task_index: 0,
        reference_rate: 1_000_000,
        ib_micro: 50_000,
        checkpoint_index: 1,
        start_ms,
    }
}
