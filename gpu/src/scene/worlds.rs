//! Whether a blob's frames name instances, lights and cameras that are there.

use super::{
    SceneError,
    layout::{self, Frame, Instance, Light},
    tables::{At, Tables},
};
use crate::render::FRAMES_MAX;

/// Checks every frame, each world once.
pub(super) fn check_frames(t: &Tables<'_>) -> Result<(), SceneError> {
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

/// Where the world of the next frame may begin, if it has one of its own.
#[derive(Clone, Copy, Default)]
struct Cursor {
    instance: u32,
    light: u32,
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
