//! One result, whatever runs it: instruction sets, threads, batches, and what a unit may cost.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{all_kernels, everything, render_on, task};
use inferix_gpu::{
    CpuExecutor, Executor, GpuError, UnitBatch, UnitOutput, UnitStatus,
    error::InvalidInput,
    kernels::{Kernels, ValidTask},
    memory::subtree_root,
    render::{ParamsError, RenderParams},
    scene::{ValidScene, build},
};

fn params() -> RenderParams {
    RenderParams {
        frame_count: 2,
        seed: 7,
        ..RenderParams::new(40, 24, 20)
    }
}

#[test]
fn every_instruction_set_gives_the_same_bytes() {
    let blob = build(&everything()).unwrap();
    let renders: Vec<Vec<UnitOutput>> = all_kernels()
        .into_iter()
        .map(|kernels| {
            render_on(
                &CpuExecutor::with_kernels(2, kernels).unwrap(),
                &blob,
                &params(),
            )
        })
        .collect();
    assert!(renders.len() >= 2);
    for render in &renders[1..] {
        assert_eq!(*render, renders[0]);
    }
}

/// Some libraries set this for whoever loads them.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_thread_that_flushes_and_truncates_gets_the_same_bytes() {
    let task = ValidTask::new(
        ValidScene::new(&build(&everything()).unwrap()).unwrap(),
        params(),
    );
    let task = task.unwrap();
    for kernels in all_kernels() {
        let expected = kernels.render_sub_unit(&task, 1, (20, 12), 0);
        let odd: u32 = 0x1f80 | 0x8040 | 0x6000;
        let default: u32 = 0x1f80;
        // SAFETY: changes how this thread rounds, until the default is put back below.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const odd) };
        let got = kernels.render_sub_unit(&task, 1, (20, 12), 0);
        // SAFETY: as above.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const default) };
        assert_eq!(got, expected);
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let blob = build(&everything()).unwrap();
    let one = render_on(&CpuExecutor::new(1).unwrap(), &blob, &params());
    let many = render_on(&CpuExecutor::new(5).unwrap(), &blob, &params());
    assert_eq!(one, many);
}

#[test]
fn the_split_into_batches_does_not_show_and_their_order_stays() {
    let blob = build(&everything()).unwrap();
    let executor = CpuExecutor::new(2).unwrap();
    let whole = render_on(&executor, &blob, &params());
    let mut session = executor.prepare(task(&blob, &params())).unwrap();
    let splits = [(5, 3), (0, 5), (8, 4)];
    for (first_unit, unit_count) in splits {
        session
            .submit(UnitBatch {
                first_unit,
                unit_count,
                max_cost: u64::MAX,
            })
            .unwrap();
    }
    for (first_unit, unit_count) in splits {
        let batch = session.collect().unwrap().unwrap();
        let first = first_unit as usize;
        assert_eq!(batch.batch.first_unit, first_unit);
        assert_eq!(batch.outputs, whole[first..first + unit_count as usize]);
    }
    assert!(session.collect().unwrap().is_none());
}

#[test]
fn a_unit_commits_to_its_output_and_its_cost_is_the_sum_of_its_pixels() {
    let blob = build(&everything()).unwrap();
    for unit in render_on(&CpuExecutor::new(2).unwrap(), &blob, &params()) {
        assert_eq!(
            unit.output_root,
            subtree_root(&unit.output, params().log2_output())
        );
        assert_eq!(unit.status, UnitStatus::Done);
        assert_eq!(unit.cost, pixel_costs(&unit).sum::<u64>());
        assert!(unit.cost > 0);
    }
}

#[test]
fn a_unit_that_costs_too_much_is_cut_at_the_first_pixel_that_does_not_fit() {
    let blob = build(&everything()).unwrap();
    let executor = CpuExecutor::new(3).unwrap();
    let whole = &render_on(&executor, &blob, &params())[0];
    let mut session = executor.prepare(task(&blob, &params())).unwrap();
    let first_50: u64 = pixel_costs(whole).take(50).sum();
    for (max_cost, kept) in [
        (first_50, 50),
        (first_50 - 1, 49),
        (0, 0),
        (whole.cost, 256),
        (whole.cost - 1, 255),
    ] {
        session
            .submit(UnitBatch {
                first_unit: 0,
                unit_count: 1,
                max_cost,
            })
            .unwrap();
        let unit = session.collect().unwrap().unwrap().outputs.remove(0);
        assert_eq!(
            unit.output[..kept * 16],
            whole.output[..kept * 16],
            "{max_cost}"
        );
        assert!(
            unit.output[kept * 16..].iter().all(|byte| *byte == 0),
            "{max_cost}"
        );
        assert_eq!(unit.cost, max_cost);
        let is_whole = kept == 256;
        assert_eq!(
            unit.status,
            if is_whole {
                UnitStatus::Done
            } else {
                UnitStatus::Capped
            }
        );
    }
}

#[test]
fn a_pixel_is_the_ordered_sum_of_its_sub_units() {
    let blob = build(&everything()).unwrap();
    let unit = &render_on(&CpuExecutor::new(2).unwrap(), &blob, &params())[0];
    let task = ValidTask::new(ValidScene::new(&blob).unwrap(), params()).unwrap();
    let kernels = Kernels::detect();
    assert_eq!(params().range_count(), 2);
    let (x, y) = (9, 4);
    let mut sum = [0.0_f32; 3];
    let mut cost = 0;
    for range in 0..2 {
        let part = kernels.render_sub_unit(&task, 0, (x, y), range).unwrap();
        sum = [0, 1, 2].map(|c| sum[c] + part.sum[c]);
        cost += part.cost;
    }
    let mut expected: Vec<u8> = sum.iter().flat_map(|c| (c / 20.0).to_le_bytes()).collect();
    expected.extend(cost.to_le_bytes());
    let at = (y * 16 + x) as usize * 16;
    assert_eq!(unit.output[at..at + 16], expected);
    assert!(kernels.render_sub_unit(&task, 0, (x, y), 2).is_none());
    assert!(kernels.render_sub_unit(&task, 2, (x, y), 0).is_none());
    assert!(kernels.render_sub_unit(&task, 0, (40, y), 0).is_none());
}

#[test]
fn a_canceled_batch_says_so_and_the_next_one_runs() {
    let blob = build(&everything()).unwrap();
    let slow = RenderParams {
        samples: 4096,
        ..params()
    };
    let mut session = CpuExecutor::new(2)
        .unwrap()
        .prepare(task(&blob, &slow))
        .unwrap();
    session
        .submit(UnitBatch {
            first_unit: 0,
            unit_count: 12,
            max_cost: u64::MAX,
        })
        .unwrap();
    session
        .submit(UnitBatch {
            first_unit: 0,
            unit_count: 12,
            max_cost: u64::MAX,
        })
        .unwrap();
    session.cancel();
    assert_eq!(session.collect().unwrap_err(), GpuError::Canceled);
    assert_eq!(session.collect().unwrap_err(), GpuError::Canceled);
    session
        .submit(UnitBatch {
            first_unit: 0,
            unit_count: 1,
            max_cost: 1000,
        })
        .unwrap();
    assert_eq!(session.collect().unwrap().unwrap().outputs.len(), 1);
}

#[test]
fn units_and_frames_that_do_not_exist_are_refused() {
    let blob = build(&everything()).unwrap();
    let executor = CpuExecutor::new(1).unwrap();
    let mut session = executor.prepare(task(&blob, &params())).unwrap();
    let batch = UnitBatch {
        first_unit: 10,
        unit_count: 3,
        max_cost: 1,
    };
    assert_eq!(
        session.submit(batch).unwrap_err(),
        GpuError::UnitOutOfRange {
            first_unit: 10,
            end_unit: 13,
            unit_count: 12
        }
    );
    let beyond = RenderParams {
        first_frame: 1,
        ..params()
    };
    assert_eq!(
        executor.prepare(task(&blob, &beyond)).unwrap_err(),
        GpuError::InvalidInput(InvalidInput::Params(ParamsError::FrameMissing {
            end_frame: 3,
            frame_count: 2
        }))
    );
}

fn pixel_costs(unit: &UnitOutput) -> impl Iterator<Item = u64> {
    let costs = unit.output.chunks_exact(4).skip(3).step_by(4);
    costs.map(|c| u64::from(u32::from_le_bytes([c[0], c[1], c[2], c[3]])))
}
