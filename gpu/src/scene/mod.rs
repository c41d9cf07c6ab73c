//! Scenes: what one holds, how it is laid out for the kernels, and which blobs a kernel may be given.

mod alias;
mod bounds;
pub mod build;
mod bvh;
mod check;
mod environment;
mod error;
mod frames;
pub mod generate;
mod geometry;
pub mod import;
pub mod layout;
mod lights;
mod math;
mod matrix;
mod parts;
mod radiance;
mod sky;
mod tables;
mod tangents;
mod trees;
mod validate;
mod worlds;

pub use build::build;
pub use environment::{EnvironmentError, EnvironmentOptions, decode_environment, load_environment};
pub use error::SceneError;
pub use parts::{
    Affine, AlphaMode, CameraPart, Filter, InstancePart, LightKind, LightPart, MapPart,
    MaterialPart, MeshPart, Projection, SceneParts, SkyPart, TextureEncoding, TexturePart, Wrap,
};
pub use validate::ValidScene;
