//! The parameter region of a render: what a job fixes besides the scene.
//!
//! [`PARAMS_BYTES`] bytes, little-endian, the twin of `kernels/params.h`.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::scene::Affine;

/// Size of the encoded parameters.
pub const PARAMS_BYTES: usize = 128;
/// Edge of a frame, at most.
pub const FRAME_EDGE_MAX: u32 = 16384;
/// Paths of a pixel, at most.
pub const SAMPLES_MAX: u32 = 65536;
/// Frames of a scene, at most.
pub const FRAMES_MAX: u32 = 1 << 20;
/// Times that a path may scatter, at most.
pub const DEPTH_MAX: u32 = 64;

const MAGIC: u32 = 0x5058_4649;
const VERSION: u32 = 1;
const FLAG_CAMERA: u32 = 1;
const TILE_EDGES: Range<u32> = 4..129;

/// What a job fixes besides the scene.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderParams {
    /// Pixels in a row: 1 to [`FRAME_EDGE_MAX`].
    pub width: u32,
    /// Rows: 1 to [`FRAME_EDGE_MAX`].
    pub height: u32,
    /// Paths for each pixel: 1 to [`SAMPLES_MAX`].
    pub samples: u32,
    /// Times that a path may scatter: 1 to [`DEPTH_MAX`].
    pub max_depth: u32,
    /// Edge of a tile in pixels: a power of two from 4 to 128.
    pub tile_edge: u32,
    /// First frame, counted over the scene.
    pub first_frame: u32,
    /// Frames, at least one.
    pub frame_count: u32,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Where the rays begin.
    pub camera: CameraChoice,
    /// How a pixel weighs its surroundings.
    pub filter: PixelFilter,
    /// Upper bound for what one path adds to a channel; 0 for none. Trades bright specks for a bias.
    pub radiance_clamp: f32,
}

/// Where the rays begin.
#[derive(Clone, Debug, PartialEq)]
pub enum CameraChoice {
    /// A camera of the scene.
    Scene {
        /// Its index within the frame.
        index: u32,
    },
    /// A perspective camera of the job's own, for all frames.
    Own {
        /// Camera to world.
        to_world: Affine,
        /// Tangent of half the vertical field of view, above 0.
        tan_half_yfov: f32,
    },
}

/// How a pixel weighs its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFilter {
    /// Its own square, evenly.
    Box,
    /// A tent of two pixels' width.
    Tent,
}

impl RenderParams {
    /// Returns the parameters of one frame with the defaults that a first try needs.
    pub fn new(width: u32, height: u32, samples: u32) -> Self {
        Self {
            width,
            height,
            samples,
            max_depth: 8,
            tile_edge: 16,
            first_frame: 0,
            frame_count: 1,
            seed: 0,
            camera: CameraChoice::Scene { index: 0 },
            filter: PixelFilter::Tent,
            radiance_clamp: 0.0,
        }
    }

    /// Returns the parameter region.
    pub fn encode(&self) -> [u8; PARAMS_BYTES] {
        bytemuck::cast(self.to_raw())
    }

    /// Reads a parameter region.
    ///
    /// # Errors
    ///
    /// [`ParamsError`] unless the bytes are exactly what [`encode`](Self::encode) makes of parameters
    /// within their bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, ParamsError> {
        let raw: RawParams =
            bytemuck::try_pod_read_unaligned(bytes).map_err(|_| ParamsError::WrongSize {
                len_bytes: bytes.len(),
            })?;
        if raw.magic != MAGIC || raw.version != VERSION {
            return Err(ParamsError::NotParams {
                magic: raw.magic,
                version: raw.version,
            });
        }
        let params = Self {
            width: raw.width,
            height: raw.height,
            samples: raw.samples,
            max_depth: raw.max_depth,
            tile_edge: raw.tile_edge,
            first_frame: raw.first_frame,
            frame_count: raw.frame_count,
            seed: u64::from(raw.seed[0]) | u64::from(raw.seed[1]) << 32,
            camera: raw.camera_choice()?,
            filter: raw.pixel_filter()?,
            radiance_clamp: raw.radiance_clamp,
        };
        params.check()?;
        if params.to_raw().bytes() != raw.bytes() {
            return Err(ParamsError::NotCanonical);
        }
        Ok(params)
    }

    /// Checks the bounds that stand at the fields.
    ///
    /// # Errors
    ///
    /// [`ParamsError`] that names the first field outside of its bounds.
    pub fn check(&self) -> Result<(), ParamsError> {
        let bounds = [
            ("width", self.width, 1..FRAME_EDGE_MAX + 1),
            ("height", self.height, 1..FRAME_EDGE_MAX + 1),
            ("samples", self.samples, 1..SAMPLES_MAX + 1),
            ("max_depth", self.max_depth, 1..DEPTH_MAX + 1),
            ("tile_edge", self.tile_edge, TILE_EDGES),
            ("frame_count", self.frame_count, 1..FRAMES_MAX + 1),
            ("first_frame", self.first_frame, 0..FRAMES_MAX),
        ];
        for (field, value, range) in bounds {
            if !range.contains(&value) {
                return Err(ParamsError::OutOfRange {
                    field,
                    value: value.into(),
                });
            }
        }
        if !self.tile_edge.is_power_of_two() {
            let value = self.tile_edge.into();
            return Err(ParamsError::OutOfRange {
                field: "tile_edge",
                value,
            });
        }
        if !self.radiance_clamp.is_finite() || self.radiance_clamp.is_sign_negative() {
            let value = self.radiance_clamp;
            return Err(ParamsError::NumberOutOfRange {
                field: "radiance_clamp",
                value,
            });
        }
        self.camera.check()
    }

    fn to_raw(&self) -> RawParams {
        let mut raw = RawParams {
            magic: MAGIC,
            version: VERSION,
            width: self.width,
            height: self.height,
            samples: self.samples,
            max_depth: self.max_depth,
            tile_edge: self.tile_edge,
            first_frame: self.first_frame,
            frame_count: self.frame_count,
            filter: match self.filter {
                PixelFilter::Box => 0,
                PixelFilter::Tent => 1,
            },
            seed: [self.seed as u32, (self.seed >> 32) as u32],
            radiance_clamp: self.radiance_clamp,
            ..RawParams::zeroed()
        };
        match &self.camera {
            CameraChoice::Scene { index } => raw.camera = *index,
            CameraChoice::Own {
                to_world,
                tan_half_yfov,
            } => {
                raw.flags = FLAG_CAMERA;
                raw.camera_to_world = bytemuck::cast(*to_world);
                raw.camera_tan_half_yfov = *tan_half_yfov;
            }
        }
        raw
    }
}

impl CameraChoice {
    /// Returns a perspective camera of the job's own, with `yfov` radians from the lower to the upper edge.
    pub fn own(to_world: Affine, yfov: f32) -> Self {
        Self::Own {
            to_world,
            tan_half_yfov: libm::tanf(yfov * 0.5),
        }
    }

    fn check(&self) -> Result<(), ParamsError> {
        let Self::Own {
            to_world,
            tan_half_yfov,
        } = self
        else {
            return Ok(());
        };
        let numbers = to_world
            .as_flattened()
            .iter()
            .map(|value| ("camera_to_world", *value));
        for (field, value) in numbers.chain([("camera_tan_half_yfov", *tan_half_yfov)]) {
            if !value.is_finite() {
                return Err(ParamsError::NumberOutOfRange { field, value });
            }
        }
        if *tan_half_yfov <= 0.0 {
            let value = *tan_half_yfov;
            return Err(ParamsError::NumberOutOfRange {
                field: "camera_tan_half_yfov",
                value,
            });
        }
        Ok(())
    }
}

/// Why parameters were refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParamsError {
    /// The region has another size.
    #[error("{len_bytes} bytes of parameters, not {PARAMS_BYTES}")]
    WrongSize {
        /// Its size.
        len_bytes: usize,
    },
    /// The region does not begin with this version's header.
    #[error("not render parameters: magic {magic:#010x}, version {version}")]
    NotParams {
        /// The first word.
        magic: u32,
        /// The second word.
        version: u32,
    },
    /// A number is outside of its bounds, or a reserved one is not zero.
    #[error("{field} is {value}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// A number is not finite, or outside of its bounds.
    #[error("{field} is {value}")]
    NumberOutOfRange {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: f32,
    },
    /// A field that is not in use is not zero.
    #[error("a field that is not in use is not zero")]
    NotCanonical,
    /// The scene has no such frame.
    #[error("frames up to {end_frame} of a scene with {frame_count}")]
    FrameMissing {
        /// One past the last frame that the parameters name.
        end_frame: u64,
        /// How many the scene has.
        frame_count: u32,
    },
    /// A frame of the scene has no such camera.
    #[error("camera {camera} of frame {frame}, which has {camera_count}")]
    CameraMissing {
        /// The camera that the parameters name.
        camera: u32,
        /// The frame.
        frame: u32,
        /// How many cameras it has.
        camera_count: u32,
    },
}

/// The parameter region in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
struct RawParams {
    magic: u32,
    version: u32,
    width: u32,
    height: u32,
    samples: u32,
    max_depth: u32,
    tile_edge: u32,
    first_frame: u32,
    frame_count: u32,
    flags: u32,
    camera: u32,
    filter: u32,
    seed: [u32; 2],
    camera_to_world: [f32; 12],
    camera_tan_half_yfov: f32,
    radiance_clamp: f32,
    reserved: [u32; 4],
}

impl RawParams {
    fn bytes(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn camera_choice(&self) -> Result<CameraChoice, ParamsError> {
        match self.flags {
            0 => Ok(CameraChoice::Scene { index: self.camera }),
            FLAG_CAMERA => Ok(CameraChoice::Own {
                to_world: bytemuck::cast(self.camera_to_world),
                tan_half_yfov: self.camera_tan_half_yfov,
            }),
            flags => Err(ParamsError::OutOfRange {
                field: "flags",
                value: flags.into(),
            }),
        }
    }

    fn pixel_filter(&self) -> Result<PixelFilter, ParamsError> {
        match self.filter {
            0 => Ok(PixelFilter::Box),
            1 => Ok(PixelFilter::Tent),
            filter => Err(ParamsError::OutOfRange {
                field: "filter",
                value: filter.into(),
            }),
        }
    }
}
