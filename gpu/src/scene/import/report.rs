//! What the importer noticed and went on with.

use std::{collections::BTreeSet, fmt};

use super::Place;

/// Remarks that a report keeps; those beyond are counted.
const REMARKS_MAX: usize = 64;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What the picture lacks or shows otherwise than the file says, in the order in which it was found.
    pub warnings: Vec<Warning>,
    /// What was chosen where the file says nothing.
    pub notes: Vec<Note>,
    /// Warnings beyond those kept.
    pub more_warnings_count: u64,
    /// Names of the cameras, in the order of their indices.
    pub cameras: Vec<String>,
    /// Triangles, each instance counted.
    pub triangle_count: u64,
    /// Pixels of all textures.
    pub texel_count: u64,
    /// Frames.
    pub frame_count: u32,
}

impl Report {
    /// Adds a warning, once.
    pub(super) fn warn(&mut self, warning: Warning) {
        if self.warnings.contains(&warning) {
            return;
        }
        if self.warnings.len() == REMARKS_MAX {
            self.more_warnings_count += 1;
            return;
        }
        self.warnings.push(warning);
    }

    /// Warns of the extensions that the file uses and the importer does not read.
    pub(super) fn warn_of_extensions(&mut self, names: &BTreeSet<&str>) {
        for &name in names {
            let name = name.chars().take(100).collect();
            self.warn(Warning::ExtensionIgnored { name });
        }
    }
}

/// Something that the picture lacks or shows otherwise than the file says.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// An optional extension is not read.
    ExtensionIgnored {
        /// The extension.
        name: String,
    },
    /// Points and lines have no surface.
    NotTriangles {
        /// The mesh.
        mesh: Place,
        /// Its primitive.
        primitive: usize,
    },
    /// The last triangle lacks corners and is left out.
    PartialTriangle {
        /// The mesh.
        mesh: Place,
        /// Its primitive.
        primitive: usize,
    },
    /// Normals without a direction were replaced by those of the triangles around.
    NormalsReplaced {
        /// The mesh.
        mesh: Place,
        /// Its primitive.
        primitive: usize,
        /// How many.
        count: u64,
    },
    /// Tangents without a direction: all of the primitive are made from the texture coordinates.
    TangentsReplaced {
        /// The mesh.
        mesh: Place,
        /// Its primitive.
        primitive: usize,
    },
    /// A map reads texture coordinates that the mesh does not have: they are zero.
    TextureCoordinatesMissing {
        /// The mesh.
        mesh: Place,
        /// Its primitive.
        primitive: usize,
    },
    /// The material reads a set of texture coordinates beyond the first two: the first is read.
    TextureCoordinateSet {
        /// The material.
        material: Place,
        /// The set.
        set: u32,
    },
    /// A factor was moved into its bounds.
    Clamped {
        /// The entry.
        place: Place,
        /// The field.
        field: &'static str,
    },
    /// An image was halved until it fitted.
    Downscaled {
        /// The image.
        image: Place,
        /// Pixels in a row, as rendered.
        width: u32,
        /// Rows, as rendered.
        height: u32,
    },
    /// The transform flattens what it places: it is left out, or shrunk to nothing in those frames.
    Flattened {
        /// The node.
        node: Place,
        /// In how many frames.
        frame_count: u64,
    },
    /// A second channel moves the same property of a node: the first counts.
    ChannelConflict {
        /// The node.
        node: Place,
    },
    /// The node has a matrix, which can't be animated.
    MatrixAnimated {
        /// The node.
        node: Place,
    },
    /// Morph targets of no weight are left out.
    MorphTargetsIgnored {
        /// The mesh.
        mesh: Place,
    },
    /// The camera or light has no direction and is left out.
    NoDirection {
        /// The node.
        node: Place,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExtensionIgnored { name } => write!(f, "extension `{name}` is not read"),
            Self::NotTriangles { mesh, primitive } => {
                write!(f, "primitive {primitive} of {mesh} has no triangles")
            }
            Self::PartialTriangle { mesh, primitive } => write!(
                f,
                "the last triangle of primitive {primitive} of {mesh} lacks corners"
            ),
            Self::NormalsReplaced {
                mesh,
                primitive,
                count,
            } => write!(
                f,
                "{count} normals of primitive {primitive} of {mesh} had no direction"
            ),
            Self::TangentsReplaced { mesh, primitive } => write!(
                f,
                "tangents of primitive {primitive} of {mesh} had no direction and are made anew"
            ),
            Self::TextureCoordinatesMissing { mesh, primitive } => write!(
                f,
                "primitive {primitive} of {mesh} lacks the texture coordinates of its material"
            ),
            Self::TextureCoordinateSet { material, set } => write!(
                f,
                "{material} reads texture coordinates {set}: only sets 0 and 1 are read"
            ),
            Self::Clamped { place, field } => {
                write!(f, "{field} of {place} was moved into its bounds")
            }
            Self::Downscaled {
                image,
                width,
                height,
            } => write!(f, "{image} was scaled down to {width} x {height}"),
            Self::Flattened { node, frame_count } => write!(
                f,
                "{node} is flattened by its transform and hidden in {frame_count} frames"
            ),
            Self::ChannelConflict { node } => {
                write!(
                    f,
                    "two channels move the same property of {node}: the first counts"
                )
            }
            Self::MatrixAnimated { node } => {
                write!(f, "{node} has a matrix, its animation is left out")
            }
            Self::MorphTargetsIgnored { mesh } => {
                write!(f, "morph targets of {mesh} have no weight and are left out")
            }
            Self::NoDirection { node } => {
                write!(f, "camera or light of {node} has no direction")
            }
        }
    }
}

/// A choice that the importer made where the file says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The file has no camera: one frames everything, three-quarter view.
    DefaultCamera,
    /// The file has no light: a soft sky shines.
    DefaultSky,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DefaultCamera => "the scene has no camera: a default one frames everything",
            Self::DefaultSky => "the scene has no light: a soft default sky shines",
        })
    }
}
