//! Units of the render program: which tile each is, and where its pixels belong.
//!
//! # Layout
//!
//! - Units count tiles row by row, frame after frame. Tiles at the right and lower edge may stick out: their
//!   pixels outside of the frame are zero.
//! - The output region of a unit holds `tile_edge^2` pixels, row by row, of [`PIXEL_BYTES`] bytes: red,
//!   green and blue radiance as `f32`, and what the pixel cost as `u32`.

use std::ops::Range;

use super::RenderParams;
use crate::UnitOutput;

/// Bytes of a pixel in a unit's output.
pub const PIXEL_BYTES: usize = 16;
/// Samples of a sub-unit, as in `kernels/cost.h`.
pub const SUB_UNIT_SAMPLES: u32 = 16;

/// One tile of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The frame, counted over the scene.
    pub frame: u32,
    /// Its leftmost pixel.
    pub x: u32,
    /// Its uppermost pixel.
    pub y: u32,
}

/// Returns what pixels of an output cost together, by their own words. Of a unit that is done, that is its cost;
/// of one that was capped, what was not cut, and the last pixel is zero.
pub fn pixels_cost(pixels: &[u8]) -> u64 {
    let costs = pixels.chunks_exact(4).skip(3).step_by(4);
    costs
        .map(|word| u64::from(u32::from_le_bytes([word[0], word[1], word[2], word[3]])))
        .sum()
}

impl RenderParams {
    /// Returns how many units the job has.
    pub fn unit_count(&self) -> u64 {
        u64::from(self.frame_count) * self.tiles_per_frame()
    }

    /// Returns how many units a frame has.
    pub fn tiles_per_frame(&self) -> u64 {
        u64::from(self.tiles_per_row()) * u64::from(self.height.div_ceil(self.tile_edge))
    }

    /// Returns the units of a frame, counted over the scene. `None` if it is not the job's.
    pub fn units_of_frame(&self, frame: u32) -> Option<Range<u64>> {
        let index = frame.checked_sub(self.first_frame)?;
        if index >= self.frame_count {
            return None;
        }
        let first = u64::from(index) * self.tiles_per_frame();
        Some(first..first + self.tiles_per_frame())
    }

    /// Returns the tile that a unit renders. `None` if the unit is not the job's.
    pub fn tile(&self, unit_index: u64) -> Option<Tile> {
        if unit_index >= self.unit_count() {
            return None;
        }
        let frame = u32::try_from(unit_index / self.tiles_per_frame()).ok()?;
        let tile = u32::try_from(unit_index % self.tiles_per_frame()).ok()?;
        Some(Tile {
            frame: self.first_frame + frame,
            x: tile % self.tiles_per_row() * self.tile_edge,
            y: tile / self.tiles_per_row() * self.tile_edge,
        })
    }

    /// Returns log2 of the bytes of a unit's output region.
    pub fn log2_output(&self) -> u32 {
        2 * self.tile_edge.trailing_zeros() + PIXEL_BYTES.trailing_zeros()
    }

    /// Returns how many sub-units a pixel has: ranges of [`SUB_UNIT_SAMPLES`] samples.
    pub fn range_count(&self) -> u32 {
        self.samples.div_ceil(SUB_UNIT_SAMPLES)
    }

    /// Copies a unit's pixels to their place in a linear RGB frame of `width * height` pixels.
    ///
    /// Returns whether the output is a unit of that frame and has the right size; if not, nothing is
    /// written.
    pub fn assemble(&self, frame: u32, unit: &UnitOutput, pixels: &mut [[f32; 3]]) -> bool {
        let width = self.width as usize;
        let Some(tile) = self
            .tile(unit.unit_index)
            .filter(|tile| tile.frame == frame)
        else {
            return false;
        };
        if unit.output.len() != 1 << self.log2_output()
            || pixels.len() != width * self.height as usize
        {
            return false;
        }
        for (i, pixel) in unit.output.chunks_exact(PIXEL_BYTES).enumerate() {
            let x = tile.x as usize + i % self.tile_edge as usize;
            let y = tile.y as usize + i / self.tile_edge as usize;
            if x < width && y < self.height as usize {
                let words: [f32; 4] = bytemuck::pod_read_unaligned(pixel);
                pixels[y * width + x] = [words[0], words[1], words[2]];
            }
        }
        true
    }

    fn tiles_per_row(&self) -> u32 {
        self.width.div_ceil(self.tile_edge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        UnitStatus,
        render::{CameraChoice, ParamsError},
    };

    fn params() -> RenderParams {
        RenderParams {
            first_frame: 3,
            frame_count: 2,
            ..RenderParams::new(40, 20, 1)
        }
    }

    #[test]
    fn parameters_survive_their_bytes() {
        let own = CameraChoice::own([[1.0, 0.0, 0.0, 2.0]; 3], 0.7);
        let own = RenderParams {
            camera: own,
            seed: u64::MAX - 5,
            ..params()
        };
        for params in [params(), own] {
            assert_eq!(RenderParams::decode(&params.encode()), Ok(params));
        }
    }

    #[test]
    fn a_reserved_word_that_is_not_zero_is_refused() {
        let mut bytes = params().encode();
        bytes[127] = 1;
        assert_eq!(RenderParams::decode(&bytes), Err(ParamsError::NotCanonical));
    }

    #[test]
    fn a_tile_edge_that_is_no_power_of_two_is_refused() {
        let err = RenderParams {
            tile_edge: 24,
            ..params()
        }
        .check()
        .unwrap_err();
        assert_eq!(
            err,
            ParamsError::OutOfRange {
                field: "tile_edge",
                value: 24
            }
        );
    }

    #[test]
    fn units_count_tiles_row_by_row_and_frame_by_frame() {
        let params = params();
        assert_eq!((params.tiles_per_frame(), params.unit_count()), (6, 12));
        assert_eq!(
            params.tile(4),
            Some(Tile {
                frame: 3,
                x: 16,
                y: 16
            })
        );
        assert_eq!(
            params.tile(6),
            Some(Tile {
                frame: 4,
                x: 0,
                y: 0
            })
        );
        assert_eq!(params.tile(12), None);
        assert_eq!(params.units_of_frame(4), Some(6..12));
        assert_eq!(params.units_of_frame(5), None);
    }

    #[test]
    fn assembling_every_unit_fills_the_frame_and_no_more() {
        let params = params();
        let mut pixels = vec![[0.0; 3]; 40 * 20];
        for unit_index in 0..6 {
            let mut output = Vec::new();
            for i in 0..256_u16 {
                let words = [unit_index as f32 + 1.0, f32::from(i), 0.0, 9.0];
                output.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            }
            let unit = UnitOutput {
                unit_index,
                status: UnitStatus::Done,
                cost: 0,
                output_root: [0; 32],
                output,
            };
            assert!(params.assemble(3, &unit, &mut pixels));
            assert!(!params.assemble(4, &unit, &mut pixels));
        }
        assert!(pixels.iter().all(|pixel| pixel[0] > 0.0));
        assert_eq!(pixels[19 * 40 + 39], [6.0, 3.0 * 16.0 + 7.0, 0.0]);
    }
}
