//! Reads Radiance .hdr files.
//!
//! `image` has a reader too, but takes the exponent through the platform's `exp2`: here it is a product of
//! exact powers of two, the same everywhere.

use super::environment::{EnvironmentError, RadianceImage, check_size};

/// Longest header line.
const LINE_BYTES_MAX: usize = 4096;
/// Rows of these widths may be packed in runs.
const RUN_WIDTHS: std::ops::Range<usize> = 8..0x8000;

/// What is left of a file.
struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// Decodes a file.
pub(super) fn decode(bytes: &[u8]) -> Result<RadianceImage, EnvironmentError> {
    let mut reader = Reader { bytes, offset: 0 };
    loop {
        let line = reader.line()?;
        if line.is_empty() {
            break;
        }
        if let Some(format) = line.strip_prefix(b"FORMAT=")
            && format != b"32-bit_rle_rgbe"
        {
            return Err(reader.broken());
        }
    }
    let (width, height) = reader.size()?;
    // A row takes at least two bytes for a run in each channel, and a flat pixel four.
    let row_bytes_min = if RUN_WIDTHS.contains(&(width as usize)) {
        4 + width as usize / 127 * 8
    } else {
        4
    };
    let left = bytes.len() - reader.offset;
    if left < row_bytes_min * height as usize && width > 1 {
        return Err(reader.broken());
    }

    let mut radiance = Vec::with_capacity(width as usize * height as usize);
    let mut row = vec![[0; 4]; width as usize];
    for _ in 0..height {
        reader.row(&mut row)?;
        radiance.extend(row.iter().map(|&pixel| to_linear(pixel)));
    }
    Ok(RadianceImage {
        width,
        height,
        radiance,
    })
}

/// Returns mantissas times `2^(exponent - 136)`.
fn to_linear([r, g, b, exponent]: [u8; 4]) -> [f32; 3] {
    if exponent == 0 {
        return [0.0; 3];
    }
    // Two steps, since the smallest of these powers are subnormal and the product still is exact.
    let power = |exponent: i32| f32::from_bits(((exponent + 127) as u32) << 23);
    let exponent = i32::from(exponent) - 136;
    let (first, second) = (exponent / 2, exponent - exponent / 2);
    [r, g, b].map(|mantissa| f32::from(mantissa) * power(first) * power(second))
}

impl<'a> Reader<'a> {
    fn broken(&self) -> EnvironmentError {
        EnvironmentError::Radiance {
            offset: self.offset,
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], EnvironmentError> {
        let end = self.offset.checked_add(count);
        let bytes = end.and_then(|end| self.bytes.get(self.offset..end));
        let bytes = bytes.ok_or_else(|| self.broken())?;
        self.offset += count;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<&'a [u8], EnvironmentError> {
        let rest = &self.bytes[self.offset..];
        let end = rest.iter().take(LINE_BYTES_MAX).position(|&b| b == b'\n');
        let line = self.take(end.ok_or_else(|| self.broken())?)?;
        self.take(1)?;
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Reads `-Y height +X width`, the only orientation that is in use.
    fn size(&mut self) -> Result<(u32, u32), EnvironmentError> {
        let line = self.line()?;
        let text = std::str::from_utf8(line).map_err(|_| self.broken())?;
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let ["-Y", height, "+X", width] = words[..] else {
            return Err(self.broken());
        };
        let number = |text: &str| text.parse::<u64>().map_err(|_| self.broken());
        check_size(number(width)?, number(height)?)
    }

    fn row(&mut self, row: &mut [[u8; 4]]) -> Result<(), EnvironmentError> {
        let head = self.take(4)?;
        let is_packed = RUN_WIDTHS.contains(&row.len()) && head[..2] == [2, 2] && head[2] < 128;
        if !is_packed {
            self.offset -= 4;
            return self.flat_row(row);
        }
        if usize::from(head[2]) << 8 | usize::from(head[3]) != row.len() {
            return Err(self.broken());
        }
        for channel in 0..4 {
            let mut x = 0;
            while x < row.len() {
                let code = usize::from(self.take(1)?[0]);
                let is_run = code > 128;
                let count = if is_run { code - 128 } else { code };
                let end = x + count;
                if count == 0 || end > row.len() {
                    return Err(self.broken());
                }
                let values = self.take(if is_run { 1 } else { count })?;
                for (i, pixel) in row[x..end].iter_mut().enumerate() {
                    pixel[channel] = values[if is_run { 0 } else { i }];
                }
                x = end;
            }
        }
        Ok(())
    }

    /// Reads pixels one by one; a pixel of ones repeats the one before it.
    fn flat_row(&mut self, row: &mut [[u8; 4]]) -> Result<(), EnvironmentError> {
        let (mut x, mut shift) = (0, 0);
        while x < row.len() {
            let bytes = self.take(4)?;
            let pixel = [bytes[0], bytes[1], bytes[2], bytes[3]];
            if pixel[..3] != [1, 1, 1] {
                row[x] = pixel;
                x += 1;
                shift = 0;
                continue;
            }
            let count = usize::from(pixel[3]) << shift;
            if x == 0 || count > row.len() - x || shift > 8 {
                return Err(self.broken());
            }
            let before = row[x - 1];
            row[x..x + count].fill(before);
            x += count;
            shift += 8;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: &str, data: &[u8]) -> Vec<u8> {
        let head = format!("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n{size}\n");
        [head.as_bytes(), data].concat()
    }

    #[test]
    fn mantissas_scale_by_exact_powers_of_two() {
        assert_eq!(to_linear([128, 64, 0, 129]), [1.0, 0.5, 0.0]);
        assert_eq!(to_linear([255, 0, 0, 255])[0], 255.0 * 2.0_f32.powi(119));
        assert_eq!(to_linear([1, 0, 0, 1])[0], 2.0_f32.powi(-135));
        assert_eq!(to_linear([9, 9, 9, 0]), [0.0; 3]);
    }

    #[test]
    fn packed_rows_and_flat_rows_read_the_same() {
        let pixel = [128, 64, 32, 129];
        let flat: Vec<u8> = [pixel; 8].concat();
        let mut packed = vec![2, 2, 0, 8];
        packed.extend(pixel.iter().flat_map(|&value| [128 + 8, value]));
        let flat = decode(&file("-Y 1 +X 8", &flat)).unwrap();
        let packed = decode(&file("-Y 1 +X 8", &packed)).unwrap();
        assert_eq!(flat.radiance, vec![[1.0, 0.5, 0.25]; 8]);
        assert_eq!(packed.radiance, flat.radiance);
    }

    #[test]
    fn a_file_that_ends_early_is_refused_where_it_ends() {
        let err = decode(&file("-Y 2 +X 8", &[2, 2, 0, 8, 130])).unwrap_err();
        assert!(matches!(err, EnvironmentError::Radiance { .. }), "{err}");
        let err = decode(&file("-Y 99999999 +X 99999999", &[])).unwrap_err();
        assert!(
            matches!(
                err,
                EnvironmentError::Size {
                    width: 99_999_999,
                    ..
                }
            ),
            "{err}"
        );
    }
}
