//! PNG files for viewers.

use std::io::Cursor;

use ::image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::{Frame, ImageError, Tone};

/// The two greys of stripes where pixels are missing, and the stripes' width.
const STRIPES: [[u8; 3]; 2] = [[52, 52, 58], [68, 68, 76]];
const STRIPE_WIDTH: usize = 8;

/// Encodes a frame as an sRGB PNG. Missing tiles show as grey stripes.
///
/// # Errors
///
/// [`ImageError::Codec`] if the frame has no pixels.
pub fn encode_png(frame: &Frame, tone: &Tone) -> Result<Vec<u8>, ImageError> {
    let scale = tone.scale(frame);
    let width = frame.width() as usize;
    let pixels: Vec<[u8; 3]> = (frame.pixels().iter().enumerate())
        .map(|(index, &radiance)| {
            if frame.has(index) {
                return tone.color(radiance, scale);
            }
            let diagonal = index % width + index / width;
            STRIPES[diagonal / STRIPE_WIDTH % 2]
        })
        .collect();
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new(&mut bytes).write_image(
        pixels.as_flattened(),
        frame.width(),
        frame.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes.into_inner())
}
