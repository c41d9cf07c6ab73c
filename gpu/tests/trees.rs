//! The wide trees: the closest hit is the closest of all, and building is the same on any number of threads.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{IDENTITY, all_kernels, diffuse, everything, put, put_at, sphere};
use inferix_gpu::{
    kernels::{Hit, Kernels, Ray},
    scene::{MeshPart, SceneParts, ValidScene, build},
};

/// Triangles of all sizes, thrown at random.
fn clutter(count: u32) -> MeshPart {
    let mut word = 0x1234_5678_u32;
    let mut draw = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / (1 << 24) as f32
    };
    let mut mesh = MeshPart::default();
    for i in 0..count {
        let center = [
            draw() * 10.0 - 5.0,
            draw() * 10.0 - 5.0,
            draw() * 10.0 - 5.0,
        ];
        let size = 0.1 + 2.0 * draw().powi(4);
        for _ in 0..3 {
            mesh.positions
                .push(center.map(|x| x + size * (draw() - 0.5)));
        }
        mesh.indices.push([3 * i, 3 * i + 1, 3 * i + 2]);
    }
    mesh
}

fn rays(count: u32) -> Vec<Ray> {
    let spin = |i: u32, k: u32| {
        let mut word = (i * 6 + k).wrapping_mul(0x9e37_79b9);
        word = (word ^ (word >> 15)).wrapping_mul(0x85eb_ca6b);
        word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
        ((word ^ (word >> 16)) >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let ray = |i| Ray {
        origin: [spin(i, 1) * 6.0, spin(i, 2) * 6.0, spin(i, 3) * 6.0],
        t_min: 0.0,
        direction: [spin(i, 4), spin(i, 5), spin(i, 6)],
        t_max: if i % 3 == 0 { 4.0 } else { f32::INFINITY },
    };
    (0..count).map(ray).collect()
}

fn scene_of(meshes: Vec<MeshPart>) -> ValidScene {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.materials.push(diffuse([0.5; 3]));
    for mesh in meshes {
        put(&mut parts, mesh);
    }
    ValidScene::new(&build(&parts).unwrap()).unwrap()
}

#[test]
fn a_tree_finds_what_testing_every_triangle_finds() {
    let mesh = clutter(3000);
    let rays = rays(4000);
    let scene = scene_of(vec![mesh.clone()]);
    // Scenes of one pack each test every triangle, with the same arithmetic.
    let mut best: Vec<Option<f32>> = vec![None; rays.len()];
    for first in (0..3000).step_by(8) {
        let part = MeshPart {
            indices: mesh.indices[first..first + 8].to_vec(),
            ..mesh.clone()
        };
        let (hits, _) = Kernels::detect()
            .closest(&scene_of(vec![part]), 0, &rays)
            .unwrap();
        for (best, hit) in best.iter_mut().zip(&hits) {
            if hit.triangle != u32::MAX && best.is_none_or(|t| hit.t < t) {
                *best = Some(hit.t);
            }
        }
    }
    for kernels in all_kernels() {
        let (hits, _) = kernels.closest(&scene, 0, &rays).unwrap();
        let (any, _) = kernels.any(&scene, 0, &rays).unwrap();
        for ((hit, any), best) in hits.iter().zip(&any).zip(&best) {
            let found = (hit.triangle != u32::MAX).then_some(hit.t);
            assert_eq!(found.map(f32::to_bits), best.map(f32::to_bits));
            assert_eq!(any.triangle == u32::MAX, best.is_none());
        }
    }
    assert!(best.iter().flatten().count() > 1000);
}

#[test]
fn hits_and_costs_are_the_same_bits_in_every_build() {
    let scene = ValidScene::new(&build(&everything()).unwrap()).unwrap();
    let rays = rays(20_000);
    let results: Vec<(Vec<Hit>, u64)> = all_kernels()
        .iter()
        .map(|kernels| kernels.closest(&scene, 1, &rays).unwrap())
        .collect();
    for (hits, cost) in &results {
        assert_eq!(
            bytemuck::cast_slice::<_, u8>(hits),
            bytemuck::cast_slice::<_, u8>(&results[0].0)
        );
        assert_eq!(*cost, results[0].1);
    }
}

#[test]
fn of_two_surfaces_in_one_place_the_first_is_hit() {
    let ball = sphere([0.0; 3], 1.0, 20, 0);
    let triangle_count = u32::try_from(ball.indices.len()).unwrap();
    let rays = rays(5000);
    for order in [
        vec![ball.clone(), ball.clone()],
        vec![ball.clone(), ball.clone(), ball],
    ] {
        let (hits, _) = Kernels::detect()
            .closest(&scene_of(order), 0, &rays)
            .unwrap();
        assert!(hits.iter().any(|hit| hit.triangle != u32::MAX));
        // Slivers without area at the poles are left out, so that there are fewer.
        assert!(
            hits.iter()
                .all(|hit| hit.triangle == u32::MAX || hit.triangle < triangle_count)
        );
    }
}

#[test]
fn many_places_of_one_mesh_are_instances_and_hit_like_copies() {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.materials.push(diffuse([0.5; 3]));
    let ball = sphere([0.0; 3], 0.4, 40, 0);
    let places: Vec<_> = (0..64)
        .map(|i| {
            let mut m = IDENTITY;
            (m[0][3], m[1][3], m[2][3]) = (
                (i % 4) as f32 - 1.5,
                (i / 4 % 4) as f32 - 1.5,
                (i / 16) as f32 - 1.5,
            );
            m
        })
        .collect();
    put_at(&mut parts, ball.clone(), vec![places[0]]);
    for place in &places[1..] {
        let mut instance = parts.instances[0].clone();
        instance.to_world = vec![*place];
        parts.instances.push(instance);
    }
    let instanced = build(&parts).unwrap();
    let mut copies = SceneParts {
        meshes: Vec::new(),
        instances: Vec::new(),
        ..parts
    };
    for place in &places {
        put_at(&mut copies, ball.clone(), vec![*place]);
    }
    let copied = build(&copies).unwrap();
    assert!(instanced.len() * 8 < copied.len());
    let hits_of = |blob: &[u8]| {
        let scene = ValidScene::new(blob).unwrap();
        Kernels::detect().closest(&scene, 0, &rays(5000)).unwrap().0
    };
    let differing = hits_of(&instanced)
        .iter()
        .zip(&hits_of(&copied))
        .filter(|(a, b)| {
            (a.triangle == u32::MAX) != (b.triangle == u32::MAX) || (a.t - b.t).abs() > 1e-4
        })
        .count();
    // A ray along a silhouette may fall to either side.
    assert!(differing < 10, "{differing}");
}

#[test]
fn building_gives_the_same_bytes_on_any_number_of_threads() {
    let mut parts = everything();
    put(
        &mut parts,
        MeshPart {
            material: 0,
            ..clutter(30_000)
        },
    );
    let blob_on = |thread_count| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(thread_count)
            .build()
            .unwrap();
        pool.install(|| build(&parts).unwrap())
    };
    let one = blob_on(1);
    assert_eq!(one, blob_on(2));
    assert_eq!(one, blob_on(7));
}
