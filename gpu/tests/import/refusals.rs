//! Each way in which a file is refused, by its error and its arguments.

use inferix_gpu::scene::{
    generate::{GlbWriter, Picture},
    import::{Feature, ImportError, ImportOptions, Place, UriFault, import_bytes, import_file},
};
use serde_json::{Value, json};

use crate::files::{everything, import, one_primitive, one_triangle};

/// Asserts that importing fails with a pattern.
macro_rules! assert_refused {
    ($import:expr, $pattern:pat $(if $guard:expr)?) => {
        match $import.err() {
            Some($pattern) $(if $guard)? => {}
            other => panic!("not `{}` but {other:?}", stringify!($pattern)),
        }
    };
}

const fn place(table: &'static str, index: usize) -> Place {
    Place { table, index }
}

/// Changes the JSON of a file, and imports it.
fn changed(change: impl FnOnce(&mut Value)) -> Result<(), ImportError> {
    let glb = everything().finish();
    let json_end = 20 + u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    let mut json: Value = serde_json::from_slice(&glb[20..json_end]).unwrap();
    change(&mut json);
    import_bytes(
        &pack(&json, &glb[json_end + 8..]),
        &ImportOptions::default(),
    )
    .map(|_| ())
}

/// Packs JSON and a binary chunk.
pub(crate) fn pack(json: &Value, bin: &[u8]) -> Vec<u8> {
    let mut json = json.to_string().into_bytes();
    json.resize(json.len().next_multiple_of(4), b' ');
    let size = |len: usize| u32::try_from(len).unwrap().to_le_bytes();
    let all = 28 + json.len() + bin.len();
    let head = [&b"glTF\x02\0\0\0"[..], &size(all)].concat();
    let chunks = [
        &size(json.len())[..],
        b"JSON",
        &json,
        &size(bin.len()),
        b"BIN\0",
        bin,
    ];
    [head, chunks.concat()].concat()
}

fn bytes(bytes: &[u8]) -> Result<(), ImportError> {
    import_bytes(bytes, &ImportOptions::default()).map(|_| ())
}

#[test]
fn files_of_another_kind() {
    assert_refused!(bytes(b"\x89PNG"), ImportError::NotGltf { first_bytes } if first_bytes == b"\x89PNG");
    assert_refused!(bytes(b""), ImportError::NotGltf { first_bytes } if first_bytes.is_empty());
    assert_refused!(bytes(b"{\"asset\": "), ImportError::Json(_));
    assert_refused!(
        bytes(br#"{"asset": {"version": "1.0"}}"#),
        ImportError::AssetVersion { version } if version == "1.0"
    );
    assert_refused!(
        bytes(b"glTF\x01\0\0\0\x14\0\0\0"),
        ImportError::GlbVersion { version: 1 }
    );
    assert_refused!(
        import_file("no/such.glb".as_ref(), &ImportOptions::default()),
        ImportError::Unreadable { .. }
    );
}

#[test]
fn truncated_glbs() {
    let glb = everything().finish();
    assert_refused!(
        bytes(&glb[..7]),
        ImportError::GlbTruncated {
            need_bytes: 12,
            have_bytes: 7,
            ..
        }
    );
    let have = glb.len() as u64 - 1;
    assert_refused!(
        bytes(&glb[..glb.len() - 1]),
        ImportError::GlbTruncated { need_bytes, have_bytes, .. }
            if need_bytes == have + 1 && have_bytes == have
    );
    let mut long = glb.clone();
    long[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_refused!(
        bytes(&long),
        ImportError::GlbTruncated {
            part: "a chunk",
            need_bytes: 0x1_0000_0007,
            ..
        }
    );
    let mut swapped = glb;
    swapped[16..20].copy_from_slice(b"BIN\0");
    assert_refused!(
        bytes(&swapped),
        ImportError::GlbChunk {
            chunk_type: 0x004e_4942
        }
    );
}

#[test]
fn extensions_that_are_required_and_not_read() {
    let mut glb = one_triangle(json!({}));
    glb.require_extension("KHR_draco_mesh_compression");
    assert_refused!(
        import(glb),
        ImportError::ExtensionUnsupported { name } if name == "KHR_draco_mesh_compression"
    );
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
fn files_that_lie_elsewhere() {
    let refused = |uri: &str| {
        changed(|json| json["images"][0] = json!({"uri": uri}))
            .err()
            .map(|err| match err {
                ImportError::Uri { fault, place, .. } => (fault, place.index),
                other => panic!("{other:?}"),
            })
    };
    assert_eq!(refused("color.png"), Some((UriFault::NoFolder, 0)));
    assert_eq!(refused("../color.png"), Some((UriFault::OutsideFolder, 0)));
    assert_eq!(refused("http://x/color.png"), Some((UriFault::Scheme, 0)));
    assert_eq!(
        refused("data:image/png;base64,***"),
        Some((UriFault::Encoding, 0))
    );

    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("linked");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut json, _) = one_triangle(json!({})).into_json();
    json["buffers"][0]["uri"] = json!("link.bin");
    std::fs::write(folder.join("scene.gltf"), json.to_string()).unwrap();
    let _ = std::fs::remove_file(folder.join("link.bin"));
    let path = folder.join("scene.gltf");
    let options = ImportOptions::default();
    assert_refused!(import_file(&path, &options), ImportError::Unreadable { .. });
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/hostname", folder.join("link.bin")).unwrap();
        assert_refused!(
            import_file(&path, &options),
            ImportError::Uri {
                fault: UriFault::OutsideFolder,
                ..
            }
        );
    }
}

#[test]
fn buffers_and_images_without_data() {
    assert_refused!(
        changed(|json| json["images"][0] = json!({})),
        ImportError::NoData {
            place: Place {
                table: "image",
                index: 0
            }
        }
    );
    assert_refused!(
        bytes(br#"{"asset": {"version": "2.0"}, "buffers": [{"byteLength": 4}]}"#),
        ImportError::NoData {
            place: Place {
                table: "buffer",
                index: 0
            }
        }
    );
}

/// A file whose only image is `image`.
fn with_image(image: &[u8]) -> GlbWriter {
    let mut glb = GlbWriter::default();
    let view = glb.view(image);
    let image = glb.push(
        "images",
        json!({"bufferView": view, "mimeType": "image/png"}),
    );
    let texture = glb.push("textures", json!({"source": image}));
    let material = json!({"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}});
    let material = glb.push("materials", material);
    let mesh = glb.mesh(&crate::files::triangle(), material);
    glb.push("nodes", json!({"mesh": mesh}));
    glb
}

#[test]
fn images_that_are_none_or_too_large() {
    assert_refused!(
        import(with_image(b"GIF89a..")),
        ImportError::ImageFormat { first_bytes, .. } if first_bytes == b"GIF89a.."
    );
    let png = Picture::checker(16, 2, [[1.0; 3], [0.0; 3]]).to_png();
    assert_refused!(
        import(with_image(&png[..png.len() / 2])),
        ImportError::Image {
            place: Place {
                table: "image",
                index: 0
            },
            ..
        }
    );
    assert_refused!(
        import(with_image(b"\xff\xd8\xff\xe0\0\x10JFIF")),
        ImportError::Image { .. }
    );

    // A header that claims 60,000 x 60,000 pixels, its checksum right.
    let mut bomb = png.clone();
    bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let checksum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert_refused!(
        import(with_image(&bomb)),
        ImportError::ImageTooLarge {
            width: 60_000,
            height: 60_000,
            ..
        }
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
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
