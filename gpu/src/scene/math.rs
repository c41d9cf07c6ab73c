//! Arithmetic of the importer, the same on every machine.
//!
//! Everything that can reach a blob is computed in `f64` from sums, products, quotients and square roots,
//! or by `libm`, which is the same portable code everywhere. The standard library's `sin` and its kind
//! differ between platforms and are not used.

use super::Affine;

/// Three rows of four, before rounding.
pub(super) type Affine64 = [[f64; 4]; 3];

/// The map that changes nothing.
pub(super) const IDENTITY: Affine64 = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
];

/// Returns the map that applies `b`, then `a`.
pub(super) fn compose(a: &Affine64, b: &Affine64) -> Affine64 {
    let mut out = [[0.0; 4]; 3];
    for (row, a) in out.iter_mut().zip(a) {
        for (column, value) in row.iter_mut().enumerate() {
            *value = a[0] * b[0][column] + a[1] * b[1][column] + a[2] * b[2][column];
        }
        row[3] += a[3];
    }
    out
}

/// Rounds a map to what a scene holds.
pub(super) fn rounded(map: &Affine64) -> Affine {
    map.map(|row| row.map(|value| value as f32))
}

/// Applies a map to a point.
pub(super) fn transform(map: &Affine64, point: [f32; 3]) -> [f64; 3] {
    let point = point.map(f64::from);
    map.map(|row| row[0] * point[0] + row[1] * point[1] + row[2] * point[2] + row[3])
}

/// Returns translation, rotation (a unit quaternion, w last) and scale as one map.
pub(super) fn from_trs(translation: [f64; 3], rotation: [f64; 4], scale: [f64; 3]) -> Affine64 {
    let [x, y, z, w] = rotation;
    let linear = [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - z * w),
            2.0 * (x * z + y * w),
        ],
        [
            2.0 * (x * y + z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - x * w),
        ],
        [
            2.0 * (x * z - y * w),
            2.0 * (y * z + x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ];
    let mut out = [[0.0; 4]; 3];
    for (row, (linear, translation)) in out.iter_mut().zip(linear.iter().zip(translation)) {
        *row = [
            linear[0] * scale[0],
            linear[1] * scale[1],
            linear[2] * scale[2],
            translation,
        ];
    }
    out
}

/// Returns a column of the linear part.
pub(super) fn column(map: &Affine64, index: usize) -> [f64; 3] {
    map.map(|row| row[index])
}

/// Returns how far a map is from flattening space: its determinant over the product of its columns' lengths.
pub(super) fn spread(map: &Affine64) -> f64 {
    let [x, y, z] = [column(map, 0), column(map, 1), column(map, 2)];
    let lengths = length(x) * length(y) * length(z);
    if lengths > 0.0 {
        dot(cross(x, y), z).abs() / lengths
    } else {
        0.0
    }
}

/// Strips scale and shear, keeping the direction of -z and the half plane of +y. `None` if there is no such
/// direction.
pub(super) fn rigid(map: &Affine64) -> Option<Affine64> {
    let z = normalized(column(map, 2))?;
    let x = normalized(cross(column(map, 1), z))?;
    let y = cross(z, x);
    let mut out = *map;
    for (row, values) in out.iter_mut().enumerate() {
        (values[0], values[1], values[2]) = (x[row], y[row], z[row]);
    }
    Some(out)
}

/// Returns the map of a viewer at `eye` who looks at `target`, +y up.
pub(super) fn look_at(eye: [f64; 3], target: [f64; 3]) -> Option<Affine64> {
    let back = [eye[0] - target[0], eye[1] - target[1], eye[2] - target[2]];
    rigid(&[
        [0.0, 0.0, back[0], eye[0]],
        [0.0, 1.0, back[1], eye[1]],
        [0.0, 0.0, back[2], eye[2]],
    ])
}

/// Returns the dot product.
pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Returns the cross product.
pub(super) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// Returns the length of a vector.
pub(super) fn length(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

/// Returns the unit vector of the same direction. `None` for one without a direction.
pub(super) fn normalized(a: [f64; 3]) -> Option<[f64; 3]> {
    let length = length(a);
    (length > 1e-30 && length.is_finite()).then(|| a.map(|value| value / length))
}

/// Returns the quaternion of length one that is nearest. `None` if there is none.
pub(super) fn unit_quaternion(q: [f64; 4]) -> Option<[f64; 4]> {
    let length = (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]).sqrt();
    (length > 1e-12 && length.is_finite()).then(|| q.map(|value| value / length))
}

/// Turns from `a` to `b`, both unit quaternions, the shorter way.
pub(super) fn slerp(a: [f64; 4], b: [f64; 4], t: f64) -> [f64; 4] {
    let cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
    let (cosine, sign) = if cosine < 0.0 {
        (-cosine, -1.0)
    } else {
        (cosine, 1.0)
    };
    let (from, to) = if cosine > 0.9995 {
        (1.0 - t, t)
    } else {
        let angle = libm::acos(cosine);
        let sine = libm::sin(angle);
        (
            libm::sin((1.0 - t) * angle) / sine,
            libm::sin(t * angle) / sine,
        )
    };
    let mut out = [0.0; 4];
    for (i, value) in out.iter_mut().enumerate() {
        *value = from * a[i] + to * sign * b[i];
    }
    unit_quaternion(out).unwrap_or(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_sees_the_target_along_its_negative_z() {
        let map = look_at([3.0, 2.0, 5.0], [1.0, 0.0, 1.0]).unwrap();
        let ahead = transform(&map, [0.0, 0.0, -(24.0_f32.sqrt())]);
        for (got, wanted) in ahead.iter().zip([1.0, 0.0, 1.0]) {
            assert!((got - wanted).abs() < 1e-6, "{ahead:?}");
        }
        assert!(column(&map, 1)[1] > 0.0, "up is up");
    }

    #[test]
    fn half_a_turn_between_two_quaternions_is_the_middle() {
        let quarter = std::f64::consts::FRAC_1_SQRT_2;
        let middle = slerp([0.0, 0.0, 0.0, 1.0], [0.0, quarter, 0.0, quarter], 0.5);
        let angle = std::f64::consts::FRAC_PI_8;
        assert!((middle[1] - angle.sin()).abs() < 1e-12);
        assert!((middle[3] - angle.cos()).abs() < 1e-12);
    }

    #[test]
    fn a_map_that_flattens_has_no_spread() {
        assert_eq!(spread(&IDENTITY), 1.0);
        assert_eq!(
            spread(&from_trs([0.0; 3], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0])),
            0.0
        );
    }
}
