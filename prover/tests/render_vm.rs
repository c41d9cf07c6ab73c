//! The render program gives the same bits in the dispute VM as on the CPU: its sub-units, and a unit's assembly
//! from them.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

use inferix_gpu::{
    CpuExecutor, Executor, Program, TaskInput, UnitBatch, UnitOutput, UnitStatus, program,
    render::RenderParams,
    scene::{build, generate, import::import_bytes},
};
use inferix_prover::vm::{ASSEMBLY, Image, Machine, Place, Regions, Status};

/// The generated scenes, in a frame whose last tiles stick out.
fn tasks() -> Vec<TaskInput> {
    let params = RenderParams::new(40, 24, 20);
    let scenes = [generate::demo(), generate::cornell_box()];
    let task = |generated: generate::Generated| {
        let import = import_bytes(&generated.glb, &generated.options).unwrap();
        TaskInput {
            program: Program::Render,
            input: build(&import.parts).unwrap().into(),
            params: params.encode().to_vec().into(),
        }
    };
    scenes.map(task).into()
}

fn regions(task: &TaskInput) -> Regions<'_> {
    Regions {
        input: &task.input,
        params: &task.params,
        parts: &[],
    }
}

fn unit(task: &TaskInput, unit_index: u64, max_cost: u64) -> UnitOutput {
    let executor = CpuExecutor::new(0).unwrap();
    let mut session = executor.prepare(task.clone()).unwrap();
    let batch = UnitBatch {
        first_unit: unit_index,
        unit_count: 1,
        max_cost,
    };
    session.submit(batch).unwrap();
    session.collect().unwrap().unwrap().outputs.remove(0)
}

#[test]
fn sub_units_have_the_bits_of_the_cpu() {
    let image = Image::of(Program::Render).unwrap();
    let layout = image.layout();
    let mut most = 0;
    for task in tasks() {
        let mut seed = 7_u64;
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = Place {
                unit_index: (seed >> 33) % 6,
                sub_unit_index: (seed >> 40) % 512,
                max_cost: u64::MAX,
            };
            let parts = program::refine(&task, place.unit_index).unwrap();
            let want = &parts[32 * place.sub_unit_index as usize..][..32];

            let mut machine = Machine::new(&image, regions(&task), place).unwrap();
            let steps = machine.run_to_end(layout.max_steps).unwrap();
            assert_eq!(machine.status(), Status::Halted);
            let at = layout.output_at() as usize;
            assert_eq!(machine.memory().get(at, 32).unwrap(), want, "{place:?}");
            let cost = u32::from_le_bytes(want[12..16].try_into().unwrap());
            assert_eq!(machine.state().registers[10..13], [cost, 0, 0]);
            most = most.max(steps);
            println!("{steps} steps, cost {cost}");
        }
    }
    println!("most {most}");
}

#[test]
fn a_unit_is_what_its_assembly_makes_of_its_sub_units() {
    let image = Image::of(Program::Render).unwrap();
    let layout = image.layout();
    for task in tasks() {
        // A tile in the frame, and one that sticks out.
        for unit_index in [0, 5] {
            let whole = unit(&task, unit_index, u64::MAX);
            for max_cost in [u64::MAX, whole.cost, whole.cost / 2, 0] {
                let want = unit(&task, unit_index, max_cost);
                let parts = program::refine(&task, unit_index).unwrap();
                let place = Place {
                    unit_index,
                    sub_unit_index: ASSEMBLY,
                    max_cost,
                };
                let regions = Regions {
                    parts: &parts,
                    ..regions(&task)
                };
                let mut machine = Machine::new(&image, regions, place).unwrap();
                let steps = machine.run_to_end(layout.max_steps).unwrap();
                println!("{steps} steps to assemble {} sub-units", parts.len() / 32);

                let state = machine.state();
                let at = layout.output_at();
                let output = machine
                    .memory()
                    .get(at as usize, want.output.len())
                    .unwrap();
                assert_eq!(output, want.output);
                let root = machine.memory().region(at, want.output.len().ilog2()).0;
                assert_eq!(root.0, want.output_root);
                let cost = u64::from(state.registers[11]) << 32 | u64::from(state.registers[10]);
                assert_eq!((state.status, cost), (Status::Halted, want.cost));
                assert_eq!(state.registers[12] == 1, want.status == UnitStatus::Capped);
            }
        }
    }
}

#[test]
fn the_assembly_of_a_unit_follows_a_wrong_sub_unit() {
    let image = Image::of(Program::Render).unwrap();
    let task = tasks().remove(0);
    let place = Place {
        unit_index: 1,
        sub_unit_index: ASSEMBLY,
        max_cost: u64::MAX,
    };
    let root = |parts: &[u8]| {
        let regions = Regions {
            parts,
            ..regions(&task)
        };
        let mut machine = Machine::new(&image, regions, place).unwrap();
        machine.run_to_end(image.layout().max_steps).unwrap();
        machine.state();
        machine.memory().region(image.layout().output_at(), 12).0
    };
    let mut parts = program::refine(&task, 1).unwrap();
    let honest = root(&parts);
    // The second range of the fourth pixel: one bit of its green.
    parts[32 * 7 + 5] ^= 0x40;
    assert_ne!(root(&parts), honest);
}
