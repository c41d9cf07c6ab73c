//! Scenes: what one holds, how it is laid out for the kernels, and which blobs a kernel may be given.

mod alias;
mod bounds;
pub mod build;
mod bvh;
mod check;
mod error;
mod frames;
mod geometry;
pub mod layout;
mod lights;
mod matrix;
mod parts;
mod sky;
mod tables;
mod tangents;
mod trees;
mod validate;
mod worlds;

pub use build::build;
pub use error::SceneError;
pub use parts::{
    Affine, AlphaMode, CameraPart, Filter, InstancePart, LightKind, LightPart, MapPart,
    MaterialPart, MeshPart, Projection, SceneParts, SkyPart, TextureEncoding, TexturePart, Wrap,
};
pub use validate::ValidScene;
