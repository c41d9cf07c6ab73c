//! The lights of a frame, and how often each is drawn: in proportion to the power that it sends out.

use std::f64::consts::PI;

use super::{
    Affine, LightKind, LightPart, SceneError, SceneParts, SkyPart,
    alias::alias_table,
    frames::map_of,
    geometry::{Geometry, count},
    layout::{
        INSTANCE_IDENTITY, Instance, LIGHT_POINT, LIGHT_SKY, LIGHT_SPOT, LIGHT_SUN, LIGHT_TRIANGLE,
        Light,
    },
    matrix::{cross, dot, minus, move_point, unit},
};

/// Bounds for the probability that the sky is drawn where there are other lights: neither may starve.
const SKY_SHARE: [f64; 2] = [0.25, 0.75];

/// Where a frame's lights will stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) first_light: u32,
    pub(super) first_instance: u32,
    pub(super) frame: usize,
    /// Radius of the world.
    pub(super) radius: f32,
}

/// Returns the lights of a frame and the index of its sky among the scene's lights, and tells each instance
/// where its own begin.
pub(super) fn lights_of(
    parts: &SceneParts,
    geometry: &Geometry,
    instances: &mut [Instance],
    place: Place,
) -> Result<(Vec<Light>, Option<u32>), SceneError> {
    let mut lights = Vec::new();
    let mut powers = Vec::new();
    for (i, instance) in (0..).zip(instances.iter_mut()) {
        instance.first_light = place.first_light + count(lights.len())?;
        let mesh = geometry.meshes[instance.mesh as usize];
        for triangle in mesh.first_emissive..mesh.first_triangle + mesh.triangle_count {
            lights.push(Light {
                kind: LIGHT_TRIANGLE,
                instance: place.first_instance + i,
                triangle,
                ..bytemuck::Zeroable::zeroed()
            });
            powers.push(triangle_power(parts, geometry, instance, triangle as usize));
        }
    }
    for light in &parts.lights {
        let (record, power) = punctual(light, place);
        lights.push(record);
        powers.push(power);
    }
    let mut sky_light = None;
    if let SkyPart::Image { radiance, .. } = &parts.sky {
        sky_light = Some(place.first_light + count(lights.len())?);
        lights.push(Light {
            kind: LIGHT_SKY,
            ..bytemuck::Zeroable::zeroed()
        });
        let mean = radiance.iter().map(|rgb| luminance(*rgb)).sum::<f64>() / radiance.len() as f64;
        let others: f64 = powers.iter().sum();
        powers.push(sky_power(
            mean * PI * PI * f64::from(place.radius).powi(2),
            others,
        ));
    }
    for (light, entry) in lights.iter_mut().zip(alias_table(&powers)) {
        light.threshold = entry.threshold;
        light.alias = entry.alias;
        light.pick = entry.pick;
    }
    Ok((lights, sky_light))
}

fn sky_power(power: f64, others: f64) -> f64 {
    if others <= 0.0 {
        return power.max(1.0);
    }
    let [low, high] = SKY_SHARE;
    let share = (power / (power + others)).clamp(low, high);
    others * share / (1.0 - share)
}

fn triangle_power(
    parts: &SceneParts,
    geometry: &Geometry,
    instance: &Instance,
    triangle: usize,
) -> f64 {
    let mut corners = geometry.corners(triangle);
    if instance.flags & INSTANCE_IDENTITY == 0 {
        let to_world: Affine = bytemuck::cast(instance.to_world);
        corners = corners.map(|corner| move_point(&to_world, corner));
    }
    let [p, q, r] = corners;
    let normal = cross(minus(q, p), minus(r, p));
    let area = f64::from(dot(normal, normal)).sqrt() * 0.5;
    let material = &parts.materials[geometry.triangles[triangle].material as usize];
    let sides = if material.is_double_sided { 2.0 } else { 1.0 };
    area * luminance(material.emissive) * PI * sides
}

fn punctual(light: &LightPart, place: Place) -> (Light, f64) {
    let to_world = map_of(&light.to_world, place.frame);
    let mut record = Light {
        color: light.color,
        position: to_world.map(|row| row[3]),
        direction: unit(to_world.map(|row| -row[2])),
        ..bytemuck::Zeroable::zeroed()
    };
    let intensity = luminance(light.color);
    let power = match light.kind {
        LightKind::Point { range } => {
            record.kind = LIGHT_POINT;
            record.range = range.unwrap_or(0.0);
            4.0 * PI * intensity
        }
        LightKind::Spot {
            range,
            inner_cone,
            outer_cone,
        } => {
            record.kind = LIGHT_SPOT;
            record.range = range.unwrap_or(0.0);
            let (inner, outer) = (libm::cosf(inner_cone), libm::cosf(outer_cone));
            record.cone_scale = 1.0 / (inner - outer).max(0.001);
            record.cone_offset = -outer * record.cone_scale;
            2.0 * PI * intensity * f64::from(1.0 - outer)
        }
        LightKind::Sun => {
            record.kind = LIGHT_SUN;
            PI * intensity * f64::from(place.radius).powi(2)
        }
    };
    (record, power)
}

/// Returns the luminance of a color; 0 for one that is not a light's.
pub(super) fn luminance([r, g, b]: [f32; 3]) -> f64 {
    (0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)).max(0.0)
}
