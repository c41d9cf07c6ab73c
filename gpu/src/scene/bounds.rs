//! Axis-aligned boxes.

/// An axis-aligned box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    /// Least corner.
    pub(super) lo: [f32; 3],
    /// Greatest corner.
    pub(super) hi: [f32; 3],
}

impl Bounds {
    /// The box of nothing.
    pub(super) const EMPTY: Self = Self {
        lo: [f32::INFINITY; 3],
        hi: [f32::NEG_INFINITY; 3],
    };

    /// Returns the box of some points.
    pub(super) fn of(points: impl IntoIterator<Item = [f32; 3]>) -> Self {
        points
            .into_iter()
            .fold(Self::EMPTY, |sum, p| sum.joined(&Self { lo: p, hi: p }))
    }

    /// Returns the box of both.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let mut sum = *self;
        for axis in 0..3 {
            // Not `min`: with zeros of both signs its choice is not specified.
            if other.lo[axis] < sum.lo[axis] {
                sum.lo[axis] = other.lo[axis];
            }
            if other.hi[axis] > sum.hi[axis] {
                sum.hi[axis] = other.hi[axis];
            }
        }
        sum
    }

    /// Returns the box with `slack` more on each side.
    pub(super) fn widened(&self, slack: f32) -> Self {
        Self {
            lo: self.lo.map(|x| x - slack),
            hi: self.hi.map(|x| x + slack),
        }
    }

    /// Returns half of the surface; 0 for the box of nothing.
    pub(super) fn half_area(&self) -> f32 {
        let [x, y, z] = std::array::from_fn(|axis| self.hi[axis] - self.lo[axis]);
        if x < 0.0 { 0.0 } else { x * y + y * z + z * x }
    }

    /// Returns twice the center along an axis.
    pub(super) fn twice_center(&self, axis: usize) -> f32 {
        self.lo[axis] + self.hi[axis]
    }

    /// Returns the largest distance of a side from the origin.
    pub(super) fn reach(&self) -> f32 {
        self.lo
            .iter()
            .chain(&self.hi)
            .fold(0.0, |sum, x| if x.abs() > sum { x.abs() } else { sum })
    }

    /// Returns the radius of the sphere around the box; 0 for the box of nothing.
    pub(super) fn radius(&self) -> f32 {
        if self.lo[0] > self.hi[0] {
            return 0.0;
        }
        let squares = (0..3).map(|axis| (self.hi[axis] - self.lo[axis]).powi(2));
        squares.sum::<f32>().sqrt() * 0.5
    }
}
