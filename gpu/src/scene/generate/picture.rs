//! Textures made in code.

use std::io::Cursor;

use image::ImageEncoder;

/// RGBA pixels, top row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row, and rows.
    pub edge: u32,
    /// The pixels.
    pub texels: Vec<[u8; 4]>,
}

impl Picture {
    /// Asks for the color of each pixel, by its place from 0 to 1; channels beyond 0 to 1 are cut off.
    pub fn new(edge: u32, color: impl Fn(f32, f32) -> [f32; 4]) -> Self {
        let at = |index: u32| (index as f32 + 0.5) / edge as f32;
        let texels = (0..edge * edge).map(|i| {
            let color = color(at(i % edge), at(i / edge));
            color.map(|value| (value * 255.0 + 0.5) as u8)
        });
        Self {
            edge,
            texels: texels.collect(),
        }
    }

    /// Returns planks that run along u, eight of them, and repeat.
    pub fn planks(edge: u32) -> Self {
        Self::new(edge, |u, v| {
            let row = (v * 8.0).floor();
            let shift = hash(row as u32, 71);
            let board = (u * 2.0 + shift).floor();
            let tone = 0.75 + 0.25 * hash(row as u32, board as u32 % 2 + 5);
            let (along, across) = ((u * 2.0 + shift) - board, v * 8.0 - row);
            let grain = 0.6 * noise([u * 16.0, v * 128.0], [16, 128])
                + 0.4 * noise([u * 64.0, v * 256.0], [64, 256]);
            let is_gap = across < 0.03 || along < 0.006;
            let shade = if is_gap {
                0.25
            } else {
                tone * (0.8 + 0.3 * grain)
            };
            [0.58 * shade, 0.40 * shade, 0.26 * shade, 1.0]
        })
    }

    /// Returns a checker of two colors, `count` fields along an edge.
    pub fn checker(edge: u32, count: u32, colors: [[f32; 3]; 2]) -> Self {
        Self::new(edge, |u, v| {
            let field = (u * count as f32) as u32 + (v * count as f32) as u32;
            let [r, g, b] = colors[(field % 2) as usize];
            [r, g, b, 1.0]
        })
    }

    /// Returns a sheet with round holes, `count` along an edge: alpha is 0 in a hole.
    pub fn holes(edge: u32, count: u32, color: [f32; 3]) -> Self {
        Self::new(edge, |u, v| {
            let (x, y) = (u * count as f32, v * count as f32);
            let (x, y) = (x - x.floor() - 0.5, y - y.floor() - 0.5);
            let is_hole = x * x + y * y < 0.11;
            let [r, g, b] = color;
            [r, g, b, if is_hole { 0.0 } else { 1.0 }]
        })
    }

    /// Returns a normal map of bricks with rounded edges, `count` rows high.
    pub fn brick_normals(edge: u32, count: u32) -> Self {
        let height = |u: f32, v: f32| brick_height(u, v, count);
        Self::normals(edge, 0.035, height)
    }

    /// Returns a normal map of hammered metal, for a texture that is stretched to twice its width, as on a
    /// sphere: `count` dents high.
    pub fn hammered_normals(edge: u32, count: u32) -> Self {
        Self::normals(edge, 0.03, |u, v| {
            dent(
                [u * 2.0 * count as f32, v * count as f32],
                [2 * count, count],
            )
        })
    }

    /// Returns the normal map of a height field that repeats; `scale` is the height of 1 in parts of the edge.
    fn normals(edge: u32, scale: f32, height: impl Fn(f32, f32) -> f32) -> Self {
        let step = 1.0 / edge as f32;
        Self::new(edge, |u, v| {
            let wrap = |x: f32| x - x.floor();
            let slope_u = height(wrap(u + step), v) - height(wrap(u - step), v);
            let slope_v = height(u, wrap(v + step)) - height(u, wrap(v - step));
            let (x, y) = (
                -slope_u * scale / (2.0 * step),
                slope_v * scale / (2.0 * step),
            );
            let length = (x * x + y * y + 1.0).sqrt();
            let channel = |value: f32| value / length * 0.5 + 0.5;
            [channel(x), channel(y), channel(1.0), 1.0]
        })
    }

    /// Packs the picture. The bytes may change with the encoder, the pixels don't.
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        let color = image::ExtendedColorType::Rgba8;
        let written = encoder.write_image(self.texels.as_flattened(), self.edge, self.edge, color);
        // The buffer grows as needed and the size is right: there is nothing that could fail.
        written.map(|()| bytes.into_inner()).unwrap_or_default()
    }
}

fn brick_height(u: f32, v: f32, count: u32) -> f32 {
    let row = (v * count as f32).floor();
    let shift = if (row as u32).is_multiple_of(2) {
        0.0
    } else {
        0.5
    };
    let (x, y) = (u * count as f32 / 2.0 + shift, v * count as f32);
    let (x, y) = (x - x.floor(), y - row);
    // Distance from the edge of the brick, in parts of its height.
    let edge = (x.min(1.0 - x) * 2.0).min(y.min(1.0 - y));
    let rounded = (edge * 8.0).min(1.0);
    rounded * (2.0 - rounded)
}

/// Returns the squared distance to the nearest of scattered points, one in each cell, which repeat after
/// `period`.
fn dent([x, y]: [f32; 2], period: [u32; 2]) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let mut nearest = f32::INFINITY;
    for (dx, dy) in (0..9).map(|i| (i % 3, i / 3)) {
        let (column, row) = (
            left as u32 + period[0] + dx - 1,
            top as u32 + period[1] + dy - 1,
        );
        let (column, row) = (column % period[0], row % period[1]);
        let from_x = x - left - (dx as f32 - 1.0) - hash(column, row);
        let from_y = y - top - (dy as f32 - 1.0) - hash(column + 1000, row);
        nearest = nearest.min(from_x * from_x + from_y * from_y);
    }
    nearest
}

/// Returns a number from 0 to 1 that looks random.
fn hash(x: u32, y: u32) -> f32 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
    h = (h ^ h >> 15).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ h >> 12).wrapping_mul(0x297a_2d39);
    (h ^ h >> 15) as f32 / u32::MAX as f32
}

/// Returns smooth noise from 0 to 1 that repeats after `period`.
fn noise([x, y]: [f32; 2], period: [u32; 2]) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (s, t) = (ease(x - left), ease(y - top));
    let at = |dx: u32, dy: u32| {
        hash(
            (left as u32 + dx) % period[0],
            (top as u32 + dy) % period[1],
        )
    };
    let above = at(0, 0) * (1.0 - s) + at(1, 0) * s;
    let below = at(0, 1) * (1.0 - s) + at(1, 1) * s;
    above * (1.0 - t) + below * t
}
