//! From a primitive of a file to a mesh of triangles.

use gltf_json::{
    Index,
    mesh::{Mode, Primitive, Semantic},
    validation::Checked,
};

use super::{ImportError, Place, Report, Warning, accessor::Accessors, limits};
use crate::scene::{
    MaterialPart, MeshPart,
    math::{cross, normalized},
};

/// A primitive and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrimitiveRef<'a> {
    /// The mesh.
    pub(super) mesh: Place,
    /// The primitive's index in it.
    pub(super) index: usize,
    /// The primitive.
    pub(super) primitive: &'a Primitive,
}

impl PrimitiveRef<'_> {
    /// Reads the triangles of a primitive. `None` if it has none.
    pub(super) fn read(
        self,
        accessors: &Accessors<'_>,
        material: (u32, &MaterialPart),
        report: &mut Report,
    ) -> Result<Option<MeshPart>, ImportError> {
        let Checked::Valid(mode @ (Mode::Triangles | Mode::TriangleStrip | Mode::TriangleFan)) =
            self.primitive.mode
        else {
            report.warn(Warning::NotTriangles {
                mesh: self.mesh,
                primitive: self.index,
            });
            return Ok(None);
        };
        let Some(positions) = self.attribute(&Semantic::Positions) else {
            return Ok(None);
        };
        let indices = self.triangles(accessors, mode, positions, report)?;
        let mut mesh = MeshPart {
            positions: accessors.floats(positions)?,
            indices,
            material: material.0,
            ..MeshPart::default()
        };
        if mesh.indices.is_empty() {
            return Ok(None);
        }
        check_bounds(positions, &mesh.positions)?;

        mesh.normals = self.vectors(&Semantic::Normals, accessors, &mesh)?;
        mesh.tangents = self.vectors(&Semantic::Tangents, accessors, &mesh)?;
        for set in 0..2 {
            mesh.uvs[set] = self.vectors(&Semantic::TexCoords(set as u32), accessors, &mesh)?;
        }
        mesh.colors = self.colors(accessors, &mesh)?;
        compact(&mut mesh);
        self.mend(&mut mesh, report);
        self.fit_to(material.1, &mut mesh, report);
        Ok(Some(mesh))
    }

    fn attribute(&self, semantic: &Semantic) -> Option<Index<gltf_json::Accessor>> {
        let attributes = &self.primitive.attributes;
        attributes.get(&Checked::Valid(semantic.clone())).copied()
    }

    /// Reads the corners of the triangles and leaves out those that have no area by their indices alone.
    fn triangles(
        &self,
        accessors: &Accessors<'_>,
        mode: Mode,
        positions: Index<gltf_json::Accessor>,
        report: &mut Report,
    ) -> Result<Vec<[u32; 3]>, ImportError> {
        let vertex_count = accessors.len(positions)?;
        let corners = if let Some(index) = self.primitive.indices {
            let corners = accessors.integers(index)?;
            if let Some(&vertex) = corners.iter().find(|&&v| u64::from(v) >= vertex_count) {
                return Err(ImportError::VertexOutOfRange {
                    place: Place::new("accessor", index.value()),
                    vertex,
                    count: vertex_count,
                });
            }
            corners
        } else {
            let too_many = ImportError::TooMany {
                what: "vertices",
                max: limits::VERTICES_MAX,
            };
            if vertex_count > limits::VERTICES_MAX {
                return Err(too_many);
            }
            (0..u32::try_from(vertex_count).map_err(|_| too_many)?).collect()
        };

        let mut triangles: Vec<[u32; 3]> = match mode {
            Mode::TriangleStrip => {
                let windows = corners.windows(3).enumerate();
                windows
                    .map(|(i, c)| match i % 2 {
                        0 => [c[0], c[1], c[2]],
                        _ => [c[1], c[0], c[2]],
                    })
                    .collect()
            }
            Mode::TriangleFan => {
                let rim = corners.get(1..).unwrap_or_default();
                rim.windows(2).map(|c| [corners[0], c[0], c[1]]).collect()
            }
            Mode::Triangles | Mode::Points | Mode::Lines | Mode::LineLoop | Mode::LineStrip => {
                if !corners.len().is_multiple_of(3) {
                    report.warn(Warning::PartialTriangle {
                        mesh: self.mesh,
                        primitive: self.index,
                    });
                }
                let chunks = corners.chunks_exact(3);
                chunks.map(|c| [c[0], c[1], c[2]]).collect()
            }
        };
        triangles.retain(|t| t[0] != t[1] && t[1] != t[2] && t[2] != t[0]);
        Ok(triangles)
    }

    /// Reads an attribute of floats, one for each position, or nothing if the primitive has none.
    fn vectors<const N: usize>(
        &self,
        semantic: &Semantic,
        accessors: &Accessors<'_>,
        mesh: &MeshPart,
    ) -> Result<Vec<[f32; N]>, ImportError> {
        let Some(index) = self.attribute(semantic) else {
            return Ok(Vec::new());
        };
        let place = Place::new("accessor", index.value());
        let (len, needed) = (accessors.len(index)?, mesh.positions.len() as u64);
        if len != needed {
            return Err(ImportError::WrongLength { place, len, needed });
        }
        let vectors: Vec<[f32; N]> = accessors.floats(index)?;
        check_bounds(index, &vectors)?;
        Ok(vectors)
    }

    /// Reads vertex colors, with or without alpha.
    fn colors(
        &self,
        accessors: &Accessors<'_>,
        mesh: &MeshPart,
    ) -> Result<Vec<[f32; 4]>, ImportError> {
        let semantic = Semantic::Colors(0);
        let colors = match self.vectors::<4>(&semantic, accessors, mesh) {
            Err(ImportError::WrongType { .. }) => {
                let opaque = self.vectors::<3>(&semantic, accessors, mesh)?;
                opaque.into_iter().map(|[r, g, b]| [r, g, b, 1.0]).collect()
            }
            read => read?,
        };
        let colors = colors.into_iter();
        Ok(colors
            .map(|color| color.map(|value| value.clamp(0.0, 1.0)))
            .collect())
    }

    /// Makes normals and tangents unit vectors; replaces those that have no direction.
    fn mend(&self, mesh: &mut MeshPart, report: &mut Report) {
        let mut bad = Vec::new();
        for (vertex, normal) in mesh.normals.iter_mut().enumerate() {
            match normalized(normal.map(f64::from)) {
                Some(unit) => *normal = unit.map(|value| value as f32),
                None => bad.push(vertex),
            }
        }
        if !bad.is_empty() {
            report.warn(Warning::NormalsReplaced {
                mesh: self.mesh,
                primitive: self.index,
                count: bad.len() as u64,
            });
            let around = normals_around(mesh);
            for vertex in bad {
                mesh.normals[vertex] = around[vertex];
            }
        }

        let tangents: Option<Vec<[f32; 4]>> = (mesh.tangents.iter())
            .map(|&[x, y, z, w]| {
                let unit = normalized([x, y, z].map(f64::from))?.map(|value| value as f32);
                Some([unit[0], unit[1], unit[2], if w < 0.0 { -1.0 } else { 1.0 }])
            })
            .collect();
        if tangents.is_none() {
            report.warn(Warning::TangentsReplaced {
                mesh: self.mesh,
                primitive: self.index,
            });
        }
        mesh.tangents = tangents.unwrap_or_default();
        if mesh.normals.is_empty() {
            // Tangents are meant for normals; flat triangles have others.
            mesh.tangents.clear();
        }
    }

    /// Drops what the material does not read, and gives what it reads and the mesh lacks.
    fn fit_to(&self, material: &MaterialPart, mesh: &mut MeshPart, report: &mut Report) {
        let maps = [
            material.base_color_map,
            material.metallic_roughness_map,
            material.normal_map,
            material.emissive_map,
            material.transmission_map,
        ];
        for set in 0..2_u32 {
            let uvs = &mut mesh.uvs[set as usize];
            let is_read = maps.iter().flatten().any(|map| map.uv_set == set);
            if !is_read {
                uvs.clear();
            } else if uvs.is_empty() {
                uvs.resize(mesh.positions.len(), [0.0; 2]);
                report.warn(Warning::TextureCoordinatesMissing {
                    mesh: self.mesh,
                    primitive: self.index,
                });
            }
        }
        if material.normal_map.is_none() {
            mesh.tangents.clear();
        }
    }
}

/// Checks that numbers are finite and small enough to compute with.
fn check_bounds<const N: usize>(
    index: Index<gltf_json::Accessor>,
    vectors: &[[f32; N]],
) -> Result<(), ImportError> {
    let is_good = |value: &f32| f64::from(value.abs()) <= limits::MAGNITUDE_MAX;
    match vectors.iter().flatten().find(|value| !is_good(value)) {
        None => Ok(()),
        Some(&value) => Err(ImportError::NumberOutOfRange {
            place: Place::new("accessor", index.value()),
            field: "an entry",
            value,
        }),
    }
}

/// Drops vertices that no triangle names: primitives often share the vertices of a whole file.
pub(super) fn compact(mesh: &mut MeshPart) {
    let mut is_used = vec![false; mesh.positions.len()];
    for &vertex in mesh.indices.iter().flatten() {
        is_used[vertex as usize] = true;
    }
    if is_used.iter().all(|&used| used) {
        return;
    }
    let mut renamed = Vec::with_capacity(is_used.len());
    let mut count = 0;
    for &used in &is_used {
        renamed.push(count);
        count += u32::from(used);
    }
    for vertex in mesh.indices.iter_mut().flatten() {
        *vertex = renamed[*vertex as usize];
    }
    retain(&mut mesh.positions, &is_used);
    retain(&mut mesh.normals, &is_used);
    retain(&mut mesh.tangents, &is_used);
    retain(&mut mesh.uvs[0], &is_used);
    retain(&mut mesh.uvs[1], &is_used);
    retain(&mut mesh.colors, &is_used);
}

fn retain<T>(entries: &mut Vec<T>, is_used: &[bool]) {
    let mut used = is_used.iter();
    entries.retain(|_| used.next().copied().unwrap_or(false));
}

/// Returns for each vertex the mean normal of its triangles, weighted by area; +z where there is none.
fn normals_around(mesh: &MeshPart) -> Vec<[f32; 3]> {
    let mut sums = vec![[0.0_f64; 3]; mesh.positions.len()];
    for triangle in &mesh.indices {
        let [a, b, c] = triangle.map(|vertex| mesh.positions[vertex as usize].map(f64::from));
        let edge = |to: [f64; 3]| [to[0] - a[0], to[1] - a[1], to[2] - a[2]];
        let normal = cross(edge(b), edge(c));
        for &vertex in triangle {
            for (sum, value) in sums[vertex as usize].iter_mut().zip(normal) {
                *sum += value;
            }
        }
    }
    let sums = sums.into_iter();
    sums.map(|sum| {
        normalized(sum)
            .unwrap_or([0.0, 0.0, 1.0])
            .map(|value| value as f32)
    })
    .collect()
}
