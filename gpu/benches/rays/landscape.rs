//! A landscape of 1.5 million triangles: displaced ground with boulders on it. And rays through it.

use inferix_gpu::{
    kernels::{Hit, Ray},
    scene::{InstancePart, MaterialPart, MeshPart, SceneParts},
};

const GROUND_EDGE: u32 = 700;
const BOULDERS: u32 = 420;
const BOULDER_RINGS: u32 = 18;

/// Xorshift, so that the scene is the same everywhere.
struct Dice(u64);

impl Dice {
    fn draw(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}

pub(crate) fn parts() -> SceneParts {
    let mut mesh = MeshPart::default();
    ground(&mut mesh);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..BOULDERS {
        let (x, z) = (dice.draw() * 20.0 - 10.0, dice.draw() * 20.0 - 10.0);
        let radius = 0.08 + 0.35 * dice.draw() * dice.draw();
        boulder(
            &mut mesh,
            [x, height(x, z) + radius * 0.6, z],
            radius,
            dice.draw() * 50.0,
        );
    }
    SceneParts {
        meshes: vec![mesh],
        instances: vec![InstancePart {
            mesh: 0,
            to_world: vec![[
                [1.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 0.0],
            ]],
        }],
        materials: vec![MaterialPart::default()],
        frame_times_s: vec![0.0],
        ..SceneParts::default()
    }
}

fn height(x: f32, z: f32) -> f32 {
    let hills = (x * 0.7).sin() * (z * 0.6).cos() * 0.8;
    let bumps = (x * 3.1 + z * 1.7).sin() * (z * 2.9 - x).sin() * 0.15;
    let stones = (x * 17.0).sin() * (z * 19.0).sin() * 0.02;
    hills + bumps + stones
}

fn ground(mesh: &mut MeshPart) {
    let step = 20.0 / GROUND_EDGE as f32;
    let row = GROUND_EDGE + 1;
    for i in 0..row {
        for j in 0..row {
            let (x, z) = (j as f32 * step - 10.0, i as f32 * step - 10.0);
            mesh.positions.push([x, height(x, z), z]);
        }
    }
    for i in 0..GROUND_EDGE {
        for j in 0..GROUND_EDGE {
            let a = i * row + j;
            mesh.indices.push([a, a + row, a + 1]);
            mesh.indices.push([a + 1, a + row, a + row + 1]);
        }
    }
}

fn boulder(mesh: &mut MeshPart, center: [f32; 3], radius: f32, phase: f32) {
    let first = u32::try_from(mesh.positions.len()).unwrap();
    let segments = BOULDER_RINGS * 2;
    for i in 0..=BOULDER_RINGS {
        for j in 0..segments {
            let theta = std::f32::consts::PI * i as f32 / BOULDER_RINGS as f32;
            let phi = std::f32::consts::TAU * j as f32 / segments as f32;
            let n = [
                theta.sin() * phi.cos(),
                theta.cos(),
                theta.sin() * phi.sin(),
            ];
            let dent = (n[0] * 5.0 + phase).sin() * (n[1] * 4.0).cos() * (n[2] * 6.0 - phase).sin();
            let r = radius * (1.0 + 0.25 * dent);
            mesh.positions.push([0, 1, 2].map(|k| center[k] + r * n[k]));
        }
    }
    for i in 0..BOULDER_RINGS {
        for j in 0..segments {
            let next = (j + 1) % segments;
            let (a, b) = (first + i * segments, first + (i + 1) * segments);
            mesh.indices.push([a + j, a + next, b + j]);
            mesh.indices.push([a + next, b + next, b + j]);
        }
    }
}

/// Rays of a camera above the near edge, row by row.
pub(crate) fn primary_rays(edge: u32) -> Vec<Ray> {
    let pixel = |i: u32| (i as f32 + 0.5) / edge as f32 * 2.0 - 1.0;
    let mut rays = Vec::new();
    for y in 0..edge {
        for x in 0..edge {
            let direction = unit([pixel(x) * 0.7, -0.35 - pixel(y) * 0.5, -1.0]);
            rays.push(Ray {
                origin: [0.3, 2.6, 9.0],
                t_min: 0.0,
                direction,
                t_max: f32::INFINITY,
            });
        }
    }
    rays
}

/// From each hit, a direction of the hemisphere above the surface, denser around its normal.
pub(crate) fn diffuse_rays(primary: &[Ray], hits: &[Hit], mesh: &MeshPart) -> Vec<Ray> {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let found = primary
        .iter()
        .zip(hits)
        .filter(|(_, hit)| hit.triangle != u32::MAX);
    found
        .map(|(ray, hit)| {
            let [a, b, c] = mesh.indices[hit.triangle as usize].map(|i| mesh.positions[i as usize]);
            let mut n = unit(cross(minus(b, a), minus(c, a)));
            if dot(n, ray.direction) > 0.0 {
                n = n.map(|x| -x);
            }
            let point = [0, 1, 2].map(|k| ray.origin[k] + hit.t * ray.direction[k]);
            let (z, phi) = (dice.draw() * 2.0 - 1.0, dice.draw() * std::f32::consts::TAU);
            let r = (1.0 - z * z).sqrt();
            let on_sphere = [r * phi.cos(), r * phi.sin(), z];
            let direction = unit([0, 1, 2].map(|k| n[k] * 1.001 + on_sphere[k]));
            Ray {
                origin: [0, 1, 2].map(|k| point[k] + n[k] * 1e-3),
                t_min: 0.0,
                direction,
                t_max: f32::INFINITY,
            }
        })
        // The slivers at a boulder's poles have no normal.
        .filter(|ray| {
            ray.direction
                .iter()
                .chain(&ray.origin)
                .all(|x| x.is_finite())
        })
        .collect()
}

/// The same rays in an order that has no neighbors.
pub(crate) fn shuffled(rays: &[Ray]) -> Vec<Ray> {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut rays = rays.to_vec();
    for i in (1..rays.len()).rev() {
        let j = (dice.draw() * (i + 1) as f32) as usize;
        rays.swap(i, j.min(i));
    }
    rays
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = dot(v, v).sqrt();
    v.map(|x| x / length)
}
