//! What the importer takes from a file, at most.
//!
//! A scene that reaches a kernel is at most 256 MiB (`memory::LOG2_INPUT`), so that most of these bounds
//! only refuse early what [`build`](crate::scene::build()) would refuse later, before memory is spent on it.

/// Bytes of the file, and of all files that it names, together.
pub(super) const BYTES_MAX: u64 = 512 << 20;
/// Bytes of the JSON.
pub(super) const JSON_BYTES_MAX: u64 = 64 << 20;
/// Values of the JSON: a parsed value takes many times the two bytes that it takes in a file.
pub(super) const VALUES_MAX: u64 = 1 << 22;
/// Entries of one table of the JSON.
pub(super) const TABLE_MAX: u64 = 1 << 18;
/// Nodes of the scene.
pub(super) const NODES_MAX: u64 = 1 << 18;
/// Meshes of one material, placed or not.
pub(super) const INSTANCES_MAX: u64 = 1 << 18;
/// Vertices of all meshes.
pub(super) const VERTICES_MAX: u64 = 1 << 22;
/// Triangles of all instances.
pub(super) const TRIANGLES_MAX: u64 = 1 << 22;
/// Entries of one accessor.
pub(super) const ELEMENTS_MAX: u64 = 1 << 24;
/// Entries read from accessors, those read again counted again: bounds the time.
pub(super) const ELEMENTS_READ_MAX: u64 = 1 << 27;
/// Matrices of everything that moves, over all frames.
pub(super) const MATRICES_MAX: u64 = 1 << 20;
/// Frames.
pub(super) const FRAMES_MAX: u32 = 1 << 14;
/// Punctual lights.
pub(super) const LIGHTS_MAX: u64 = 1 << 16;
/// Cameras.
pub(super) const CAMERAS_MAX: u64 = 1 << 12;
/// Materials.
pub(super) const MATERIALS_MAX: u64 = 1 << 16;
/// Edge of an image of the file, before it is scaled down.
pub(super) const IMAGE_EDGE_MAX: u64 = 16384;
/// Pixels of an image of the file, before it is scaled down.
pub(super) const IMAGE_TEXELS_MAX: u64 = 1 << 26;
/// Pixels decoded from all images, before they are scaled down: bounds the time.
pub(super) const IMAGES_TEXELS_MAX: u64 = 1 << 29;
/// Texels of all textures, as rendered.
pub(super) const TEXELS_MAX: u64 = 1 << 25;
/// Magnitude of a coordinate or a matrix entry: squares and products of a few stay finite.
pub(super) const MAGNITUDE_MAX: f64 = 1e9;
