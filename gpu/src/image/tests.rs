//! Round trips through the files.

use super::*;
use crate::{UnitOutput, UnitStatus, render::RenderParams};

/// A unit whose pixels are all `radiance`.
fn unit(params: &RenderParams, unit_index: u64, radiance: f32) -> UnitOutput {
    let pixel: Vec<u8> = [radiance, radiance, radiance, 0.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    UnitOutput {
        unit_index,
        status: UnitStatus::Done,
        cost: 0,
        output_root: [0; 32],
        output: pixel.repeat(params.tile_edge as usize * params.tile_edge as usize),
    }
}

fn decode_png(bytes: &[u8]) -> ::image::RgbImage {
    let decoder = ::image::codecs::png::PngDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    ::image::DynamicImage::from_decoder(decoder)
        .unwrap()
        .into_rgb8()
}

#[test]
fn an_exr_file_keeps_every_bit() {
    let values = [0.0, 1.0, 1e-42, 3.4e38, 0.1, -2.5, 65504.5];
    let pixels: Vec<[f32; 3]> = values.iter().map(|&v| [v, v * 0.5, -v]).collect();
    let frame = Frame::new(7, 1, pixels).unwrap();
    let read = decode_exr(&encode_exr(&frame).unwrap()).unwrap();
    for (read, wrote) in read.pixels().iter().zip(frame.pixels()) {
        assert_eq!(read.map(f32::to_bits), wrote.map(f32::to_bits));
    }
}

#[test]
fn a_png_file_holds_what_the_tone_says() {
    let pixels = vec![[0.0, 0.1, 0.2], [0.3, 0.5, 4.0]];
    let frame = Frame::new(1, 2, pixels.clone()).unwrap();
    let tone = Tone {
        exposure: Exposure::Stops(1.0),
        curve: Curve::Filmic,
    };
    let read = decode_png(&encode_png(&frame, &tone).unwrap());
    assert_eq!((read.width(), read.height()), (1, 2));
    for (read, wrote) in read.pixels().zip(pixels) {
        assert_eq!(read.0, tone.color(wrote, 2.0));
    }
}

#[test]
fn a_preview_marks_the_tiles_that_are_missing() {
    let params = RenderParams::new(40, 20, 1);
    let mut frame = Frame::empty(&params);
    assert!(frame.add(&params, 0, &unit(&params, 1, 0.0)));
    assert!(
        !frame.add(&params, 1, &unit(&params, 2, 0.0)),
        "of no such frame"
    );
    assert!(!frame.is_complete());

    let read = decode_png(&encode_png(&frame, &Tone::default()).unwrap());
    assert_eq!(read.get_pixel(16, 0).0, [0; 3], "there, and black");
    assert_ne!(read.get_pixel(15, 0).0, [0; 3], "missing");

    for unit_index in 0..6 {
        assert!(frame.add(&params, 0, &unit(&params, unit_index, 1.0)));
    }
    assert!(frame.is_complete());
}

#[test]
fn a_frame_of_the_wrong_length_is_refused() {
    let err = Frame::new(3, 2, vec![[0.0; 3]; 5]).unwrap_err();
    assert!(
        matches!(
            err,
            ImageError::WrongLength {
                width: 3,
                height: 2,
                len: 5
            }
        ),
        "{err}"
    );
}
