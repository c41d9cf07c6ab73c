//! Imports glTF 2.0, as .glb or .gltf with the files beside it.
//!
//! The input is not trusted: every size and index is checked before it is used, files are only read below
//! the scene's own folder, and each fault is one [`ImportError`]. The same bytes and options give the same
//! parts on every machine.
//!
//! # What is read
//!
//! - Triangles, strips and fans, indexed or not, sparse accessors included. Points and lines are reported.
//! - Nodes, by matrix or by translation, rotation and scale; animations of the latter, sampled once for
//!   each frame.
//! - Metallic-roughness materials with emission, alpha, transmission, index of refraction and volume; PNG
//!   and JPEG textures. Occlusion maps are not read: the renderer finds occlusion by itself.
//! - Cameras and punctual lights.
//!
//! Skins, and morph targets of any weight, are refused: the picture would silently be another one. Other
//! extensions are refused if the file requires them and reported if it does not.

mod accessor;
mod animation;
mod container;
mod emission;
mod error;
mod importer;
mod limits;
mod material;
mod mesh;
mod node;
mod options;
mod report;
mod texture;
mod uri;
mod view;

pub use error::{Feature, ImageFault, ImportError, Place, UriFault};
pub use importer::{Import, import_bytes, import_file};
pub use options::ImportOptions;
pub use report::{Note, Report, Warning};
