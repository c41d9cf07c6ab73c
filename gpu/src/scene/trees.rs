//! Whether a blob's nodes are trees that a walk can get through.

use super::{
    SceneError,
    layout::{
        self, Frame, Mesh, NONE, Node, Pack, REF_COUNT_MASK, REF_COUNT_SHIFT, REF_EMPTY,
        REF_INDEX_MASK, REF_LEAF, TREE_DEPTH_MAX,
    },
    tables::{At, Tables},
    worlds::has_same_world,
};

/// Whose tree a node is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    /// Index of the mesh.
    Mesh(u32),
    /// Instances that leaves may name.
    World {
        first: u32,
        end: u32,
    },
}

/// Walks over all nodes once: children follow their parents, so each is met after what leads to it.
pub(super) fn check_trees(t: &Tables<'_>) -> Result<(), SceneError> {
    let mut trees = Trees {
        t,
        owners: vec![(Owner::Nobody, 0); t.nodes.len()],
        has_parent: vec![false; t.packs.len()],
    };
    for (i, mesh) in (0..).zip(t.meshes) {
        trees.claim(mesh.root, Owner::Mesh(i), (None, 1))?;
    }
    let mut last: Option<&Frame> = None;
    for frame in t.frames {
        if frame.instance_count > 0 && !last.is_some_and(|last| has_same_world(last, frame)) {
            let first = frame.first_instance;
            let world = Owner::World {
                first,
                end: first + frame.instance_count,
            };
            trees.claim(frame.root, world, (None, 1))?;
        }
        last = Some(frame);
    }
    for (index, node) in (0..).zip(t.nodes) {
        let (owner, depth) = trees.owners[index as usize];
        if owner == Owner::Nobody {
            continue;
        }
        for lane in 0..8 {
            check_lane(node, lane, index)?;
            if node.child[lane] != REF_EMPTY {
                trees.claim(node.child[lane], owner, (Some(index), depth + 1))?;
            }
        }
    }
    Ok(())
}

struct Trees<'a> {
    t: &'a Tables<'a>,
    owners: Vec<(Owner, u32)>,
    has_parent: Vec<bool>,
}

impl Trees<'_> {
    /// Notes that a reference belongs to a tree. Each node and each pack may be reached once.
    fn claim(
        &mut self,
        reference: u32,
        owner: Owner,
        (parent, depth): (Option<u32>, u32),
    ) -> Result<(), SceneError> {
        if reference & REF_LEAF != 0 {
            return self.check_leaf(reference, owner);
        }
        At::new("nodes", parent.unwrap_or_default() as usize).below(
            "child",
            reference,
            self.t.nodes.len(),
        )?;
        let is_claimed = self.owners[reference as usize].0 != Owner::Nobody;
        if is_claimed || parent.is_some_and(|parent| reference <= parent) {
            return Err(SceneError::NotATree { node: reference });
        }
        if depth > TREE_DEPTH_MAX {
            return Err(SceneError::TooDeep {
                node: reference,
                depth,
                max: TREE_DEPTH_MAX,
            });
        }
        self.owners[reference as usize] = (owner, depth);
        Ok(())
    }

    fn check_leaf(&mut self, reference: u32, owner: Owner) -> Result<(), SceneError> {
        let first = reference & REF_INDEX_MASK;
        let end = first + (reference >> REF_COUNT_SHIFT & REF_COUNT_MASK) + 1;
        match owner {
            Owner::Nobody => Ok(()),
            Owner::World {
                first: low,
                end: high,
            } => {
                let at = At::new("instances", first as usize);
                at.at_most("leaf", low, first as usize)?;
                at.at_most("leaf", end, high as usize)
            }
            Owner::Mesh(mesh) => {
                let mesh = self.t.meshes[mesh as usize];
                for pack in first..end {
                    self.check_pack(pack as usize, &mesh)?;
                }
                Ok(())
            }
        }
    }

    fn check_pack(&mut self, index: usize, mesh: &Mesh) -> Result<(), SceneError> {
        let at = At::new("packs", index);
        at.below(
            "leaf",
            u32::try_from(index).unwrap_or(NONE),
            self.t.packs.len(),
        )?;
        if std::mem::replace(&mut self.has_parent[index], true) {
            return Err(SceneError::NotATree {
                node: u32::try_from(index).unwrap_or(NONE),
            });
        }
        let pack: &Pack = &self.t.packs[index];
        let edges = [pack.e1, pack.e2];
        at.finite("corners", pack.v0.as_flattened())?;
        at.finite("edges", edges.as_flattened().as_flattened())?;
        for (lane, id) in pack.id.into_iter().enumerate() {
            if id == NONE {
                // INVARIANT: no ray hits an empty lane, since its edges span nothing.
                for edge in edges.as_flattened() {
                    if edge[lane] != 0.0 {
                        return Err(at.number("edges", edge[lane]));
                    }
                }
                continue;
            }
            at.at_most("id", mesh.first_triangle, id as usize)?;
            at.below(
                "id",
                id,
                (mesh.first_triangle + mesh.triangle_count) as usize,
            )?;
        }
        Ok(())
    }
}

/// Checks a lane's bounds: infinitely far away where it is empty, finite otherwise.
fn check_lane(node: &Node, lane: usize, index: u32) -> Result<(), SceneError> {
    let at = At::new("nodes", index as usize);
    for axis in 0..3 {
        let (lo, hi) = (node.lo[axis][lane], node.hi[axis][lane]);
        if node.child[lane] != layout::REF_EMPTY {
            at.finite("bounds", &[lo, hi])?;
        } else if lo != f32::INFINITY || hi != f32::NEG_INFINITY {
            return Err(at.number("bounds", if lo == f32::INFINITY { hi } else { lo }));
        }
    }
    Ok(())
}
