//! OpenEXR files: linear radiance, 32 bits a channel, nothing lost.

use std::io::Cursor;

use ::image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder,
    codecs::openexr::{OpenExrDecoder, OpenExrEncoder},
};

use super::{Frame, ImageError};

/// What decoding may allocate.
const DECODER_BYTES_MAX: u64 = 4 << 30;

/// Encodes a frame. Missing pixels are black.
///
/// # Errors
///
/// [`ImageError::Codec`] if the frame has no pixels.
pub fn encode_exr(frame: &Frame) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    let pixels: &[f32] = frame.pixels().as_flattened();
    OpenExrEncoder::new(&mut bytes).write_image(
        bytemuck::cast_slice(pixels),
        frame.width(),
        frame.height(),
        ExtendedColorType::Rgb32F,
    )?;
    Ok(bytes.into_inner())
}

/// Decodes a file into a complete frame.
///
/// # Errors
///
/// [`ImageError::Codec`] if it does not decode.
pub fn decode_exr(bytes: &[u8]) -> Result<Frame, ImageError> {
    let mut decoder = OpenExrDecoder::new(Cursor::new(bytes))?;
    let mut limits = ::image::Limits::default();
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    decoder.set_limits(limits)?;
    let decoded = DynamicImage::from_decoder(decoder)?.into_rgb32f();
    let pixels = decoded.pixels().map(|pixel| pixel.0).collect();
    Frame::new(decoded.width(), decoded.height(), pixels)
}
