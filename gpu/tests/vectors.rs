//! Bits that must not change by accident: `test-vectors/memory.json` and `test-vectors/render.json`.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{fmt::Write as _, path::PathBuf};

use common::{all_kernels, diffuse, put, put_at, quad, render_on};
use inferix_gpu::{
    CpuExecutor,
    memory::{LOG2_INPUT, subtree_root},
    render::{CameraChoice, RenderParams},
    scene::{
        Affine, Filter, LightKind, LightPart, MapPart, MaterialPart, MeshPart, SceneParts, SkyPart,
        TextureEncoding, TexturePart, Wrap, build,
    },
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemoryCase {
    name: String,
    /// Where the case comes from; ours have none.
    source: Option<String>,
    /// The bytes are `0, 1, 2 ...` times `step`, modulo 256.
    len: usize,
    step: u8,
    log2_size: u32,
    root: String,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct RenderCase {
    name: String,
    scene_root: String,
    params: String,
    units: Vec<UnitCase>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct UnitCase {
    cost: u64,
    output_root: String,
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../test-vectors")
        .join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A closed room with a mirror, a pane, textures, a lamp, a moving block, and a window to the sky. Made of
/// sums and products only, so that no library's sine is part of the bytes.
fn room() -> SceneParts {
    let mut parts = SceneParts {
        frame_times_s: vec![0.0, 1.0],
        ..SceneParts::default()
    };
    let texels = (0..16_u8)
        .map(|i| [i * 16, 255 - i * 9, 60 + i, 255])
        .collect();
    parts.textures.push(TexturePart {
        width: 4,
        height: 4,
        encoding: TextureEncoding::Srgb,
        wrap_u: Wrap::Repeat,
        wrap_v: Wrap::Clamp,
        filter: Filter::Bilinear,
        texels,
    });
    parts.materials = vec![
        MaterialPart {
            base_color_map: Some(MapPart::plain(0)),
            ..diffuse([0.9, 0.8, 0.7])
        },
        MaterialPart {
            roughness: 0.25,
            base_color: [0.9, 0.6, 0.4, 1.0],
            ..MaterialPart::default()
        },
        MaterialPart {
            transmission: 0.9,
            metallic: 0.0,
            roughness: 0.2,
            ..MaterialPart::default()
        },
        MaterialPart {
            emissive: [9.0, 8.0, 6.0],
            ..diffuse([0.0; 3])
        },
    ];
    put(
        &mut parts,
        quad([-2.0, 0.0, 2.0], [4.0, 0.0, 0.0], [0.0, 0.0, -4.0], 0),
    );
    put(
        &mut parts,
        quad([-2.0, 0.0, -2.0], [4.0, 0.0, 0.0], [0.0, 3.0, 0.0], 1),
    );
    put(
        &mut parts,
        quad([-2.0, 0.0, 2.0], [0.0, 0.0, -4.0], [0.0, 3.0, 0.0], 0),
    );
    put(
        &mut parts,
        quad([-0.5, 0.2, 0.9], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], 2),
    );
    put(
        &mut parts,
        quad([-0.5, 2.9, -0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], 3),
    );
    let place = |x: f32| {
        [
            [0.5, 0.0, 0.25, x],
            [0.0, 0.5, 0.0, 0.5],
            [-0.25, 0.0, 0.5, -0.5],
        ]
    };
    put_at(&mut parts, block(), vec![place(0.5), place(0.75)]);
    let lamp: Affine = [
        [1.0, 0.0, 0.0, 1.5],
        [0.0, 1.0, 0.0, 2.0],
        [0.0, 0.0, 1.0, 1.0],
    ];
    let kind = LightKind::Point { range: Some(8.0) };
    parts.lights.push(LightPart {
        kind,
        color: [2.0, 3.0, 4.0],
        to_world: vec![lamp],
    });
    let radiance = (0..32).map(|i| [0.1, 0.2, 0.05 * (i % 8) as f32]).collect();
    parts.sky = SkyPart::Image {
        width: 8,
        height: 4,
        radiance,
        turn: 0.0,
    };
    parts
}

/// An octahedron.
fn block() -> MeshPart {
    let mut mesh = MeshPart {
        material: 1,
        ..MeshPart::default()
    };
    for axis in 0..3 {
        for sign in [1.0, -1.0] {
            let mut corner = [0.0; 3];
            corner[axis] = sign;
            mesh.positions.push(corner);
        }
    }
    for x in 0..2 {
        for y in 2..4 {
            for z in 4..6 {
                let is_turned = (x + y + z) % 2 == 1;
                mesh.indices
                    .push(if is_turned { [y, x, z] } else { [x, y, z] });
            }
        }
    }
    mesh
}

fn params() -> RenderParams {
    let to_world = [
        [1.0, 0.0, 0.0, 0.25],
        [0.0, 1.0, 0.0, 1.25],
        [0.0, 0.0, 1.0, 4.5],
    ];
    RenderParams {
        camera: CameraChoice::Own {
            to_world,
            tan_half_yfov: 0.5,
        },
        frame_count: 2,
        seed: 0x1122_3344_5566_7788,
        ..RenderParams::new(32, 24, 18)
    }
}

fn render_case() -> Vec<RenderCase> {
    let blob = build(&room()).unwrap();
    let outputs = render_on(&CpuExecutor::new(0).unwrap(), &blob, &params());
    let units = outputs
        .iter()
        .map(|unit| UnitCase {
            cost: unit.cost,
            output_root: hex(&unit.output_root),
        })
        .collect();
    vec![RenderCase {
        name: "room".to_owned(),
        scene_root: hex(&subtree_root(&blob, LOG2_INPUT)),
        params: hex(&params().encode()),
        units,
    }]
}

#[test]
fn memory_roots_match_the_vectors() {
    let text = std::fs::read_to_string(file("memory.json")).unwrap();
    let cases: Vec<MemoryCase> = serde_json::from_str(&text).unwrap();
    assert!(
        cases.iter().any(|case| case.source.is_some()),
        "the file lost its foreign cases"
    );
    for case in cases {
        let bytes: Vec<u8> = (0..case.len)
            .map(|i| (i as u8).wrapping_mul(case.step))
            .collect();
        assert_eq!(
            hex(&subtree_root(&bytes, case.log2_size)),
            case.root,
            "{}",
            case.name
        );
    }
}

#[test]
fn a_small_render_gives_the_bits_of_the_vectors_in_every_build() {
    let text = std::fs::read_to_string(file("render.json")).unwrap();
    let cases: Vec<RenderCase> = serde_json::from_str(&text).unwrap();
    assert_eq!(render_case(), cases);
    for kernels in all_kernels() {
        let executor = CpuExecutor::with_kernels(1, kernels).unwrap();
        let outputs = render_on(&executor, &build(&room()).unwrap(), &params());
        for (unit, case) in outputs.iter().zip(&cases[0].units) {
            assert_eq!(
                hex(&unit.output_root),
                case.output_root,
                "{:?}",
                kernels.instructions()
            );
        }
    }
}

#[test]
#[ignore = "rewrites test-vectors/render.json"]
fn rewrite_the_render_vectors() {
    let text = serde_json::to_string_pretty(&render_case()).unwrap();
    std::fs::write(file("render.json"), text + "\n").unwrap();
}
