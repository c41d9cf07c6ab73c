//! What a caller chooses about an import.

use super::{ImportError, limits};
use crate::scene::SkyPart;

/// What a caller chooses about an import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// What surrounds the scene. `None`: nothing if the file has lights, else a soft sky.
    pub sky: Option<SkyPart>,
    /// Frames per second at which animations are sampled: above 0, at most 1000.
    pub fps: f32,
    /// How many frames, the first at time 0. `None`: as many as the animation lasts, at least one.
    pub frame_count: Option<u32>,
    /// Which animation plays. `None`: all together, as exporters that write one for each object mean it.
    pub animation: Option<usize>,
    /// Which scene of the file. `None`: the one that the file names, or its first.
    pub scene: Option<usize>,
    /// Longest edge of a texture in pixels, at least 1: larger images are halved until they fit.
    pub texture_edge_max: u32,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            sky: None,
            fps: 24.0,
            frame_count: None,
            animation: None,
            scene: None,
            texture_edge_max: 2048,
        }
    }
}

impl ImportOptions {
    /// Checks the bounds that stand at the fields.
    pub(super) fn check(&self) -> Result<(), ImportError> {
        let wrong = |option, value| Err(ImportError::OptionOutOfRange { option, value });
        if !(self.fps > 0.0 && self.fps <= 1000.0) {
            return wrong("fps", f64::from(self.fps));
        }
        if self.texture_edge_max == 0 {
            return wrong("texture_edge_max", 0.0);
        }
        match self.frame_count {
            Some(count) if count == 0 || count > limits::FRAMES_MAX => {
                wrong("frame_count", f64::from(count))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the time of each frame in seconds, for an animation that ends at `end_s`.
    pub(super) fn times_s(&self, end_s: f32) -> Result<Vec<f64>, ImportError> {
        let fps = f64::from(self.fps);
        // A keyframe that lies on a frame has not to be missed for the rounding of its time.
        let last = (f64::from(end_s) * fps + 1e-3).floor();
        let count = match self.frame_count {
            Some(count) => count,
            None if last >= f64::from(limits::FRAMES_MAX) => {
                return Err(ImportError::TooMany {
                    what: "frames (ask for fewer, or for a lower fps)",
                    max: u64::from(limits::FRAMES_MAX),
                });
            }
            None => last as u32 + 1,
        };
        Ok((0..count).map(|frame| f64::from(frame) / fps).collect())
    }
}
