//! The sky image as the kernels read it: radiance, and how often each texel is drawn.

use super::{SkyPart, alias::alias_table, layout::SkyTexel, lights::luminance};

/// Returns the texels of a sky; none unless it is an image.
pub(super) fn texels_of(sky: &SkyPart) -> Vec<SkyTexel> {
    let SkyPart::Image {
        width,
        height,
        radiance,
        ..
    } = sky
    else {
        return Vec::new();
    };
    let (width, height) = (*width as usize, *height as usize);
    let light: Vec<f64> = radiance.iter().map(|rgb| luminance(*rgb)).collect();
    let mut weights = Vec::with_capacity(light.len());
    for y in 0..height {
        let sine = libm::sin((y as f64 + 0.5) / height as f64 * std::f64::consts::PI);
        for x in 0..width {
            weights.push(brightest_around(&light, (x, y), (width, height)) * sine);
        }
    }
    let entries = alias_table(&weights);
    let texels = radiance.iter().zip(entries);
    texels
        .map(|(radiance, entry)| SkyTexel {
            radiance: *radiance,
            pick: entry.pick,
            threshold: entry.threshold,
            alias: entry.alias,
            reserved: [0; 2],
        })
        .collect()
}

/// Returns the mean of the texel and of the brightest that its interpolation reaches: where light can be
/// seen, it must be possible to draw it.
fn brightest_around(light: &[f64], (x, y): (usize, usize), (width, height): (usize, usize)) -> f64 {
    let mut brightest = 0.0_f64;
    for row in y.saturating_sub(1)..=(y + 1).min(height - 1) {
        for column in [x + width - 1, x, x + 1] {
            brightest = brightest.max(light[row * width + column % width]);
        }
    }
    (light[y * width + x] + brightest) * 0.5
}
