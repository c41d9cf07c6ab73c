//! The tables of a blob, and where in them something is wrong.

use bytemuck::Pod;

use super::{
    SceneError,
    layout::{
        self, Camera, Frame, Instance, Light, Material, Mesh, Node, Pack, SceneHeader, SkyTexel,
        Span, Texture, Triangle, Vertex,
    },
};

/// The tables of a blob whose spans have been checked.
pub(super) struct Tables<'a> {
    pub(super) header: &'a SceneHeader,
    pub(super) nodes: &'a [Node],
    pub(super) packs: &'a [Pack],
    pub(super) triangles: &'a [Triangle],
    pub(super) vertices: &'a [Vertex],
    pub(super) meshes: &'a [Mesh],
    pub(super) instances: &'a [Instance],
    pub(super) frames: &'a [Frame],
    pub(super) materials: &'a [Material],
    pub(super) textures: &'a [Texture],
    pub(super) texels: &'a [u32],
    pub(super) lights: &'a [Light],
    pub(super) cameras: &'a [Camera],
    pub(super) sky_texels: &'a [SkyTexel],
}

impl<'a> Tables<'a> {
    /// Opens the tables of a blob that lies on a boundary of [`layout::ALIGN`] bytes.
    pub(super) fn open(blob: &'a [u8]) -> Result<Self, SceneError> {
        let len_bytes = u64::try_from(blob.len()).unwrap_or(u64::MAX);
        let Some(header) = blob.get(..size_of::<SceneHeader>()) else {
            let size_bytes = u64::try_from(size_of::<SceneHeader>()).unwrap_or(u64::MAX);
            return Err(SceneError::WrongSize {
                len_bytes,
                size_bytes,
            });
        };
        let header: &SceneHeader = bytemuck::from_bytes(header);
        if header.magic != layout::SCENE_MAGIC || header.version != layout::SCENE_VERSION {
            let SceneHeader { magic, version, .. } = *header;
            return Err(SceneError::NotAScene { magic, version });
        }
        if len_bytes != u64::from(header.size_bytes) {
            let size_bytes = header.size_bytes.into();
            return Err(SceneError::WrongSize {
                len_bytes,
                size_bytes,
            });
        }
        Ok(Self {
            header,
            nodes: open_table(blob, "nodes", header.nodes)?,
            packs: open_table(blob, "packs", header.packs)?,
            triangles: open_table(blob, "triangles", header.triangles)?,
            vertices: open_table(blob, "vertices", header.vertices)?,
            meshes: open_table(blob, "meshes", header.meshes)?,
            instances: open_table(blob, "instances", header.instances)?,
            frames: open_table(blob, "frames", header.frames)?,
            materials: open_table(blob, "materials", header.materials)?,
            textures: open_table(blob, "textures", header.textures)?,
            texels: open_table(blob, "texels", header.texels)?,
            lights: open_table(blob, "lights", header.lights)?,
            cameras: open_table(blob, "cameras", header.cameras)?,
            sky_texels: open_table(blob, "sky_texels", header.sky_texels)?,
        })
    }
}

/// An entry of a table.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) table: &'static str,
    pub(super) index: u64,
}

impl At {
    pub(super) fn new(table: &'static str, index: usize) -> Self {
        Self {
            table,
            index: index.try_into().unwrap_or(u64::MAX),
        }
    }

    pub(super) fn table<'a, T>(
        table: &'static str,
        entries: &'a [T],
    ) -> impl Iterator<Item = (Self, &'a T)> + use<'a, T> {
        (0..)
            .zip(entries)
            .map(move |(index, entry)| (Self { table, index }, entry))
    }

    pub(super) fn below(
        self,
        field: &'static str,
        value: u32,
        bound: usize,
    ) -> Result<(), SceneError> {
        if (value as usize) < bound {
            return Ok(());
        }
        let Self { table, index } = self;
        let bound = bound.try_into().unwrap_or(u64::MAX);
        Err(SceneError::IndexOutOfRange {
            table,
            index,
            field,
            value: value.into(),
            bound,
        })
    }

    pub(super) fn at_most(
        self,
        field: &'static str,
        value: u32,
        bound: usize,
    ) -> Result<(), SceneError> {
        self.below(field, value, bound + 1)
    }

    pub(super) fn sum(self, field: &'static str, a: u32, b: u32) -> Result<u32, SceneError> {
        let Self { table, index } = self;
        let value = u64::from(a) + u64::from(b);
        let bound = 1 << 32;
        let err = SceneError::IndexOutOfRange {
            table,
            index,
            field,
            value,
            bound,
        };
        u32::try_from(value).map_err(|_| err)
    }

    pub(super) fn code(self, field: &'static str, value: u32, last: u32) -> Result<(), SceneError> {
        if value <= last {
            Ok(())
        } else {
            Err(self.unknown(field, value))
        }
    }

    pub(super) fn unknown(self, field: &'static str, value: u32) -> SceneError {
        SceneError::UnknownCode {
            table: self.table,
            index: self.index,
            field,
            value,
        }
    }

    pub(super) fn finite(self, field: &'static str, values: &[f32]) -> Result<(), SceneError> {
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.number(field, *value)),
            None => Ok(()),
        }
    }

    pub(super) fn number(self, field: &'static str, value: f32) -> SceneError {
        SceneError::NumberOutOfRange {
            table: self.table,
            index: self.index,
            field,
            value,
        }
    }
}

fn open_table<'a, T: Pod>(
    blob: &'a [u8],
    table: &'static str,
    span: Span,
) -> Result<&'a [T], SceneError> {
    let Span { offset, count } = span;
    let misplaced = SceneError::TableMisplaced {
        table,
        offset,
        count,
    };
    let start = offset as usize;
    if start < size_of::<SceneHeader>() || !start.is_multiple_of(layout::ALIGN) {
        return Err(misplaced);
    }
    // 2^32 entries of a few hundred bytes: no overflow in 64 bits.
    let Some(bytes) = blob.get(start..start + count as usize * size_of::<T>()) else {
        return Err(misplaced);
    };
    Ok(bytemuck::cast_slice(bytes))
}
