//! Whether the pictures are right: energy, known light, and two ways to the same number.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{
    IDENTITY, camera_at, diffuse, everything, frame, mean, moved, put, put_at, quad, render_on,
    sphere,
};
use inferix_gpu::{
    CpuExecutor,
    render::{PixelFilter, RenderParams},
    scene::{
        AlphaMode, InstancePart, LightKind, LightPart, MaterialPart, Projection, SceneParts,
        SkyPart, build,
    },
};

fn white_furnace(material: MaterialPart) -> [f64; 3] {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.sky = SkyPart::Constant { radiance: [1.0; 3] };
    parts.materials.push(material);
    put(&mut parts, sphere([0.0; 3], 1.0, 48, 0));
    // A view that sees nothing but the sphere.
    parts.cameras.push(camera_at(moved(0.0, 0.0, 4.0), 0.2));
    let params = RenderParams {
        max_depth: 32,
        seed: 1,
        ..RenderParams::new(16, 16, 400)
    };
    mean(&frame(&parts, &params))
}

#[test]
fn a_white_diffuse_ball_vanishes_in_a_white_furnace() {
    for channel in white_furnace(diffuse([1.0; 3])) {
        assert!((channel - 1.0).abs() < 0.004, "{channel}");
    }
}

#[test]
fn smooth_metal_and_glass_lose_nothing_in_a_white_furnace() {
    let metal = MaterialPart {
        roughness: 0.1,
        ..MaterialPart::default()
    };
    let glass = MaterialPart {
        transmission: 1.0,
        metallic: 0.0,
        is_thin: false,
        ..metal.clone()
    };
    let pane = MaterialPart {
        is_thin: true,
        ..glass.clone()
    };
    for (name, material) in [("metal", metal), ("glass", glass), ("pane", pane)] {
        let [channel, ..] = white_furnace(material);
        assert!(channel < 1.005 && channel > 0.985, "{name}: {channel}");
    }
}

#[test]
fn no_roughness_makes_energy() {
    for roughness in [0.0, 0.3, 0.6, 1.0] {
        for (metallic, transmission) in [(1.0, 0.0), (0.0, 0.0), (0.0, 1.0), (0.5, 0.5)] {
            // Glass alone loses what meets its microfacets twice.
            let low = if transmission > 0.0 {
                0.98 - 0.75 * roughness * roughness
            } else {
                0.97
            };
            let material = MaterialPart {
                roughness,
                metallic,
                transmission,
                is_thin: false,
                ..MaterialPart::default()
            };
            let [channel, ..] = white_furnace(material);
            assert!(
                channel < 1.01 && channel > f64::from(low),
                "roughness {roughness}, metallic {metallic}, transmission {transmission}: {channel}"
            );
        }
    }
}

#[test]
fn the_roughest_pane_reflects_what_its_integral_says() {
    // GGX of width 1 has a constant density, and the integral of its reflection at normal incidence,
    // masked and shadowed by Smith's height-correlated term, is 1 - ln 2: for a pane without absorption as
    // much is reflected and transmitted together.
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.sky = SkyPart::Constant { radiance: [1.0; 3] };
    let metallic = 0.0;
    parts.materials.push(MaterialPart {
        transmission: 1.0,
        metallic,
        ..MaterialPart::default()
    });
    put(
        &mut parts,
        quad([-1.0, -1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0], 0),
    );
    parts.cameras.push(camera_at(moved(0.0, 0.0, 1.0), 0.01));
    let params = RenderParams {
        seed: 9,
        ..RenderParams::new(8, 8, 16384)
    };
    let got = mean(&frame(&parts, &params))[0];
    assert!(is_near(got, 1.0 - std::f64::consts::LN_2, 0.004), "{got}");
}

/// A floor under a small lamp, seen from straight above through the pixel in the middle.
fn floor_under(light: Option<LightPart>, lamp: Option<f32>) -> f64 {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.materials.push(diffuse([0.5; 3]));
    parts.materials.push(MaterialPart {
        emissive: [100.0; 3],
        ..diffuse([0.0; 3])
    });
    put(
        &mut parts,
        quad([-5.0, 0.0, 5.0], [10.0, 0.0, 0.0], [0.0, 0.0, -10.0], 0),
    );
    if let Some(edge) = lamp {
        let corner = [-edge / 2.0, 2.0, -edge / 2.0];
        put(
            &mut parts,
            quad(corner, [edge, 0.0, 0.0], [0.0, 0.0, edge], 1),
        );
    }
    parts.lights.extend(light);
    // Looks down from below the lamp.
    let down = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 1.0],
        [0.0, -1.0, 0.0, 0.0],
    ];
    parts.cameras.push(camera_at(down, 0.01));
    let params = RenderParams {
        max_depth: 1,
        seed: 3,
        ..RenderParams::new(8, 8, 256)
    };
    mean(&frame(&parts, &params))[0]
}

fn is_near(got: f64, expected: f64, part: f64) -> bool {
    ((got - expected) / expected).abs() < part
}

#[test]
fn direct_light_is_what_the_formulas_say() {
    let pi = std::f64::consts::PI;
    let lit_by = |kind| {
        let down = [
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 2.0],
            [0.0, -1.0, 0.0, 0.0],
        ];
        floor_under(
            Some(LightPart {
                kind,
                color: [8.0; 3],
                to_world: vec![down],
            }),
            None,
        )
    };
    // Candela over the square of the distance, or lux; times albedo over pi.
    let point = lit_by(LightKind::Point { range: None });
    assert!(is_near(point, 8.0 / 4.0 * 0.5 / pi, 1e-3), "{point}");
    let spot = lit_by(LightKind::Spot {
        range: None,
        inner_cone: 0.3,
        outer_cone: 0.5,
    });
    assert!(is_near(spot, 8.0 / 4.0 * 0.5 / pi, 1e-3), "{spot}");
    let sun = lit_by(LightKind::Sun);
    assert!(is_near(sun, 8.0 * 0.5 / pi, 1e-4), "{sun}");
    // A square lamp of edge a at height h right above: its form factor is
    // 4 / pi x x / sqrt(1 + x^2) x atan(x / sqrt(1 + x^2)), x = a / 2h.
    let x: f64 = 1.0 / 4.0;
    let s = (1.0 + x * x).sqrt();
    let form = 4.0 / pi * (x / s) * (x / s).atan();
    let lamp = floor_under(None, Some(1.0));
    assert!(
        is_near(lamp, 100.0 * 0.5 * form, 0.01),
        "{lamp} is not {}",
        50.0 * form
    );
}

#[test]
fn drawing_lights_and_waiting_for_them_come_to_the_same() {
    // The same room twice: once its lamp is in the list of lights, once it is only a surface that shines.
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.materials.push(MaterialPart {
        roughness: 0.4,
        metallic: 0.5,
        ..diffuse([0.7, 0.5, 0.3])
    });
    parts.materials.push(MaterialPart {
        emissive: [3.0; 3],
        ..diffuse([0.0; 3])
    });
    put(
        &mut parts,
        quad([-2.0, 0.0, 2.0], [4.0, 0.0, 0.0], [0.0, 0.0, -4.0], 0),
    );
    put(
        &mut parts,
        quad([-2.0, 0.0, -2.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0], 0),
    );
    put(
        &mut parts,
        quad([-1.5, 3.0, -1.5], [3.0, 0.0, 0.0], [0.0, 0.0, 3.0], 1),
    );
    put(&mut parts, sphere([0.5, 0.7, 0.0], 0.7, 16, 0));
    parts.cameras.push(camera_at(moved(0.0, 1.0, 4.0), 0.8));
    let params = RenderParams {
        max_depth: 4,
        seed: 5,
        ..RenderParams::new(24, 24, 1500)
    };
    let drawn = mean(&frame(&parts, &params));

    let mut blob = build(&parts).unwrap();
    forget_lights(&mut blob);
    let met = mean(&frame_of(&blob, &params));
    for c in 0..3 {
        assert!(
            is_near(met[c], drawn[c], 0.02),
            "channel {c}: {met:?}, {drawn:?}"
        );
    }
}

/// The first frame of a blob, row by row.
fn frame_of(blob: &[u8], params: &RenderParams) -> Vec<[f32; 3]> {
    let mut pixels = vec![[0.0; 3]; params.width as usize * params.height as usize];
    for unit in render_on(&CpuExecutor::new(0).unwrap(), blob, params) {
        assert!(params.assemble(0, &unit, &mut pixels));
    }
    pixels
}

/// Makes every mesh forget which of its triangles are lights, and every frame that it has any.
fn forget_lights(blob: &mut [u8]) {
    use inferix_gpu::scene::layout::{Frame, Mesh, SceneHeader};
    let header: SceneHeader = bytemuck::pod_read_unaligned(&blob[..size_of::<SceneHeader>()]);
    for i in 0..header.meshes.count as usize {
        let at = header.meshes.offset as usize + i * size_of::<Mesh>();
        let bytes = &mut blob[at..at + size_of::<Mesh>()];
        let mut mesh: Mesh = bytemuck::pod_read_unaligned(bytes);
        mesh.first_emissive = mesh.first_triangle + mesh.triangle_count;
        bytes.copy_from_slice(bytemuck::bytes_of(&mesh));
    }
    for i in 0..header.frames.count as usize {
        let at = header.frames.offset as usize + i * size_of::<Frame>();
        let bytes = &mut blob[at..at + size_of::<Frame>()];
        let mut frame: Frame = bytemuck::pod_read_unaligned(bytes);
        frame.light_count = 0;
        frame.sky_light = u32::MAX;
        bytes.copy_from_slice(bytemuck::bytes_of(&frame));
    }
}

/// A ball under a sky with one bright texel: its mean radiance, with the sky drawn as a light or only met.
fn ball_under_sky(material: &MaterialPart, is_drawn: bool) -> f64 {
    let radiance: Vec<[f32; 3]> = (0..32 * 16)
        .map(|i| {
            if i % 32 == 9 && i / 32 == 4 {
                [60.0; 3]
            } else {
                [0.3; 3]
            }
        })
        .collect();
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.sky = SkyPart::Image {
        width: 32,
        height: 16,
        radiance,
        turn: 0.4,
    };
    parts.materials.push(material.clone());
    put(&mut parts, sphere([0.0; 3], 1.0, 24, 0));
    parts.cameras.push(camera_at(moved(0.0, 0.0, 4.0), 0.5));
    let params = RenderParams {
        max_depth: 4,
        seed: 5,
        ..RenderParams::new(16, 16, 1500)
    };
    let mut blob = build(&parts).unwrap();
    if !is_drawn {
        forget_lights(&mut blob);
    }
    mean(&frame_of(&blob, &params))[0]
}

#[test]
fn a_sky_image_lights_every_material_the_same_whether_it_is_drawn_or_met() {
    let rough = MaterialPart {
        roughness: 0.6,
        ior: 1.5,
        ..diffuse([0.8; 3])
    };
    let glass = MaterialPart {
        transmission: 1.0,
        is_thin: false,
        ..rough.clone()
    };
    for (name, material) in [
        ("diffuse", diffuse([0.8; 3])),
        (
            "metal",
            MaterialPart {
                metallic: 1.0,
                ..rough.clone()
            },
        ),
        (
            "pane",
            MaterialPart {
                is_thin: true,
                ..glass.clone()
            },
        ),
        (
            "mixed",
            MaterialPart {
                transmission: 0.5,
                metallic: 0.3,
                ..glass.clone()
            },
        ),
        ("glass", glass),
        ("plastic", rough),
    ] {
        let (drawn, met) = (
            ball_under_sky(&material, true),
            ball_under_sky(&material, false),
        );
        assert!(is_near(met, drawn, 0.025), "{name}: {met} is not {drawn}");
    }
}

#[test]
fn an_instance_looks_like_the_same_mesh_in_world_space() {
    let world = everything();
    let mut moving = everything();
    for instance in &mut moving.instances {
        if instance.to_world.len() == 1 {
            instance.to_world = vec![instance.to_world[0]; 2];
        }
    }
    let params = RenderParams {
        seed: 2,
        ..RenderParams::new(32, 24, 64)
    };
    let (a, b) = (
        mean(&frame(&world, &params)),
        mean(&frame(&moving, &params)),
    );
    for c in 0..3 {
        assert!(is_near(a[c], b[c], 0.03), "{a:?}, {b:?}");
    }
}

#[test]
fn coverage_of_a_third_hides_a_third() {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.sky = SkyPart::Constant { radiance: [1.0; 3] };
    parts.materials.push(MaterialPart {
        base_color: [0.0, 0.0, 0.0, 0.33],
        alpha_mode: AlphaMode::Blend,
        ..diffuse([0.0; 3])
    });
    parts.materials[0].base_color[3] = 0.33;
    put(
        &mut parts,
        quad([-9.0, -9.0, 0.0], [18.0, 0.0, 0.0], [0.0, 18.0, 0.0], 0),
    );
    parts.cameras.push(camera_at(moved(0.0, 0.0, 2.0), 0.5));
    let got = mean(&frame(&parts, &RenderParams::new(16, 16, 256)))[0];
    assert!(is_near(got, 0.67, 0.01), "{got}");
}

#[test]
fn an_orthographic_view_and_both_filters_see_a_flat_color() {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    };
    parts.materials.push(MaterialPart {
        emissive: [0.25, 0.5, 1.0],
        ..diffuse([0.0; 3])
    });
    parts
        .meshes
        .push(quad([-1.0, -1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0], 0));
    parts.instances.push(InstancePart {
        mesh: 0,
        to_world: vec![IDENTITY],
    });
    let mut camera = camera_at(moved(0.0, 0.0, 7.0), 0.5);
    camera.projection = Projection::Orthographic { ymag: 0.9 };
    parts.cameras.push(camera);
    for filter in [PixelFilter::Box, PixelFilter::Tent] {
        let params = RenderParams {
            filter,
            ..RenderParams::new(16, 16, 4)
        };
        assert!(
            frame(&parts, &params)
                .iter()
                .all(|pixel| *pixel == [0.25, 0.5, 1.0])
        );
    }
    // Turned away, only a double-sided surface shines.
    let back = [
        [-1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, -1.0, 0.0],
    ];
    let mut turned = SceneParts {
        instances: Vec::new(),
        meshes: Vec::new(),
        ..parts.clone()
    };
    put_at(&mut turned, parts.meshes[0].clone(), vec![back]);
    assert_eq!(mean(&frame(&turned, &RenderParams::new(8, 8, 1))), [0.0; 3]);
    turned.materials[0].is_double_sided = true;
    assert_eq!(
        mean(&frame(&turned, &RenderParams::new(8, 8, 1))),
        [0.25, 0.5, 1.0]
    );
}
