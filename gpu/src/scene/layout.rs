//! The scene blob in bytes: the twin of `kernels/scene.h`, field by field.
//!
//! Little-endian; offsets in bytes from the start of the blob; every table aligned to [`ALIGN`]. What the
//! fields mean stands in the C header; what a blob has to keep stands in the validator.

use bytemuck::{Pod, Zeroable};

/// First word of a blob.
pub const SCENE_MAGIC: u32 = 0x5358_4649;
/// Version of this layout.
pub const SCENE_VERSION: u32 = 1;
/// Alignment of the header and of every table.
pub const ALIGN: usize = 64;
/// No entry.
pub const NONE: u32 = u32::MAX;

/// An empty lane of a [`Node`].
pub const REF_EMPTY: u32 = 0;
/// Marks a reference to packs or instances, not to a node.
pub const REF_LEAF: u32 = 0x8000_0000;
/// Where a leaf's count, less one, begins.
pub const REF_COUNT_SHIFT: u32 = 27;
/// Mask of a leaf's count, less one, after the shift.
pub const REF_COUNT_MASK: u32 = 15;
/// Mask of a leaf's first index.
pub const REF_INDEX_MASK: u32 = 0x07ff_ffff;
/// Levels of nodes in one tree, at most.
pub const TREE_DEPTH_MAX: u32 = 48;

/// [`SceneHeader::flags`]: rays may have to go on behind a hit.
pub const SCENE_CUTOUT: u32 = 1;

/// No sky: black.
pub const SKY_NONE: u32 = 0;
/// The same radiance everywhere.
pub const SKY_CONSTANT: u32 = 1;
/// Ground, horizon and zenith.
pub const SKY_GRADIENT: u32 = 2;
/// An equirectangular image.
pub const SKY_IMAGE: u32 = 3;
/// Pixels along an edge of the sky image, at most.
pub const SKY_EDGE_MAX: u32 = 8192;

/// [`Instance::flags`]: both matrices are the identity and are not read.
pub const INSTANCE_IDENTITY: u32 = 1;
/// [`Instance::flags`]: the matrix turns the inside out.
pub const INSTANCE_MIRRORED: u32 = 2;

/// [`Material::flags`]: emits on both sides.
pub const MATERIAL_DOUBLE_SIDED: u32 = 1;
/// [`Material::flags`]: alpha below the cutoff is a hole.
pub const MATERIAL_MASK: u32 = 2;
/// [`Material::flags`]: alpha is a probability.
pub const MATERIAL_BLEND: u32 = 4;
/// [`Material::flags`]: transmits without refraction.
pub const MATERIAL_THIN: u32 = 8;
/// Every flag that a material may have.
pub const MATERIAL_FLAGS: u32 = 15;

/// Texels are linear.
pub const TEXTURE_LINEAR: u32 = 0;
/// Red, green and blue are sRGB; alpha is linear.
pub const TEXTURE_SRGB: u32 = 1;
/// The texture repeats.
pub const WRAP_REPEAT: u32 = 0;
/// The edge texel goes on.
pub const WRAP_CLAMP: u32 = 1;
/// Every other repetition is mirrored.
pub const WRAP_MIRROR: u32 = 2;
/// The nearest texel.
pub const FILTER_NEAREST: u32 = 0;
/// Four texels.
pub const FILTER_BILINEAR: u32 = 1;
/// Pixels along an edge of a texture, at most.
pub const TEXTURE_EDGE_MAX: u32 = 16384;

/// An emissive triangle.
pub const LIGHT_TRIANGLE: u32 = 0;
/// A point light.
pub const LIGHT_POINT: u32 = 1;
/// A spot light.
pub const LIGHT_SPOT: u32 = 2;
/// A directional light.
pub const LIGHT_SUN: u32 = 3;
/// The sky image.
pub const LIGHT_SKY: u32 = 4;

/// A perspective camera.
pub const CAMERA_PERSPECTIVE: u32 = 0;
/// An orthographic camera.
pub const CAMERA_ORTHOGRAPHIC: u32 = 1;

/// `count` entries of a table, from byte `offset`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Span {
    /// First byte, from the start of the blob.
    pub offset: u32,
    /// Entries.
    pub count: u32,
}

/// The first 256 bytes of a blob.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct SceneHeader {
    pub magic: u32,
    pub version: u32,
    pub size_bytes: u32,
    pub flags: u32,
    pub nodes: Span,
    pub packs: Span,
    pub triangles: Span,
    pub vertices: Span,
    pub meshes: Span,
    pub instances: Span,
    pub frames: Span,
    pub materials: Span,
    pub textures: Span,
    pub texels: Span,
    pub lights: Span,
    pub cameras: Span,
    pub sky_texels: Span,
    pub sky_kind: u32,
    pub sky_width: u32,
    pub sky_height: u32,
    pub sky_turn: [f32; 2],
    pub sky_zenith: [f32; 3],
    pub sky_horizon: [f32; 3],
    pub sky_ground: [f32; 3],
    pub reserved: [u32; 20],
}

/// One frame of the animation.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Frame {
    pub root: u32,
    pub first_instance: u32,
    pub instance_count: u32,
    pub first_light: u32,
    pub light_count: u32,
    pub first_camera: u32,
    pub camera_count: u32,
    pub sky_light: u32,
    pub time_s: f32,
    pub reserved: [u32; 7],
}

/// A node of eight children.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Node {
    pub lo: [[f32; 8]; 3],
    pub hi: [[f32; 8]; 3],
    pub child: [u32; 8],
    pub reserved: [u32; 8],
}

/// Eight triangles.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Pack {
    pub v0: [[f32; 8]; 3],
    pub e1: [[f32; 8]; 3],
    pub e2: [[f32; 8]; 3],
    pub id: [u32; 8],
}

/// What shading reads of a triangle.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Triangle {
    pub vertex: [u32; 3],
    pub material: u32,
}

/// A corner of triangles.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Vertex {
    pub position: [f32; 3],
    pub normal: [f32; 3],
    pub tangent: [f32; 4],
    pub uv: [[f32; 2]; 2],
    pub color: u32,
    pub reserved: u32,
}

/// A tree of packs and its triangles.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Mesh {
    pub root: u32,
    pub first_triangle: u32,
    pub triangle_count: u32,
    pub first_emissive: u32,
}

/// A mesh in one frame.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Instance {
    pub mesh: u32,
    pub flags: u32,
    pub first_light: u32,
    pub reserved: u32,
    pub to_world: [f32; 12],
    pub to_object: [f32; 12],
    pub reserved2: [u32; 4],
}

/// Where a material's factor is multiplied by a texture.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct TextureRef {
    pub texture: u32,
    pub uv_set: u32,
    pub row_u: [f32; 3],
    pub row_v: [f32; 3],
}

/// How a surface scatters, transmits and emits.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Material {
    pub base_color: [f32; 4],
    pub emissive: [f32; 3],
    pub metallic: f32,
    pub roughness: f32,
    pub normal_scale: f32,
    pub transmission: f32,
    pub ior: f32,
    pub alpha_cutoff: f32,
    pub flags: u32,
    pub absorption: [f32; 3],
    pub reserved: [u32; 7],
    pub base_color_map: TextureRef,
    pub metallic_roughness_map: TextureRef,
    pub normal_map: TextureRef,
    pub emissive_map: TextureRef,
    pub transmission_map: TextureRef,
}

/// An image of RGBA8 texels.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Texture {
    pub first_texel: u32,
    pub width: u32,
    pub height: u32,
    pub encoding: u32,
    pub wrap_u: u32,
    pub wrap_v: u32,
    pub filter: u32,
    pub reserved: u32,
}

/// A light, and an entry of its frame's alias table.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Light {
    pub kind: u32,
    pub alias: u32,
    pub threshold: f32,
    pub pick: f32,
    pub instance: u32,
    pub triangle: u32,
    pub color: [f32; 3],
    pub position: [f32; 3],
    pub direction: [f32; 3],
    pub range: f32,
    pub cone_scale: f32,
    pub cone_offset: f32,
}

/// Where rays begin.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct Camera {
    pub to_world: [f32; 12],
    pub kind: u32,
    pub tan_half_yfov: f32,
    pub lens_radius: f32,
    pub focus_distance: f32,
}

/// A texel of the sky image, and an entry of its alias table.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[allow(
    missing_docs,
    reason = "the twin of a C struct, whose header explains the fields"
)]
pub struct SkyTexel {
    pub radiance: [f32; 3],
    pub pick: f32,
    pub threshold: f32,
    pub alias: u32,
    pub reserved: [u32; 2],
}
