//! From glTF's materials to those of a scene.

use gltf_json::{
    Material, Root,
    extensions::texture::{Info as InfoExtensions, TextureTransform},
    material::AlphaMode as FileAlphaMode,
    texture::Info,
    validation::Checked,
};
use serde::Deserialize;

use super::{ImportError, Place, Report, Warning, texture::Textures};
use crate::scene::{AlphaMode, MapPart, MaterialPart, TextureEncoding};

const TEXTURE_TRANSFORM: &str = "KHR_texture_transform";

/// Reads materials.
#[derive(Debug)]
pub(super) struct Materials<'a, 'b> {
    /// The file.
    pub(super) root: &'a Root,
    /// Where textures are looked up.
    pub(super) textures: &'b mut Textures<'a>,
    /// Where clamped numbers are told.
    pub(super) report: &'b mut Report,
}

impl Materials<'_, '_> {
    /// Reads a material. `None` stands for glTF's default one.
    pub(super) fn read(&mut self, index: Option<usize>) -> Result<MaterialPart, ImportError> {
        let Some(index) = index else {
            return Ok(MaterialPart::default());
        };
        let place = Place::new("material", index);
        let file = self.root.materials.get(index);
        let file = file.ok_or(ImportError::Dangling {
            place,
            target: place,
        })?;
        let pbr = &file.pbr_metallic_roughness;
        let [r, g, b, alpha] = pbr.base_color_factor.0;
        let [r, g, b] = self.unit_color(place, "the base color", [r, g, b])?;
        let alpha = self.clamped(place, "alpha", alpha, [0.0, 1.0])?;

        let mut part = MaterialPart {
            base_color: [r, g, b, alpha],
            emissive: self.emission(place, file)?,
            metallic: self.clamped(place, "metallic", pbr.metallic_factor.0, [0.0, 1.0])?,
            roughness: self.clamped(place, "roughness", pbr.roughness_factor.0, [0.0, 1.0])?,
            alpha_mode: self.alpha_mode(place, file)?,
            is_double_sided: file.double_sided,
            base_color_map: self.map(
                place,
                pbr.base_color_texture.as_ref(),
                TextureEncoding::Srgb,
            )?,
            metallic_roughness_map: self.map(
                place,
                pbr.metallic_roughness_texture.as_ref(),
                TextureEncoding::Linear,
            )?,
            emissive_map: self.map(place, file.emissive_texture.as_ref(), TextureEncoding::Srgb)?,
            ..MaterialPart::default()
        };
        if let Some(normal) = &file.normal_texture {
            // The crate parses this extension for other textures only.
            let extensions = normal.extensions.as_ref();
            let transform = extensions.and_then(|all| all.others.get(TEXTURE_TRANSFORM));
            let transform = transform.map(TextureTransform::deserialize).transpose();
            let info = Info {
                index: normal.index,
                tex_coord: normal.tex_coord,
                extensions: Some(InfoExtensions {
                    texture_transform: transform.map_err(ImportError::Json)?,
                    ..InfoExtensions::default()
                }),
                extras: Default::default(),
            };
            part.normal_map = self.map(place, Some(&info), TextureEncoding::Linear)?;
            part.normal_scale =
                self.clamped(place, "the normal scale", normal.scale, [-100.0, 100.0])?;
        }
        self.transmit(place, file, &mut part)?;
        if part.emissive == [0.0; 3] {
            part.emissive_map = None;
        }
        Ok(part)
    }

    /// Returns emission times strength.
    fn emission(&mut self, place: Place, file: &Material) -> Result<[f32; 3], ImportError> {
        let extensions = file.extensions.as_ref();
        let strength = extensions.and_then(|all| all.emissive_strength.as_ref());
        let strength = strength.map_or(1.0, |extension| extension.emissive_strength.0);
        let strength = self.clamped(place, "the emissive strength", strength, [0.0, 1e9])?;
        let mut color = self.unit_color(place, "the emissive color", file.emissive_factor.0)?;
        for value in &mut color {
            *value *= strength;
        }
        Ok(color)
    }

    fn alpha_mode(&mut self, place: Place, file: &Material) -> Result<AlphaMode, ImportError> {
        Ok(match file.alpha_mode {
            Checked::Valid(FileAlphaMode::Opaque) | Checked::Invalid => AlphaMode::Opaque,
            Checked::Valid(FileAlphaMode::Blend) => AlphaMode::Blend,
            Checked::Valid(FileAlphaMode::Mask) => {
                let cutoff = file.alpha_cutoff.map_or(0.5, |cutoff| cutoff.0);
                // A cutoff above 1 hides everything, and so does any just above 1.
                let cutoff = self.clamped(place, "the alpha cutoff", cutoff, [0.0, 2.0])?;
                AlphaMode::Mask { cutoff }
            }
        })
    }

    /// Reads transmission, index of refraction and volume.
    fn transmit(
        &mut self,
        place: Place,
        file: &Material,
        part: &mut MaterialPart,
    ) -> Result<(), ImportError> {
        let Some(extensions) = &file.extensions else {
            return Ok(());
        };
        if let Some(ior) = &extensions.ior {
            part.ior = self.clamped(place, "the index of refraction", ior.ior.0, [1.0, 10.0])?;
        }
        if let Some(transmission) = &extensions.transmission {
            let factor = transmission.transmission_factor.0;
            part.transmission = self.clamped(place, "transmission", factor, [0.0, 1.0])?;
            let texture = transmission.transmission_texture.as_ref();
            part.transmission_map = self.map(place, texture, TextureEncoding::Linear)?;
        }
        if let Some(volume) = &extensions.volume {
            part.is_thin = volume.thickness_factor.0 <= 0.0;
            let color =
                self.unit_color(place, "the attenuation color", volume.attenuation_color.0)?;
            let distance = volume.attenuation_distance.0;
            if !part.is_thin && distance > 0.0 && distance.is_finite() {
                // Black would absorb infinitely much.
                part.absorption = color.map(|value| {
                    (-libm::log(f64::from(value).max(1e-6)) / f64::from(distance)).min(1e9) as f32
                });
            }
        }
        Ok(())
    }

    fn map(
        &mut self,
        place: Place,
        info: Option<&Info>,
        encoding: TextureEncoding,
    ) -> Result<Option<MapPart>, ImportError> {
        let Some(info) = info else {
            return Ok(None);
        };
        let texture = self.textures.index(info.index, encoding, self.report)?;
        let mut map = MapPart::plain(texture);
        map.uv_set = info.tex_coord;
        let extension = info.extensions.as_ref();
        if let Some(transform) = extension.and_then(|all| all.texture_transform.as_ref()) {
            map.uv_set = transform.tex_coord.unwrap_or(map.uv_set);
            map.transform = texture_transform(place, transform)?;
        }
        if map.uv_set > 1 {
            self.report.warn(Warning::TextureCoordinateSet {
                material: place,
                set: map.uv_set,
            });
            map.uv_set = 0;
        }
        Ok(Some(map))
    }

    fn unit_color(
        &mut self,
        place: Place,
        field: &'static str,
        color: [f32; 3],
    ) -> Result<[f32; 3], ImportError> {
        let mut out = color;
        for value in &mut out {
            *value = self.clamped(place, field, *value, [0.0, 1.0])?;
        }
        Ok(out)
    }

    fn clamped(
        &mut self,
        place: Place,
        field: &'static str,
        value: f32,
        [min, max]: [f32; 2],
    ) -> Result<f32, ImportError> {
        if !value.is_finite() {
            return Err(ImportError::NumberOutOfRange {
                place,
                field,
                value,
            });
        }
        if value < min || value > max {
            self.report.warn(Warning::Clamped { place, field });
        }
        Ok(value.clamp(min, max))
    }
}

/// Returns translation times rotation times scale, as the extension defines it.
fn texture_transform(
    place: Place,
    transform: &TextureTransform,
) -> Result<[[f32; 3]; 2], ImportError> {
    let (offset, scale) = (transform.offset.0, transform.scale.0);
    let angle = transform.rotation.0;
    for value in [offset[0], offset[1], scale[0], scale[1], angle] {
        if !value.is_finite() || value.abs() > 1e6 {
            return Err(ImportError::NumberOutOfRange {
                place,
                field: "a texture transform",
                value,
            });
        }
    }
    let (sine, cosine) = (libm::sin(f64::from(angle)), libm::cos(f64::from(angle)));
    let [scale_u, scale_v] = scale.map(f64::from);
    Ok([
        [
            (cosine * scale_u) as f32,
            (sine * scale_v) as f32,
            offset[0],
        ],
        [
            (-sine * scale_u) as f32,
            (cosine * scale_v) as f32,
            offset[1],
        ],
    ])
}
