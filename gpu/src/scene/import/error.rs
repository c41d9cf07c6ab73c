//! Why a file was not imported.

use std::{fmt, io, path::PathBuf};

use gltf_json::validation;

/// An entry of a table of the file: `accessor 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The entry.
    pub index: usize,
}

impl Place {
    /// Names an entry.
    pub(super) fn new(table: &'static str, index: usize) -> Self {
        Self { table, index }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.table, self.index)
    }
}

/// Why a reference to a file beside the scene was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriFault {
    /// The scene came as bytes, without a folder.
    NoFolder,
    /// It names a scheme, such as a web address.
    Scheme,
    /// It leads out of the scene's folder.
    OutsideFolder,
    /// Its percent signs or its base64 do not decode.
    Encoding,
}

impl fmt::Display for UriFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFolder => "the scene has no folder: pack everything into one .glb",
            Self::Scheme => "only data URIs and files beside the scene are read",
            Self::OutsideFolder => "it leads out of the scene's folder",
            Self::Encoding => "it does not decode",
        })
    }
}

/// What the renderer does not do, and what a picture without it would not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Meshes that bend with a skeleton.
    Skinning,
    /// Meshes that change their shape.
    Morphing,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skinning => "skinning",
            Self::Morphing => "morph targets",
        })
    }
}

/// Why an image could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum ImageFault {
    /// It is no PNG.
    #[error(transparent)]
    Png(#[from] image::ImageError),
    /// It is no JPEG.
    #[error("{0:?}")]
    Jpeg(zune_jpeg::errors::DecodeErrors),
}

/// Why a file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error("`{}` could not be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file, or all files together, is larger than the importer reads.
    #[error("{what} has {size_bytes} bytes or more, the limit is {max_bytes}")]
    FileTooLarge {
        /// The file.
        what: &'static str,
        /// Bytes seen so far.
        size_bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The file is neither GLB nor JSON.
    #[error("neither .glb nor .gltf: the file begins with {first_bytes:02x?}")]
    NotGltf {
        /// Its first bytes.
        first_bytes: Vec<u8>,
    },
    /// A GLB of another version.
    #[error("GLB version {version}: only version 2 is read")]
    GlbVersion {
        /// Its version.
        version: u32,
    },
    /// A GLB ends before its header says so.
    #[error("{part} needs {need_bytes} bytes, the file has {have_bytes}: it is truncated")]
    GlbTruncated {
        /// Which part.
        part: &'static str,
        /// What its header says.
        need_bytes: u64,
        /// What is there.
        have_bytes: u64,
    },
    /// The first chunk of a GLB is not JSON.
    #[error("the first chunk of the GLB has type {chunk_type:#010x}, not JSON")]
    GlbChunk {
        /// Its type.
        chunk_type: u32,
    },
    /// The JSON is not glTF.
    #[error("the JSON is not glTF")]
    Json(#[source] serde_json::Error),
    /// A version of glTF other than 2.
    #[error("glTF version `{version}`: only version 2 is read")]
    AssetVersion {
        /// Its version.
        version: String,
    },
    /// The file says that it can't be shown without an extension that is not read.
    #[error("extension `{name}` is required and not supported: export without it")]
    ExtensionUnsupported {
        /// The extension.
        name: String,
    },
    /// A field breaks a rule of glTF.
    #[error("`{path}` is wrong, and {more_count} more after it")]
    Malformed {
        /// The field.
        path: String,
        /// How many more faults there are.
        more_count: usize,
        /// The rule.
        #[source]
        source: validation::Error,
    },
    /// A reference names an entry that does not exist.
    #[error("{place} names {target}, which does not exist")]
    Dangling {
        /// Where the reference stands.
        place: Place,
        /// What it names.
        target: Place,
    },
    /// A reference to another file is not followed.
    #[error("uri `{uri}` of {place} is not read: {fault}")]
    Uri {
        /// Where it stands.
        place: Place,
        /// Its first characters.
        uri: String,
        /// Why.
        fault: UriFault,
    },
    /// A buffer or an image says neither where its bytes are nor has any.
    #[error("{place} has no data")]
    NoData {
        /// Which.
        place: Place,
    },
    /// An entry reaches beyond the bytes that it refers to.
    #[error("{place} needs {need_bytes} bytes, there are {have_bytes}")]
    OutOfBytes {
        /// Which.
        place: Place,
        /// How many it needs.
        need_bytes: u64,
        /// How many there are.
        have_bytes: u64,
    },
    /// An accessor has not the type that its use asks for.
    #[error("{place} can't be read as {needed}")]
    WrongType {
        /// The accessor.
        place: Place,
        /// What its use asks for.
        needed: &'static str,
    },
    /// An accessor has not the length that its use asks for.
    #[error("{place} has {len} entries, not {needed}")]
    WrongLength {
        /// The accessor.
        place: Place,
        /// Its length.
        len: u64,
        /// What its use asks for.
        needed: u64,
    },
    /// An index names a vertex that does not exist.
    #[error("{place} names vertex {vertex} of {count}")]
    VertexOutOfRange {
        /// The accessor of indices.
        place: Place,
        /// The index.
        vertex: u32,
        /// How many vertices there are.
        count: u64,
    },
    /// The file holds more than the importer, or a scene, takes.
    #[error("more than {max} {what}: simplify the scene, or lower the import's limits")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// A number is not finite, or beyond what can be computed with.
    #[error("{field} of {place} is {value}")]
    NumberOutOfRange {
        /// The entry.
        place: Place,
        /// The field.
        field: &'static str,
        /// The number.
        value: f32,
    },
    /// Keyframes do not follow each other.
    #[error("{place} is not in the order of time")]
    TimesUnordered {
        /// The accessor of times.
        place: Place,
    },
    /// A node has two parents, or is its own ancestor.
    #[error("{node} has more than one parent, or is its own ancestor")]
    NotATree {
        /// The node.
        node: Place,
    },
    /// Without the feature the picture would be another one.
    #[error("{place} needs {feature}, which is not supported: bake it before exporting")]
    Unsupported {
        /// Who needs it.
        place: Place,
        /// The feature.
        feature: Feature,
    },
    /// An image is neither PNG nor JPEG.
    #[error("{place} is neither PNG nor JPEG: it begins with {first_bytes:02x?}")]
    ImageFormat {
        /// The image.
        place: Place,
        /// Its first bytes.
        first_bytes: Vec<u8>,
    },
    /// An image has too many pixels.
    #[error("{place} has {width} x {height} pixels, the limit is {edge_max} an edge, {max} in all")]
    ImageTooLarge {
        /// The image.
        place: Place,
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
        /// Longest edge.
        edge_max: u64,
        /// Most pixels.
        max: u64,
    },
    /// An image does not decode.
    #[error("{place} does not decode")]
    Image {
        /// The image.
        place: Place,
        /// What the decoder said.
        #[source]
        source: ImageFault,
    },
    /// The options ask for something that the file does not have.
    #[error("{target} was asked for, the file has {count}")]
    NoSuchEntry {
        /// What was asked for.
        target: Place,
        /// How many there are.
        count: usize,
    },
    /// An option is outside of its bounds.
    #[error("option {option} is {value}")]
    OptionOutOfRange {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
    },
    /// The scene has nothing that a ray could meet.
    #[error("the scene has no triangles")]
    Empty,
}
