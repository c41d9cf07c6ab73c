//! From the images of a file to textures.

use std::{borrow::Cow, collections::BTreeMap, io::Cursor};

use gltf_json::{
    Index, Root,
    texture::{MagFilter, MinFilter, WrappingMode},
    validation::Checked,
};
use image::{ImageDecoder, codecs::png::PngDecoder};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{ImageFault, ImportError, Place, Report, Warning, accessor::Accessors, limits};
use crate::scene::{Filter, TextureEncoding, TexturePart, Wrap};

/// What a decoder may allocate besides its output.
const DECODER_BYTES_MAX: u64 = 1 << 30;

/// What makes a texture of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    image: usize,
    sampler: Option<usize>,
    is_srgb: bool,
}

/// RGBA pixels, top row first.
#[derive(Clone, Debug)]
struct Pixels {
    width: u32,
    height: u32,
    texels: Vec<[u8; 4]>,
}

/// Decodes images when a material first names them.
#[derive(Debug)]
pub(super) struct Textures<'a> {
    root: &'a Root,
    accessors: &'a Accessors<'a>,
    /// The bytes of images that don't lie in a buffer.
    files: &'a BTreeMap<usize, Vec<u8>>,
    edge_max: u32,
    decoded: BTreeMap<usize, Pixels>,
    decoded_texel_count: u64,
    texel_count: u64,
    indices: BTreeMap<Use, u32>,
    parts: Vec<TexturePart>,
}

impl<'a> Textures<'a> {
    /// Begins without any texture.
    pub(super) fn new(
        root: &'a Root,
        accessors: &'a Accessors<'a>,
        files: &'a BTreeMap<usize, Vec<u8>>,
        edge_max: u32,
    ) -> Self {
        Self {
            root,
            accessors,
            files,
            edge_max,
            decoded: BTreeMap::new(),
            decoded_texel_count: 0,
            texel_count: 0,
            indices: BTreeMap::new(),
            parts: Vec::new(),
        }
    }

    /// Returns the textures so far.
    pub(super) fn parts(&self) -> &[TexturePart] {
        &self.parts
    }

    /// Returns the textures and how many texels they have.
    pub(super) fn finish(self) -> (Vec<TexturePart>, u64) {
        (self.parts, self.texel_count)
    }

    /// Returns the index of a texture among the parts.
    pub(super) fn index(
        &mut self,
        texture: Index<gltf_json::Texture>,
        encoding: TextureEncoding,
        report: &mut Report,
    ) -> Result<u32, ImportError> {
        let place = Place::new("texture", texture.value());
        let entry = self.root.textures.get(texture.value());
        let entry = entry.ok_or(ImportError::Dangling {
            place,
            target: place,
        })?;
        let key = Use {
            image: entry.source.value(),
            sampler: entry.sampler.map(|sampler| sampler.value()),
            is_srgb: encoding == TextureEncoding::Srgb,
        };
        if let Some(&index) = self.indices.get(&key) {
            return Ok(index);
        }

        let Pixels {
            width,
            height,
            texels,
        } = self.pixels(key.image, report)?.clone();
        self.texel_count += texels.len() as u64;
        if self.texel_count > limits::TEXELS_MAX {
            return Err(ImportError::TooMany {
                what: "texels of textures (see the import's texture_edge_max)",
                max: limits::TEXELS_MAX,
            });
        }
        let (wrap_u, wrap_v, filter) = self.sampler(key.sampler);
        let index = self.parts.len() as u32;
        self.parts.push(TexturePart {
            width,
            height,
            encoding,
            wrap_u,
            wrap_v,
            filter,
            texels,
        });
        self.indices.insert(key, index);
        Ok(index)
    }

    fn sampler(&self, index: Option<usize>) -> (Wrap, Wrap, Filter) {
        let Some(sampler) = index.and_then(|index| self.root.samplers.get(index)) else {
            return (Wrap::Repeat, Wrap::Repeat, Filter::Bilinear);
        };
        let wrap = |mode: &Checked<WrappingMode>| match mode {
            Checked::Valid(WrappingMode::ClampToEdge) => Wrap::Clamp,
            Checked::Valid(WrappingMode::MirroredRepeat) => Wrap::Mirror,
            Checked::Valid(WrappingMode::Repeat) | Checked::Invalid => Wrap::Repeat,
        };
        let is_nearest = match (&sampler.mag_filter, &sampler.min_filter) {
            (Some(Checked::Valid(filter)), _) => *filter == MagFilter::Nearest,
            (None, Some(Checked::Valid(filter))) => *filter == MinFilter::Nearest,
            (_, _) => false,
        };
        let filter = if is_nearest {
            Filter::Nearest
        } else {
            Filter::Bilinear
        };
        (wrap(&sampler.wrap_s), wrap(&sampler.wrap_t), filter)
    }

    fn pixels(&mut self, image: usize, report: &mut Report) -> Result<&Pixels, ImportError> {
        if !self.decoded.contains_key(&image) {
            let pixels = self.decode(image, report)?;
            self.decoded.insert(image, pixels);
        }
        let place = Place::new("image", image);
        self.decoded
            .get(&image)
            .ok_or(ImportError::NoData { place })
    }

    fn decode(&mut self, image: usize, report: &mut Report) -> Result<Pixels, ImportError> {
        let place = Place::new("image", image);
        let bytes = self.bytes(place)?;
        let mut pixels = decode(place, &bytes, &mut self.decoded_texel_count)?;
        let mut is_halved = false;
        while pixels.width.max(pixels.height) > self.edge_max {
            pixels = pixels.halved();
            is_halved = true;
        }
        if is_halved {
            report.warn(Warning::Downscaled {
                image: place,
                width: pixels.width,
                height: pixels.height,
            });
        }
        Ok(pixels)
    }

    fn bytes(&self, place: Place) -> Result<Cow<'a, [u8]>, ImportError> {
        let entry = self.root.images.get(place.index);
        let entry = entry.ok_or(ImportError::Dangling {
            place,
            target: place,
        })?;
        if let Some(view) = entry.buffer_view {
            return Ok(Cow::Borrowed(self.accessors.view(view)?));
        }
        let file = self.files.get(&place.index);
        Ok(Cow::Borrowed(file.ok_or(ImportError::NoData { place })?))
    }
}

impl Pixels {
    /// Averages squares of four pixels. The last column or row of an odd edge counts twice.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let at = |x: u32, y: u32| {
            let (x, y) = (x.min(self.width - 1), y.min(self.height - 1));
            self.texels[y as usize * self.width as usize + x as usize]
        };
        let mut texels = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            for x in 0..width {
                let square = [
                    at(2 * x, 2 * y),
                    at(2 * x + 1, 2 * y),
                    at(2 * x, 2 * y + 1),
                    at(2 * x + 1, 2 * y + 1),
                ];
                texels.push([0, 1, 2, 3].map(|channel| {
                    let sum: u16 = square.iter().map(|texel| u16::from(texel[channel])).sum();
                    ((sum + 2) / 4) as u8
                }));
            }
        }
        Self {
            width,
            height,
            texels,
        }
    }
}

/// Decodes a PNG or a JPEG. The decoders use integers alone, without instructions that only some machines
/// have, so that the pixels are the same everywhere.
fn decode(place: Place, bytes: &[u8], texel_count: &mut u64) -> Result<Pixels, ImportError> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return decode_png(place, bytes, texel_count);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return decode_jpeg(place, bytes, texel_count);
    }
    Err(ImportError::ImageFormat {
        place,
        first_bytes: bytes.iter().take(8).copied().collect(),
    })
}

fn decode_png(place: Place, bytes: &[u8], texel_count: &mut u64) -> Result<Pixels, ImportError> {
    let fault = |source| ImportError::Image {
        place,
        source: ImageFault::Png(source),
    };
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(fault)?;
    let (width, height) = decoder.dimensions();
    check_size(place, width.into(), height.into(), texel_count)?;
    let decoded = image::DynamicImage::from_decoder(decoder).map_err(fault)?;
    let texels = decoded.into_rgba8().pixels().map(|pixel| pixel.0).collect();
    Ok(Pixels {
        width,
        height,
        texels,
    })
}

fn decode_jpeg(place: Place, bytes: &[u8], texel_count: &mut u64) -> Result<Pixels, ImportError> {
    let fault = |source| ImportError::Image {
        place,
        source: ImageFault::Jpeg(source),
    };
    // `new_safe` forgoes SIMD, whose rounding could be another one.
    let options = DecoderOptions::new_safe()
        .set_max_width(limits::IMAGE_EDGE_MAX as usize)
        .set_max_height(limits::IMAGE_EDGE_MAX as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(fault)?;
    let (width, height) = decoder.info().map_or((0, 0), |info| {
        (u32::from(info.width), u32::from(info.height))
    });
    check_size(place, width.into(), height.into(), texel_count)?;
    let rgb = decoder.decode().map_err(fault)?;
    let count = width as usize * height as usize;
    let texels: Vec<[u8; 4]> = match rgb.len() / count {
        3 => rgb
            .chunks_exact(3)
            .map(|c| [c[0], c[1], c[2], 255])
            .collect(),
        1 => rgb.iter().map(|&c| [c, c, c, 255]).collect(),
        _ => Vec::new(),
    };
    if texels.len() != count {
        return Err(ImportError::NoData { place });
    }
    Ok(Pixels {
        width,
        height,
        texels,
    })
}

fn check_size(
    place: Place,
    width: u64,
    height: u64,
    texel_count: &mut u64,
) -> Result<(), ImportError> {
    let edge_max = limits::IMAGE_EDGE_MAX;
    let max = limits::IMAGE_TEXELS_MAX;
    if width == 0 || height == 0 || width > edge_max || height > edge_max || width * height > max {
        return Err(ImportError::ImageTooLarge {
            place,
            width,
            height,
            edge_max,
            max,
        });
    }
    *texel_count += width * height;
    if *texel_count > limits::IMAGES_TEXELS_MAX {
        return Err(ImportError::TooMany {
            what: "pixels of images",
            max: limits::IMAGES_TEXELS_MAX,
        });
    }
    Ok(())
}
