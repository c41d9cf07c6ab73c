//! Cameras and punctual lights, and those that stand in where a file has none.

use gltf_json::{
    Camera, Root, camera::Type as FileCamera, extensions::scene::khr_lights_punctual::Light,
    extensions::scene::khr_lights_punctual::Type as FileLight, validation::Checked,
};

use super::{ImportError, Place, Report, Warning, limits, node::Placed};
use crate::scene::{
    Affine, CameraPart, LightKind, LightPart, Projection, SceneParts, SkyPart,
    math::{length, look_at, rounded, transform},
};

/// Vertical field of view of the default camera, in radians: a 50 mm lens on a 35 mm film.
const DEFAULT_YFOV: f32 = 0.47;
/// Sine of half of it.
const DEFAULT_SIN_HALF_YFOV: f64 = 0.2328;
/// From where the default camera looks: right, above and in front.
const DEFAULT_DIRECTION: [f64; 3] = [0.55, 0.42, 0.72];
/// Half angles of a spot light.
const CONE_MAX: f32 = std::f32::consts::FRAC_PI_2;
/// Widest and narrowest field of view.
const YFOV_BOUNDS: [f32; 2] = [1e-3, 3.1];

/// The box that holds nothing.
const NOWHERE: ([f64; 3], [f64; 3]) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);

/// The sky of a scene that has no light.
pub(super) const DEFAULT_SKY: SkyPart = SkyPart::Gradient {
    zenith: [1.5, 1.65, 1.9],
    horizon: [0.95, 0.93, 0.9],
    ground: [0.3, 0.27, 0.24],
};

/// Reads the camera of a node. `None` if it has none that can be used.
pub(super) fn camera(
    root: &Root,
    placed: &Placed<'_>,
    report: &mut Report,
) -> Result<Option<CameraPart>, ImportError> {
    let Some(index) = placed.node.camera else {
        return Ok(None);
    };
    let place = Place::new("camera", index.value());
    let file = root.cameras.get(index.value());
    let file = file.ok_or(ImportError::Dangling {
        place: placed.place,
        target: place,
    })?;
    let (Some(projection), Some(to_world)) =
        (projection(place, file, report)?, placed.of_viewer(report))
    else {
        return Ok(None);
    };
    Ok(Some(CameraPart {
        projection,
        lens_radius: 0.0,
        focus_distance: 1.0,
        to_world,
    }))
}

fn projection(
    place: Place,
    file: &Camera,
    report: &mut Report,
) -> Result<Option<Projection>, ImportError> {
    let number = |field, value: f32| match value.is_finite() && value > 0.0 {
        true => Ok(value),
        false => Err(ImportError::NumberOutOfRange {
            place,
            field,
            value,
        }),
    };
    let kind = match file.type_ {
        Checked::Valid(kind) => kind,
        Checked::Invalid => return Ok(None),
    };
    Ok(match (kind, &file.perspective, &file.orthographic) {
        (FileCamera::Perspective, Some(perspective), _) => {
            let yfov = number("the field of view", perspective.yfov)?;
            let clamped = yfov.clamp(YFOV_BOUNDS[0], YFOV_BOUNDS[1]);
            if clamped != yfov {
                let field = "the field of view";
                report.warn(Warning::Clamped { place, field });
            }
            Some(Projection::Perspective { yfov: clamped })
        }
        (FileCamera::Orthographic, _, Some(orthographic)) => {
            let ymag = number("the half height", orthographic.ymag.abs())?;
            Some(Projection::Orthographic {
                ymag: ymag.clamp(1e-6, 1e6),
            })
        }
        (FileCamera::Perspective | FileCamera::Orthographic, _, _) => {
            return Err(ImportError::NoData { place });
        }
    })
}

/// Reads the light of a node. `None` if it has none that shines.
pub(super) fn light(
    root: &Root,
    placed: &Placed<'_>,
    report: &mut Report,
) -> Result<Option<LightPart>, ImportError> {
    let extensions = placed.node.extensions.as_ref();
    let Some(extension) = extensions.and_then(|all| all.khr_lights_punctual.as_ref()) else {
        return Ok(None);
    };
    let place = Place::new("light", extension.light.value());
    let lights: &[Light] = root.as_ref();
    let file = lights.get(place.index).ok_or(ImportError::Dangling {
        place: placed.place,
        target: place,
    })?;
    let Some((kind, color)) = kind_and_color(place, file, report)? else {
        return Ok(None);
    };
    let Some(to_world) = placed.of_viewer(report) else {
        return Ok(None);
    };
    Ok((color != [0.0; 3]).then_some(LightPart {
        kind,
        color,
        to_world,
    }))
}

fn kind_and_color(
    place: Place,
    file: &Light,
    report: &mut Report,
) -> Result<Option<(LightKind, [f32; 3])>, ImportError> {
    let mut number = |field, value: f32, min: f32, max: f32| {
        if !value.is_finite() {
            return Err(ImportError::NumberOutOfRange {
                place,
                field,
                value,
            });
        }
        if value < min || value > max {
            report.warn(Warning::Clamped { place, field });
        }
        Ok(value.clamp(min, max))
    };
    let intensity = number("the intensity", file.intensity, 0.0, 1e9)?;
    let mut color = [0.0; 3];
    for (out, &value) in color.iter_mut().zip(&file.color) {
        *out = number("the color", value, 0.0, 1e3)? * intensity;
    }
    let range = match file.range {
        Some(range) => Some(number("the range", range, 1e-6, 1e9)?),
        None => None,
    };
    let kind = match (&file.type_, &file.spot) {
        (Checked::Valid(FileLight::Directional), _) => LightKind::Sun,
        (Checked::Valid(FileLight::Point), _) => LightKind::Point { range },
        (Checked::Valid(FileLight::Spot), Some(spot)) => {
            let outer = number("the outer cone", spot.outer_cone_angle, 1e-3, CONE_MAX)?;
            let inner_max = outer * 0.999;
            LightKind::Spot {
                range,
                inner_cone: number("the inner cone", spot.inner_cone_angle, 0.0, inner_max)?,
                outer_cone: outer,
            }
        }
        (Checked::Valid(FileLight::Spot) | Checked::Invalid, _) => return Ok(None),
    };
    Ok(Some((kind, color)))
}

/// Returns a camera that sees everything: three-quarter view, fitted to a sphere around the scene.
pub(super) fn default_camera(parts: &SceneParts) -> Result<CameraPart, ImportError> {
    let (lo, hi) = bounds(parts);
    let center = [0, 1, 2].map(|axis| 0.5 * (lo[axis] + hi[axis]));
    let half = [0, 1, 2].map(|axis| 0.5 * (hi[axis] - lo[axis]));
    let radius = length(half).max(1e-4);
    let scale = radius / DEFAULT_SIN_HALF_YFOV / length(DEFAULT_DIRECTION);
    let eye = [0, 1, 2].map(|axis| center[axis] + DEFAULT_DIRECTION[axis] * scale);
    // A scene so far from the origin that the camera falls on its center can't be looked at.
    let to_world = look_at(eye, center).ok_or(ImportError::Empty)?;
    Ok(CameraPart {
        projection: Projection::Perspective { yfov: DEFAULT_YFOV },
        lens_radius: 0.0,
        focus_distance: 1.0,
        to_world: vec![rounded(&to_world)],
    })
}

/// Returns the box around everything in all frames.
fn bounds(parts: &SceneParts) -> ([f64; 3], [f64; 3]) {
    let boxes: Vec<_> = (parts.meshes.iter())
        .map(|mesh| {
            let mut bounds = NOWHERE;
            for &position in &mesh.positions {
                grow(&mut bounds, position.map(f64::from));
            }
            bounds
        })
        .collect();
    let mut all = NOWHERE;
    for instance in &parts.instances {
        let (lo, hi) = boxes[instance.mesh as usize];
        for map in &instance.to_world {
            for corner in 0..8 {
                let pick = |axis: usize| {
                    let is_high = corner >> axis & 1 == 1;
                    (if is_high { hi[axis] } else { lo[axis] }) as f32
                };
                grow(
                    &mut all,
                    transform(&widened(map), [pick(0), pick(1), pick(2)]),
                );
            }
        }
    }
    all
}

fn grow(bounds: &mut ([f64; 3], [f64; 3]), point: [f64; 3]) {
    for (axis, value) in point.into_iter().enumerate() {
        bounds.0[axis] = bounds.0[axis].min(value);
        bounds.1[axis] = bounds.1[axis].max(value);
    }
}

fn widened(map: &Affine) -> [[f64; 4]; 3] {
    map.map(|row| row.map(f64::from))
}

/// Returns whether there are lights without surfaces or surfaces that shine all over.
///
/// A texture of emission counts for nothing here: it is mostly a few lamps of a model that wants to be lit.
pub(super) fn is_lit(parts: &SceneParts) -> bool {
    let shines = |mesh: u32| {
        let material = parts.meshes[mesh as usize].material as usize;
        let material = &parts.materials[material];
        material.emissive != [0.0; 3] && material.emissive_map.is_none()
    };
    !parts.lights.is_empty() || parts.instances.iter().any(|instance| shines(instance.mesh))
}

/// Refuses more cameras or lights than a scene takes.
pub(super) fn check_counts(parts: &SceneParts) -> Result<(), ImportError> {
    let counts = [
        ("cameras", parts.cameras.len(), limits::CAMERAS_MAX),
        ("lights", parts.lights.len(), limits::LIGHTS_MAX),
        ("instances", parts.instances.len(), limits::INSTANCES_MAX),
    ];
    match counts.iter().find(|(_, count, max)| *count as u64 > *max) {
        None => Ok(()),
        Some(&(what, _, max)) => Err(ImportError::TooMany { what, max }),
    }
}
