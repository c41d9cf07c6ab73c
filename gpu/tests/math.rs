//! The kernels' arithmetic against other implementations: the processor's, and double precision.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::all_kernels;
use inferix_gpu::kernels::{
    Kernels,
    Number::{
        self, Add, Arccosine, Arctangent, Cosine, CosineTurn, Div, Exp, Floor, Fma, FmaDouble, Log,
        Mul, Pow, Sine, SineTurn, SoftAdd, SoftCompare, SoftDiv, SoftFma, SoftFromI32, SoftFromU32,
        SoftMul, SoftSqrt, SoftSub, SoftToI32, SoftToU32, Sqrt, Sub, ToInt,
    },
};

const SEED: u64 = 0x5eed_0001;

/// Numbers with every exponent, and the special ones more often than by chance.
struct Dice(u64);

impl Dice {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn float(&mut self) -> f32 {
        const SPECIAL: [u32; 12] = [
            0,
            1,
            0x007f_ffff,
            0x0080_0000,
            0x3f80_0000,
            0x7f7f_ffff,
            0x7f80_0000,
            0x7fc0_0000,
            0x7f80_0001,
            0x3400_0000,
            0x4b00_0000,
            0x0000_0100,
        ];
        let word = self.word();
        let sign = (word >> 32) as u32 & 0x8000_0000;
        match word % 8 {
            0 => f32::from_bits(SPECIAL[(word >> 8) as usize % SPECIAL.len()] | sign),
            // Near one, where sums cancel.
            1..4 => f32::from_bits((0x3f00_0000 + (word >> 40) as u32 % 0x0180_0000) | sign),
            4 => f32::from_bits((word >> 8) as u32 & 0x007f_ffff | sign),
            _ => f32::from_bits((word >> 16) as u32),
        }
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.word() >> 40) as f32 / (1 << 24) as f32)
    }
}

fn bits(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

#[test]
fn operations_round_like_the_processor_on_every_kind_of_number() {
    for kernels in all_kernels() {
        let mut dice = Dice(SEED);
        for _ in 0..400_000 {
            let (a, b, c) = (dice.float(), dice.float(), dice.float());
            for (function, expected) in [
                (Fma, a.mul_add(b, c)),
                (FmaDouble, a.mul_add(b, c)),
                (Sqrt, a.sqrt()),
                (Add, a + b),
                (Sub, a - b),
                (Mul, a * b),
                (Div, a / b),
                (Floor, a.floor()),
                (ToInt, a as i32 as f32),
            ] {
                let got = kernels.number(function, a, b, c).to_bits();
                // An integer has one zero.
                let expected = if function == ToInt {
                    expected + 0.0
                } else {
                    expected
                };
                let same = got == bits(expected)
                    || function == Floor && expected == 0.0 && f32::from_bits(got) == 0.0;
                assert!(
                    same,
                    "{function:?}({a:e}, {b:e}, {c:e}) is {got:#x}, not {expected:e}"
                );
            }
        }
    }
}

#[test]
fn a_fused_multiply_add_rounds_once_where_two_roundings_would_show() {
    // 1 + 2^-23 times itself is 1 + 2^-22 + 2^-46: the last term decides ties.
    let a = f32::from_bits(0x3f80_0001);
    for kernels in all_kernels() {
        for c in [
            2.0_f32.powi(-25),
            -(2.0_f32.powi(-25)),
            2.0_f32.powi(-24),
            -1.0,
            1e-45,
        ] {
            for function in [Fma, FmaDouble] {
                let got = kernels.number(function, a, a, c);
                assert_eq!(got.to_bits(), a.mul_add(a, c).to_bits(), "{c:e}");
            }
        }
    }
}

#[test]
fn elementary_functions_stay_within_their_bounds() {
    let kernels = Kernels::detect();
    let mut dice = Dice(SEED);
    let tau = std::f64::consts::TAU;
    for _ in 0..400_000 {
        let x = dice.between(-87.0, 88.0);
        check(&kernels, Exp, (x, 0.0), f64::from(x).exp(), 1.0);
        let x = f32::from_bits((dice.word() >> 33) as u32 % 0x7f7f_ffff + 1);
        check(&kernels, Log, (x, 0.0), f64::from(x).ln(), 2.0);
        let x = dice.between(-8192.0, 8192.0);
        check(&kernels, Sine, (x, 0.0), f64::from(x).sin(), 2.0);
        check(&kernels, Cosine, (x, 0.0), f64::from(x).cos(), 2.0);
        let x = dice.between(0.0, 1.0);
        check(
            &kernels,
            SineTurn,
            (x, 0.0),
            (f64::from(x) * tau).sin(),
            2.0,
        );
        check(
            &kernels,
            CosineTurn,
            (x, 0.0),
            (f64::from(x) * tau).cos(),
            2.0,
        );
        let (y, x) = (dice.between(-2.0, 2.0), dice.between(-2.0, 2.0));
        check(
            &kernels,
            Arctangent,
            (y, x),
            f64::from(y).atan2(f64::from(x)),
            4.0,
        );
        let x = dice.between(-1.0, 1.0);
        check(&kernels, Arccosine, (x, 0.0), f64::from(x).acos(), 4.0);
        let (x, y) = (dice.between(0.01, 4.0), dice.between(-3.0, 3.0));
        let exact = f64::from(x).powf(f64::from(y));
        let bound = 4.0 + 2.0 * (f64::from(y) * f64::from(x).ln()).abs();
        check(&kernels, Pow, (x, y), exact, bound);
    }
}

/// Fails if the result is farther from the exact one than `ulps` units in its last place, or than 2^-24
/// units of one where a result near zero comes from arguments that are not.
fn check(kernels: &Kernels, function: Number, (a, b): (f32, f32), exact: f64, ulps: f64) {
    let got = f64::from(kernels.number(function, a, b, 0.0));
    let exponent = (exact.abs() as f32).to_bits() >> 23;
    let ulp = 2.0_f64.powi(exponent.max(1) as i32 - 127 - 23);
    let is_wave = matches!(function, Sine | Cosine | SineTurn | CosineTurn);
    let floor = if is_wave { 2.0_f64.powi(-24) } else { 0.0 };
    let bound = (ulps * ulp).max(floor);
    let error = (got - exact).abs();
    assert!(
        error <= bound,
        "{function:?}({a:e}, {b:e}) is {got:e}, not {exact:e}: {}",
        error / ulp
    );
}

#[test]
fn elementary_functions_give_the_same_bits_in_every_build_and_end_on_any_number() {
    let all = all_kernels();
    let mut dice = Dice(SEED);
    for _ in 0..200_000 {
        let (a, b) = (dice.float(), dice.float());
        for function in [
            Exp, Log, Sine, Cosine, SineTurn, CosineTurn, Arctangent, Arccosine, Pow,
        ] {
            let first = all[0].number(function, a, b, 0.0).to_bits();
            for kernels in &all[1..] {
                let got = kernels.number(function, a, b, 0.0).to_bits();
                assert_eq!(got, first, "{function:?}({a:e}, {b:e})");
            }
        }
    }
}

/// The dispute VM's floats against the processor's. The long run, outside of CI: `SOFT_FLOAT_COUNT=100000000`.
#[test]
fn soft_floats_are_the_processors() {
    let count = std::env::var("SOFT_FLOAT_COUNT").map_or(300_000, |count| count.parse().unwrap());
    let kernels = Kernels::detect();
    let mut dice = Dice(SEED);
    let canonical = |x: f32| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() };
    for _ in 0..count {
        let (a, b) = (dice.float(), dice.float());
        // Sums that cancel, and almost cancel.
        let near = f32::from_bits((-(a * b)).to_bits() ^ (dice.word() & 1) as u32);
        let c = if dice.word().is_multiple_of(4) {
            near
        } else {
            dice.float()
        };
        let soft = |number: Number| kernels.number(number, a, b, c).to_bits();
        let order = a
            .partial_cmp(&b)
            .map_or(2.0, |order| f32::from(order as i8));
        let results = [
            (SoftAdd, canonical(a + b)),
            (SoftSub, canonical(a - b)),
            (SoftMul, canonical(a * b)),
            (SoftDiv, canonical(a / b)),
            (SoftSqrt, canonical(a.sqrt())),
            (SoftFma, canonical(a.mul_add(b, c))),
            (SoftCompare, order.to_bits()),
            (SoftFromI32, (a.to_bits().cast_signed() as f32).to_bits()),
            (SoftFromU32, (a.to_bits() as f32).to_bits()),
            // Rust saturates too; only NaN goes elsewhere.
            (
                SoftToI32,
                if a.is_nan() {
                    i32::MAX as u32
                } else {
                    (a as i32) as u32
                },
            ),
        ];
        for (number, needed) in results {
            let got = soft(number);
            assert_eq!(
                got,
                needed,
                "{number:?} of {a:e} {b:e} {c:e} ({:08x})",
                a.to_bits()
            );
        }
        if !a.is_nan() {
            assert_eq!(soft(SoftToU32), a as u32, "SoftToU32 of {a:e}");
        }
    }
}
