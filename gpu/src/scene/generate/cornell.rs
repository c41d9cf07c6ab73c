//! A box with a lamp, a mirror block and a matt one: small enough for a test to render.

use serde_json::{Value, json};

use super::{Generated, GlbWriter, Shape};
use crate::scene::{SkyPart, import::ImportOptions};

/// Half the edge of the box in meters.
const HALF: f32 = 1.0;

/// Returns a closed room of white walls, one red and one green, seen from its open front.
pub fn cornell_box() -> Generated {
    let mut glb = GlbWriter::default();
    let mut matt = |color: [f32; 3]| {
        let [r, g, b] = color;
        let pbr = json!({"baseColorFactor": [r, g, b, 1.0], "metallicFactor": 0.0});
        glb.push("materials", json!({"pbrMetallicRoughness": pbr}))
    };
    let white = matt([0.73, 0.73, 0.73]);
    let red = matt([0.65, 0.05, 0.05]);
    let green = matt([0.12, 0.45, 0.15]);
    let metal = json!({"baseColorFactor": [0.9, 0.9, 0.9, 1.0], "roughnessFactor": 0.4});
    let metal = glb.push("materials", json!({"pbrMetallicRoughness": metal}));
    let lamp = json!({
        "emissiveFactor": [1.0, 0.85, 0.6],
        "extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 15.0}},
    });
    glb.use_extension("KHR_materials_emissive_strength");
    let lamp = glb.push("materials", lamp);

    let (w, d) = (2.0 * HALF, 2.0 * HALF);
    let walls = [
        // Floor, ceiling, back, left, right: each faces inwards.
        ([-HALF, 0.0, HALF], [[w, 0.0, 0.0], [0.0, 0.0, -d]], white),
        ([-HALF, w, -HALF], [[w, 0.0, 0.0], [0.0, 0.0, d]], white),
        ([-HALF, 0.0, -HALF], [[w, 0.0, 0.0], [0.0, w, 0.0]], white),
        ([-HALF, 0.0, HALF], [[0.0, 0.0, -d], [0.0, w, 0.0]], red),
        ([HALF, 0.0, -HALF], [[0.0, 0.0, d], [0.0, w, 0.0]], green),
        (
            [-0.3, w - 0.01, -0.3],
            [[0.6, 0.0, 0.0], [0.0, 0.0, 0.6]],
            lamp,
        ),
    ];
    for (corner, edges, material) in walls {
        let mesh = glb.mesh(&Shape::quad(corner, edges, 1.0), material);
        glb.push("nodes", json!({"mesh": mesh}));
    }
    let mut block = |half: [f32; 3], material: usize, [x, z]: [f32; 2], turn: [f64; 2]| {
        let mesh = glb.mesh(&Shape::cuboid(half), material);
        let node: Value = json!({
            "mesh": mesh,
            "translation": [x, half[1], z],
            "rotation": [0.0, turn[0], 0.0, turn[1]],
        });
        glb.push("nodes", node);
    };
    // Turned by 17 degrees, as sine and cosine of half of it.
    block(
        [0.3, 0.6, 0.3],
        metal,
        [-0.35, -0.3],
        [0.147_809, 0.989_016],
    );
    block(
        [0.3, 0.3, 0.3],
        white,
        [0.35, 0.35],
        [-0.147_809, 0.989_016],
    );

    let camera = json!({"type": "perspective", "perspective": {"yfov": 0.68, "znear": 0.1}});
    let camera = glb.push("cameras", camera);
    glb.push(
        "nodes",
        json!({"camera": camera, "translation": [0.0, 1.0, 3.9]}),
    );
    Generated {
        glb: glb.finish(),
        options: ImportOptions {
            sky: Some(SkyPart::Black),
            ..ImportOptions::default()
        },
    }
}
