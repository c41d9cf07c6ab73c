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
    layout::{self, Frame, Material, SceneHeader, Span, Texture, TextureRef, Vertex},
    tables::{At, Tables},
    trees::check_trees,
    worlds::check_frames,
};
use crate::{
    memory::LOG2_INPUT,
    render::{CameraChoice, ParamsError, RenderParams},
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
