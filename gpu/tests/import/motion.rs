//! Where moving nodes stand in each frame.

use inferix_gpu::scene::{
    Affine,
    generate::GlbWriter,
    import::{Import, ImportOptions, Place, Warning, import_bytes},
};
use serde_json::json;

use crate::files::one_triangle;

/// A file in which one property of node 0 moves.
fn moving<const N: usize>(
    path: &str,
    interpolation: &str,
    times_s: &[[f32; 1]],
    values: &[[f32; N]],
) -> GlbWriter {
    let mut glb = one_triangle(json!({}));
    let (input, output) = (glb.floats(times_s), glb.floats(values));
    glb.push(
        "animations",
        json!({
            "samplers": [{"input": input, "output": output, "interpolation": interpolation}],
            "channels": [{"sampler": 0, "target": {"node": 0, "path": path}}],
        }),
    );
    glb
}

fn frames(glb: GlbWriter, fps: f32) -> Vec<Affine> {
    let options = ImportOptions {
        fps,
        ..ImportOptions::default()
    };
    let Import { parts, .. } = import_bytes(&glb.finish(), &options).unwrap();
    parts.instances[0].to_world.clone()
}

fn places_x(maps: &[Affine]) -> Vec<f32> {
    maps.iter().map(|map| map[0][3]).collect()
}

#[test]
fn linear_keyframes_are_joined_by_lines() {
    let values = [[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]];
    let glb = moving("translation", "LINEAR", &[[0.0], [1.0]], &values);
    assert_eq!(places_x(&frames(glb, 4.0)), [0.0, 1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn a_step_holds_until_the_next_keyframe() {
    let values = [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]];
    let glb = moving("translation", "STEP", &[[0.0], [1.0]], &values);
    assert_eq!(places_x(&frames(glb, 2.0)), [1.0, 1.0, 2.0]);
}

#[test]
fn a_cubic_spline_follows_its_tangents() {
    // x = t (1 - t) over one second: from 0 to 0, with speeds 1 and -1.
    let values = [
        [0.0; 3],
        [0.0; 3],
        [1.0, 0.0, 0.0],
        [-1.0, 0.0, 0.0],
        [0.0; 3],
        [0.0; 3],
    ];
    let glb = moving("translation", "CUBICSPLINE", &[[0.0], [1.0]], &values);
    assert_eq!(
        places_x(&frames(glb, 4.0)),
        [0.0, 0.1875, 0.25, 0.1875, 0.0]
    );
}

#[test]
fn rotations_turn_at_an_even_pace_the_shorter_way() {
    let half = std::f32::consts::FRAC_1_SQRT_2;
    // A quarter of a turn about +y; the second quaternion has the other sign.
    let values = [[0.0, 0.0, 0.0, 1.0], [0.0, -half, 0.0, -half]];
    let glb = moving("rotation", "LINEAR", &[[0.0], [3.0]], &values);
    for (third, map) in (0_u8..).zip(frames(glb, 1.0)) {
        let angle = f32::from(third) / 3.0 * std::f32::consts::FRAC_PI_2;
        assert!((map[0][0] - angle.cos()).abs() < 1e-6, "{map:?}");
        assert!((map[0][2] - angle.sin()).abs() < 1e-6, "{map:?}");
    }
}

#[test]
fn what_stands_still_has_one_matrix_and_children_move_along() {
    let values = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]];
    let mut glb = moving("translation", "LINEAR", &[[0.0], [1.0]], &values);
    let child = glb.push("nodes", json!({"mesh": 0, "translation": [0.0, 1.0, 0.0]}));
    let still = glb.push("nodes", json!({"mesh": 0}));
    let (mut json, bin) = glb.into_json();
    json["nodes"][0]["children"] = json!([child]);
    assert_eq!(still, 2);
    json["buffers"][0]["uri"] = json!(format!(
        "data:,{}",
        bin.iter()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>()
    ));
    let options = ImportOptions {
        frame_count: Some(3),
        fps: 2.0,
        ..ImportOptions::default()
    };
    let import = import_bytes(json.to_string().as_bytes(), &options).unwrap();
    assert_eq!(import.parts.frame_times_s, [0.0, 0.5, 1.0]);
    let counts: Vec<usize> = import
        .parts
        .instances
        .iter()
        .map(|i| i.to_world.len())
        .collect();
    assert_eq!(counts, [3, 3, 1], "parent, child, and what stands still");
    assert_eq!(import.parts.instances[1].to_world[2][0][3], 2.0);
    assert_eq!(import.parts.instances[1].to_world[2][1][3], 1.0);
}

#[test]
fn a_mesh_is_hidden_in_frames_that_flatten_it() {
    let values = [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]];
    let glb = moving("scale", "STEP", &[[0.0], [1.0]], &values);
    let options = ImportOptions {
        fps: 1.0,
        ..ImportOptions::default()
    };
    let import = import_bytes(&glb.finish(), &options).unwrap();
    let maps = &import.parts.instances[0].to_world;
    assert_eq!((maps[0][0][0], maps[1][0][0]), (1.0, 1e-6));
    let node = Place {
        table: "node",
        index: 0,
    };
    let flattened = Warning::Flattened {
        node,
        frame_count: 1,
    };
    assert_eq!(import.report.warnings, [flattened]);
    inferix_gpu::scene::build(&import.parts).unwrap();
}
