//! The demo: a still life that shows what the renderer can do, and moves.

use serde_json::{Value, json};

use super::{Generated, GlbWriter, Picture, Shape};
use crate::scene::{
    SkyPart,
    import::ImportOptions,
    math::{look_at, rounded},
};

/// Edge of the textures in pixels.
const PICTURE_EDGE: u32 = 512;
/// Frames per second and how long the animation lasts: 48 frames, the next of which is the first again.
const FPS: f32 = 24.0;
const FRAME_COUNT: u32 = 48;
/// Where the camera is and what it looks at.
const EYE: [f64; 3] = [2.3, 2.6, 7.2];
const TARGET: [f64; 3] = [0.1, 0.85, 0.0];

const LAMP: &str = "KHR_materials_emissive_strength";

/// Returns the demo scene: 48 frames.
///
/// A plank floor, spheres of gold, hammered copper and glass, a brick block with a normal map, a perforated
/// screen that casts its pattern, an area light, a spot light, a dusk sky, and what moves: a ring that
/// turns, a lamp that circles, a ball that bounces.
pub fn demo() -> Generated {
    let mut glb = GlbWriter::default();
    add_floor(&mut glb);
    add_spheres(&mut glb);
    add_block_and_screen(&mut glb);
    add_lights(&mut glb);
    add_moving(&mut glb);
    add_camera(&mut glb);
    Generated {
        glb: glb.finish(),
        options: ImportOptions {
            sky: Some(SkyPart::Gradient {
                zenith: [0.05, 0.09, 0.2],
                horizon: [0.35, 0.3, 0.32],
                ground: [0.08, 0.07, 0.06],
            }),
            fps: FPS,
            frame_count: Some(FRAME_COUNT),
            ..ImportOptions::default()
        },
    }
}

fn add_floor(glb: &mut GlbWriter) {
    let planks = glb.texture(&Picture::planks(PICTURE_EDGE));
    let floor = glb.push(
        "materials",
        json!({
            "name": "planks",
            "pbrMetallicRoughness": {
                "baseColorTexture": {
                    "index": planks,
                    "extensions": {"KHR_texture_transform": {"scale": [4.0, 4.0]}},
                },
                "metallicFactor": 0.0,
                "roughnessFactor": 0.35,
            },
        }),
    );
    glb.use_extension("KHR_texture_transform");
    let shape = Shape::quad([-9.0, 0.0, 6.0], [[18.0, 0.0, 0.0], [0.0, 0.0, -18.0]], 1.0);
    place(glb, "floor", &shape, floor, [0.0; 3]);
}

fn add_spheres(glb: &mut GlbWriter) {
    let gold = glb.push(
        "materials",
        json!({
            "name": "gold",
            "pbrMetallicRoughness": {
                "baseColorFactor": [1.0, 0.71, 0.29, 1.0],
                "metallicFactor": 1.0,
                "roughnessFactor": 0.22,
            },
        }),
    );
    let hammered = glb.texture(&Picture::hammered_normals(PICTURE_EDGE, 9));
    let copper = glb.push(
        "materials",
        json!({
            "name": "hammered copper",
            "pbrMetallicRoughness": {
                "baseColorFactor": [0.95, 0.49, 0.34, 1.0],
                "metallicFactor": 1.0,
                "roughnessFactor": 0.3,
            },
            "normalTexture": {"index": hammered, "scale": 1.0},
        }),
    );
    let glass = glb.push(
        "materials",
        json!({
            "name": "glass",
            "pbrMetallicRoughness": {
                "baseColorFactor": [1.0, 1.0, 1.0, 1.0],
                "metallicFactor": 0.0,
                "roughnessFactor": 0.0,
            },
            "extensions": {
                "KHR_materials_transmission": {"transmissionFactor": 1.0},
                "KHR_materials_ior": {"ior": 1.5},
                "KHR_materials_volume": {
                    "thicknessFactor": 1.0,
                    "attenuationDistance": 2.0,
                    "attenuationColor": [0.72, 0.95, 0.88],
                },
            },
        }),
    );
    for name in ["transmission", "ior", "volume"] {
        glb.use_extension(&format!("KHR_materials_{name}"));
    }
    place(
        glb,
        "gold sphere",
        &Shape::sphere(0.8, 96, 48),
        gold,
        [-1.55, 0.8, 0.3],
    );
    place(
        glb,
        "copper sphere",
        &Shape::sphere(0.55, 96, 48),
        copper,
        [2.15, 0.55, -0.2],
    );
    place(
        glb,
        "glass sphere",
        &Shape::sphere(0.6, 96, 48),
        glass,
        [0.25, 0.6, 1.75],
    );
}

fn add_block_and_screen(glb: &mut GlbWriter) {
    let bricks = glb.texture(&Picture::brick_normals(PICTURE_EDGE, 8));
    let brick = glb.push(
        "materials",
        json!({
            "name": "bricks",
            "pbrMetallicRoughness": {
                "baseColorFactor": [0.5, 0.16, 0.1, 1.0],
                "metallicFactor": 0.0,
                "roughnessFactor": 0.8,
            },
            "normalTexture": {"index": bricks, "scale": 1.0},
        }),
    );
    place(
        glb,
        "brick block",
        &Shape::cuboid([0.7, 0.7, 0.7]),
        brick,
        [0.45, 0.7, -1.4],
    );
    let holes = glb.texture(&Picture::holes(PICTURE_EDGE, 12, [0.12, 0.32, 0.36]));
    let screen = glb.push(
        "materials",
        json!({
            "name": "screen",
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": holes},
                "metallicFactor": 0.0,
                "roughnessFactor": 0.5,
            },
            "alphaMode": "MASK",
            "alphaCutoff": 0.5,
            "doubleSided": true,
        }),
    );
    let shape = Shape::quad([-3.6, 0.0, -0.6], [[2.4, 0.0, -2.0], [0.0, 2.6, 0.0]], 1.0);
    place(glb, "screen", &shape, screen, [0.0; 3]);
}

fn add_lights(glb: &mut GlbWriter) {
    glb.use_extension(LAMP);
    let panel = lamp(glb, "panel", [1.0, 0.86, 0.68], 14.0);
    // It shines downwards and to the right.
    let shape = Shape::quad([-1.6, 4.2, 1.4], [[0.0, 0.0, -1.6], [1.6, 0.6, 0.0]], 1.0);
    place(glb, "panel", &shape, panel, [0.0; 3]);

    let tube = lamp(glb, "tube", [0.2, 0.55, 1.0], 5.0);
    place(
        glb,
        "tube",
        &Shape::torus(0.42, 0.035, 48, 8),
        tube,
        [1.35, 0.04, 1.5],
    );

    let spot = glb.light(json!({
        "type": "spot",
        "color": [1.0, 0.93, 0.85],
        "intensity": 260.0,
        "spot": {"innerConeAngle": 0.16, "outerConeAngle": 0.3},
    }));
    // Behind the screen, so that its holes are seen on the floor.
    let node = looking([-5.2, 4.6, -3.4], [-1.6, 0.0, 0.2]);
    add_looking(
        glb,
        node,
        json!({"extensions": {"KHR_lights_punctual": {"light": spot}}}),
    );
}

fn add_moving(glb: &mut GlbWriter) {
    let mut moves = Animation::default();
    add_ring(glb, &mut moves);
    add_firefly(glb, &mut moves);
    add_ball(glb, &mut moves);
    glb.push("animations", moves.into_json());
}

/// Adds a chrome ring that turns over.
fn add_ring(glb: &mut GlbWriter, moves: &mut Animation) {
    let chrome = glb.push(
        "materials",
        json!({
            "name": "chrome",
            "pbrMetallicRoughness": {
                "baseColorFactor": [0.82, 0.83, 0.86, 1.0],
                "metallicFactor": 1.0,
                "roughnessFactor": 0.06,
            },
        }),
    );
    let shape = Shape::torus(0.62, 0.12, 72, 24);
    let ring = place(glb, "ring", &shape, chrome, [0.45, 2.15, -1.4]);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    let turns = [
        [0.0, 0.0, 0.0, 1.0],
        [half, 0.0, 0.0, half],
        [1.0, 0.0, 0.0, 0.0],
        [half, 0.0, 0.0, -half],
        [0.0, 0.0, 0.0, -1.0],
    ];
    moves.add(glb, (ring, "rotation", "LINEAR"), &quarters(), &turns);
}

/// Adds a lamp that circles around the ring.
fn add_firefly(glb: &mut GlbWriter, moves: &mut Animation) {
    let material = lamp(glb, "firefly", [1.0, 0.45, 0.1], 30.0);
    let shape = Shape::sphere(0.07, 16, 8);
    let firefly = place(glb, "firefly", &shape, material, [0.0; 3]);
    let circle = [
        [1.15, 0.0],
        [0.0, 1.15],
        [-1.15, 0.0],
        [0.0, -1.15],
        [1.15, 0.0],
    ];
    // Tangents of a circle through four keyframes, in meters per second.
    let speed = std::f32::consts::PI;
    let mut spline = Vec::new();
    for [x, z] in circle {
        let tangent = [-z * speed, 0.0, x * speed];
        spline.extend([tangent, [0.45 + x, 2.15, -1.4 + z], tangent]);
    }
    let target = (firefly, "translation", "CUBICSPLINE");
    moves.add(glb, target, &quarters(), &spline);
}

/// Adds a checkered ball that bounces twice.
fn add_ball(glb: &mut GlbWriter, moves: &mut Animation) {
    let checker = Picture::checker(PICTURE_EDGE, 8, [[0.85, 0.83, 0.78], [0.75, 0.12, 0.1]]);
    let checker = glb.texture(&checker);
    let rubber = glb.push(
        "materials",
        json!({
            "name": "rubber",
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": checker},
                "metallicFactor": 0.0,
                "roughnessFactor": 0.6,
            },
        }),
    );
    let ball = Shape::sphere(0.3, 48, 24);
    let ball = place(glb, "ball", &ball, rubber, [-0.55, 0.3, 2.3]);
    // A parabola: no speed at the top, full speed at the floor.
    let (low, high, fall) = ([-0.55, 0.3, 2.3], [-0.55, 1.3, 2.3], [0.0, -4.0, 0.0]);
    let rise = [0.0, 4.0, 0.0];
    let flat = [0.0; 3];
    let bounce = [
        [flat, low, rise],
        [flat, high, flat],
        [fall, low, rise],
        [flat, high, flat],
        [fall, low, flat],
    ];
    let target = (ball, "translation", "CUBICSPLINE");
    moves.add(glb, target, &quarters(), bounce.as_flattened());
}

fn add_camera(glb: &mut GlbWriter) {
    let camera = json!({"type": "perspective", "perspective": {"yfov": 0.56, "znear": 0.1}});
    let camera = glb.push("cameras", camera);
    add_looking(
        glb,
        looking(EYE, TARGET),
        json!({"name": "camera", "camera": camera}),
    );
}

/// The channels of an animation.
#[derive(Default)]
struct Animation {
    channels: Vec<Value>,
    samplers: Vec<Value>,
}

impl Animation {
    /// Moves a property of a node: its keyframes, and how they are joined.
    fn add<const N: usize>(
        &mut self,
        glb: &mut GlbWriter,
        (node, path, interpolation): (usize, &str, &str),
        times_s: &[[f32; 1]],
        values: &[[f32; N]],
    ) {
        let (input, output) = (glb.floats(times_s), glb.floats(values));
        let target = json!({"node": node, "path": path});
        self.channels
            .push(json!({"sampler": self.samplers.len(), "target": target}));
        self.samplers
            .push(json!({"input": input, "output": output, "interpolation": interpolation}));
    }

    fn into_json(self) -> Value {
        json!({"channels": self.channels, "samplers": self.samplers})
    }
}

/// Returns the times of five keyframes over the animation.
fn quarters() -> [[f32; 1]; 5] {
    let end_s = FRAME_COUNT as f32 / FPS;
    [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| [part * end_s])
}

fn lamp(glb: &mut GlbWriter, name: &str, color: [f32; 3], strength: f32) -> usize {
    glb.push(
        "materials",
        json!({
            "name": name,
            "emissiveFactor": color,
            "pbrMetallicRoughness": {"baseColorFactor": [0.0, 0.0, 0.0, 1.0]},
            "extensions": {LAMP: {"emissiveStrength": strength}},
        }),
    )
}

/// Adds a mesh with its node, and returns the node.
fn place(
    glb: &mut GlbWriter,
    name: &str,
    shape: &Shape,
    material: usize,
    translation: [f32; 3],
) -> usize {
    let mesh = glb.mesh(shape, material);
    let node = json!({"name": name, "mesh": mesh, "translation": translation});
    glb.push("nodes", node)
}

/// Returns the matrix of a node at `eye` that looks at `target`, column by column.
fn looking(eye: [f64; 3], target: [f64; 3]) -> Vec<f32> {
    let map = look_at(eye, target).unwrap_or(crate::scene::math::IDENTITY);
    let rows = rounded(&map);
    let columns = (0..4).flat_map(|c| {
        let last = if c == 3 { 1.0 } else { 0.0 };
        [rows[0][c], rows[1][c], rows[2][c], last]
    });
    columns.collect()
}

fn add_looking(glb: &mut GlbWriter, matrix: Vec<f32>, mut node: Value) {
    node["matrix"] = json!(matrix);
    glb.push("nodes", node);
}
