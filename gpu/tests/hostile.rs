//! Scenes from strangers: refused by name, or rendered without harm.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/flip.rs"]
mod flip;

use common::{all_kernels, everything};
use inferix_gpu::{
    kernels::{Kernels, Ray},
    scene::{
        SceneError, SceneParts, ValidScene, build,
        layout::{self, Frame, Light, Mesh, Node, SceneHeader, Texture, Triangle},
    },
};

/// One byte of a table's entry changes, and this is what the validator says.
struct Case {
    name: &'static str,
    change: fn(&mut [u8], &SceneHeader),
    refusal: fn(&SceneError) -> bool,
}

fn put(blob: &mut [u8], at: u32, value: u32) {
    blob[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
}

fn get(blob: &[u8], at: u32) -> u32 {
    bytemuck::pod_read_unaligned(&blob[at as usize..at as usize + 4])
}

macro_rules! field {
    ($span:expr, $index:expr, $type:ty, $field:ident) => {
        $span.offset
            + $index * u32::try_from(size_of::<$type>()).unwrap()
            + u32::try_from(std::mem::offset_of!($type, $field)).unwrap()
    };
}

/// The first node behind node 0 that has a child that is a node, and where the reference stands.
fn parent(blob: &[u8], h: &SceneHeader) -> (u32, u32) {
    for node in 1..h.nodes.count {
        for lane in 0..8 {
            let at = field!(h.nodes, node, Node, child) + lane * 4;
            let child = get(blob, at);
            if child != 0 && child & layout::REF_LEAF == 0 {
                return (node, at);
            }
        }
    }
    panic!("the scene has no deep tree");
}

const CASES: [Case; 16] = [
    Case {
        name: "another magic",
        change: |blob, _| put(blob, 0, 7),
        refusal: |err| {
            *err == SceneError::NotAScene {
                magic: 7,
                version: 1,
            }
        },
    },
    Case {
        name: "another size",
        change: |blob, _| put(blob, 8, 64),
        refusal: |err| matches!(err, SceneError::WrongSize { size_bytes: 64, .. }),
    },
    Case {
        name: "a table beyond the end",
        change: |blob, h| put(blob, 20, h.size_bytes),
        refusal: |err| matches!(err, SceneError::TableMisplaced { table: "nodes", .. }),
    },
    Case {
        name: "a table off its boundary",
        change: |blob, h| put(blob, 16, h.nodes.offset + 4),
        refusal: |err| matches!(err, SceneError::TableMisplaced { table: "nodes", .. }),
    },
    Case {
        name: "a node that is its own child",
        change: |blob, h| {
            let (node, at) = parent(blob, h);
            put(blob, at, node);
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::NotATree { .. } | SceneError::NumberOutOfRange { .. }
            )
        },
    },
    Case {
        name: "a node with two parents",
        change: |blob, h| {
            let (_, at) = parent(blob, h);
            let child = get(blob, at);
            put(blob, at + 4, child);
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::NotATree { .. } | SceneError::NumberOutOfRange { .. }
            )
        },
    },
    Case {
        name: "an empty lane that is near",
        change: |blob, h| {
            let (_, at) = parent(blob, h);
            put(blob, at, 0);
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::NumberOutOfRange {
                    table: "nodes",
                    field: "bounds",
                    ..
                }
            )
        },
    },
    Case {
        name: "a leaf beyond the packs",
        change: |blob, h| {
            put(
                blob,
                field!(h.meshes, 0, Mesh, root),
                layout::REF_LEAF | h.packs.count,
            );
        },
        refusal: |err| matches!(err, SceneError::IndexOutOfRange { table: "packs", .. }),
    },
    Case {
        name: "a vertex that does not exist",
        change: |blob, h| {
            put(
                blob,
                field!(h.triangles, 3, Triangle, vertex),
                h.vertices.count,
            )
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::IndexOutOfRange {
                    table: "triangles",
                    index: 3,
                    ..
                }
            )
        },
    },
    Case {
        name: "a position that is no number",
        change: |blob, h| put(blob, h.vertices.offset, 0x7fc0_0000),
        refusal: |err| {
            matches!(
                err,
                SceneError::NumberOutOfRange {
                    table: "vertices",
                    ..
                }
            )
        },
    },
    Case {
        name: "a texture without width",
        change: |blob, h| put(blob, field!(h.textures, 0, Texture, width), 0),
        refusal: |err| {
            matches!(
                err,
                SceneError::IndexOutOfRange {
                    table: "textures",
                    field: "width",
                    ..
                }
            )
        },
    },
    Case {
        name: "a texture beyond the texels",
        change: |blob, h| put(blob, field!(h.textures, 1, Texture, height), 9),
        refusal: |err| {
            matches!(
                err,
                SceneError::IndexOutOfRange {
                    table: "textures",
                    index: 1,
                    ..
                }
            )
        },
    },
    Case {
        name: "an alias of another frame",
        change: |blob, h| {
            let count = get(blob, field!(h.frames, 0, Frame, light_count));
            put(blob, field!(h.lights, 0, Light, alias), count);
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::IndexOutOfRange {
                    table: "lights",
                    field: "alias",
                    ..
                }
            )
        },
    },
    Case {
        name: "an instance that counts lights beyond the frame's",
        change: |blob, h| {
            let count = get(blob, field!(h.frames, 0, Frame, light_count));
            put(
                blob,
                field!(h.instances, 0, layout::Instance, first_light),
                count,
            );
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::IndexOutOfRange {
                    field: "first_light",
                    ..
                }
            )
        },
    },
    Case {
        name: "frames whose instances overlap",
        change: |blob, h| put(blob, field!(h.frames, 1, Frame, first_instance), 1),
        refusal: |err| {
            matches!(
                err,
                SceneError::IndexOutOfRange {
                    table: "frames",
                    index: 1,
                    ..
                }
            )
        },
    },
    Case {
        name: "a sky light without a sky",
        change: |blob, _| {
            let at = u32::try_from(std::mem::offset_of!(SceneHeader, sky_kind)).unwrap();
            put(blob, at, layout::SKY_NONE);
        },
        refusal: |err| {
            matches!(
                err,
                SceneError::UnknownCode {
                    table: "lights",
                    ..
                }
            )
        },
    },
];

#[test]
fn each_way_to_break_a_scene_is_refused_by_its_name() {
    let good = build(&everything()).unwrap();
    let header: SceneHeader = bytemuck::pod_read_unaligned(&good[..size_of::<SceneHeader>()]);
    for case in CASES {
        let mut blob = good.clone();
        (case.change)(&mut blob, &header);
        let err = ValidScene::new(&blob).expect_err(case.name);
        assert!((case.refusal)(&err), "{}: {err:?}", case.name);
    }
}

#[test]
fn a_tree_that_is_too_deep_is_refused() {
    let good = build(&everything()).unwrap();
    let mut header: SceneHeader = bytemuck::pod_read_unaligned(&good[..size_of::<SceneHeader>()]);
    // Mesh 1 gets a chain of its own behind everything else, which ends in its old root.
    let first = header.nodes.count;
    let old: Vec<u8> = {
        let start = header.nodes.offset as usize;
        good[start..start + header.nodes.count as usize * size_of::<Node>()].to_vec()
    };
    for (depth, is_valid) in [(40, true), (49, false)] {
        let mut nodes = old.clone();
        for i in 0..depth {
            let mut node: Node = bytemuck::Zeroable::zeroed();
            node.lo = [[f32::INFINITY; 8]; 3];
            node.hi = [[f32::NEG_INFINITY; 8]; 3];
            if i + 1 < depth {
                for axis in 0..3 {
                    (node.lo[axis][0], node.hi[axis][0]) = (-9.0, 9.0);
                }
                node.child[0] = first + i + 1;
            }
            nodes.extend_from_slice(bytemuck::bytes_of(&node));
        }
        let mut blob = good.clone();
        put(&mut blob, field!(header.meshes, 1, Mesh, root), first);
        header.nodes.offset = u32::try_from(blob.len()).unwrap();
        header.nodes.count = first + depth;
        blob.extend_from_slice(&nodes);
        header.size_bytes = u32::try_from(blob.len()).unwrap();
        blob[..size_of::<SceneHeader>()].copy_from_slice(bytemuck::bytes_of(&header));
        let refused = SceneError::TooDeep {
            node: first + 48,
            depth: 49,
            max: 48,
        };
        assert_eq!(
            ValidScene::new(&blob).err(),
            (!is_valid).then_some(refused),
            "{depth}"
        );
    }
}

#[test]
fn a_cut_scene_is_refused_at_every_length() {
    let good = build(&everything()).unwrap();
    for len in (0..300).chain((300..good.len()).step_by(997)) {
        assert!(ValidScene::new(&good[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn a_scene_with_flipped_bytes_is_refused_or_rendered_without_harm() {
    let rounds = 1500;
    let rendered = flip::rendered_count(20, rounds);
    assert!(
        rendered > rounds / 10,
        "only {rendered} of {rounds} scenes passed the validator"
    );
}

#[test]
fn rays_of_any_numbers_end() {
    let scene = ValidScene::new(&build(&everything()).unwrap()).unwrap();
    let odd = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        1e-40,
        3e38,
        -3e38,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    let mut rays = Vec::new();
    for a in odd {
        for b in odd {
            for c in odd {
                for t_max in [f32::INFINITY, 5.0, f32::NAN] {
                    rays.push(Ray {
                        origin: [a, b, 0.5],
                        t_min: 0.0,
                        direction: [c, b, a],
                        t_max,
                    });
                    rays.push(Ray {
                        origin: [c, a, b],
                        t_min: 0.1,
                        direction: [-1.0, b, c],
                        t_max,
                    });
                }
            }
        }
    }
    let all: Vec<_> = all_kernels()
        .iter()
        .map(|k| k.closest(&scene, 0, &rays).unwrap())
        .collect();
    for (hits, cost) in &all {
        let same = bytemuck::cast_slice::<_, u8>(hits) == bytemuck::cast_slice::<_, u8>(&all[0].0);
        assert!(same && *cost == all[0].1);
    }
    assert!(Kernels::detect().closest(&scene, 2, &rays).is_none());
}

#[test]
fn parts_that_contradict_each_other_are_refused_by_name() {
    let refuse = |change: fn(&mut SceneParts)| {
        let mut parts = everything();
        change(&mut parts);
        build(&parts).unwrap_err()
    };
    assert_eq!(
        refuse(|parts| parts.meshes[2].indices[1][0] = 4),
        SceneError::IndexOutOfRange {
            table: "mesh",
            index: 2,
            field: "indices",
            value: 4,
            bound: 4
        }
    );
    assert_eq!(
        refuse(|parts| parts.meshes[0].normals.push([0.0; 3])),
        SceneError::WrongLength {
            table: "mesh",
            index: 0,
            field: "normals",
            len: 1,
            needed: 4
        }
    );
    assert_eq!(
        refuse(|parts| parts.materials[1].ior = 0.5),
        SceneError::NumberOutOfRange {
            table: "material",
            index: 1,
            field: "ior",
            value: 0.5
        }
    );
    assert_eq!(
        refuse(|parts| parts.instances[5].to_world[1] = [[0.0; 4]; 3]),
        SceneError::Singular {
            table: "instance",
            index: 5,
            frame: 1
        }
    );
}
