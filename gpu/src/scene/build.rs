//! Compiles the parts of a scene to the blob that the kernels read.
//!
//! Static geometry is moved to world space and becomes one mesh; a mesh that moves, or that stands in many
//! places, keeps its own tree and is placed by instances.

use bytemuck::{Pod, Zeroable};

use super::{
    AlphaMode, Filter, InstancePart, MapPart, MaterialPart, SceneError, SceneParts, SkyPart,
    TextureEncoding, Wrap,
    check::check,
    frames::{Frames, Placed},
    geometry::{Geometry, Placement, count},
    layout::{self, Material, SceneHeader, Span, Texture, TextureRef},
    matrix::invert,
    sky::texels_of,
};
use crate::memory::LOG2_INPUT;

/// Triangles of one mesh that copying to all its places may add to the world.
const COPIES_MAX: usize = 1 << 18;

/// Compiles a scene. The same parts give the same bytes, on any number of threads.
///
/// # Errors
///
/// [`SceneError`] if the parts contradict each other, or do not fit in the input region.
pub fn build(parts: &SceneParts) -> Result<Vec<u8>, SceneError> {
    check(parts)?;
    let mut geometry = Geometry::default();
    let placed = place_meshes(parts, &mut geometry)?;
    let frames = Frames::build(parts, &mut geometry, &placed)?;
    write(parts, &geometry, &frames)
}

/// Adds all meshes to the geometry, and returns where they stand.
fn place_meshes<'a>(
    parts: &'a SceneParts,
    geometry: &mut Geometry,
) -> Result<Vec<Placed<'a>>, SceneError> {
    let mut use_counts = vec![0_usize; parts.meshes.len()];
    for instance in &parts.instances {
        use_counts[instance.mesh as usize] += 1;
    }
    let is_world = |instance: &InstancePart| {
        let uses = use_counts[instance.mesh as usize];
        let triangles = parts.meshes[instance.mesh as usize].indices.len();
        instance.to_world.len() == 1 && (uses == 1 || triangles.saturating_mul(uses) <= COPIES_MAX)
    };
    let mut world = Vec::new();
    let mut moving = Vec::new();
    for (index, instance) in (0_u64..).zip(&parts.instances) {
        if !is_world(instance) {
            moving.push((index, instance));
            continue;
        }
        let to_world = instance.to_world[0];
        let (to_object, is_mirrored) = invert(&to_world).ok_or(SceneError::Singular {
            table: "instance",
            index,
            frame: 0,
        })?;
        let placement = Placement {
            to_world,
            to_object,
            is_mirrored,
        };
        world.push((&parts.meshes[instance.mesh as usize], Some(placement)));
    }
    let mut placed = Vec::new();
    if let Some(mesh) = geometry.add_mesh(parts, &world)? {
        placed.push(Placed {
            mesh,
            instance: None,
        });
    }
    let mut own_meshes = vec![None; parts.meshes.len()];
    for (index, instance) in moving {
        let part = instance.mesh as usize;
        if own_meshes[part].is_none() {
            own_meshes[part] = Some(geometry.add_mesh(parts, &[(&parts.meshes[part], None)])?);
        }
        if let Some(Some(mesh)) = own_meshes[part] {
            let instance = Some((index, instance.to_world.as_slice()));
            placed.push(Placed { mesh, instance });
        }
    }
    Ok(placed)
}

fn write(parts: &SceneParts, geometry: &Geometry, frames: &Frames) -> Result<Vec<u8>, SceneError> {
    let mut header = SceneHeader {
        magic: layout::SCENE_MAGIC,
        version: layout::SCENE_VERSION,
        flags: if parts.materials.iter().any(has_holes) {
            layout::SCENE_CUTOUT
        } else {
            0
        },
        ..SceneHeader::zeroed()
    };
    write_sky(&parts.sky, &mut header);
    let materials: Vec<Material> = parts.materials.iter().map(material_of).collect();
    let mut textures = Vec::new();
    let mut texels: Vec<[u8; 4]> = Vec::new();
    for part in &parts.textures {
        let first_texel = count(texels.len())?;
        textures.push(Texture {
            first_texel,
            width: part.width,
            height: part.height,
            encoding: match part.encoding {
                TextureEncoding::Linear => layout::TEXTURE_LINEAR,
                TextureEncoding::Srgb => layout::TEXTURE_SRGB,
            },
            wrap_u: wrap_code(part.wrap_u),
            wrap_v: wrap_code(part.wrap_v),
            filter: match part.filter {
                Filter::Nearest => layout::FILTER_NEAREST,
                Filter::Bilinear => layout::FILTER_BILINEAR,
            },
            reserved: 0,
        });
        texels.extend_from_slice(&part.texels);
    }

    let mut blob = vec![0; size_of::<SceneHeader>()];
    header.nodes = append(&mut blob, &geometry.nodes)?;
    header.packs = append(&mut blob, &geometry.packs)?;
    header.triangles = append(&mut blob, &geometry.triangles)?;
    header.vertices = append(&mut blob, &geometry.vertices)?;
    header.meshes = append(&mut blob, &geometry.meshes)?;
    header.instances = append(&mut blob, &frames.instances)?;
    header.frames = append(&mut blob, &frames.frames)?;
    header.materials = append(&mut blob, &materials)?;
    header.textures = append(&mut blob, &textures)?;
    header.texels = append(&mut blob, &texels)?;
    header.lights = append(&mut blob, &frames.lights)?;
    header.cameras = append(&mut blob, &frames.cameras)?;
    header.sky_texels = append(&mut blob, &texels_of(&parts.sky))?;
    header.size_bytes = u32::try_from(blob.len()).map_err(|_| too_large(blob.len()))?;
    blob[..size_of::<SceneHeader>()].copy_from_slice(bytemuck::bytes_of(&header));
    Ok(blob)
}

fn too_large(len: usize) -> SceneError {
    SceneError::TooLarge {
        size_bytes: u64::try_from(len).unwrap_or(u64::MAX),
        max_bytes: 1 << LOG2_INPUT,
    }
}

/// Appends a table, and zeros up to the next boundary.
fn append<T: Pod>(blob: &mut Vec<u8>, table: &[T]) -> Result<Span, SceneError> {
    let offset = u32::try_from(blob.len()).map_err(|_| too_large(blob.len()))?;
    let span = Span {
        offset,
        count: count(table.len())?,
    };
    blob.extend_from_slice(bytemuck::cast_slice(table));
    blob.resize(blob.len().next_multiple_of(layout::ALIGN), 0);
    if blob.len() > 1 << LOG2_INPUT {
        return Err(too_large(blob.len()));
    }
    Ok(span)
}

fn write_sky(sky: &SkyPart, header: &mut SceneHeader) {
    match sky {
        SkyPart::Black => header.sky_kind = layout::SKY_NONE,
        SkyPart::Constant { radiance } => {
            header.sky_kind = layout::SKY_CONSTANT;
            header.sky_zenith = *radiance;
        }
        SkyPart::Gradient {
            zenith,
            horizon,
            ground,
        } => {
            header.sky_kind = layout::SKY_GRADIENT;
            header.sky_zenith = *zenith;
            header.sky_horizon = *horizon;
            header.sky_ground = *ground;
        }
        SkyPart::Image {
            width,
            height,
            turn,
            ..
        } => {
            header.sky_kind = layout::SKY_IMAGE;
            header.sky_width = *width;
            header.sky_height = *height;
            header.sky_turn = [libm::cosf(*turn), libm::sinf(*turn)];
        }
    }
}

fn has_holes(material: &MaterialPart) -> bool {
    material.alpha_mode != AlphaMode::Opaque
}

fn material_of(part: &MaterialPart) -> Material {
    let (mut flags, alpha_cutoff) = match part.alpha_mode {
        AlphaMode::Opaque => (0, 0.0),
        AlphaMode::Mask { cutoff } => (layout::MATERIAL_MASK, cutoff),
        AlphaMode::Blend => (layout::MATERIAL_BLEND, 0.0),
    };
    if part.is_double_sided {
        flags |= layout::MATERIAL_DOUBLE_SIDED;
    }
    if part.is_thin {
        flags |= layout::MATERIAL_THIN;
    }
    Material {
        base_color: part.base_color,
        emissive: part.emissive,
        metallic: part.metallic.clamp(0.0, 1.0),
        roughness: part.roughness.clamp(0.0, 1.0),
        normal_scale: part.normal_scale,
        transmission: part.transmission.clamp(0.0, 1.0),
        ior: part.ior,
        alpha_cutoff,
        flags,
        absorption: part.absorption,
        reserved: [0; 7],
        base_color_map: map_of(part.base_color_map),
        metallic_roughness_map: map_of(part.metallic_roughness_map),
        normal_map: map_of(part.normal_map),
        emissive_map: map_of(part.emissive_map),
        transmission_map: map_of(part.transmission_map),
    }
}

fn map_of(part: Option<MapPart>) -> TextureRef {
    let part = part.unwrap_or(MapPart::plain(layout::NONE));
    let [row_u, row_v] = part.transform;
    TextureRef {
        texture: part.texture,
        uv_set: part.uv_set,
        row_u,
        row_v,
    }
}

fn wrap_code(wrap: Wrap) -> u32 {
    match wrap {
        Wrap::Repeat => layout::WRAP_REPEAT,
        Wrap::Clamp => layout::WRAP_CLAMP,
        Wrap::Mirror => layout::WRAP_MIRROR,
    }
}
