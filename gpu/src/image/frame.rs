//! A frame while its tiles arrive.

use super::ImageError;
use crate::{UnitOutput, render::RenderParams};

/// Linear RGB radiance of a frame, some of whose tiles may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Pixels in a row.
    width: u32,
    /// Rows.
    height: u32,
    /// The pixels, top row first; black where they are missing.
    pixels: Vec<[f32; 3]>,
    /// Which pixels are there. Empty: all.
    is_there: Vec<bool>,
    /// Pixels that are missing.
    missing_count: usize,
}

impl Frame {
    /// Makes a frame of all its pixels.
    ///
    /// # Errors
    ///
    /// [`ImageError::WrongLength`] if there are more or fewer.
    pub fn new(width: u32, height: u32, pixels: Vec<[f32; 3]>) -> Result<Self, ImageError> {
        if pixels.len() as u64 != u64::from(width) * u64::from(height) {
            return Err(ImageError::WrongLength {
                width,
                height,
                len: pixels.len(),
            });
        }
        Ok(Self {
            width,
            height,
            pixels,
            is_there: Vec::new(),
            missing_count: 0,
        })
    }

    /// Begins a frame of a job without any of its tiles.
    pub fn empty(params: &RenderParams) -> Self {
        let count = params.width as usize * params.height as usize;
        Self {
            width: params.width,
            height: params.height,
            pixels: vec![[0.0; 3]; count],
            is_there: vec![false; count],
            missing_count: count,
        }
    }

    /// Adds a unit of the frame. Returns whether it is one; if not, nothing changes.
    pub fn add(&mut self, params: &RenderParams, frame: u32, unit: &UnitOutput) -> bool {
        if !params.assemble(frame, unit, &mut self.pixels) {
            return false;
        }
        let (Some(tile), false) = (params.tile(unit.unit_index), self.is_there.is_empty()) else {
            return true;
        };
        let columns = tile.x..(tile.x + params.tile_edge).min(self.width);
        for y in tile.y..(tile.y + params.tile_edge).min(self.height) {
            let row = y as usize * self.width as usize;
            let range = row + columns.start as usize..row + columns.end as usize;
            for is_there in &mut self.is_there[range] {
                self.missing_count -= usize::from(!*is_there);
                *is_there = true;
            }
        }
        true
    }

    /// Returns how many pixels are in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns how many rows there are.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the pixels, top row first; black where they are missing.
    pub fn pixels(&self) -> &[[f32; 3]] {
        &self.pixels
    }

    /// Returns whether every pixel is there.
    pub fn is_complete(&self) -> bool {
        self.missing_count == 0
    }

    /// Returns whether a pixel is there.
    pub(super) fn has(&self, index: usize) -> bool {
        self.is_there.get(index).copied().unwrap_or(true)
    }
}
