//! Scenes: what one holds, how it is laid out for the kernels, and which blobs a kernel may be given.

pub mod build;
mod environment;
mod error;
pub mod generate;
pub mod import;
pub mod layout;
mod math;
mod parts;
mod radiance;

pub use build::build;
pub use environment::{EnvironmentError, EnvironmentOptions, decode_environment, load_environment};
pub use error::SceneError;
pub use parts::{
    Affine, AlphaMode, CameraPart, Filter, InstancePart, LightKind, LightPart, MapPart,
    MaterialPart, MeshPart, Projection, SceneParts, SkyPart, TextureEncoding, TexturePart, Wrap,
};
