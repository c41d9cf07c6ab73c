//! Scenes: what one holds, how it is laid out for the kernels, and which blobs a kernel may be given.

pub mod build;
mod error;
pub mod layout;
mod parts;

pub use build::build;
pub use error::SceneError;
pub use parts::{
    Affine, AlphaMode, CameraPart, Filter, InstancePart, LightKind, LightPart, MapPart,
    MaterialPart, MeshPart, Projection, SceneParts, SkyPart, TextureEncoding, TexturePart, Wrap,
};
