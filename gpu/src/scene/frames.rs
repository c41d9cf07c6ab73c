//! What changes from frame to frame: instances, their trees, lights and cameras.

use super::{
    Affine, CameraPart, Projection, SceneError, SceneParts,
    bounds::Bounds,
    bvh::{Item, LeafRule, Tree, leaf_ref},
    geometry::{Geometry, count},
    layout::{
        CAMERA_ORTHOGRAPHIC, CAMERA_PERSPECTIVE, Camera, Frame, INSTANCE_IDENTITY,
        INSTANCE_MIRRORED, Instance, Light, NONE,
    },
    lights::lights_of,
    matrix::{flat, invert, move_point},
};

/// An instance is a leaf of its own.
const INSTANCE_RULE: LeafRule = LeafRule {
    items_max: 1,
    level_cost: 0.0,
};

/// Part of the world's reach by which the boxes of instances are wider than what they hold.
const SLACK: f32 = 1.0 / 262_144.0;

/// A mesh that is placed anew in each frame, or world geometry.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    /// Index in the geometry's meshes.
    pub(super) mesh: u32,
    /// Index among the scene's instances; `None`: it stands in world space already.
    pub(super) instance: Option<(u64, &'a [Affine])>,
}

/// The tables that frames name entries of.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) frames: Vec<Frame>,
    pub(super) instances: Vec<Instance>,
    pub(super) lights: Vec<Light>,
    pub(super) cameras: Vec<Camera>,
}

impl Frames {
    /// Lays out every frame. Frames in which nothing has moved share their entries.
    pub(super) fn build(
        parts: &SceneParts,
        geometry: &mut Geometry,
        placed: &[Placed<'_>],
    ) -> Result<Self, SceneError> {
        let mut frames = Self::default();
        let is_animated = placed
            .iter()
            .any(|p| p.instance.is_some_and(|(_, maps)| maps.len() > 1))
            || parts.lights.iter().any(|light| light.to_world.len() > 1);
        let has_moving_camera = parts.cameras.iter().any(|camera| camera.to_world.len() > 1);
        for (index, time_s) in parts.frame_times_s.iter().enumerate() {
            let mut frame = match frames.frames.last() {
                Some(last) if !is_animated => *last,
                _ => frames.add_world(parts, geometry, (placed, index))?,
            };
            match frames.frames.last() {
                Some(last) if !has_moving_camera => {
                    frame.first_camera = last.first_camera;
                    frame.camera_count = last.camera_count;
                }
                _ => {
                    frame.first_camera = count(frames.cameras.len())?;
                    frame.camera_count = count(parts.cameras.len())?;
                    frames
                        .cameras
                        .extend(parts.cameras.iter().map(|c| camera_of(c, index)));
                }
            }
            frame.time_s = *time_s;
            frames.frames.push(frame);
        }
        Ok(frames)
    }

    /// Adds the instances, the tree and the lights of a frame.
    fn add_world(
        &mut self,
        parts: &SceneParts,
        geometry: &mut Geometry,
        (placed, index): (&[Placed<'_>], usize),
    ) -> Result<Frame, SceneError> {
        let mut items = Vec::new();
        let mut instances = Vec::new();
        for placed in placed {
            let instance = instance_of(placed, index)?;
            let bounds = world_bounds(&instance, &geometry.bounds[placed.mesh as usize]);
            items.push(Item {
                bounds,
                id: count(instances.len())?,
            });
            instances.push(instance);
        }
        let first_instance = count(self.instances.len())?;
        let mut root = 0;
        if !items.is_empty() {
            let tree = Tree::build(&mut items, INSTANCE_RULE);
            let bounds = items
                .iter()
                .fold(Bounds::EMPTY, |sum, item| sum.joined(&item.bounds));
            root = tree.collapse(&mut geometry.nodes, bounds.reach() * SLACK, &mut |at, _| {
                leaf_ref(first_instance + items[at].id, 1)
            });
        }
        let world = items
            .iter()
            .fold(Bounds::EMPTY, |sum, item| sum.joined(&item.bounds));
        let first_light = count(self.lights.len())?;
        let (lights, sky_light) = lights_of(parts, geometry, &mut instances, {
            super::lights::Place {
                first_light,
                first_instance,
                frame: index,
                radius: world.radius(),
            }
        })?;
        let frame = Frame {
            root,
            first_instance,
            instance_count: count(instances.len())?,
            first_light,
            light_count: count(lights.len())?,
            first_camera: 0,
            camera_count: 0,
            sky_light: sky_light.unwrap_or(NONE),
            time_s: 0.0,
            reserved: [0; 7],
        };
        self.instances.append(&mut instances);
        self.lights.extend(lights);
        count(self.instances.len())?;
        Ok(frame)
    }
}

/// Returns the map of a frame, where one map may stand for all.
pub(super) fn map_of(maps: &[Affine], frame: usize) -> &Affine {
    if maps.len() == 1 {
        &maps[0]
    } else {
        &maps[frame]
    }
}

fn instance_of(placed: &Placed<'_>, frame: usize) -> Result<Instance, SceneError> {
    let mut instance: Instance = bytemuck::Zeroable::zeroed();
    instance.mesh = placed.mesh;
    let Some((index, maps)) = placed.instance else {
        instance.flags = INSTANCE_IDENTITY;
        return Ok(instance);
    };
    let to_world = map_of(maps, frame);
    let (to_object, is_mirrored) = invert(to_world).ok_or(SceneError::Singular {
        table: "instance",
        index,
        frame: u64::try_from(frame).unwrap_or(u64::MAX),
    })?;
    instance.flags = if is_mirrored { INSTANCE_MIRRORED } else { 0 };
    instance.to_world = flat(to_world);
    instance.to_object = flat(&to_object);
    Ok(instance)
}

fn world_bounds(instance: &Instance, bounds: &Bounds) -> Bounds {
    if instance.flags & INSTANCE_IDENTITY != 0 {
        return *bounds;
    }
    let to_world: Affine = bytemuck::cast(instance.to_world);
    let corner = |i: usize| {
        let pick = |axis: usize| {
            if i >> axis & 1 == 0 {
                bounds.lo[axis]
            } else {
                bounds.hi[axis]
            }
        };
        move_point(&to_world, [pick(0), pick(1), pick(2)])
    };
    Bounds::of((0..8).map(corner))
}

fn camera_of(camera: &CameraPart, frame: usize) -> Camera {
    let (kind, tan_half_yfov) = match camera.projection {
        Projection::Perspective { yfov } => (CAMERA_PERSPECTIVE, libm::tanf(yfov * 0.5)),
        Projection::Orthographic { ymag } => (CAMERA_ORTHOGRAPHIC, ymag),
    };
    Camera {
        to_world: flat(map_of(&camera.to_world, frame)),
        kind,
        tan_half_yfov,
        lens_radius: camera.lens_radius,
        focus_distance: camera.focus_distance,
    }
}
