//! Meshes of simple bodies.

use std::f64::consts::TAU;

/// A triangle mesh with normals and one set of texture coordinates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Corners.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals, one for each position.
    pub normals: Vec<[f32; 3]>,
    /// Texture coordinates, one for each position.
    pub uvs: Vec<[f32; 2]>,
    /// Corners of each triangle, counter-clockwise from outside.
    pub indices: Vec<[u32; 3]>,
}

impl Shape {
    /// Returns a parallelogram from a corner along two edges, which faces along their cross product. The
    /// texture covers it `repeat` times each way, its bottom at the first edge.
    pub fn quad(corner: [f32; 3], edges: [[f32; 3]; 2], repeat: f32) -> Self {
        let mut shape = Self::default();
        shape.add_quad(corner, edges, repeat);
        shape
    }

    /// Returns a box around the origin. The texture covers each face once.
    pub fn cuboid(half: [f32; 3]) -> Self {
        let mut shape = Self::default();
        for axis in 0..3 {
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            for side in [1.0, -1.0] {
                let (mut corner, mut along_u, mut along_v) = ([0.0; 3], [0.0; 3], [0.0; 3]);
                corner[axis] = side * half[axis];
                along_u[u] = 2.0 * side * half[u];
                along_v[v] = 2.0 * half[v];
                corner[u] = -side * half[u];
                corner[v] = -half[v];
                shape.add_quad(corner, [along_u, along_v], 1.0);
            }
        }
        shape
    }

    /// Returns a sphere around the origin, its texture wound once about +y.
    pub fn sphere(radius: f32, segments: u32, rings: u32) -> Self {
        Self::wound(segments, rings, |turn, rise| {
            let (sine, cosine) = sine_cosine(turn);
            let (rise_sine, rise_cosine) = sine_cosine(0.5 * rise);
            let normal = [sine * rise_sine, rise_cosine, cosine * rise_sine];
            (normal.map(|value| value * f64::from(radius)), normal)
        })
    }

    /// Returns a torus around +y.
    pub fn torus(radius: f32, thickness: f32, segments: u32, rings: u32) -> Self {
        Self::wound(segments, rings, |turn, around| {
            let (sine, cosine) = sine_cosine(turn);
            let (out, up) = sine_cosine(around);
            let normal = [sine * out, up, cosine * out];
            let from_axis = f64::from(radius) + f64::from(thickness) * out;
            let position = [
                sine * from_axis,
                f64::from(thickness) * up,
                cosine * from_axis,
            ];
            (position, normal)
        })
    }

    /// Winds a grid about +y: `at` gives position and normal by parts of a turn, and by part of the way
    /// from top to bottom.
    fn wound(segments: u32, rings: u32, at: impl Fn(f64, f64) -> ([f64; 3], [f64; 3])) -> Self {
        let mut shape = Self::default();
        for ring in 0..=rings {
            for segment in 0..=segments {
                let u = f64::from(segment) / f64::from(segments);
                let v = f64::from(ring) / f64::from(rings);
                // The seam closes exactly.
                let (position, normal) = at(if segment == segments { 0.0 } else { u }, v);
                shape.positions.push(position.map(|value| value as f32));
                shape.normals.push(normal.map(|value| value as f32));
                shape.uvs.push([u as f32, v as f32]);
            }
        }
        for ring in 0..rings {
            for segment in 0..segments {
                let upper = ring * (segments + 1) + segment;
                let lower = upper + segments + 1;
                shape.add_triangle([upper, lower, lower + 1]);
                shape.add_triangle([upper, lower + 1, upper + 1]);
            }
        }
        shape
    }

    /// Adds a triangle, unless two of its corners fall together as at the poles of a sphere.
    fn add_triangle(&mut self, corners: [u32; 3]) {
        let [a, b, c] = corners.map(|corner| self.positions[corner as usize]);
        if a != b && b != c && c != a {
            self.indices.push(corners);
        }
    }

    fn add_quad(&mut self, corner: [f32; 3], [along_u, along_v]: [[f32; 3]; 2], repeat: f32) {
        let first = self.positions.len() as u32;
        let [u, v] = [along_u.map(f64::from), along_v.map(f64::from)];
        let normal = crate::scene::math::normalized(crate::scene::math::cross(u, v));
        let normal = normal.unwrap_or([0.0, 1.0, 0.0]).map(|value| value as f32);
        for (s, t) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
            let mut position = corner;
            for (axis, value) in position.iter_mut().enumerate() {
                *value += s * along_u[axis] + t * along_v[axis];
            }
            self.positions.push(position);
            self.normals.push(normal);
            self.uvs.push([s * repeat, (1.0 - t) * repeat]);
        }
        self.indices.push([first, first + 1, first + 2]);
        self.indices.push([first, first + 2, first + 3]);
    }
}

/// Returns sine and cosine of a part of a turn.
fn sine_cosine(turn: f64) -> (f64, f64) {
    (libm::sin(turn * TAU), libm::cos(turn * TAU))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::math::{cross, dot};

    #[test]
    fn every_triangle_faces_along_its_normals() {
        let shapes = [
            Shape::quad([0.0; 3], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], 1.0),
            Shape::cuboid([1.0, 2.0, 3.0]),
            Shape::sphere(2.0, 12, 6),
            Shape::torus(2.0, 0.5, 12, 8),
        ];
        for shape in shapes {
            for triangle in &shape.indices {
                let [a, b, c] = triangle.map(|i| shape.positions[i as usize].map(f64::from));
                let edge = |to: [f64; 3]| [to[0] - a[0], to[1] - a[1], to[2] - a[2]];
                let face = cross(edge(b), edge(c));
                for &i in triangle {
                    let normal = shape.normals[i as usize].map(f64::from);
                    assert!(dot(face, normal) > 0.0, "{triangle:?} of {shape:?}");
                }
            }
        }
    }
}
