//! Affine maps: three rows of four.

use super::Affine;

/// The map that moves nothing.
#[cfg(test)]
pub(super) const IDENTITY: Affine = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
];

/// Moves a point.
pub(super) fn move_point(m: &Affine, p: [f32; 3]) -> [f32; 3] {
    m.map(|row| row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3])
}

/// Turns and stretches a direction.
pub(super) fn move_direction(m: &Affine, d: [f32; 3]) -> [f32; 3] {
    m.map(|row| row[0] * d[0] + row[1] * d[1] + row[2] * d[2])
}

/// Moves a normal by the transposed `inverse`, and makes it a unit again.
pub(super) fn move_normal(inverse: &Affine, n: [f32; 3]) -> [f32; 3] {
    unit(std::array::from_fn(|i| {
        inverse[0][i] * n[0] + inverse[1][i] * n[1] + inverse[2][i] * n[2]
    }))
}

/// Returns the inverse, and whether the map turns the inside out. `None` if there is none.
pub(super) fn invert(m: &Affine) -> Option<(Affine, bool)> {
    let a = m.map(|row| row.map(f64::from));
    let cofactor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        a[r1][c1] * a[r2][c2] - a[r1][c2] * a[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| a[0][c] * cofactor(0, c)).sum();
    let inverse: Affine = std::array::from_fn(|r| {
        let linear: [f64; 3] = std::array::from_fn(|c| cofactor(c, r) / determinant);
        let shift: f64 = -(0..3).map(|c| linear[c] * a[c][3]).sum::<f64>();
        [
            linear[0] as f32,
            linear[1] as f32,
            linear[2] as f32,
            shift as f32,
        ]
    });
    let is_finite = inverse.as_flattened().iter().all(|x| x.is_finite());
    (determinant != 0.0 && is_finite).then_some((inverse, determinant < 0.0))
}

/// Returns the rows one after the other.
pub(super) fn flat(m: &Affine) -> [f32; 12] {
    bytemuck::cast(*m)
}

/// Makes a direction a unit; nothing stays nothing.
pub(super) fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = dot(v, v).sqrt();
    if length > 0.0 && length.is_finite() {
        v.map(|x| x / length)
    } else {
        [0.0; 3]
    }
}

/// Returns the scalar product.
pub(super) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Returns the difference.
pub(super) fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// Returns the vector product.
pub(super) fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_leads_back() {
        let m = [
            [0.0, -2.0, 0.5, 3.0],
            [1.0, 0.25, 0.0, -1.0],
            [0.0, 1.0, 4.0, 7.0],
        ];
        let (inverse, is_mirrored) = invert(&m).unwrap();
        let back = move_point(&inverse, move_point(&m, [0.5, 1.5, -2.0]));
        assert!(
            minus(back, [0.5, 1.5, -2.0]).iter().all(|x| x.abs() < 1e-5),
            "{back:?}"
        );
        assert!(!is_mirrored);
        assert_eq!(invert(&IDENTITY), Some((IDENTITY, false)));
    }

    #[test]
    fn a_mirror_is_told_from_a_turn_and_a_squeeze_has_no_inverse() {
        let mirror = [
            [-1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
        ];
        assert!(invert(&mirror).unwrap().1);
        assert_eq!(invert(&[[1.0, 0.0, 0.0, 0.0]; 3]), None);
    }
}
