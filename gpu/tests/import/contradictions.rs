//! Files that contradict themselves, or ask for too much: each refused by its error and its arguments.

use inferix_gpu::scene::{
    generate::GlbWriter,
    import::{Feature, ImportError, ImportOptions, Place, import_bytes},
};
use serde_json::json;

use crate::{
    files::{everything, import, one_primitive, one_triangle},
    refusals::{bytes, changed},
};

const fn place(table: &'static str, index: usize) -> Place {
    Place { table, index }
}

#[test]
fn indices_beyond_their_tables() {
    assert_refused!(
        changed(|json| json["nodes"][0]["mesh"] = json!(99)),
        ImportError::Malformed { path, .. } if path == "nodes[0].mesh"
    );
    assert_refused!(
        changed(|json| json["animations"][0]["channels"][0]["target"]["node"] = json!(99)),
        ImportError::Dangling {
            target: Place {
                table: "node",
                index: 99
            },
            ..
        } | ImportError::Malformed { .. }
    );
    assert_refused!(
        changed(|json| json["meshes"][1]["primitives"][0]["attributes"]["POSITION"] = json!(99)),
        ImportError::Dangling {
            place: Place {
                table: "mesh",
                index: 1
            },
            target: Place {
                table: "accessor",
                index: 99
            },
        }
    );
    let mut glb = GlbWriter::default();
    let positions = glb.floats(&[[0.0; 3]; 3]);
    let indices = glb.indices(&[0, 1, 3]);
    let primitive = json!({"attributes": {"POSITION": positions}, "indices": indices});
    assert_refused!(
        import(one_primitive(glb, primitive)),
        ImportError::VertexOutOfRange {
            vertex: 3,
            count: 3,
            ..
        }
    );
}

#[test]
fn accessors_and_views_beyond_their_bytes() {
    assert_refused!(
        changed(|json| json["accessors"][0]["count"] = json!(10_000)),
        ImportError::OutOfBytes {
            place: Place {
                table: "accessor",
                index: 0
            },
            need_bytes: 120_000,
            ..
        }
    );
    assert_refused!(
        changed(|json| json["accessors"][0]["byteOffset"] = json!(u64::MAX)),
        ImportError::OutOfBytes { .. }
    );
    assert_refused!(
        changed(|json| json["bufferViews"][0]["byteOffset"] = json!(u64::MAX)),
        ImportError::OutOfBytes {
            place: Place {
                table: "buffer view",
                index: 0
            },
            ..
        }
    );
    assert_refused!(
        changed(|json| json["buffers"][0]["byteLength"] = json!(1 << 30)),
        ImportError::OutOfBytes {
            place: Place {
                table: "buffer",
                index: 0
            },
            need_bytes: 0x4000_0000,
            ..
        }
    );
    assert_refused!(
        changed(|json| json["accessors"][0]["type"] = json!("VEC2")),
        ImportError::WrongType { .. }
    );
}

#[test]
fn counts_that_would_exhaust_memory() {
    let mut glb = GlbWriter::default();
    // No view: the entries are zeros, as many as the file likes to claim.
    let view = glb.view(&[0; 16]);
    let accessor = json!({
        "componentType": 5126, "type": "VEC3", "count": 4_000_000_000_u32,
        "sparse": {
            "count": 1,
            "indices": {"bufferView": view, "componentType": 5121},
            "values": {"bufferView": view},
        },
    });
    let positions = glb.push("accessors", accessor);
    let indices = glb.indices(&[0, 1, 2]);
    let primitive = json!({"attributes": {"POSITION": positions}, "indices": indices});
    assert_refused!(
        import(one_primitive(glb, primitive)),
        ImportError::TooMany {
            what: "entries of an accessor",
            ..
        }
    );

    let mut glb = one_triangle(json!({}));
    let children: Vec<usize> = (0..2_000)
        .map(|_| glb.push("nodes", json!({"mesh": 1})))
        .collect();
    assert_eq!(children.len(), 2_000);
    let positions = glb.floats(&[[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    let indices = glb.indices(&[0, 1, 2].repeat(4_000));
    let primitive = json!({"attributes": {"POSITION": positions}, "indices": indices});
    glb.push("meshes", json!({"primitives": [primitive]}));
    assert_refused!(
        import(glb),
        ImportError::TooMany {
            what: "triangles, instances counted",
            ..
        }
    );
}

#[test]
fn json_that_grows_when_it_is_parsed() {
    let repeated = |field: &str, entry: &str, count: usize| {
        let entries = vec![entry; count].join(",");
        format!(r#"{{"asset": {{"version": "2.0"}}, "{field}": [{entries}]}}"#)
    };
    assert_refused!(
        bytes(repeated("nodes", "{}", 300_000).as_bytes()),
        ImportError::TooMany { what: "nodes", .. }
    );
    assert_refused!(
        bytes(repeated("unknown", "0", 5_000_000).as_bytes()),
        ImportError::TooMany {
            what: "values of JSON",
            ..
        }
    );
    assert_refused!(
        bytes("[".repeat(100_000).as_bytes()),
        ImportError::NotGltf { .. }
    );
    let nested = format!(r#"{{"asset": {}"#, "[".repeat(100_000));
    assert_refused!(bytes(nested.as_bytes()), ImportError::Json(_));
    // Commas in a string are no values.
    let long = format!(
        r#"{{"asset": {{"version": "2.0", "generator": "\\\"{}"}}}}"#,
        ",".repeat(5_000_000)
    );
    assert_refused!(bytes(long.as_bytes()), ImportError::Empty);
}

#[test]
fn numbers_beyond_what_can_be_computed() {
    let mut glb = GlbWriter::default();
    let positions = glb.floats(&[[f32::NAN, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    let primitive = json!({"attributes": {"POSITION": positions}});
    assert_refused!(
        import(one_primitive(glb, primitive)),
        ImportError::NumberOutOfRange { place: Place { table: "accessor", index: 0 }, value, .. }
            if value.is_nan()
    );
    assert_refused!(
        changed(|json| json["nodes"][1]["translation"] = json!([0.0, 1e30, 0.0])),
        ImportError::NumberOutOfRange {
            field: "the transform",
            ..
        }
    );
}

#[test]
fn nodes_that_are_no_tree() {
    let node = place("node", 0);
    assert_refused!(
        changed(|json| json["nodes"][0]["children"] = json!([0])),
        ImportError::NotATree { node: met } if met == node
    );
    assert_refused!(
        changed(|json| json["scenes"][0]["nodes"] = json!([3, 0])),
        ImportError::NotATree { node: met } if met == node
    );
}

#[test]
fn features_without_which_the_picture_would_be_another() {
    assert_refused!(
        changed(|json| {
            json["skins"] = json!([{"joints": [0]}]);
            json["nodes"][1]["skin"] = json!(0);
        }),
        ImportError::Unsupported {
            place: Place {
                table: "node",
                index: 1
            },
            feature: Feature::Skinning
        }
    );
    assert_refused!(
        changed(|json| {
            json["meshes"][0]["primitives"][0]["targets"] = json!([{"POSITION": 0}]);
            json["meshes"][0]["weights"] = json!([0.5]);
        }),
        ImportError::Unsupported {
            feature: Feature::Morphing,
            ..
        }
    );
    changed(|json| {
        json["meshes"][0]["primitives"][0]["targets"] = json!([{"POSITION": 0}]);
    })
    .unwrap();
}

#[test]
fn keyframes_out_of_order_or_of_the_wrong_number() {
    let animated = |times: &[[f32; 1]]| {
        let mut glb = one_triangle(json!({}));
        let (input, output) = (glb.floats(times), glb.floats(&[[0.0; 3]; 2]));
        let sampler = json!({"input": input, "output": output});
        let channel = json!({"sampler": 0, "target": {"node": 0, "path": "translation"}});
        glb.push(
            "animations",
            json!({"samplers": [sampler], "channels": [channel]}),
        );
        import(glb)
    };
    assert_refused!(
        animated(&[[1.0], [1.0]]),
        ImportError::TimesUnordered { .. }
    );
    assert_refused!(
        animated(&[[0.0], [1.0], [2.0]]),
        ImportError::WrongLength {
            len: 2,
            needed: 3,
            ..
        }
    );
    assert_refused!(
        animated(&[[0.0], [f32::INFINITY]]),
        ImportError::NumberOutOfRange {
            field: "a time",
            ..
        }
    );
    assert_refused!(
        animated(&[[0.0], [1e6]]),
        ImportError::TooMany { max: 16_384, .. }
    );
}

#[test]
fn options_that_ask_for_what_is_not_there() {
    let ask = |options: ImportOptions| import_bytes(&everything().finish(), &options);
    assert_refused!(
        ask(ImportOptions {
            animation: Some(1),
            ..ImportOptions::default()
        }),
        ImportError::NoSuchEntry {
            target: Place {
                table: "animation",
                index: 1
            },
            count: 1
        }
    );
    assert_refused!(
        ask(ImportOptions {
            scene: Some(7),
            ..ImportOptions::default()
        }),
        ImportError::NoSuchEntry {
            target: Place {
                table: "scene",
                index: 7
            },
            count: 1
        }
    );
    assert_refused!(
        ask(ImportOptions {
            fps: f32::NAN,
            ..ImportOptions::default()
        }),
        ImportError::OptionOutOfRange { option: "fps", .. }
    );
    assert_refused!(
        ask(ImportOptions {
            frame_count: Some(0),
            ..ImportOptions::default()
        }),
        ImportError::OptionOutOfRange {
            option: "frame_count",
            value: 0.0
        }
    );
}

#[test]
fn scenes_without_triangles() {
    let mut glb = GlbWriter::default();
    glb.push("nodes", json!({}));
    assert_refused!(import(glb), ImportError::Empty);
    assert_refused!(
        bytes(br#"{"asset": {"version": "2.0"}}"#),
        ImportError::Empty
    );
}
