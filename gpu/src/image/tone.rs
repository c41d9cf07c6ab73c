//! From radiance to what a screen shows.

use super::Frame;

/// The mean luminance of a picture, as photographers meter it.
const GREY: f64 = 0.18;
/// Stops by which automatic exposure may change a picture.
const AUTO_STOPS: [f64; 2] = [-8.0, 8.0];
/// Luminance below which a pixel does not count for automatic exposure.
const DARK: f64 = 1e-5;

/// How radiance becomes a color.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// How bright.
    pub exposure: Exposure,
    /// What happens to highlights.
    pub curve: Curve,
}

impl Default for Tone {
    fn default() -> Self {
        Self {
            exposure: Exposure::Stops(0.0),
            curve: Curve::Filmic,
        }
    }
}

/// How bright a picture becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exposure {
    /// Radiance is multiplied by two to this power.
    Stops(f32),
    /// The geometric mean of the luminance becomes middle grey.
    Auto,
}

/// What happens to highlights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// They roll off as on film: the fit of the ACES reference transform by Hill.
    Filmic,
    /// They are cut off.
    Clip,
}

impl Tone {
    /// Returns by how much the radiance of a frame is multiplied.
    pub fn scale(&self, frame: &Frame) -> f32 {
        match self.exposure {
            Exposure::Stops(stops) => stops.exp2(),
            Exposure::Auto => auto_scale(frame),
        }
    }

    /// Returns the sRGB color of a radiance. Numbers that are none become black.
    pub fn color(&self, radiance: [f32; 3], scale: f32) -> [u8; 3] {
        let scaled = radiance.map(|value| {
            let value = value * scale;
            if value.is_nan() {
                0.0
            } else {
                value.clamp(0.0, 1e6)
            }
        });
        let shown = match self.curve {
            Curve::Filmic => filmic(scaled),
            Curve::Clip => scaled,
        };
        shown.map(|value| (encode_srgb(value.clamp(0.0, 1.0)) * 255.0 + 0.5) as u8)
    }
}

fn auto_scale(frame: &Frame) -> f32 {
    let luminances = frame
        .pixels()
        .iter()
        .enumerate()
        .filter_map(|(index, pixel)| {
            let [r, g, b] = pixel.map(f64::from);
            let luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            (frame.has(index) && luminance.is_finite() && luminance > DARK)
                .then_some(luminance.log2())
        });
    let (count, sum) = luminances.fold((0_u64, 0.0), |(count, sum), log| (count + 1, sum + log));
    if count == 0 {
        return 1.0;
    }
    let stops = GREY.log2() - sum / count as f64;
    stops.clamp(AUTO_STOPS[0], AUTO_STOPS[1]).exp2() as f32
}

/// Returns Hill's fit of the ACES reference rendering transform and sRGB output transform.
fn filmic(color: [f32; 3]) -> [f32; 3] {
    const INPUT: [[f32; 3]; 3] = [
        [0.59719, 0.35458, 0.04823],
        [0.07600, 0.90834, 0.01566],
        [0.02840, 0.13383, 0.83777],
    ];
    const OUTPUT: [[f32; 3]; 3] = [
        [1.60475, -0.53108, -0.07367],
        [-0.10208, 1.10813, -0.00605],
        [-0.00327, -0.07276, 1.07602],
    ];
    let curve = |v: f32| {
        (v * (v + 0.024_578_6) - 0.000_090_537) / (v * (0.983_729 * v + 0.432_951) + 0.238_081)
    };
    apply(&OUTPUT, apply(&INPUT, color).map(curve))
}

fn apply(matrix: &[[f32; 3]; 3], v: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

fn encode_srgb(value: f32) -> f32 {
    if value <= 0.003_130_8 {
        return 12.92 * value;
    }
    1.055 * value.powf(1.0 / 2.4) - 0.055
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIP: Tone = Tone {
        exposure: Exposure::Stops(0.0),
        curve: Curve::Clip,
    };

    #[test]
    fn clipped_colors_follow_the_srgb_curve() {
        // By the sRGB standard 128 stands for a linear 0.215861.
        assert_eq!(CLIP.color([0.215_861, 0.0, 1.0], 1.0), [128, 0, 255]);
        assert_eq!(CLIP.color([0.001, 7.0, -3.0], 1.0), [3, 255, 0]);
    }

    #[test]
    fn numbers_that_are_none_show_as_black_or_white() {
        assert_eq!(
            CLIP.color([f32::NAN, f32::INFINITY, f32::NEG_INFINITY], 1.0),
            [0, 255, 0]
        );
    }

    #[test]
    fn the_filmic_curve_grows_and_ends_at_white() {
        let tone = Tone::default();
        let shown: Vec<u8> = (0..12)
            .map(|stop| tone.color([0.01 * 2.0_f32.powi(stop); 3], 1.0)[1])
            .collect();
        assert!(shown.windows(2).all(|pair| pair[0] <= pair[1]), "{shown:?}");
        assert!(shown[0] < 20 && shown[11] >= 250, "{shown:?}");
    }

    #[test]
    fn automatic_exposure_moves_an_even_picture_to_grey() {
        let frame = Frame::new(2, 1, vec![[0.72; 3]; 2]).unwrap();
        let tone = Tone {
            exposure: Exposure::Auto,
            ..CLIP
        };
        assert!((tone.scale(&frame) - 0.25).abs() < 1e-3);
    }
}
