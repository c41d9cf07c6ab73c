//! Triangles, their vertices and their trees.

use super::{
    Affine, MeshPart, SceneError, SceneParts,
    bounds::Bounds,
    bvh::{Item, LeafRule, Tree, leaf_ref},
    layout::{Mesh, NONE, Node, Pack, Triangle, Vertex},
    matrix::{cross, dot, minus, move_direction, move_normal, move_point, unit},
    tangents::tangents_of,
};

/// Part of a mesh's reach by which its boxes are wider than its triangles: more than the rounding of a box
/// test whose ray begins within a few times that reach.
const SLACK: f32 = 1.0 / 1_048_576.0;

/// A pack at a time; see the traversal's figures in `benches/rays.rs`.
const PACK_RULE: LeafRule = LeafRule {
    items_max: 8,
    level_cost: 0.3,
};

/// What the meshes of a scene share.
#[derive(Debug, Default)]
pub(super) struct Geometry {
    pub(super) nodes: Vec<Node>,
    pub(super) packs: Vec<Pack>,
    pub(super) triangles: Vec<Triangle>,
    pub(super) vertices: Vec<Vertex>,
    pub(super) meshes: Vec<Mesh>,
    /// Extent of each mesh in its own space.
    pub(super) bounds: Vec<Bounds>,
}

/// Where a part of a mesh is put: for meshes in their own space, nowhere.
#[derive(Debug)]
pub(super) struct Placement {
    pub(super) to_world: Affine,
    pub(super) to_object: Affine,
    pub(super) is_mirrored: bool,
}

impl Geometry {
    /// Adds the triangles of the parts as one mesh. `None` if no triangle has an area.
    pub(super) fn add_mesh(
        &mut self,
        parts: &SceneParts,
        placed: &[(&MeshPart, Option<Placement>)],
    ) -> Result<Option<u32>, SceneError> {
        let first_triangle = self.triangles.len();
        let mut emissive = Vec::new();
        for (mesh, placement) in placed {
            let material = &parts.materials[mesh.material as usize];
            let triangles = self.add_vertices(mesh, placement.as_ref(), material.normal_map)?;
            if material.emissive.iter().any(|x| *x > 0.0) {
                emissive.extend(triangles);
            } else {
                self.triangles.extend(triangles);
            }
        }
        let first_emissive = self.triangles.len();
        self.triangles.append(&mut emissive);
        if self.triangles.len() == first_triangle {
            return Ok(None);
        }
        let (root, bounds) = self.add_tree(first_triangle)?;
        let mesh = count(self.meshes.len())?;
        self.meshes.push(Mesh {
            root,
            first_triangle: count(first_triangle)?,
            triangle_count: count(self.triangles.len() - first_triangle)?,
            first_emissive: count(first_emissive)?,
        });
        self.bounds.push(bounds);
        Ok(Some(mesh))
    }

    /// Returns the corners of a triangle in the space of its mesh.
    pub(super) fn corners(&self, triangle: usize) -> [[f32; 3]; 3] {
        self.triangles[triangle]
            .vertex
            .map(|i| self.vertices[i as usize].position)
    }

    /// Adds a part's vertices, and returns its triangles that have an area.
    fn add_vertices(
        &mut self,
        mesh: &MeshPart,
        placement: Option<&Placement>,
        normal_map: Option<super::MapPart>,
    ) -> Result<Vec<Triangle>, SceneError> {
        let first = count(self.vertices.len())?;
        count(self.vertices.len() + mesh.positions.len())?;
        let made = match normal_map {
            Some(map) if mesh.tangents.is_empty() => tangents_of(mesh, map.uv_set),
            _ => Vec::new(),
        };
        let tangents = if made.is_empty() {
            &mesh.tangents
        } else {
            &made
        };
        for i in 0..mesh.positions.len() {
            let vertex = vertex_of(mesh, i, tangents.get(i).copied());
            self.vertices.push(match placement {
                Some(placement) => placed_vertex(vertex, placement),
                None => vertex,
            });
        }
        let is_mirrored = placement.is_some_and(|placement| placement.is_mirrored);
        let mut triangles = Vec::with_capacity(mesh.indices.len());
        for [a, b, c] in &mesh.indices {
            let vertex = if is_mirrored { [a, c, b] } else { [a, b, c] }.map(|i| first + i);
            let [p, q, r] = vertex.map(|i| self.vertices[i as usize].position);
            let normal = cross(minus(q, p), minus(r, p));
            if dot(normal, normal) > 0.0 {
                triangles.push(Triangle {
                    vertex,
                    material: mesh.material,
                });
            }
        }
        Ok(triangles)
    }

    /// Adds the tree of the triangles from `first` on.
    fn add_tree(&mut self, first: usize) -> Result<(u32, Bounds), SceneError> {
        let mut items = Vec::with_capacity(self.triangles.len() - first);
        for triangle in first..self.triangles.len() {
            let bounds = Bounds::of(self.corners(triangle));
            items.push(Item {
                bounds,
                id: count(triangle)?,
            });
        }
        let tree = Tree::build(&mut items, PACK_RULE);
        let bounds = items
            .iter()
            .fold(Bounds::EMPTY, |sum, item| sum.joined(&item.bounds));
        let slack = bounds.reach() * SLACK;
        let mut nodes = std::mem::take(&mut self.nodes);
        let root = tree.collapse(&mut nodes, slack, &mut |at, len| {
            let pack = u32::try_from(self.packs.len()).unwrap_or(u32::MAX);
            let ids: Vec<u32> = items[at..at + len].iter().map(|item| item.id).collect();
            self.packs.push(self.pack_of(&ids));
            leaf_ref(pack, 1)
        });
        self.nodes = nodes;
        Ok((root, bounds))
    }

    fn pack_of(&self, ids: &[u32]) -> Pack {
        let mut pack: Pack = bytemuck::Zeroable::zeroed();
        pack.id = [NONE; 8];
        for (lane, id) in ids.iter().enumerate() {
            let [p, q, r] = self.corners(*id as usize);
            let (e1, e2) = (minus(q, p), minus(r, p));
            for axis in 0..3 {
                pack.v0[axis][lane] = p[axis];
                pack.e1[axis][lane] = e1[axis];
                pack.e2[axis][lane] = e2[axis];
            }
            pack.id[lane] = *id;
        }
        pack
    }
}

/// Returns a length as the blob counts it.
pub(super) fn count(len: usize) -> Result<u32, SceneError> {
    // Below 2^27, so that references to nodes, packs and instances fit.
    u32::try_from(len)
        .ok()
        .filter(|len| *len < 1 << 27)
        .ok_or(SceneError::TooLarge {
            size_bytes: u64::try_from(len).unwrap_or(u64::MAX),
            max_bytes: 1 << crate::memory::LOG2_INPUT,
        })
}

fn vertex_of(mesh: &MeshPart, i: usize, tangent: Option<[f32; 4]>) -> Vertex {
    let uv = |set: usize| mesh.uvs[set].get(i).copied().unwrap_or_default();
    Vertex {
        position: mesh.positions[i].map(positive_zero),
        normal: mesh.normals.get(i).copied().unwrap_or_default(),
        tangent: tangent.unwrap_or_default(),
        uv: [uv(0), uv(1)],
        color: mesh
            .colors
            .get(i)
            .map_or(u32::MAX, |color| color_word(*color)),
        reserved: 0,
    }
}

fn placed_vertex(vertex: Vertex, placement: &Placement) -> Vertex {
    let [x, y, z, sign] = vertex.tangent;
    let [x, y, z] = unit(move_direction(&placement.to_world, [x, y, z]));
    Vertex {
        position: move_point(&placement.to_world, vertex.position).map(positive_zero),
        normal: move_normal(&placement.to_object, vertex.normal),
        tangent: [x, y, z, if placement.is_mirrored { -sign } else { sign }],
        ..vertex
    }
}

/// So that the bounds of equal numbers are equal bits.
fn positive_zero(x: f32) -> f32 {
    x + 0.0
}

fn color_word(color: [f32; 4]) -> u32 {
    let bytes = color.map(|x| (x.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    u32::from_le_bytes(bytes)
}
