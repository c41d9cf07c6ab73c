//! Small files to import.

use inferix_gpu::scene::{
    generate::{GlbWriter, Picture, Shape},
    import::{Import, ImportError, ImportOptions, import_bytes},
};
use serde_json::{Value, json};

/// Imports with the default options.
pub(crate) fn import(glb: GlbWriter) -> Result<Import, ImportError> {
    import_bytes(&glb.finish(), &ImportOptions::default())
}

/// A triangle in the plane z = 0, with every attribute.
pub(crate) fn triangle() -> Shape {
    Shape {
        positions: vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        normals: vec![[0.0, 0.0, 1.0]; 3],
        uvs: vec![[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]],
        indices: vec![[0, 1, 2]],
    }
}

/// A file with one triangle of one material.
pub(crate) fn one_triangle(material: Value) -> GlbWriter {
    let mut glb = GlbWriter::default();
    let material = glb.push("materials", material);
    let mesh = glb.mesh(&triangle(), material);
    glb.push("nodes", json!({"mesh": mesh}));
    glb
}

/// A file whose only primitive is `primitive`.
pub(crate) fn one_primitive(mut glb: GlbWriter, primitive: Value) -> GlbWriter {
    let mesh = glb.push("meshes", json!({"primitives": [primitive]}));
    glb.push("nodes", json!({"mesh": mesh}));
    glb
}

/// A file with a little of everything that is read: what a fuzzer changes.
pub(crate) fn everything() -> GlbWriter {
    let mut glb = GlbWriter::default();
    let color = glb.texture(&Picture::checker(8, 2, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
    let sampler = glb.push(
        "samplers",
        json!({"magFilter": 9728, "wrapS": 33071, "wrapT": 33648}),
    );
    let normal = Picture::brick_normals(8, 2);
    let image = glb.view(&normal.to_png());
    let image = glb.push(
        "images",
        json!({"bufferView": image, "mimeType": "image/png"}),
    );
    let normal = glb.push("textures", json!({"source": image, "sampler": sampler}));
    for name in [
        "KHR_texture_transform",
        "KHR_materials_transmission",
        "KHR_materials_ior",
        "KHR_materials_volume",
        "KHR_materials_emissive_strength",
    ] {
        glb.use_extension(name);
    }
    let transform = json!({"KHR_texture_transform": {"offset": [0.5, 0.25], "rotation": 0.5, "scale": [2.0, 3.0]}});
    let material = glb.push(
        "materials",
        json!({
            "pbrMetallicRoughness": {
                "baseColorFactor": [0.5, 0.6, 0.7, 0.8],
                "baseColorTexture": {"index": color, "extensions": transform},
                "metallicRoughnessTexture": {"index": color},
                "metallicFactor": 0.25,
                "roughnessFactor": 0.75,
            },
            "normalTexture": {"index": normal, "scale": 0.5, "extensions": transform},
            "emissiveTexture": {"index": color},
            "emissiveFactor": [0.1, 0.2, 0.3],
            "alphaMode": "MASK",
            "alphaCutoff": 0.3,
            "doubleSided": true,
            "extensions": {
                "KHR_materials_transmission": {"transmissionFactor": 0.5, "transmissionTexture": {"index": color}},
                "KHR_materials_ior": {"ior": 1.33},
                "KHR_materials_volume": {"thicknessFactor": 1.0, "attenuationDistance": 2.0, "attenuationColor": [0.5, 0.6, 0.7]},
                "KHR_materials_emissive_strength": {"emissiveStrength": 4.0},
            },
        }),
    );
    let mesh = glb.mesh(&Shape::sphere(1.0, 8, 4), material);
    let sparse_indices = glb.view(&[0, 0, 2, 0]);
    let sparse_values = glb.view(&[0; 24]);
    let bent = glb.floats(&triangle().positions);
    let colors = glb.floats(&[[0.1, 0.2, 0.3]; 3]);
    let strip = json!({"attributes": {"POSITION": bent, "COLOR_0": colors}, "mode": 5});
    let strip = glb.push("meshes", json!({"primitives": [strip]}));
    let patched = json!({
        "componentType": 5126, "type": "VEC3", "count": 3,
        "sparse": {
            "count": 2,
            "indices": {"bufferView": sparse_indices, "componentType": 5123},
            "values": {"bufferView": sparse_values},
        },
    });
    let patched = glb.push("accessors", patched);
    let points = json!({"attributes": {"POSITION": patched}, "mode": 6});
    let fan = glb.push("meshes", json!({"primitives": [points]}));
    let light = glb.light(json!({"type": "spot", "intensity": 5.0, "range": 9.0, "spot": {}}));
    let camera = json!({"type": "perspective", "perspective": {"yfov": 0.7, "znear": 0.1}});
    let camera = glb.push("cameras", camera);
    let moving = glb.push(
        "nodes",
        json!({"mesh": mesh, "translation": [1.0, 2.0, 3.0]}),
    );
    glb.push("nodes", json!({"mesh": strip, "scale": [2.0, 2.0, 2.0]}));
    glb.push("nodes", json!({"mesh": fan, "camera": camera}));
    let lamp = json!({"KHR_lights_punctual": {"light": light}});
    let matrix = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 4, 5, 6, 1];
    let parent = json!({"children": [moving], "matrix": matrix, "extensions": lamp});
    let parent = glb.push("nodes", parent);
    glb.push("scenes", json!({"nodes": [parent, 1, 2]}));
    glb.set("scene", json!(0));
    let times = glb.floats(&[[0.0], [0.1]]);
    let turns = glb.floats(&[[0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]]);
    let moves = glb.floats(&[[0.0; 3]; 6]);
    glb.push(
        "animations",
        json!({
            "samplers": [
                {"input": times, "output": turns},
                {"input": times, "output": moves, "interpolation": "CUBICSPLINE"},
            ],
            "channels": [
                {"sampler": 0, "target": {"node": moving, "path": "rotation"}},
                {"sampler": 1, "target": {"node": moving, "path": "translation"}},
            ],
        }),
    );
    glb
}
