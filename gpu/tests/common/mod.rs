//! Scenes that several tests render.
#![allow(dead_code, missing_docs, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use inferix_gpu::{
    CpuExecutor, Executor, Program, TaskInput, UnitBatch, UnitOutput,
    kernels::{Instructions, Kernels},
    render::RenderParams,
    scene::{
        Affine, AlphaMode, CameraPart, Filter, InstancePart, LightKind, LightPart, MapPart,
        MaterialPart, MeshPart, Projection, SceneParts, SkyPart, TextureEncoding, TexturePart,
        Wrap, build,
    },
};

pub(crate) const IDENTITY: Affine = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
];

pub(crate) fn moved(x: f32, y: f32, z: f32) -> Affine {
    [[1.0, 0.0, 0.0, x], [0.0, 1.0, 0.0, y], [0.0, 0.0, 1.0, z]]
}

/// A parallelogram of two triangles, facing `u` x `v`.
pub(crate) fn quad(corner: [f32; 3], u: [f32; 3], v: [f32; 3], material: u32) -> MeshPart {
    let add = |a: [f32; 3], b: [f32; 3]| [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
    MeshPart {
        positions: vec![
            corner,
            add(corner, u),
            add(add(corner, u), v),
            add(corner, v),
        ],
        uvs: [
            vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
            Vec::new(),
        ],
        indices: vec![[0, 1, 2], [0, 2, 3]],
        material,
        ..MeshPart::default()
    }
}

/// A sphere of `2 * rings * rings` quads, with smooth normals.
pub(crate) fn sphere(center: [f32; 3], radius: f32, rings: u32, material: u32) -> MeshPart {
    let mut mesh = MeshPart {
        material,
        ..MeshPart::default()
    };
    let segments = rings * 2;
    for i in 0..=rings {
        for j in 0..=segments {
            let theta = std::f32::consts::PI * i as f32 / rings as f32;
            let phi = std::f32::consts::TAU * j as f32 / segments as f32;
            let n = [
                theta.sin() * phi.cos(),
                theta.cos(),
                -theta.sin() * phi.sin(),
            ];
            mesh.positions
                .push([0, 1, 2].map(|k| center[k] + radius * n[k]));
            mesh.normals.push(n);
            mesh.uvs[0].push([j as f32 / segments as f32, i as f32 / rings as f32]);
        }
    }
    for i in 0..rings {
        for j in 0..segments {
            let a = i * (segments + 1) + j;
            let b = a + segments + 1;
            mesh.indices.push([a, b, b + 1]);
            mesh.indices.push([a, b + 1, a + 1]);
        }
    }
    mesh
}

pub(crate) fn diffuse(color: [f32; 3]) -> MaterialPart {
    let [r, g, b] = color;
    MaterialPart {
        base_color: [r, g, b, 1.0],
        metallic: 0.0,
        roughness: 1.0,
        // No step of the index: no reflection over the base.
        ior: 1.0,
        ..MaterialPart::default()
    }
}

pub(crate) fn camera_at(to_world: Affine, yfov: f32) -> CameraPart {
    CameraPart {
        projection: Projection::Perspective { yfov },
        lens_radius: 0.0,
        focus_distance: 1.0,
        to_world: vec![to_world],
    }
}

/// Adds a mesh and stands it in world space.
pub(crate) fn put(parts: &mut SceneParts, mesh: MeshPart) {
    put_at(parts, mesh, vec![IDENTITY]);
}

pub(crate) fn put_at(parts: &mut SceneParts, mesh: MeshPart, to_world: Vec<Affine>) {
    let index = u32::try_from(parts.meshes.len()).unwrap();
    parts.meshes.push(mesh);
    parts.instances.push(InstancePart {
        mesh: index,
        to_world,
    });
}

/// A room that has something of everything: textures, a hole, glass, metal, a light of each kind, a mirrored
/// moving instance, and a sky image. Two frames.
pub(crate) fn everything() -> SceneParts {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0, 0.5],
        ..SceneParts::default()
    };
    let texels = |f: fn(u32, u32) -> [u8; 4]| (0..64).map(|i| f(i % 8, i / 8)).collect::<Vec<_>>();
    let texture = |encoding, wrap, texels| TexturePart {
        width: 8,
        height: 8,
        encoding,
        wrap_u: wrap,
        wrap_v: Wrap::Mirror,
        filter: Filter::Bilinear,
        texels,
    };
    let checks = texels(|x, y| {
        if (x + y) % 2 == 0 {
            [220, 200, 180, 255]
        } else {
            [40, 60, 90, 20]
        }
    });
    let bumps = texels(|x, y| [96 + (x * 8) as u8, 160 - (y * 8) as u8, 230, 255]);
    parts
        .textures
        .push(texture(TextureEncoding::Srgb, Wrap::Repeat, checks));
    parts
        .textures
        .push(texture(TextureEncoding::Linear, Wrap::Clamp, bumps));
    parts.materials.push(MaterialPart {
        base_color_map: Some(MapPart {
            transform: [[3.0, 0.5, 0.1], [-0.5, 3.0, 0.2]],
            ..MapPart::plain(0)
        }),
        normal_map: Some(MapPart::plain(1)),
        metallic: 0.0,
        roughness: 0.6,
        ..MaterialPart::default()
    });
    let mask = AlphaMode::Mask { cutoff: 0.5 };
    parts.materials.push(MaterialPart {
        base_color_map: Some(MapPart::plain(0)),
        alpha_mode: mask,
        ..parts.materials[0].clone()
    });
    parts.materials.push(MaterialPart {
        transmission: 1.0,
        metallic: 0.0,
        roughness: 0.1,
        is_thin: false,
        absorption: [0.2, 0.9, 0.4],
        ..MaterialPart::default()
    });
    parts.materials.push(MaterialPart {
        base_color: [0.9, 0.7, 0.3, 1.0],
        roughness: 0.3,
        metallic_roughness_map: Some(MapPart::plain(1)),
        ..MaterialPart::default()
    });
    parts.materials.push(MaterialPart {
        emissive: [6.0, 5.0, 4.0],
        ..diffuse([0.0; 3])
    });
    parts.materials.push(MaterialPart {
        base_color: [1.0, 1.0, 1.0, 0.4],
        alpha_mode: AlphaMode::Blend,
        ..diffuse([0.3, 0.8, 0.4])
    });
    put(
        &mut parts,
        quad([-4.0, 0.0, 4.0], [8.0, 0.0, 0.0], [0.0, 0.0, -8.0], 0),
    );
    put(
        &mut parts,
        quad([-2.0, 0.0, -2.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0], 1),
    );
    put(
        &mut parts,
        quad([0.5, 0.0, 1.2], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], 5),
    );
    put(&mut parts, sphere([-1.0, 0.6, 0.5], 0.6, 12, 2));
    put(
        &mut parts,
        quad([-0.5, 3.0, -0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], 4),
    );
    let mirrored = |x: f32| {
        [
            [-0.8, 0.0, 0.1, x],
            [0.0, 0.8, 0.0, 0.7],
            [0.2, 0.0, 0.8, 0.0],
        ]
    };
    put_at(
        &mut parts,
        sphere([0.0; 3], 0.8, 16, 3),
        vec![mirrored(1.2), mirrored(1.5)],
    );
    let range = Some(20.0);
    for kind in [
        LightKind::Point { range },
        LightKind::Spot {
            range,
            inner_cone: 0.2,
            outer_cone: 0.6,
        },
        LightKind::Sun,
    ] {
        let down = [
            [1.0, 0.0, 0.0, 1.0],
            [0.0, 0.0, 1.0, 3.0],
            [0.0, -1.0, 0.0, 1.0],
        ];
        parts.lights.push(LightPart {
            kind,
            color: [2.0, 2.5, 3.0],
            to_world: vec![down],
        });
    }
    parts.cameras.push(CameraPart {
        lens_radius: 0.02,
        focus_distance: 5.0,
        ..camera_at(moved(0.0, 1.2, 5.0), 0.8)
    });
    let radiance = (0..16 * 8).map(|i| [0.1 + (i % 16) as f32 * 0.02, 0.2, (i / 16) as f32 * 0.05]);
    let mut radiance: Vec<[f32; 3]> = radiance.collect();
    radiance[21] = [40.0, 36.0, 30.0];
    parts.sky = SkyPart::Image {
        width: 16,
        height: 8,
        radiance,
        turn: 0.7,
    };
    parts
}

/// Renders all units of a job at once.
pub(crate) fn render(parts: &SceneParts, params: &RenderParams) -> Vec<UnitOutput> {
    render_on(
        &CpuExecutor::new(0).unwrap(),
        &build(parts).unwrap(),
        params,
    )
}

pub(crate) fn render_on(
    executor: &CpuExecutor,
    blob: &[u8],
    params: &RenderParams,
) -> Vec<UnitOutput> {
    let mut session = executor.prepare(task(blob, params)).unwrap();
    let unit_count = u32::try_from(session.unit_count()).unwrap();
    session
        .submit(UnitBatch {
            first_unit: 0,
            unit_count,
            max_cost: u64::MAX,
        })
        .unwrap();
    session.collect().unwrap().unwrap().outputs
}

pub(crate) fn task(blob: &[u8], params: &RenderParams) -> TaskInput {
    TaskInput {
        program: Program::Render,
        input: blob.into(),
        params: params.encode().into(),
    }
}

/// The first frame, row by row.
pub(crate) fn frame(parts: &SceneParts, params: &RenderParams) -> Vec<[f32; 3]> {
    let mut pixels = vec![[0.0; 3]; params.width as usize * params.height as usize];
    for unit in render(parts, params) {
        params.assemble(0, &unit, &mut pixels);
    }
    pixels
}

pub(crate) fn mean(pixels: &[[f32; 3]]) -> [f64; 3] {
    [0, 1, 2].map(|c| pixels.iter().map(|p| f64::from(p[c])).sum::<f64>() / pixels.len() as f64)
}

/// Every build of the kernels that this machine can run.
pub(crate) fn all_kernels() -> Vec<Kernels> {
    [
        Instructions::Avx2,
        Instructions::Baseline,
        Instructions::Scalar,
    ]
    .into_iter()
    .filter_map(|instructions| Kernels::with(instructions).ok())
    .collect()
}
