//! Frames as pictures: from linear radiance to PNG and EXR.
//!
//! Nothing here is part of a result: units commit to linear radiance, and what a viewer makes of it may
//! differ between platforms by a rounding.

mod exr;
mod frame;
mod png;
mod tone;

#[cfg(test)]
mod tests;

pub use exr::{decode_exr, encode_exr};
pub use frame::Frame;
pub use png::encode_png;
pub use tone::{Curve, Exposure, Tone};

/// Why a frame did not become a file, or a file no frame.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The frame has not as many pixels as its width and height say.
    #[error("{width} x {height} pixels, but {len} are there")]
    WrongLength {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Pixels that are there.
        len: usize,
    },
    /// The file's format has no word for it, or the file is broken.
    #[error("the image was not coded")]
    Codec(#[from] ::image::ImageError),
}
