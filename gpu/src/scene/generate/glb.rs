//! Writes GLB files.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Picture, Shape};

const COMPONENT_F32: u32 = 5126;
const COMPONENT_U32: u32 = 5125;
const LIGHTS: &str = "KHR_lights_punctual";
const CHUNK_JSON: &[u8; 4] = b"JSON";
const CHUNK_BIN: &[u8; 4] = b"BIN\0";

/// Collects the tables and the binary chunk of a file.
#[derive(Clone, Debug, Default)]
pub struct GlbWriter {
    tables: BTreeMap<String, Vec<Value>>,
    fields: Map<String, Value>,
    extensions_used: Vec<String>,
    extensions_required: Vec<String>,
    lights: Vec<Value>,
    bin: Vec<u8>,
}

impl GlbWriter {
    /// Adds an entry to a table of the JSON, such as `nodes`, and returns its index.
    pub fn push(&mut self, table: &str, entry: Value) -> usize {
        let entries = self.tables.entry(table.to_owned()).or_default();
        entries.push(entry);
        entries.len() - 1
    }

    /// Sets a field of the JSON's root.
    pub fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    /// Says that the file uses an extension.
    pub fn use_extension(&mut self, name: &str) {
        if !self.extensions_used.iter().any(|used| used == name) {
            self.extensions_used.push(name.to_owned());
        }
    }

    /// Says that the file can't be shown without an extension.
    pub fn require_extension(&mut self, name: &str) {
        self.use_extension(name);
        self.extensions_required.push(name.to_owned());
    }

    /// Adds bytes to the binary chunk, and returns the index of their view.
    pub fn view(&mut self, bytes: &[u8]) -> usize {
        self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        let offset = self.bin.len();
        self.bin.extend_from_slice(bytes);
        let view = json!({"buffer": 0, "byteOffset": offset, "byteLength": bytes.len()});
        self.push("bufferViews", view)
    }

    /// Adds an accessor of floats, `N` at a time, with the bounds that glTF asks of positions and times.
    pub fn floats<const N: usize>(&mut self, values: &[[f32; N]]) -> usize {
        let bytes: Vec<u8> = values
            .iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let view = self.view(&bytes);
        let bound = |pick: fn(f32, f32) -> f32, start: f32| {
            let fold = |axis: usize| values.iter().fold(start, |b, value| pick(b, value[axis]));
            (0..N).map(fold).collect::<Vec<f32>>()
        };
        let kind = match N {
            1 => "SCALAR",
            2 => "VEC2",
            3 => "VEC3",
            _ => "VEC4",
        };
        let accessor = json!({
            "bufferView": view,
            "componentType": COMPONENT_F32,
            "type": kind,
            "count": values.len(),
            "min": bound(f32::min, f32::INFINITY),
            "max": bound(f32::max, f32::NEG_INFINITY),
        });
        self.push("accessors", accessor)
    }

    /// Adds an accessor of indices.
    pub fn indices(&mut self, indices: &[u32]) -> usize {
        let bytes: Vec<u8> = indices.iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = self.view(&bytes);
        let accessor = json!({
            "bufferView": view,
            "componentType": COMPONENT_U32,
            "type": "SCALAR",
            "count": indices.len(),
        });
        self.push("accessors", accessor)
    }

    /// Adds a mesh of one primitive.
    pub fn mesh(&mut self, shape: &Shape, material: usize) -> usize {
        let primitive = self.primitive(shape, material);
        self.push("meshes", json!({"primitives": [primitive]}))
    }

    /// Adds the accessors of a shape, and returns the primitive that names them.
    pub fn primitive(&mut self, shape: &Shape, material: usize) -> Value {
        let mut attributes = json!({"POSITION": self.floats(&shape.positions)});
        if !shape.normals.is_empty() {
            attributes["NORMAL"] = json!(self.floats(&shape.normals));
        }
        if !shape.uvs.is_empty() {
            attributes["TEXCOORD_0"] = json!(self.floats(&shape.uvs));
        }
        let indices = self.indices(shape.indices.as_flattened());
        json!({"attributes": attributes, "indices": indices, "material": material})
    }

    /// Adds a texture that repeats, from a picture packed as PNG.
    pub fn texture(&mut self, picture: &Picture) -> usize {
        let view = self.view(&picture.to_png());
        let image = json!({"bufferView": view, "mimeType": "image/png"});
        let image = self.push("images", image);
        self.push("textures", json!({"source": image}))
    }

    /// Adds a punctual light, and returns its index for a node's extension.
    pub fn light(&mut self, light: Value) -> usize {
        self.use_extension(LIGHTS);
        self.lights.push(light);
        self.lights.len() - 1
    }

    /// Returns the JSON and the binary chunk, as a .gltf would have them.
    pub fn into_json(mut self) -> (Value, Vec<u8>) {
        self.set("asset", json!({"version": "2.0", "generator": "inferix"}));
        if !self.bin.is_empty() {
            self.set("buffers", json!([{"byteLength": self.bin.len()}]));
        }
        if !self.lights.is_empty() {
            self.set("extensions", json!({LIGHTS: {"lights": self.lights}}));
        }
        if !self.extensions_used.is_empty() {
            self.set("extensionsUsed", json!(self.extensions_used));
        }
        if !self.extensions_required.is_empty() {
            self.set("extensionsRequired", json!(self.extensions_required));
        }
        let tables = self.tables.into_iter();
        self.fields
            .extend(tables.map(|(table, entries)| (table, Value::Array(entries))));
        (Value::Object(self.fields), self.bin)
    }

    /// Returns the file. Nodes that no scene names make the scene.
    pub fn finish(self) -> Vec<u8> {
        let (json, mut bin) = self.into_json();
        let mut json = json.to_string().into_bytes();
        json.resize(json.len().next_multiple_of(4), b' ');
        bin.resize(bin.len().next_multiple_of(4), 0);
        let mut out = b"glTF\x02\0\0\0\0\0\0\0".to_vec();
        push_chunk(&mut out, CHUNK_JSON, &json);
        if !bin.is_empty() {
            push_chunk(&mut out, CHUNK_BIN, &bin);
        }
        let len = length(&out);
        out[8..12].copy_from_slice(&len);
        out
    }
}

fn push_chunk(out: &mut Vec<u8>, kind: &[u8; 4], bytes: &[u8]) {
    out.extend_from_slice(&length(bytes));
    out.extend_from_slice(kind);
    out.extend_from_slice(bytes);
}

/// Returns how many bytes there are. A file of 4 GiB has no length: readers refuse it as truncated.
fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}
