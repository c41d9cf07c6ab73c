//! Scenes made in code: the project's demo, and small ones for tests.
//!
//! Each is a .glb, so that making one exercises the same importer as a builder's file. The same code makes
//! the same geometry and pixels on every machine.

mod cornell;
mod demo;
mod glb;
mod picture;
mod shape;

use super::import::ImportOptions;

pub use cornell::cornell_box;
pub use demo::demo;
pub use glb::GlbWriter;
pub use picture::Picture;
pub use shape::Shape;

/// A scene made in code.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The file.
    pub glb: Vec<u8>,
    /// How it is meant to be imported: glTF has no word for a sky.
    pub options: ImportOptions,
}
