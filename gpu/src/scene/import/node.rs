//! The nodes of a scene, and where each stands in every frame.

use gltf_json::{Node, Root};

use super::{ImportError, Place, Report, Warning, animation::Animations, limits};
use crate::scene::{
    Affine,
    math::{
        Affine64, IDENTITY, column, compose, from_trs, length, rigid, rounded, spread,
        unit_quaternion,
    },
};

/// Below this, what a transform makes of a cube is a sheet.
const SPREAD_MIN: f64 = 1e-9;
/// Below this, the inverse of a transform is not worth its name.
const EDGE_MIN: f64 = 1e-7;
/// What a mesh shrinks to in the frames that flatten it.
const HIDDEN_SCALE: f64 = 1e-6;

/// A node in its place.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    /// Which it is.
    pub(super) place: Place,
    /// The node.
    pub(super) node: &'a Node,
    /// Where it stands: once, or once for each frame.
    to_world: Vec<Affine64>,
}

/// Walks down from the roots of a scene. Parents come before children.
pub(super) fn walk<'a>(
    root: &'a Root,
    scene: Option<usize>,
    animations: &Animations,
    times_s: &[f64],
    report: &mut Report,
) -> Result<Vec<Placed<'a>>, ImportError> {
    if root.nodes.len() as u64 > limits::NODES_MAX {
        return Err(ImportError::TooMany {
            what: "nodes",
            max: limits::NODES_MAX,
        });
    }
    let mut placed: Vec<Placed<'a>> = Vec::new();
    let mut is_met = vec![false; root.nodes.len()];
    let mut matrix_count = 0;
    let mut open: Vec<(usize, Option<usize>)> = roots(root, scene)?;
    open.reverse();
    while let Some((index, parent)) = open.pop() {
        let place = Place::new("node", index);
        let node = root.nodes.get(index).ok_or(ImportError::Dangling {
            place: parent.map_or(Place::new("scene", 0), |at: usize| placed[at].place),
            target: place,
        })?;
        if std::mem::replace(&mut is_met[index], true) {
            return Err(ImportError::NotATree { node: place });
        }

        let own = local(place, node, animations, times_s, report)?;
        let to_world = match parent {
            None => own,
            Some(at) => chain(&placed[at].to_world, &own),
        };
        check(place, &to_world)?;
        matrix_count += to_world.len() as u64;
        if matrix_count > limits::MATRICES_MAX {
            return Err(ImportError::TooMany {
                what: "matrices of moving nodes (ask for fewer frames)",
                max: limits::MATRICES_MAX,
            });
        }
        let at = placed.len();
        placed.push(Placed {
            place,
            node,
            to_world,
        });
        let children = node.children.iter().flatten().rev();
        open.extend(children.map(|child| (child.value(), Some(at))));
    }
    Ok(placed)
}

impl Placed<'_> {
    /// Returns the name of the node, or else its place.
    pub(super) fn name(&self) -> String {
        match &self.node.name {
            Some(name) => name.chars().take(100).collect(),
            None => self.place.to_string(),
        }
    }

    /// Returns where a mesh stands. `None` if it is flat and thus unseen in every frame.
    pub(super) fn of_mesh(&self, report: &mut Report) -> Option<Vec<Affine64>> {
        let is_flat = |map: &Affine64| {
            let is_short = |axis| length(column(map, axis)) < EDGE_MIN;
            spread(map) < SPREAD_MIN || [0, 1, 2].into_iter().any(is_short)
        };
        let flat_count = self.to_world.iter().filter(|map| is_flat(map)).count();
        if flat_count > 0 {
            report.warn(Warning::Flattened {
                node: self.place,
                frame_count: flat_count as u64,
            });
        }
        if flat_count == self.to_world.len() {
            return None;
        }
        let maps = self.to_world.iter().map(|map| {
            if !is_flat(map) {
                return *map;
            }
            let mut hidden = IDENTITY;
            for (axis, row) in hidden.iter_mut().enumerate() {
                row[axis] = HIDDEN_SCALE;
                row[3] = map[axis][3];
            }
            hidden
        });
        Some(maps.collect())
    }

    /// Returns where a camera or a light stands, without scale. `None` if it has no direction.
    pub(super) fn of_viewer(&self, report: &mut Report) -> Option<Vec<Affine>> {
        let maps = self.to_world.iter().map(|map| Some(rounded(&rigid(map)?)));
        let maps: Option<Vec<Affine>> = maps.collect();
        if maps.is_none() {
            report.warn(Warning::NoDirection { node: self.place });
        }
        maps
    }
}

/// Returns the nodes at the top: of the scene asked for, of the file's own, or of the first one; without
/// scenes, all that are no one's child.
fn roots(root: &Root, scene: Option<usize>) -> Result<Vec<(usize, Option<usize>)>, ImportError> {
    let chosen = scene.or_else(|| root.scene.map(|scene| scene.value()));
    if let Some(scene) = root.scenes.get(chosen.unwrap_or(0)) {
        return Ok(scene
            .nodes
            .iter()
            .map(|node| (node.value(), None))
            .collect());
    }
    if let Some(index) = chosen {
        return Err(ImportError::NoSuchEntry {
            target: Place::new("scene", index),
            count: root.scenes.len(),
        });
    }
    let mut is_child = vec![false; root.nodes.len()];
    for child in root
        .nodes
        .iter()
        .flat_map(|node| node.children.iter().flatten())
    {
        if let Some(is_child) = is_child.get_mut(child.value()) {
            *is_child = true;
        }
    }
    let tops = (0..root.nodes.len()).filter(|&node| !is_child[node]);
    Ok(tops.map(|node| (node, None)).collect())
}

/// Returns where a node stands within its parent: once, or once for each frame.
fn local(
    place: Place,
    node: &Node,
    animations: &Animations,
    times_s: &[f64],
    report: &mut Report,
) -> Result<Vec<Affine64>, ImportError> {
    if let Some(m) = node.matrix {
        let m = m.map(f64::from);
        return Ok(vec![
            [0, 1, 2].map(|row| [m[row], m[4 + row], m[8 + row], m[12 + row]]),
        ]);
    }
    let rotation = node
        .rotation
        .map_or([0.0, 0.0, 0.0, 1.0], |q| q.0)
        .map(f64::from);
    let rotation = unit_quaternion(rotation).unwrap_or_else(|| {
        report.warn(Warning::Clamped {
            place,
            field: "the rotation",
        });
        [0.0, 0.0, 0.0, 1.0]
    });
    let rest = (
        node.translation.unwrap_or([0.0; 3]).map(f64::from),
        rotation,
        node.scale.unwrap_or([1.0; 3]).map(f64::from),
    );
    let Some(tracks) = animations.of_node(place.index) else {
        return Ok(vec![from_trs(rest.0, rest.1, rest.2)]);
    };
    let at = |&time_s: &f64| {
        let (translation, rotation, scale) = tracks.at(time_s, rest);
        from_trs(translation, rotation, scale)
    };
    let maps: Vec<Affine64> = times_s.iter().map(at).collect();
    if maps.iter().all(|map| *map == maps[0]) {
        return Ok(maps[..1].to_vec());
    }
    Ok(maps)
}

/// Composes parent and child, either of which may stand still.
fn chain(parent: &[Affine64], child: &[Affine64]) -> Vec<Affine64> {
    match (parent, child) {
        ([parent], _) => child.iter().map(|child| compose(parent, child)).collect(),
        (_, [child]) => parent.iter().map(|parent| compose(parent, child)).collect(),
        (_, _) => {
            let pairs = parent.iter().zip(child);
            pairs
                .map(|(parent, child)| compose(parent, child))
                .collect()
        }
    }
}

fn check(place: Place, maps: &[Affine64]) -> Result<(), ImportError> {
    let is_good = |value: &f64| value.abs() <= limits::MAGNITUDE_MAX;
    match maps
        .iter()
        .flatten()
        .flatten()
        .find(|value| !is_good(value))
    {
        None => Ok(()),
        Some(&value) => Err(ImportError::NumberOutOfRange {
            place,
            field: "the transform",
            value: value as f32,
        }),
    }
}
