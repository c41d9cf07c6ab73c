//! Tangents for meshes that come without.

use super::{
    MeshPart,
    matrix::{cross, dot, minus, unit},
};

/// Returns a tangent and the bitangent's sign for each vertex: the direction in which u grows, averaged over
/// the triangles at the vertex by their size.
pub(super) fn tangents_of(mesh: &MeshPart, uv_set: u32) -> Vec<[f32; 4]> {
    let uvs = &mesh.uvs[usize::from(uv_set == 1)];
    if uvs.is_empty() || mesh.normals.is_empty() {
        return vec![[0.0; 4]; mesh.positions.len()];
    }
    let mut along_u = vec![[0.0_f32; 3]; mesh.positions.len()];
    let mut along_v = vec![[0.0_f32; 3]; mesh.positions.len()];
    for triangle in &mesh.indices {
        let [a, b, c] = triangle.map(|i| i as usize);
        let (e1, e2) = (
            minus(mesh.positions[b], mesh.positions[a]),
            minus(mesh.positions[c], mesh.positions[a]),
        );
        let d1 = [uvs[b][0] - uvs[a][0], uvs[b][1] - uvs[a][1]];
        let d2 = [uvs[c][0] - uvs[a][0], uvs[c][1] - uvs[a][1]];
        let sign = if d1[0] * d2[1] - d2[0] * d1[1] < 0.0 {
            -1.0
        } else {
            1.0
        };
        for i in [a, b, c] {
            for axis in 0..3 {
                along_u[i][axis] += sign * (e1[axis] * d2[1] - e2[axis] * d1[1]);
                along_v[i][axis] += sign * (e2[axis] * d1[0] - e1[axis] * d2[0]);
            }
        }
    }
    let vertices = mesh.normals.iter().zip(along_u.iter().zip(&along_v));
    vertices
        .map(|(normal, (u, v))| {
            let slope = dot(*normal, *u);
            let [x, y, z] = unit(std::array::from_fn(|axis| u[axis] - normal[axis] * slope));
            // A normal map's green points up and v down: the bitangent is the way in which v falls.
            let sign = if dot(cross(*normal, [x, y, z]), *v) > 0.0 {
                -1.0
            } else {
                1.0
            };
            [x, y, z, sign]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two triangles that face +z, u to the right and, as files have it, v down.
    fn wall(mirror: f32) -> MeshPart {
        MeshPart {
            positions: vec![
                [0.0, 0.0, 0.0],
                [1.0, 0.0, 0.0],
                [1.0, 1.0, 0.0],
                [0.0, 1.0, 0.0],
            ],
            normals: vec![[0.0, 0.0, 1.0]; 4],
            uvs: [
                vec![[0.0, 1.0], [mirror, 1.0], [mirror, 0.0], [0.0, 0.0]],
                Vec::new(),
            ],
            indices: vec![[0, 1, 2], [0, 2, 3]],
            ..MeshPart::default()
        }
    }

    #[test]
    fn the_bitangent_points_up_in_the_picture() {
        assert_eq!(tangents_of(&wall(1.0), 0), vec![[1.0, 0.0, 0.0, 1.0]; 4]);
        assert_eq!(tangents_of(&wall(-1.0), 0), vec![[-1.0, 0.0, 0.0, -1.0]; 4]);
    }
}
