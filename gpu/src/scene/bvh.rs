//! Trees of eight children over boxes.
//!
//! A binary tree is split top-down where the binned surface area heuristic is least, then collapsed: of the
//! children of a node, the one with the largest surface is opened until there are eight.
//!
//! The result depends on the boxes and their order alone, on any number of threads: halves are built apart
//! and never share a number.

use super::{
    bounds::Bounds,
    layout::{Node, REF_COUNT_SHIFT, REF_EMPTY, REF_LEAF, TREE_DEPTH_MAX},
};

const BINS: usize = 32;
/// Below this many boxes a half is not worth a thread.
const PARALLEL_MIN: usize = 4096;
/// From this level on, boxes are split in the middle: what is left of 2^27 boxes takes 24 levels more.
const MEDIAN_DEPTH: u32 = TREE_DEPTH_MAX - 25;

/// A box and what it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its extent.
    pub(super) bounds: Bounds,
    /// Index of what it bounds.
    pub(super) id: u32,
}

/// How many items a leaf holds, and what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeafRule {
    /// Items of a leaf, at most.
    pub(super) items_max: usize,
    /// Cost of stepping down one binary level, relative to testing a leaf.
    pub(super) level_cost: f32,
}

/// A binary tree over a permutation of the items.
#[derive(Debug)]
pub(super) enum Tree {
    /// Items `first..first + count`.
    Leaf {
        bounds: Bounds,
        first: usize,
        count: usize,
    },
    /// Two halves.
    Inner {
        bounds: Bounds,
        halves: Box<[Tree; 2]>,
    },
}

impl Tree {
    /// Builds a tree over at least one item, and reorders the items so that its leaves are contiguous.
    pub(super) fn build(items: &mut [Item], rule: LeafRule) -> Self {
        split(items, 0, 1, rule)
    }

    fn bounds(&self) -> Bounds {
        match self {
            Self::Leaf { bounds, .. } | Self::Inner { bounds, .. } => *bounds,
        }
    }

    /// Appends the tree to `nodes`, eight children to a node, and returns the reference to its root.
    ///
    /// `leaf` lays out the items `first..first + count` of a leaf, and returns the reference to them.
    /// `slack` widens every box.
    pub(super) fn collapse(
        &self,
        nodes: &mut Vec<Node>,
        slack: f32,
        leaf: &mut impl FnMut(usize, usize) -> u32,
    ) -> u32 {
        match self {
            Self::Leaf { first, count, .. } => leaf(*first, *count),
            Self::Inner { halves, .. } => {
                let index = nodes.len();
                nodes.push(EMPTY_NODE);
                fill(index, halves, nodes, (slack, leaf));
                index_ref(index)
            }
        }
    }
}

/// A node without children.
const EMPTY_NODE: Node = Node {
    lo: [[f32::INFINITY; 8]; 3],
    hi: [[f32::NEG_INFINITY; 8]; 3],
    child: [REF_EMPTY; 8],
    reserved: [0; 8],
};

/// Returns a reference to `count` packs or instances from `first` on.
pub(super) fn leaf_ref(first: u32, count: u32) -> u32 {
    REF_LEAF | (count - 1) << REF_COUNT_SHIFT | first
}

fn index_ref(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Fills node `index` with the descendants of `halves`, and then the nodes among them. The nodes of one
/// parent lie side by side.
fn fill(
    index: usize,
    halves: &[Tree; 2],
    nodes: &mut Vec<Node>,
    (slack, leaf): (f32, &mut impl FnMut(usize, usize) -> u32),
) {
    let children = open(halves);
    let first = nodes.len();
    let inner_count = children
        .iter()
        .filter(|child| matches!(child, Tree::Inner { .. }))
        .count();
    nodes.resize(first + inner_count, EMPTY_NODE);

    let mut at = first;
    for (lane, child) in children.iter().enumerate() {
        let bounds = child.bounds().widened(slack);
        let reference = match child {
            Tree::Leaf { first, count, .. } => leaf(*first, *count),
            Tree::Inner { .. } => {
                at += 1;
                index_ref(at - 1)
            }
        };
        let node = &mut nodes[index];
        node.child[lane] = reference;
        for axis in 0..3 {
            node.lo[axis][lane] = bounds.lo[axis];
            node.hi[axis][lane] = bounds.hi[axis];
        }
    }
    let inner = children.iter().filter_map(|child| match child {
        Tree::Inner { halves, .. } => Some(halves),
        Tree::Leaf { .. } => None,
    });
    for (offset, halves) in inner.enumerate() {
        fill(first + offset, halves, nodes, (slack, &mut *leaf));
    }
}

/// Opens the largest of the children until there are eight, or only leaves.
fn open(halves: &[Tree; 2]) -> Vec<&Tree> {
    let mut children: Vec<&Tree> = halves.iter().collect();
    while children.len() < 8 {
        let mut largest: Option<(usize, f32, &[Tree; 2])> = None;
        for (i, child) in children.iter().enumerate() {
            let Tree::Inner { bounds, halves } = child else {
                continue;
            };
            let area = bounds.half_area();
            if largest.is_none_or(|(_, best, _)| area > best) {
                largest = Some((i, area, halves));
            }
        }
        let Some((i, _, halves)) = largest else { break };
        children[i] = &halves[0];
        children.insert(i + 1, &halves[1]);
    }
    children
}

fn split(items: &mut [Item], first: usize, depth: u32, rule: LeafRule) -> Tree {
    let bounds = items
        .iter()
        .fold(Bounds::EMPTY, |sum, item| sum.joined(&item.bounds));
    let leaf = Tree::Leaf {
        bounds,
        first,
        count: items.len(),
    };
    if items.len() == 1 {
        return leaf;
    }
    let best = if depth < MEDIAN_DEPTH {
        best_cut(items)
    } else {
        None
    };
    let fits = items.len() <= rule.items_max;
    if fits && !best.is_some_and(|cut| pays(&cut, &bounds, rule)) {
        return leaf;
    }
    let middle = match best {
        Some(cut) => partition(items, &cut),
        None => items.len() / 2,
    };
    let (left, right) = items.split_at_mut(middle);
    let halves = if left.len() + right.len() < PARALLEL_MIN {
        (
            split(left, first, depth + 1, rule),
            split(right, first + middle, depth + 1, rule),
        )
    } else {
        rayon::join(
            || split(left, first, depth + 1, rule),
            || split(right, first + middle, depth + 1, rule),
        )
    };
    Tree::Inner {
        bounds,
        halves: Box::new([halves.0, halves.1]),
    }
}

/// A plane between bins.
#[derive(Clone, Copy, Debug)]
struct Cut {
    axis: usize,
    bin: usize,
    low: f32,
    scale: f32,
    /// Half areas of the two sides, summed.
    area: f32,
    /// Half areas times counts, summed.
    cost: f32,
}

impl Cut {
    fn bin_of(&self, item: &Item) -> usize {
        bin(item, self.axis, self.low, self.scale)
    }
}

/// Whether two leaves on the sides of the cut are cheaper than one.
fn pays(cut: &Cut, bounds: &Bounds, rule: LeafRule) -> bool {
    cut.area + rule.level_cost * bounds.half_area() < bounds.half_area()
}

fn bin(item: &Item, axis: usize, low: f32, scale: f32) -> usize {
    // Saturates, so that rounding never leaves the bins.
    (((item.bounds.twice_center(axis) - low) * scale) as usize).min(BINS - 1)
}

/// Returns the cheapest cut between bins of the boxes' centers. `None` where all centers coincide.
fn best_cut(items: &[Item]) -> Option<Cut> {
    let mut low = [f32::INFINITY; 3];
    let mut high = [f32::NEG_INFINITY; 3];
    for item in items {
        for axis in 0..3 {
            let center = item.bounds.twice_center(axis);
            low[axis] = low[axis].min(center);
            high[axis] = high[axis].max(center);
        }
    }
    let mut best: Option<Cut> = None;
    for axis in 0..3 {
        let extent = high[axis] - low[axis];
        let scale = BINS as f32 * (1.0 - 1e-6) / extent;
        if !scale.is_finite() || scale <= 0.0 {
            continue;
        }
        let cut = best_cut_on_axis(items, axis, low[axis], scale);
        if cut.is_some_and(|cut| best.is_none_or(|best| cut.cost < best.cost)) {
            best = cut;
        }
    }
    best
}

fn best_cut_on_axis(items: &[Item], axis: usize, low: f32, scale: f32) -> Option<Cut> {
    let mut bins = [(Bounds::EMPTY, 0_usize); BINS];
    for item in items {
        let (bounds, count) = &mut bins[bin(item, axis, low, scale)];
        *bounds = bounds.joined(&item.bounds);
        *count += 1;
    }
    let mut above = [(0.0_f32, 0_usize); BINS];
    let mut sum = (Bounds::EMPTY, 0);
    for i in (1..BINS).rev() {
        sum = (sum.0.joined(&bins[i].0), sum.1 + bins[i].1);
        above[i] = (sum.0.half_area(), sum.1);
    }
    let mut best: Option<Cut> = None;
    let mut below = (Bounds::EMPTY, 0);
    for bin in 1..BINS {
        below = (below.0.joined(&bins[bin - 1].0), below.1 + bins[bin - 1].1);
        let (area, count) = above[bin];
        if below.1 == 0 || count == 0 {
            continue;
        }
        let below_area = below.0.half_area();
        let cost = below_area * below.1 as f32 + area * count as f32;
        if best.is_none_or(|best| cost < best.cost) {
            best = Some(Cut {
                axis,
                bin,
                low,
                scale,
                area: below_area + area,
                cost,
            });
        }
    }
    best
}

/// Moves the items below the cut to the front, and returns how many they are.
fn partition(items: &mut [Item], cut: &Cut) -> usize {
    let mut middle = 0;
    for i in 0..items.len() {
        if cut.bin_of(&items[i]) < cut.bin {
            items.swap(i, middle);
            middle += 1;
        }
    }
    middle
}
