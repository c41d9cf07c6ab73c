//! The render program gives the same bits in the dispute VM as on the CPU.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

use inferix_gpu::{
    Program,
    kernels::{Kernels, ValidTask},
    render::RenderParams,
    scene::{ValidScene, build, generate, import::import_bytes},
};
use inferix_prover::vm::{Image, Machine, Place, Status};

#[test]
fn sub_units_have_the_bits_of_the_cpu() {
    let image = Image::of(Program::Render).unwrap();
    let layout = image.layout();
    let mut most = 0;
    for generated in [generate::demo(), generate::cornell_box()] {
        let scene = build(
            &import_bytes(&generated.glb, &generated.options)
                .unwrap()
                .parts,
        )
        .unwrap();
        let params = RenderParams {
            tile_edge: 16,
            ..RenderParams::new(40, 24, 20)
        };
        let task = ValidTask::new(ValidScene::new(&scene).unwrap(), params.clone()).unwrap();
        let kernels = Kernels::detect();
        let mut seed = 7_u64;
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let unit_index = (seed >> 33) % params.unit_count();
            let sub_unit_index = (seed >> 40) % 512;
            let mut machine = Machine::new(
                &image,
                (&scene, &params.encode()),
                Place {
                    unit_index,
                    sub_unit_index,
                },
            )
            .unwrap();
            let steps = machine.run_to_end(layout.max_steps).unwrap();
            assert_eq!(machine.status(), Status::Halted);
            let state = machine.state();
            let at = layout.output_at() as usize;
            let got = machine.memory().get(at, 16).unwrap();

            let tile = params.tile(unit_index).unwrap();
            let (pixel, range) = (sub_unit_index as u32 / 2, sub_unit_index as u32 % 2);
            let place = (tile.x + pixel % 16, tile.y + pixel / 16);
            let want = kernels.render_sub_unit(&task, tile.frame, place, range);
            let bytes = want.map_or(vec![0; 16], |sub| {
                let sums = sub.sum.iter().flat_map(|sum| sum.to_le_bytes());
                sums.chain(sub.cost.to_le_bytes()).collect()
            });
            assert_eq!(got, bytes, "unit {unit_index} sub-unit {sub_unit_index}");
            let cost = want.map_or(0, |sub| sub.cost);
            assert_eq!((state.registers[10], state.registers[11]), (cost, 0));
            most = most.max(steps);
            println!("{steps} steps, cost {cost}");
        }
    }
    println!("most {most}");
}
