//! Images of the sky: Radiance .hdr and OpenEXR files in the equirectangular projection.
//!
//! The row at +y comes first and the middle of the image looks to +x, as three.js has it. The file is not
//! trusted: its size is checked before anything is allocated.

use std::{io::Cursor, path::Path};

use image::{ImageDecoder, codecs::openexr::OpenExrDecoder};

use super::{SkyPart, radiance};

/// Bytes of a file, at most.
const FILE_BYTES_MAX: u64 = 512 << 20;
/// Pixels of a file along an edge, at most.
const FILE_EDGE_MAX: u32 = 16384;
/// Pixels of a file, at most: 8192 x 4096.
const FILE_TEXELS_MAX: u64 = 1 << 25;
/// What the decoder may allocate.
const DECODER_BYTES_MAX: u64 = 2 << 30;
/// The brightest texel, the largest finite half float: files mark the sun with infinity.
const RADIANCE_MAX: f32 = 65504.0;

/// How an image becomes a sky.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnvironmentOptions {
    /// Angle in radians by which the image is turned about +y.
    pub turn: f32,
    /// Multiplies the radiance; not negative.
    pub strength: f32,
    /// Longest edge in pixels, at least 2: a larger image is halved until it fits. A texel takes 32 bytes
    /// of the scene.
    pub edge_max: u32,
}

impl Default for EnvironmentOptions {
    fn default() -> Self {
        Self {
            turn: 0.0,
            strength: 1.0,
            edge_max: 1024,
        }
    }
}

/// Why a file is no sky.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The file could not be read.
    #[error("`{}` could not be read", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than what is read.
    #[error("more than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The file is neither Radiance nor OpenEXR.
    #[error("neither .hdr nor .exr: the file begins with {first_bytes:02x?}")]
    Format {
        /// Its first bytes.
        first_bytes: Vec<u8>,
    },
    /// The image has no pixels, or too many.
    #[error(
        "{width} x {height} pixels: at most {FILE_EDGE_MAX} an edge and {FILE_TEXELS_MAX} in all"
    )]
    Size {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
    },
    /// A Radiance file breaks a rule of its format.
    #[error("the .hdr file is broken at byte {offset}")]
    Radiance {
        /// Where.
        offset: usize,
    },
    /// An OpenEXR file does not decode.
    #[error("the .exr file does not decode")]
    OpenExr(#[source] image::ImageError),
    /// A number is not one.
    #[error("texel {texel} is not a number")]
    NotANumber {
        /// Which texel.
        texel: usize,
    },
    /// An option is outside of its bounds.
    #[error("option {option} is {value}")]
    OptionOutOfRange {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
    },
}

/// Reads a .hdr or .exr file.
///
/// # Errors
///
/// [`EnvironmentError`] says what is wrong with it.
pub fn load_environment(
    path: &Path,
    options: &EnvironmentOptions,
) -> Result<SkyPart, EnvironmentError> {
    use std::io::Read;

    let unreadable = |source| EnvironmentError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    if read.map_err(unreadable)? as u64 > FILE_BYTES_MAX {
        return Err(EnvironmentError::TooLarge {
            max_bytes: FILE_BYTES_MAX,
        });
    }
    decode_environment(&bytes, options)
}

/// Decodes the bytes of a .hdr or .exr file.
///
/// # Errors
///
/// [`EnvironmentError`] says what is wrong with them.
pub fn decode_environment(
    bytes: &[u8],
    options: &EnvironmentOptions,
) -> Result<SkyPart, EnvironmentError> {
    options.check()?;
    let mut image = if bytes.starts_with(b"#?") {
        radiance::decode(bytes)?
    } else if bytes.starts_with(&[0x76, 0x2f, 0x31, 0x01]) {
        decode_exr(bytes)?
    } else {
        return Err(EnvironmentError::Format {
            first_bytes: bytes.iter().take(8).copied().collect(),
        });
    };
    for (texel, value) in image.radiance.iter_mut().enumerate() {
        if value.iter().any(|value| value.is_nan()) {
            return Err(EnvironmentError::NotANumber { texel });
        }
        *value = value.map(|value| (value.clamp(0.0, RADIANCE_MAX)) * options.strength);
    }
    while image.width.max(image.height) > options.edge_max {
        image = image.halved();
    }
    Ok(SkyPart::Image {
        width: image.width,
        height: image.height,
        radiance: image.radiance,
        turn: options.turn,
    })
}

impl EnvironmentOptions {
    fn check(&self) -> Result<(), EnvironmentError> {
        let wrong = |option, value| Err(EnvironmentError::OptionOutOfRange { option, value });
        if !self.turn.is_finite() || self.turn.abs() > 1e3 {
            return wrong("turn", f64::from(self.turn));
        }
        if !(0.0..=1e6).contains(&self.strength) {
            return wrong("strength", f64::from(self.strength));
        }
        if self.edge_max < 2 {
            return wrong("edge_max", f64::from(self.edge_max));
        }
        Ok(())
    }
}

/// Linear RGB, top row first.
#[derive(Clone, Debug)]
pub(super) struct RadianceImage {
    /// Pixels in a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
    /// The pixels.
    pub(super) radiance: Vec<[f32; 3]>,
}

impl RadianceImage {
    /// Averages squares of four pixels. The last column or row of an odd edge counts twice.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let at = |x: u32, y: u32| {
            let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
            self.radiance[y as usize * self.width as usize + x as usize]
        };
        let mut radiance = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            for x in 0..width {
                let (a, b) = (at(2 * x, 2 * y), at(2 * x + 1, 2 * y));
                let (c, d) = (at(2 * x, 2 * y + 1), at(2 * x + 1, 2 * y + 1));
                radiance.push([0, 1, 2].map(|i| 0.25 * ((a[i] + b[i]) + (c[i] + d[i]))));
            }
        }
        Self {
            width,
            height,
            radiance,
        }
    }
}

/// Refuses an image without pixels or with too many.
pub(super) fn check_size(width: u64, height: u64) -> Result<(u32, u32), EnvironmentError> {
    let wrong = EnvironmentError::Size { width, height };
    let (Ok(columns), Ok(rows)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(wrong);
    };
    let edges = 1..=FILE_EDGE_MAX;
    if !edges.contains(&columns) || !edges.contains(&rows) || width * height > FILE_TEXELS_MAX {
        return Err(wrong);
    }
    Ok((columns, rows))
}

fn decode_exr(bytes: &[u8]) -> Result<RadianceImage, EnvironmentError> {
    let mut decoder = OpenExrDecoder::new(Cursor::new(bytes)).map_err(EnvironmentError::OpenExr)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into())?;
    decoder
        .set_limits(limits)
        .map_err(EnvironmentError::OpenExr)?;
    let decoded = image::DynamicImage::from_decoder(decoder).map_err(EnvironmentError::OpenExr)?;
    let radiance = decoded.into_rgb32f().pixels().map(|p| p.0).collect();
    Ok(RadianceImage {
        width,
        height,
        radiance,
    })
}
