//! What each feature of a file becomes.

use inferix_gpu::scene::{
    AlphaMode, Filter, LightKind, Projection, SkyPart, TextureEncoding, Wrap,
    generate::{self, GlbWriter, Picture, Shape},
    import::{Import, ImportOptions, Note, Place, Warning, import_bytes, import_file},
};
use serde_json::{Value, json};

use crate::files::{everything, import, one_primitive, one_triangle, triangle};

/// A place in the file.
fn place(table: &'static str, index: usize) -> Place {
    Place { table, index }
}

/// Imports one primitive and returns its triangles as corners.
fn corners(glb: GlbWriter, primitive: Value) -> Vec<[[f32; 3]; 3]> {
    let import = import(one_primitive(glb, primitive)).unwrap();
    let mesh = &import.parts.meshes[0];
    let corner = |index: u32| mesh.positions[index as usize];
    mesh.indices.iter().map(|t| t.map(corner)).collect()
}

const POINTS: [[f32; 3]; 4] = [
    [0.0, 0.0, 0.0],
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [1.0, 1.0, 0.0],
];

#[test]
fn the_triangle_of_the_gltf_tutorial_is_read() {
    // github.com/javagl/gltfTutorials, "A Minimal glTF File", with its buffer as a data URI.
    let file = br#"{
      "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
      "meshes": [{"primitives": [{"attributes": {"POSITION": 1}, "indices": 0}]}],
      "buffers": [{
        "uri": "data:application/octet-stream;base64,AAABAAIAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAACAPwAAAAA=",
        "byteLength": 44
      }],
      "bufferViews": [
        {"buffer": 0, "byteOffset": 0, "byteLength": 6, "target": 34963},
        {"buffer": 0, "byteOffset": 8, "byteLength": 36, "target": 34962}
      ],
      "accessors": [
        {"bufferView": 0, "byteOffset": 0, "componentType": 5123, "count": 3, "type": "SCALAR", "max": [2], "min": [0]},
        {"bufferView": 1, "byteOffset": 0, "componentType": 5126, "count": 3, "type": "VEC3", "max": [1.0, 1.0, 0.0], "min": [0.0, 0.0, 0.0]}
      ],
      "asset": {"version": "2.0"}
    }"#;
    let import = import_bytes(file, &ImportOptions::default()).unwrap();
    let mesh = &import.parts.meshes[0];
    assert_eq!(mesh.positions, POINTS[..3]);
    assert_eq!(mesh.indices, [[0, 1, 2]]);
    assert!(mesh.normals.is_empty(), "flat, as glTF asks");
    assert!(matches!(import.parts.sky, SkyPart::Gradient { .. }));
    assert_eq!(import.report.notes, [Note::DefaultCamera, Note::DefaultSky]);
}

#[test]
fn triangles_need_no_indices() {
    let mut glb = GlbWriter::default();
    let positions = glb.floats(&POINTS);
    let primitive = json!({"attributes": {"POSITION": positions}});
    let import = import(one_primitive(glb, primitive)).unwrap();
    assert_eq!(import.parts.meshes[0].indices, [[0, 1, 2]]);
    let mesh = place("mesh", 0);
    let warning = Warning::PartialTriangle { mesh, primitive: 0 };
    assert_eq!(import.report.warnings, [warning]);
}

#[test]
fn strips_keep_their_facing_and_fans_their_hub() {
    let [a, b, c, d] = POINTS;
    let strip = |mode: u32| {
        let mut glb = GlbWriter::default();
        let positions = glb.floats(&POINTS);
        corners(
            glb,
            json!({"attributes": {"POSITION": positions}, "mode": mode}),
        )
    };
    assert_eq!(strip(5), [[a, b, c], [c, b, d]]);
    assert_eq!(strip(6), [[a, b, c], [a, c, d]]);
}

#[test]
fn indices_come_in_three_widths() {
    for (bytes, component) in [
        (vec![2, 1, 3], 5121),
        (vec![2, 0, 1, 0, 3, 0], 5123),
        (vec![2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0], 5125),
    ] {
        let mut glb = GlbWriter::default();
        let positions = glb.floats(&POINTS);
        let view = glb.view(&bytes);
        let indices = glb.push(
            "accessors",
            json!({"bufferView": view, "componentType": component, "count": 3, "type": "SCALAR"}),
        );
        let primitive = json!({"attributes": {"POSITION": positions}, "indices": indices});
        let [_, b, c, d] = POINTS;
        assert_eq!(corners(glb, primitive), [[c, b, d]]);
    }
}

#[test]
fn vertices_that_no_triangle_names_are_left_out() {
    let mut glb = GlbWriter::default();
    let positions = glb.floats(&POINTS);
    let indices = glb.indices(&[3, 1, 2]);
    let primitive = json!({"attributes": {"POSITION": positions}, "indices": indices});
    let import = import(one_primitive(glb, primitive)).unwrap();
    assert_eq!(import.parts.meshes[0].positions, POINTS[1..]);
    assert_eq!(import.parts.meshes[0].indices, [[2, 0, 1]]);
}

#[test]
fn sparse_entries_replace_those_of_the_view_or_zeros() {
    let mut glb = GlbWriter::default();
    let (indices, values) = (glb.view(&[1, 3]), [[7.0_f32, 8.0, 9.0], [1.0, 2.0, 3.0]]);
    let values: Vec<u8> = values
        .iter()
        .flatten()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let values = glb.view(&values);
    let positions = json!({
        "componentType": 5126, "type": "VEC3", "count": 4,
        "sparse": {
            "count": 2,
            "indices": {"bufferView": indices, "componentType": 5121},
            "values": {"bufferView": values},
        },
    });
    let positions = glb.push("accessors", positions);
    let primitive = json!({"attributes": {"POSITION": positions}, "mode": 5});
    let read = corners(glb, primitive);
    assert_eq!(read[0], [[0.0; 3], [7.0, 8.0, 9.0], [0.0; 3]]);
    assert_eq!(read[1], [[0.0; 3], [7.0, 8.0, 9.0], [1.0, 2.0, 3.0]]);
}

#[test]
fn strided_and_normalized_attributes_are_unpacked() {
    let mut glb = one_triangle(json!({}));
    let picture = glb.texture(&Picture::checker(2, 2, [[1.0; 3], [0.0; 3]]));
    let material = glb.push(
        "materials",
        json!({"pbrMetallicRoughness": {"baseColorTexture": {"index": picture, "texCoord": 1}}}),
    );
    let view = glb.view(&[255, 51, 9, 9, 0, 102, 9, 9, 153, 204, 9, 9]);
    glb.push("strided", json!(null));
    let (json, bin) = glb.into_json();
    let mut json = json;
    json["bufferViews"][view]["byteStride"] = json!(4);
    let uvs = json!({"bufferView": view, "componentType": 5121, "normalized": true, "count": 3, "type": "VEC2"});
    let accessors = json["accessors"].as_array_mut().unwrap();
    accessors.push(uvs);
    let uvs = accessors.len() - 1;
    let primitive = &mut json["meshes"][0]["primitives"][0];
    primitive["attributes"]["TEXCOORD_1"] = json!(uvs);
    primitive["material"] = json!(material);
    json["buffers"][0]["uri"] = json!(data_uri(&bin));
    let import = import_bytes(json.to_string().as_bytes(), &ImportOptions::default()).unwrap();
    assert_eq!(
        import.parts.meshes[0].uvs,
        [vec![], vec![[1.0, 0.2], [0.0, 0.4], [0.6, 0.8]]]
    );
}

fn data_uri(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    format!("data:application/octet-stream,{hex}")
}

#[test]
fn nodes_compose_from_parent_to_child() {
    let mut glb = one_triangle(json!({}));
    let quarter = std::f32::consts::FRAC_1_SQRT_2;
    let child = glb.push("nodes", json!({"mesh": 0, "translation": [1.0, 0.0, 0.0]}));
    glb.push(
        "nodes",
        json!({
            "children": [child],
            "rotation": [0.0, 0.0, quarter, quarter],
            "scale": [2.0, 2.0, 2.0],
            "translation": [0.0, 0.0, 5.0],
        }),
    );
    let import = import(glb).unwrap();
    let map = &import.parts.instances[1].to_world;
    assert_eq!(map.len(), 1);
    let wanted = [
        [0.0, -2.0, 0.0, 0.0],
        [2.0, 0.0, 0.0, 2.0],
        [0.0, 0.0, 2.0, 5.0],
    ];
    for (got, wanted) in map[0].as_flattened().iter().zip(wanted.as_flattened()) {
        assert!((got - wanted).abs() < 1e-6, "{map:?}");
    }
}

#[test]
fn a_mesh_placed_twice_is_read_once() {
    let mut glb = one_triangle(json!({}));
    glb.push("nodes", json!({"mesh": 0, "translation": [0.0, 0.0, 1.0]}));
    let import = import(glb).unwrap();
    assert_eq!(import.parts.meshes.len(), 1);
    assert_eq!(import.parts.instances.len(), 2);
    assert_eq!(import.report.triangle_count, 2);
}

#[test]
fn every_field_of_a_material_arrives() {
    let import = import(everything()).unwrap();
    let material = &import.parts.materials[0];
    assert_eq!(material.base_color, [0.5, 0.6, 0.7, 0.8]);
    assert_eq!((material.metallic, material.roughness), (0.25, 0.75));
    assert_eq!(material.emissive, [0.1 * 4.0, 0.2 * 4.0, 0.3 * 4.0]);
    assert_eq!((material.transmission, material.ior), (0.5, 1.33));
    assert_eq!(material.alpha_mode, AlphaMode::Mask { cutoff: 0.3 });
    assert_eq!(material.normal_scale, 0.5);
    assert!(material.is_double_sided && !material.is_thin);
    for (got, color) in material.absorption.iter().zip([0.5_f64, 0.6, 0.7]) {
        assert!((f64::from(*got) + color.ln() / 2.0).abs() < 1e-7);
    }
    let textures = &import.parts.textures;
    let texture =
        |map: Option<inferix_gpu::scene::MapPart>| &textures[map.unwrap().texture as usize];
    assert_eq!(
        texture(material.base_color_map).encoding,
        TextureEncoding::Srgb
    );
    assert_eq!(
        texture(material.metallic_roughness_map).encoding,
        TextureEncoding::Linear
    );
    assert_eq!(
        material.emissive_map,
        Some(inferix_gpu::scene::MapPart::plain(0))
    );
    let normal = texture(material.normal_map);
    assert_eq!(
        (normal.wrap_u, normal.wrap_v, normal.filter),
        (Wrap::Clamp, Wrap::Mirror, Filter::Nearest)
    );
    assert_eq!(texture(material.base_color_map).texels[0], [255, 0, 0, 255]);
}

#[test]
fn texture_transforms_turn_counter_clockwise() {
    let import = import(everything()).unwrap();
    let material = &import.parts.materials[0];
    let (sine, cosine) = 0.5_f64.sin_cos();
    let wanted = [
        [2.0 * cosine, 3.0 * sine, 0.5],
        [-2.0 * sine, 3.0 * cosine, 0.25],
    ];
    for map in [material.base_color_map, material.normal_map] {
        let map = map.unwrap().transform;
        for (got, wanted) in map.as_flattened().iter().zip(wanted.as_flattened()) {
            assert!((f64::from(*got) - wanted).abs() < 1e-6, "{map:?}");
        }
    }
}

#[test]
fn lights_keep_their_units_and_lose_their_scale() {
    let mut glb = one_triangle(json!({}));
    let lights = [
        json!({"type": "point", "color": [1.0, 0.5, 0.25], "intensity": 8.0, "range": 3.0}),
        json!({"type": "spot", "spot": {"innerConeAngle": 0.25, "outerConeAngle": 0.5}}),
        json!({"type": "directional", "intensity": 2.0}),
    ];
    for light in lights {
        let light = glb.light(light);
        let extension = json!({"KHR_lights_punctual": {"light": light}});
        let node = json!({"extensions": extension, "scale": [3.0, 3.0, 3.0], "translation": [1.0, 2.0, 3.0]});
        glb.push("nodes", node);
    }
    let import = import(glb).unwrap();
    let parts = &import.parts;
    assert!(
        import.report.notes == [Note::DefaultCamera],
        "no sky is added"
    );
    assert!(matches!(parts.sky, SkyPart::Black));
    assert_eq!(parts.lights[0].kind, LightKind::Point { range: Some(3.0) });
    assert_eq!(parts.lights[0].color, [8.0, 4.0, 2.0]);
    assert_eq!(
        parts.lights[1].kind,
        LightKind::Spot {
            range: None,
            inner_cone: 0.25,
            outer_cone: 0.5
        }
    );
    assert_eq!(parts.lights[2].kind, LightKind::Sun);
    let unscaled = [
        [1.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 2.0],
        [0.0, 0.0, 1.0, 3.0],
    ];
    assert_eq!(parts.lights[2].to_world, [unscaled]);
}

#[test]
fn cameras_are_named_in_the_order_of_their_nodes() {
    let mut glb = one_triangle(json!({}));
    let kinds = [
        json!({"type": "perspective", "perspective": {"yfov": 0.5, "znear": 0.1}}),
        json!({"type": "orthographic", "orthographic": {"xmag": 2.0, "ymag": 3.0, "znear": 0.1, "zfar": 9.0}}),
    ];
    for (kind, name) in kinds.into_iter().zip(["front", "top"]) {
        let camera = glb.push("cameras", kind);
        glb.push("nodes", json!({"camera": camera, "name": name}));
    }
    let import = import(glb).unwrap();
    assert_eq!(import.report.cameras, ["front", "top"]);
    let projections: Vec<_> = import.parts.cameras.iter().map(|c| c.projection).collect();
    assert_eq!(
        projections,
        [
            Projection::Perspective { yfov: 0.5 },
            Projection::Orthographic { ymag: 3.0 }
        ]
    );
}

#[test]
fn the_default_camera_sees_every_corner() {
    let mut glb = one_triangle(json!({}));
    for x in [-40.0, 25.0] {
        glb.push("nodes", json!({"mesh": 0, "translation": [x, 3.0, 7.0]}));
    }
    let Import { parts, .. } = import(glb).unwrap();
    let camera = &parts.cameras[0];
    let Projection::Perspective { yfov } = camera.projection else {
        panic!("{camera:?}");
    };
    let map = camera.to_world[0];
    for instance in &parts.instances {
        for position in &parts.meshes[0].positions {
            let world = [0, 1, 2].map(|i| position[i] + instance.to_world[0][i][3] - map[i][3]);
            let seen = [0, 1, 2].map(|c| (0..3).map(|r| map[r][c] * world[r]).sum::<f32>());
            let reach = -seen[2] * (yfov * 0.5).tan();
            assert!(seen[2] < 0.0 && seen[0].abs() < reach && seen[1].abs() < reach);
        }
    }
}

#[test]
fn a_gltf_file_reads_what_lies_beside_it() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside");
    std::fs::create_dir_all(folder.join("maps dir")).unwrap();
    let (mut json, bin) = everything().into_json();
    json["buffers"][0]["uri"] = json!("all.bin");
    let picture = Picture::checker(8, 2, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    json["images"][0] = json!({"uri": "maps%20dir/color.png"});
    std::fs::write(folder.join("maps dir/color.png"), picture.to_png()).unwrap();
    std::fs::write(folder.join("all.bin"), bin).unwrap();
    std::fs::write(folder.join("scene.gltf"), json.to_string()).unwrap();

    let options = ImportOptions::default();
    let file = import_file(&folder.join("scene.gltf"), &options).unwrap();
    let packed = import(everything()).unwrap();
    assert_eq!(
        inferix_gpu::scene::build(&file.parts),
        inferix_gpu::scene::build(&packed.parts)
    );
}

#[test]
fn large_textures_are_halved_until_they_fit() {
    let mut glb = GlbWriter::default();
    let picture = glb.texture(&Picture::checker(8, 8, [[1.0; 3], [0.0; 3]]));
    let material = json!({"pbrMetallicRoughness": {"baseColorTexture": {"index": picture}}});
    let material = glb.push("materials", material);
    let mesh = glb.mesh(&triangle(), material);
    glb.push("nodes", json!({"mesh": mesh}));
    let options = ImportOptions {
        texture_edge_max: 3,
        ..ImportOptions::default()
    };
    let import = import_bytes(&glb.finish(), &options).unwrap();
    assert_eq!(import.parts.textures[0].texels, [[128, 128, 128, 255]; 4]);
    assert_eq!(
        import.report.warnings,
        [Warning::Downscaled {
            image: place("image", 0),
            width: 2,
            height: 2
        }]
    );
}

#[test]
fn what_is_not_read_is_reported() {
    let mut glb = one_triangle(json!({}));
    glb.use_extension("KHR_materials_sheen");
    let positions = glb.floats(&POINTS);
    let lines = json!({"attributes": {"POSITION": positions}, "mode": 1});
    let mesh = glb.push("meshes", json!({"primitives": [lines]}));
    glb.push("nodes", json!({"mesh": mesh}));
    let report = import(glb).unwrap().report;
    assert_eq!(
        report.warnings,
        [
            Warning::ExtensionIgnored {
                name: "KHR_materials_sheen".to_owned()
            },
            Warning::NotTriangles {
                mesh: place("mesh", 1),
                primitive: 0
            },
        ]
    );
}

#[test]
fn normals_without_direction_are_made_from_the_triangles() {
    let mut glb = GlbWriter::default();
    let material = glb.push("materials", json!({}));
    let shape = Shape {
        normals: vec![[0.0; 3], [0.0, 3.0, 0.0], [0.0; 3]],
        ..triangle()
    };
    let mesh = glb.mesh(&shape, material);
    glb.push("nodes", json!({"mesh": mesh}));
    let import = import(glb).unwrap();
    assert_eq!(
        import.parts.meshes[0].normals,
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    );
}

#[test]
fn only_triangles_that_shine_somewhere_are_lights() {
    // The left half of the map is dark. Its texels are far from the edges of the triangles.
    let map = Picture::new(32, |u, _| {
        if u < 0.5 {
            [0.0, 0.0, 0.0, 1.0]
        } else {
            [1.0; 4]
        }
    });
    let mut glb = GlbWriter::default();
    let map = glb.texture(&map);
    let material = json!({"emissiveFactor": [1.0, 1.0, 1.0], "emissiveTexture": {"index": map}});
    let material = glb.push("materials", material);
    let at = |left: f32| [[left, 0.3], [left + 0.1, 0.3], [left, 0.6]];
    let shape = Shape {
        positions: [triangle().positions, triangle().positions].concat(),
        normals: vec![[0.0, 0.0, 1.0]; 6],
        uvs: [at(0.2), at(0.7)].concat(),
        indices: vec![[0, 1, 2], [3, 4, 5]],
    };
    let mesh = glb.mesh(&shape, material);
    glb.push("nodes", json!({"mesh": mesh}));
    let Import { parts, .. } = import(glb).unwrap();
    let emission = |mesh: usize| {
        let material = &parts.materials[parts.meshes[mesh].material as usize];
        (parts.meshes[mesh].indices.len(), material.emissive)
    };
    assert_eq!(parts.meshes.len(), 2);
    assert_eq!(emission(0), (1, [0.0; 3]));
    assert_eq!(emission(1), (1, [1.0; 3]));
}

#[test]
fn generated_scenes_import_without_a_warning() {
    for (generated, frame_count, light_count) in
        [(generate::demo(), 48, 1), (generate::cornell_box(), 1, 0)]
    {
        let import = import_bytes(&generated.glb, &generated.options).unwrap();
        assert_eq!(import.report.warnings, []);
        assert_eq!(import.report.notes, []);
        assert_eq!(import.parts.frame_times_s.len(), frame_count);
        assert_eq!(import.parts.lights.len(), light_count);
        assert_eq!(import.parts.cameras.len(), 1);
    }
}
