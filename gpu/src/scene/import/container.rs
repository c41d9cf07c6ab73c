//! From bytes to the JSON of a scene and the binary chunk behind it.

use std::{collections::BTreeSet, io::Read, path::Path};

use gltf_json::{
    Root,
    mesh::Semantic,
    validation::{self, Checked, Validate},
};
use serde::{Deserialize, de::IgnoredAny};

use super::{ImportError, Place, limits};

const GLB_MAGIC: &[u8] = b"glTF";
const CHUNK_JSON: u32 = 0x4e4f_534a;
const CHUNK_BIN: u32 = 0x004e_4942;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The extensions that are read. Any other that a file requires is refused, any other that it uses is
/// reported.
const EXTENSIONS: [&str; 6] = [
    "KHR_lights_punctual",
    "KHR_materials_emissive_strength",
    "KHR_materials_ior",
    "KHR_materials_transmission",
    "KHR_materials_volume",
    "KHR_texture_transform",
];

/// A parsed file.
#[derive(Debug)]
pub(super) struct Container<'a> {
    /// The JSON, every index within its table.
    pub(super) root: Root,
    /// The binary chunk of a GLB.
    pub(super) bin: Option<&'a [u8]>,
}

/// What has to be known before the whole is read. Entries of tables are counted and take no memory.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Preview {
    asset: PreviewAsset,
    #[serde(default)]
    extensions_required: Vec<String>,
    #[serde(default)]
    accessors: Vec<IgnoredAny>,
    #[serde(default)]
    buffer_views: Vec<IgnoredAny>,
    #[serde(default)]
    images: Vec<IgnoredAny>,
    #[serde(default)]
    materials: Vec<IgnoredAny>,
    #[serde(default)]
    meshes: Vec<IgnoredAny>,
    #[serde(default)]
    nodes: Vec<IgnoredAny>,
    #[serde(default)]
    textures: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct PreviewAsset {
    version: String,
}

impl<'a> Container<'a> {
    /// Parses a GLB or the JSON of a .gltf.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let (json, bin) = if bytes.starts_with(GLB_MAGIC) {
            split_glb(bytes)?
        } else {
            (bytes, None)
        };
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        if json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(ImportError::NotGltf {
                first_bytes: json.iter().take(8).copied().collect(),
            });
        }
        if json.len() as u64 > limits::JSON_BYTES_MAX {
            return Err(ImportError::FileTooLarge {
                what: "the JSON",
                size_bytes: json.len() as u64,
                max_bytes: limits::JSON_BYTES_MAX,
            });
        }
        let root = parse_json(json)?;
        Ok(Self { root, bin })
    }

    /// Names the extensions that the file uses and the importer does not read.
    pub(super) fn extensions_ignored(&self) -> BTreeSet<&str> {
        let used = self.root.extensions_used.iter().map(String::as_str);
        used.filter(|name| !EXTENSIONS.contains(name)).collect()
    }
}

/// Reads a file, but no more than `max_bytes` of it.
pub(super) fn read_file(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ImportError> {
    let unreadable = |source| ImportError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let read = file.take(max_bytes + 1).read_to_end(&mut bytes);
    let size_bytes = read.map_err(unreadable)? as u64;
    if size_bytes > max_bytes {
        return Err(ImportError::FileTooLarge {
            what: "the scene with its files",
            size_bytes,
            max_bytes,
        });
    }
    Ok(bytes)
}

impl Preview {
    fn check(&self) -> Result<(), ImportError> {
        let tables = [
            ("accessors", &self.accessors),
            ("buffer views", &self.buffer_views),
            ("images", &self.images),
            ("materials", &self.materials),
            ("meshes", &self.meshes),
            ("nodes", &self.nodes),
            ("textures", &self.textures),
        ];
        let max = limits::TABLE_MAX;
        match tables.iter().find(|(_, table)| table.len() as u64 > max) {
            Some(&(what, _)) => Err(ImportError::TooMany { what, max }),
            None => Ok(()),
        }
    }
}

fn parse_json(json: &[u8]) -> Result<Root, ImportError> {
    check_values(json)?;
    let preview: Preview = serde_json::from_slice(json).map_err(ImportError::Json)?;
    preview.check()?;
    if preview.asset.version.split('.').next() != Some("2") {
        let version = preview.asset.version.chars().take(20).collect();
        return Err(ImportError::AssetVersion { version });
    }
    for name in preview.extensions_required {
        if !EXTENSIONS.contains(&name.as_str()) {
            let name = name.chars().take(100).collect();
            return Err(ImportError::ExtensionUnsupported { name });
        }
    }

    let mut root: Root = serde_json::from_slice(json).map_err(ImportError::Json)?;
    // Checked above, against what this importer reads and not against what the crate parses.
    root.extensions_required.clear();
    check_positions(&root)?;
    let mut first = None;
    let mut fault_count = 0;
    root.validate(&root, gltf_json::Path::new, &mut |path, source| {
        // Many exporters leave out the bounds of positions, and nothing here reads them.
        let is_bound = path().as_str().ends_with(".min") || path().as_str().ends_with(".max");
        if is_bound && source == validation::Error::Missing {
            return;
        }
        fault_count += 1;
        first.get_or_insert_with(|| (path().to_string(), source));
    });
    match first {
        None => Ok(root),
        Some((path, source)) => Err(ImportError::Malformed {
            path,
            more_count: fault_count - 1,
            source,
        }),
    }
}

/// Bounds what parsing may take: counts commas and opening brackets outside of strings.
fn check_values(json: &[u8]) -> Result<(), ImportError> {
    let (mut is_string, mut is_escaped, mut count) = (false, false, 0);
    for byte in json {
        match (is_string, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => is_string = !is_string,
            (false, b',' | b'{' | b'[') => count += 1,
            (_, _) => {}
        }
    }
    if count > limits::VALUES_MAX {
        return Err(ImportError::TooMany {
            what: "values of JSON",
            max: limits::VALUES_MAX,
        });
    }
    Ok(())
}

/// Checks the one index that the crate's validation uses before it has checked it.
fn check_positions(root: &Root) -> Result<(), ImportError> {
    for (index, mesh) in root.meshes.iter().enumerate() {
        for primitive in &mesh.primitives {
            let positions = Checked::Valid(Semantic::Positions);
            let accessor = primitive
                .attributes
                .get(&positions)
                .map(|index| index.value());
            if let Some(accessor) = accessor
                && accessor >= root.accessors.len()
            {
                return Err(ImportError::Dangling {
                    place: Place::new("mesh", index),
                    target: Place::new("accessor", accessor),
                });
            }
        }
    }
    Ok(())
}

/// Returns the JSON and the binary chunk. Chunks of other types are skipped, as glTF asks.
fn split_glb(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), ImportError> {
    let truncated = |part, need: u64, have: usize| ImportError::GlbTruncated {
        part,
        need_bytes: need,
        have_bytes: have as u64,
    };
    let (Some(version), Some(length)) = (word(bytes, 4), word(bytes, 8)) else {
        return Err(truncated("the GLB header", 12, bytes.len()));
    };
    if version != 2 {
        return Err(ImportError::GlbVersion { version });
    }
    // Bytes behind the stated length belong to no one.
    let Some(mut rest) = bytes.get(..length as usize).and_then(|all| all.get(12..)) else {
        return Err(truncated("the GLB", u64::from(length), bytes.len()));
    };

    let (mut json, mut bin) = (None, None);
    while !rest.is_empty() {
        let (Some(length), Some(chunk_type)) = (word(rest, 0), word(rest, 4)) else {
            return Err(truncated("a chunk header", 8, rest.len()));
        };
        let end = 8 + u64::from(length);
        let chunk = usize::try_from(end).ok().and_then(|end| rest.get(8..end));
        let Some(chunk) = chunk else {
            return Err(truncated("a chunk", end, rest.len()));
        };
        match (json, chunk_type) {
            (None, CHUNK_JSON) => json = Some(chunk),
            (None, _) => return Err(ImportError::GlbChunk { chunk_type }),
            (Some(_), CHUNK_BIN) if bin.is_none() => bin = Some(chunk),
            (Some(_), _) => {}
        }
        rest = &rest[8 + chunk.len()..];
    }
    match json {
        Some(json) => Ok((json, bin)),
        None => Err(truncated("the JSON chunk", 8, 0)),
    }
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..offset + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
