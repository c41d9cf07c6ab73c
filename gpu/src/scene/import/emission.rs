//! Tells the triangles of a mesh that shine from those that the emission map leaves dark.
//!
//! Files give a whole model an emission map for a few lamps in it. Every triangle that may shine is a light,
//! and one that never does wastes the samples that are drawn to it.

use super::mesh::compact;
use crate::scene::{MapPart, MaterialPart, MeshPart, TexturePart, Wrap};

/// Radiance that is not missed: a thousandth of white.
const RADIANCE_MIN: f64 = 1e-3;
/// Slope of the sRGB curve near black, and how far it reaches.
const SRGB_SLOPE: f64 = 12.92;
const SRGB_SLOPE_END: f64 = 10.0;

/// How many texels of a texture shine, above and left of each.
#[derive(Debug)]
struct Shining {
    width: usize,
    height: usize,
    wraps: [Wrap; 2],
    sums: Vec<u32>,
}

/// Splits a mesh into what never shines and what may. Either may have no triangles.
pub(super) fn split(
    mesh: MeshPart,
    material: &MaterialPart,
    textures: &[TexturePart],
) -> (MeshPart, MeshPart) {
    let dark = MeshPart::default();
    let Some((map, texture)) = material
        .emissive_map
        .and_then(|map| Some((map, textures.get(map.texture as usize)?)))
    else {
        return (dark, mesh);
    };
    let shining = Shining::new(texture, material.emissive);
    let uvs = &mesh.uvs[usize::from(map.uv_set == 1)];
    let (shine, rest): (Vec<_>, Vec<_>) = mesh.indices.iter().partition(|triangle| {
        let corners = triangle.map(|vertex| uvs.get(vertex as usize).copied().unwrap_or_default());
        shining.is_within(&map, corners)
    });
    let part = |indices: Vec<[u32; 3]>| {
        if indices.is_empty() {
            return MeshPart::default();
        }
        let mut part = MeshPart {
            indices,
            ..mesh.clone()
        };
        compact(&mut part);
        part
    };
    (part(rest), part(shine))
}

impl Shining {
    fn new(texture: &TexturePart, emissive: [f32; 3]) -> Self {
        let strongest = emissive.iter().fold(0.0_f64, |a, &b| a.max(f64::from(b)));
        let level = (RADIANCE_MIN * SRGB_SLOPE * 255.0 / strongest.max(1e-9)).min(SRGB_SLOPE_END);
        let (width, height) = (texture.width as usize, texture.height as usize);
        let mut sums = vec![0; (width + 1) * (height + 1)];
        for (y, row) in texture.texels.chunks_exact(width.max(1)).enumerate() {
            let mut in_row = 0;
            for (x, [r, g, b, _]) in row.iter().enumerate() {
                in_row += u32::from(f64::from(*r.max(g).max(b)) > level);
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + in_row;
            }
        }
        Self {
            width,
            height,
            wraps: [texture.wrap_u, texture.wrap_v],
            sums,
        }
    }

    /// Returns whether a texel shines that a triangle with these corners may read.
    fn is_within(&self, map: &MapPart, corners: [[f32; 2]; 3]) -> bool {
        let [columns, rows] = [(0, self.width), (1, self.height)].map(|(axis, size)| {
            let row = map.transform[axis].map(f64::from);
            let at = corners
                .map(|[u, v]| row[0] * f64::from(u) + row[1] * f64::from(v) + row[2])
                .map(|place| place * size as f64);
            let lo = at.iter().fold(f64::INFINITY, |a, &b| a.min(b));
            let hi = at.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            range([lo, hi], size, self.wraps[axis])
        });
        let at = |x: usize, y: usize| u64::from(self.sums[y * (self.width + 1) + x]);
        at(columns[1], rows[1]) + at(columns[0], rows[0])
            > at(columns[0], rows[1]) + at(columns[1], rows[0])
    }
}

/// Returns the texels from which to which an axis may be read, with those that filters mix in; all of them
/// where the texture goes on beyond its edge.
fn range([lo, hi]: [f64; 2], size: usize, wrap: Wrap) -> [usize; 2] {
    let end = size as f64;
    let shift = match wrap {
        Wrap::Repeat => (lo / end).floor() * end,
        Wrap::Clamp | Wrap::Mirror => 0.0,
    };
    let (lo, hi) = (lo - shift - 1.5, hi - shift + 1.5);
    if lo < 0.0 || hi >= end {
        return [0, size];
    }
    [lo as usize, (hi as usize + 1).min(size)]
}
