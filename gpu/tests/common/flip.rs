//! Scenes with flipped bytes.

use inferix_gpu::{
    kernels::ValidTask,
    render::RenderParams,
    scene::{ValidScene, build, layout::SceneHeader},
};

use crate::common::{all_kernels, everything};

/// Flips bytes of a good scene in each round. The validator refuses the result, or all builds of the kernels
/// get through it and agree. Returns how many rounds were rendered.
pub(crate) fn rendered_count(seed: u64, rounds: u64) -> u64 {
    let good = build(&everything()).unwrap();
    let mut rendered = 0;
    for round in 0..rounds {
        let Ok(scene) = ValidScene::new(&flipped(&good, seed.wrapping_add(round))) else {
            continue;
        };
        let params = RenderParams {
            tile_edge: 4,
            seed: round,
            ..RenderParams::new(4, 4, 1)
        };
        let Ok(task) = ValidTask::new(scene, params) else {
            continue;
        };
        rendered += 1;
        for pixel in 0..4 {
            let all = all_kernels().into_iter();
            let parts: Vec<_> = all
                .map(|kernels| kernels.render_sub_unit(&task, 0, (pixel, 1), 0).unwrap())
                .collect();
            for part in &parts {
                let same = bytemuck::bytes_of(part) == bytemuck::bytes_of(&parts[0]);
                assert!(same, "seed {seed}, round {round}: {parts:?}");
            }
        }
    }
    rendered
}

/// Flips one to four bits. Tables are drawn evenly: the small ones hold the indices that matter.
fn flipped(good: &[u8], seed: u64) -> Vec<u8> {
    let header: SceneHeader = bytemuck::pod_read_unaligned(&good[..size_of::<SceneHeader>()]);
    let starts = [
        0,
        header.nodes.offset,
        header.packs.offset,
        header.triangles.offset,
        header.vertices.offset,
        header.meshes.offset,
        header.instances.offset,
        header.frames.offset,
        header.materials.offset,
        header.textures.offset,
        header.texels.offset,
        header.lights.offset,
        header.cameras.offset,
        header.sky_texels.offset,
        header.size_bytes,
    ];
    let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |bound: u32| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 33) as u32 % bound
    };
    let mut blob = good.to_vec();
    for _ in 0..1 + draw(4) {
        let table = draw(14) as usize;
        let at = starts[table] + draw(starts[table + 1] - starts[table]);
        blob[at as usize] ^= 1 << draw(8);
    }
    blob
}
