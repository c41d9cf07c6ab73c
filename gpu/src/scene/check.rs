//! Whether parts agree with each other: what [`build`](fn@super::build) relies on.

use super::{Affine, MapPart, MaterialPart, MeshPart, SceneError, SceneParts, SkyPart, layout};
use crate::render::FRAMES_MAX;

/// Farthest coordinate, so that no surface or product of the builder overflows.
const COORDINATE_MAX: f32 = 1e9;

/// Largest factor of light, so that no product in a path overflows for it alone.
const RADIANCE_MAX: f32 = 1e9;

/// An entry of a table of parts.
#[derive(Clone, Copy)]
struct Entry {
    table: &'static str,
    index: u64,
}

/// Checks every list, index and number of the parts.
pub(super) fn check(parts: &SceneParts) -> Result<(), SceneError> {
    let scene = Entry {
        table: "scene",
        index: 0,
    };
    let frame_count = parts.frame_times_s.len();
    scene.length(
        "frame_times_s",
        frame_count,
        frame_count.clamp(1, frames_max()),
    )?;
    for (entry, mesh) in entries("mesh", &parts.meshes) {
        check_mesh(entry, mesh, parts)?;
    }
    for (entry, instance) in entries("instance", &parts.instances) {
        entry.below("mesh", instance.mesh, parts.meshes.len())?;
        entry.transforms(&instance.to_world, frame_count)?;
    }
    for (entry, material) in entries("material", &parts.materials) {
        check_material(entry, material, parts)?;
    }
    for (entry, texture) in entries("texture", &parts.textures) {
        for (field, edge) in [("width", texture.width), ("height", texture.height)] {
            entry.below(
                field,
                edge.wrapping_sub(1),
                layout::TEXTURE_EDGE_MAX as usize,
            )?;
        }
        let needed = texture.width as usize * texture.height as usize;
        entry.length("texels", texture.texels.len(), needed)?;
    }
    for (entry, light) in entries("light", &parts.lights) {
        entry.numbers("color", &light.color, RADIANCE_MAX)?;
        entry.transforms(&light.to_world, frame_count)?;
    }
    for (entry, camera) in entries("camera", &parts.cameras) {
        let lens = [camera.lens_radius, camera.focus_distance];
        entry.numbers("lens", &lens, COORDINATE_MAX)?;
        entry.transforms(&camera.to_world, frame_count)?;
    }
    check_sky(&parts.sky)
}

fn check_mesh(entry: Entry, mesh: &MeshPart, parts: &SceneParts) -> Result<(), SceneError> {
    let len = mesh.positions.len();
    entry.below("material", mesh.material, parts.materials.len())?;
    entry.optional_length("normals", mesh.normals.len(), len)?;
    entry.optional_length("tangents", mesh.tangents.len(), len)?;
    entry.optional_length("colors", mesh.colors.len(), len)?;
    for uvs in &mesh.uvs {
        entry.optional_length("uvs", uvs.len(), len)?;
        entry.numbers("uvs", uvs.as_flattened(), COORDINATE_MAX)?;
    }
    for index in mesh.indices.as_flattened() {
        entry.below("indices", *index, len)?;
    }
    entry.numbers("positions", mesh.positions.as_flattened(), COORDINATE_MAX)?;
    entry.numbers("normals", mesh.normals.as_flattened(), COORDINATE_MAX)?;
    entry.numbers("tangents", mesh.tangents.as_flattened(), COORDINATE_MAX)
}

fn check_material(entry: Entry, m: &MaterialPart, parts: &SceneParts) -> Result<(), SceneError> {
    entry.numbers("base_color", &m.base_color, RADIANCE_MAX)?;
    entry.numbers("emissive", &m.emissive, RADIANCE_MAX)?;
    let factors = [m.metallic, m.roughness, m.transmission, m.ior];
    entry.numbers("factors", &factors, COORDINATE_MAX)?;
    entry.numbers("normal_scale", &[m.normal_scale], COORDINATE_MAX)?;
    entry.numbers("absorption", &m.absorption, COORDINATE_MAX)?;
    if m.ior < 1.0 {
        return Err(entry.number("ior", m.ior));
    }
    let maps: [Option<MapPart>; 5] = [
        m.base_color_map,
        m.metallic_roughness_map,
        m.normal_map,
        m.emissive_map,
        m.transmission_map,
    ];
    for map in maps.into_iter().flatten() {
        entry.below("texture", map.texture, parts.textures.len())?;
        entry.below("uv_set", map.uv_set, 2)?;
        entry.numbers("transform", map.transform.as_flattened(), COORDINATE_MAX)?;
    }
    Ok(())
}

fn check_sky(sky: &SkyPart) -> Result<(), SceneError> {
    let entry = Entry {
        table: "sky",
        index: 0,
    };
    match sky {
        SkyPart::Black => Ok(()),
        SkyPart::Constant { radiance } => entry.numbers("radiance", radiance, RADIANCE_MAX),
        SkyPart::Gradient {
            zenith,
            horizon,
            ground,
        } => {
            let all = [*zenith, *horizon, *ground];
            entry.numbers("radiance", all.as_flattened(), RADIANCE_MAX)
        }
        SkyPart::Image {
            width,
            height,
            radiance,
            turn,
        } => {
            for (field, edge) in [("width", width), ("height", height)] {
                entry.below(field, edge.wrapping_sub(1), layout::SKY_EDGE_MAX as usize)?;
            }
            entry.length(
                "radiance",
                radiance.len(),
                *width as usize * *height as usize,
            )?;
            entry.numbers("radiance", radiance.as_flattened(), RADIANCE_MAX)?;
            entry.numbers("turn", &[*turn], COORDINATE_MAX)
        }
    }
}

fn frames_max() -> usize {
    FRAMES_MAX as usize
}

fn entries<'a, T>(
    table: &'static str,
    parts: &'a [T],
) -> impl Iterator<Item = (Entry, &'a T)> + use<'a, T> {
    (0..)
        .zip(parts)
        .map(move |(index, part)| (Entry { table, index }, part))
}

impl Entry {
    fn below(self, field: &'static str, value: u32, bound: usize) -> Result<(), SceneError> {
        if (value as usize) < bound {
            return Ok(());
        }
        let Self { table, index } = self;
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        Err(SceneError::IndexOutOfRange {
            table,
            index,
            field,
            value: value.into(),
            bound,
        })
    }

    fn length(self, field: &'static str, len: usize, needed: usize) -> Result<(), SceneError> {
        if len == needed {
            return Ok(());
        }
        let Self { table, index } = self;
        let [len, needed] = [len, needed].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        Err(SceneError::WrongLength {
            table,
            index,
            field,
            len,
            needed,
        })
    }

    fn optional_length(
        self,
        field: &'static str,
        len: usize,
        needed: usize,
    ) -> Result<(), SceneError> {
        if len == 0 {
            Ok(())
        } else {
            self.length(field, len, needed)
        }
    }

    fn number(self, field: &'static str, value: f32) -> SceneError {
        SceneError::NumberOutOfRange {
            table: self.table,
            index: self.index,
            field,
            value,
        }
    }

    fn numbers(self, field: &'static str, values: &[f32], max: f32) -> Result<(), SceneError> {
        // Not `>`: a NaN is out of range too.
        match values
            .iter()
            .find(|value| !matches!(value.abs().partial_cmp(&max), Some(o) if o.is_le()))
        {
            Some(value) => Err(self.number(field, *value)),
            None => Ok(()),
        }
    }

    fn transforms(self, maps: &[Affine], frame_count: usize) -> Result<(), SceneError> {
        if maps.len() != 1 {
            self.length("to_world", maps.len(), frame_count)?;
        }
        self.numbers(
            "to_world",
            maps.as_flattened().as_flattened(),
            COORDINATE_MAX,
        )
    }
}
