//! Which blobs a kernel may be given: the answer to a scene from a stranger.
//!
//! After a blob has passed, a kernel that is given it reads inside of it only, and ends. That takes indices,
//! sizes, the shape of trees and the meaning of codes. It does not take sense: a box may lie beside its
//! triangles, and then the picture is wrong in the same way everywhere.
//!
//! # Cost
//!
//! Linear in the blob, whatever it holds: ranges that frames name either follow each other or are the same.

use std::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use super::{
    SceneError,
    layout::{
        self, Camera, Frame, Instance, Light, Material, Mesh, Node, Pack, SceneHeader, SkyTexel,
        Span, Texture, TextureRef, Triangle, Vertex,
    },
    trees::check_trees,
};
use crate::{
    memory::LOG2_INPUT,
    render::{CameraChoice, FRAMES_MAX, ParamsError, RenderParams},
};

/// A blob that kernels may be given, on the boundary that they need.
pub struct ValidScene {
    lines: Box<[Line]>,
    len: usize,
}

/// What vector loads and the blob's tables are aligned to.
#[repr(C, align(64))]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Line([u8; layout::ALIGN]);

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

impl std::fmt::Debug for ValidScene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValidScene")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl ValidScene {
    /// Copies a blob, and checks the copy.
    ///
    /// # Errors
    ///
    /// [`SceneError`] that names the first thing a kernel could trip over.
    pub fn new(blob: &[u8]) -> Result<Self, SceneError> {
        if blob.len() > 1 << LOG2_INPUT {
            return Err(SceneError::TooLarge {
                size_bytes: blob.len().try_into().unwrap_or(u64::MAX),
                max_bytes: 1 << LOG2_INPUT,
            });
        }
        let mut lines = vec![Line::zeroed(); blob.len().div_ceil(layout::ALIGN)].into_boxed_slice();
        bytemuck::cast_slice_mut::<Line, u8>(&mut lines)[..blob.len()].copy_from_slice(blob);
        let scene = Self {
            lines,
            len: blob.len(),
        };
        check_tables(&Tables::open(scene.bytes())?)?;
        Ok(scene)
    }

    /// Returns the blob.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }

    /// Returns how many frames the scene has.
    pub fn frame_count(&self) -> u32 {
        self.header().frames.count
    }

    /// Checks that parameters name only what the scene has.
    ///
    /// # Errors
    ///
    /// [`ParamsError`] if a frame or a camera is missing, or a field is outside of its bounds.
    pub fn check_params(&self, params: &RenderParams) -> Result<(), ParamsError> {
        params.check()?;
        let end_frame = u64::from(params.first_frame) + u64::from(params.frame_count);
        if end_frame > u64::from(self.frame_count()) {
            return Err(ParamsError::FrameMissing {
                end_frame,
                frame_count: self.frame_count(),
            });
        }
        let CameraChoice::Scene { index: camera } = params.camera else {
            return Ok(());
        };
        let frames: &[Frame] = self.table(self.header().frames);
        for index in params.first_frame..params.first_frame + params.frame_count {
            let camera_count = frames[index as usize].camera_count;
            if camera >= camera_count {
                return Err(ParamsError::CameraMissing {
                    camera,
                    frame: index,
                    camera_count,
                });
            }
        }
        Ok(())
    }

    fn header(&self) -> &SceneHeader {
        bytemuck::from_bytes(&self.bytes()[..size_of::<SceneHeader>()])
    }

    fn table<T: Pod>(&self, span: Span) -> &[T] {
        let start = span.offset as usize;
        bytemuck::cast_slice(&self.bytes()[start..start + span.count as usize * size_of::<T>()])
    }
}

impl<'a> Tables<'a> {
    /// Opens the tables of a blob that lies on a boundary of [`layout::ALIGN`] bytes.
    fn open(blob: &'a [u8]) -> Result<Self, SceneError> {
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

fn check_tables(t: &Tables<'_>) -> Result<(), SceneError> {
    check_sky(t)?;
    let vertices = At::table("vertices", t.vertices);
    for (at, vertex) in vertices {
        let words: &[f32; 14] =
            bytemuck::from_bytes(&bytemuck::bytes_of(vertex)[..offset_of!(Vertex, color)]);
        at.finite("numbers", words)?;
    }
    for (at, triangle) in At::table("triangles", t.triangles) {
        for vertex in triangle.vertex {
            at.below("vertex", vertex, t.vertices.len())?;
        }
        at.below("material", triangle.material, t.materials.len())?;
    }
    for (at, material) in At::table("materials", t.materials) {
        check_material(at, material, t)?;
    }
    for (at, texture) in At::table("textures", t.textures) {
        check_texture(at, texture, t)?;
    }
    for (at, mesh) in At::table("meshes", t.meshes) {
        let end = at.sum("triangle_count", mesh.first_triangle, mesh.triangle_count)?;
        at.at_most("triangle_count", end, t.triangles.len())?;
        at.at_most(
            "first_triangle",
            mesh.first_triangle,
            mesh.first_emissive as usize,
        )?;
        at.at_most("first_emissive", mesh.first_emissive, end as usize)?;
    }
    for (at, instance) in At::table("instances", t.instances) {
        at.below("mesh", instance.mesh, t.meshes.len())?;
        at.finite("to_world", &instance.to_world)?;
        at.finite("to_object", &instance.to_object)?;
    }
    for (at, camera) in At::table("cameras", t.cameras) {
        at.code("kind", camera.kind, layout::CAMERA_ORTHOGRAPHIC)?;
        at.finite("to_world", &camera.to_world)?;
        let lens = [
            camera.tan_half_yfov,
            camera.lens_radius,
            camera.focus_distance,
        ];
        at.finite("lens", &lens)?;
    }
    check_frames(t)?;
    check_trees(t)
}

fn check_sky(t: &Tables<'_>) -> Result<(), SceneError> {
    let at = At {
        table: "header",
        index: 0,
    };
    let h = t.header;
    at.code("sky_kind", h.sky_kind, layout::SKY_IMAGE)?;
    at.finite("sky", &h.sky_turn)?;
    at.finite("sky", &[h.sky_zenith, h.sky_horizon, h.sky_ground].concat())?;
    if h.sky_kind != layout::SKY_IMAGE {
        return Ok(());
    }
    at.below(
        "sky_width",
        h.sky_width.wrapping_sub(1),
        layout::SKY_EDGE_MAX as usize,
    )?;
    at.below(
        "sky_height",
        h.sky_height.wrapping_sub(1),
        layout::SKY_EDGE_MAX as usize,
    )?;
    let texel_count = h.sky_width * h.sky_height;
    at.at_most("sky_texels", texel_count, t.sky_texels.len())?;
    for (at, texel) in At::table("sky_texels", t.sky_texels) {
        at.below("alias", texel.alias, texel_count as usize)?;
        at.finite("radiance", &texel.radiance)?;
        at.finite("pick", &[texel.pick, texel.threshold])?;
    }
    Ok(())
}

fn check_material(at: At, m: &Material, t: &Tables<'_>) -> Result<(), SceneError> {
    at.code("flags", m.flags, layout::MATERIAL_FLAGS)?;
    at.finite("base_color", &m.base_color)?;
    at.finite("emissive", &m.emissive)?;
    at.finite("absorption", &m.absorption)?;
    let factors = [
        m.metallic,
        m.roughness,
        m.normal_scale,
        m.transmission,
        m.ior,
        m.alpha_cutoff,
    ];
    at.finite("factors", &factors)?;
    let maps: [&TextureRef; 5] = [
        &m.base_color_map,
        &m.metallic_roughness_map,
        &m.normal_map,
        &m.emissive_map,
        &m.transmission_map,
    ];
    for map in maps {
        if map.texture != layout::NONE {
            at.below("texture", map.texture, t.textures.len())?;
        }
        at.below("uv_set", map.uv_set, 2)?;
        at.finite("row_u", &map.row_u)?;
        at.finite("row_v", &map.row_v)?;
    }
    Ok(())
}

fn check_texture(at: At, texture: &Texture, t: &Tables<'_>) -> Result<(), SceneError> {
    at.below(
        "width",
        texture.width.wrapping_sub(1),
        layout::TEXTURE_EDGE_MAX as usize,
    )?;
    at.below(
        "height",
        texture.height.wrapping_sub(1),
        layout::TEXTURE_EDGE_MAX as usize,
    )?;
    let end = at.sum(
        "first_texel",
        texture.first_texel,
        texture.width * texture.height,
    )?;
    at.at_most("first_texel", end, t.texels.len())?;
    at.code("encoding", texture.encoding, layout::TEXTURE_SRGB)?;
    at.code("wrap_u", texture.wrap_u, layout::WRAP_MIRROR)?;
    at.code("wrap_v", texture.wrap_v, layout::WRAP_MIRROR)?;
    at.code("filter", texture.filter, layout::FILTER_BILINEAR)
}

/// Where the world of the next frame may begin, if it has one of its own.
#[derive(Clone, Copy, Default)]
struct Cursor {
    instance: u32,
    light: u32,
}

fn check_frames(t: &Tables<'_>) -> Result<(), SceneError> {
    let at = At {
        table: "header",
        index: 0,
    };
    at.below(
        "frames",
        t.header.frames.count.wrapping_sub(1),
        FRAMES_MAX as usize,
    )?;
    let mut cursor = Cursor::default();
    let mut last: Option<&Frame> = None;
    for (at, frame) in At::table("frames", t.frames) {
        let end = at.sum("camera_count", frame.first_camera, frame.camera_count)?;
        at.at_most("camera_count", end, t.cameras.len())?;
        at.finite("time_s", &[frame.time_s])?;
        if !last.is_some_and(|last| has_same_world(last, frame)) {
            cursor = check_world(at, frame, cursor, t)?;
        }
        last = Some(frame);
    }
    Ok(())
}

/// Whether two frames share instances, tree and lights.
pub(super) fn has_same_world(a: &Frame, b: &Frame) -> bool {
    let world = |f: &Frame| {
        let instances = (f.root, f.first_instance, f.instance_count);
        (instances, f.first_light, f.light_count, f.sky_light)
    };
    world(a) == world(b)
}

fn check_world(at: At, f: &Frame, cursor: Cursor, t: &Tables<'_>) -> Result<Cursor, SceneError> {
    let instances_end = at.sum("instance_count", f.first_instance, f.instance_count)?;
    let lights_end = at.sum("light_count", f.first_light, f.light_count)?;
    at.at_most("instance_count", instances_end, t.instances.len())?;
    at.at_most("light_count", lights_end, t.lights.len())?;
    // INVARIANT: worlds do not overlap, so that checking all of them is linear.
    at.at_most("first_instance", cursor.instance, f.first_instance as usize)?;
    at.at_most("first_light", cursor.light, f.first_light as usize)?;

    let instances = f.first_instance as usize..instances_end as usize;
    for instance in instances.clone() {
        let at = At::new("instances", instance);
        let Instance {
            mesh, first_light, ..
        } = t.instances[instance];
        let mesh = t.meshes[mesh as usize];
        let emissive = mesh.first_triangle + mesh.triangle_count - mesh.first_emissive;
        if emissive > 0 {
            at.at_most("first_light", f.first_light, first_light as usize)?;
            let end = at.sum("first_light", first_light, emissive)?;
            at.at_most("first_light", end, lights_end as usize)?;
        }
    }
    for light in f.first_light as usize..lights_end as usize {
        check_light(At::new("lights", light), &t.lights[light], f, t)?;
    }
    if f.sky_light != layout::NONE {
        at.at_most("sky_light", f.first_light, f.sky_light as usize)?;
        at.below("sky_light", f.sky_light, lights_end as usize)?;
        let kind = t.lights[f.sky_light as usize].kind;
        if kind != layout::LIGHT_SKY {
            return Err(at.unknown("sky_light", kind));
        }
    }
    Ok(Cursor {
        instance: instances_end,
        light: lights_end,
    })
}

fn check_light(at: At, light: &Light, f: &Frame, t: &Tables<'_>) -> Result<(), SceneError> {
    at.code("kind", light.kind, layout::LIGHT_SKY)?;
    at.below("alias", light.alias, f.light_count as usize)?;
    at.finite("color", &light.color)?;
    at.finite("position", &light.position)?;
    at.finite("direction", &light.direction)?;
    let rest = [
        light.threshold,
        light.pick,
        light.range,
        light.cone_scale,
        light.cone_offset,
    ];
    at.finite("numbers", &rest)?;
    if light.kind == layout::LIGHT_TRIANGLE {
        at.at_most("instance", f.first_instance, light.instance as usize)?;
        at.below(
            "instance",
            light.instance,
            (f.first_instance + f.instance_count) as usize,
        )?;
        at.below("triangle", light.triangle, t.triangles.len())?;
    }
    if light.kind == layout::LIGHT_SKY && t.header.sky_kind != layout::SKY_IMAGE {
        return Err(at.unknown("kind", light.kind));
    }
    Ok(())
}

/// An entry of a table.
#[derive(Clone, Copy)]
pub(super) struct At {
    table: &'static str,
    index: u64,
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

    fn code(self, field: &'static str, value: u32, last: u32) -> Result<(), SceneError> {
        if value <= last {
            Ok(())
        } else {
            Err(self.unknown(field, value))
        }
    }

    fn unknown(self, field: &'static str, value: u32) -> SceneError {
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
