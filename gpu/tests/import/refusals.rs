//! Files that are not what they say, and what lies beside them: each refused by its error and its arguments.

use inferix_gpu::scene::{
    generate::{GlbWriter, Picture},
    import::{ImportError, ImportOptions, Place, UriFault, import_bytes, import_file},
};
use serde_json::{Value, json};

use crate::files::{everything, import, one_triangle};

/// Changes the JSON of a file, and imports it.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> Result<(), ImportError> {
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

/// Imports bytes.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), ImportError> {
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
