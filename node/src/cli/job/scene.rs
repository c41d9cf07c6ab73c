//! A scene file and what to render of it, made into the two regions of a job.

use std::{ops::RangeInclusive, path::PathBuf};

use bytes::Bytes;
use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use inferix_gpu::{
    render::{CameraChoice, DEPTH_MAX, FRAME_EDGE_MAX, FRAMES_MAX, RenderParams, SAMPLES_MAX},
    scene::{
        self, Affine, EnvironmentOptions, generate,
        import::{Import, ImportOptions, import_bytes, import_file},
    },
};

/// Edge of a unit in pixels: the chain knows one size of the render program's output.
const TILE_EDGE: u32 = 16;

/// What to render.
#[derive(Args, Debug)]
pub(super) struct SceneArgs {
    /// A .glb or .gltf file; `demo` and `cornell` are scenes that need no file.
    scene: PathBuf,

    /// Frames, the first and the last: `0-9`, or one alone.
    #[arg(long, default_value = "0", value_parser = parse_frames)]
    frames: RangeInclusive<u32>,

    /// Width and height of a frame in pixels.
    #[arg(long, default_value = "640x360", value_parser = parse_size)]
    size: (u32, u32),

    /// Paths for each pixel: more take longer and are less noisy.
    #[arg(long, default_value_t = 64)]
    samples: u32,

    /// Surfaces that a path may meet.
    #[arg(long, default_value_t = 8)]
    depth: u32,

    /// Seed of all random numbers.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Which camera of the scene.
    #[arg(long, default_value_t = 0, conflicts_with_all = ["camera_from", "camera_at"])]
    camera: u32,

    /// Where a camera of your own stands, as `x,y,z`.
    #[arg(long, value_name = "X,Y,Z", value_parser = parse_point, requires = "camera_at", allow_hyphen_values = true)]
    camera_from: Option<Point>,

    /// Where it looks.
    #[arg(long, value_name = "X,Y,Z", value_parser = parse_point, requires = "camera_from", allow_hyphen_values = true)]
    camera_at: Option<Point>,

    /// Its vertical field of view in degrees.
    #[arg(long, default_value_t = 45.0)]
    yfov: f32,

    /// Upper bound for what one path adds to a pixel: fewer bright specks, a little too dark. 0 for none.
    #[arg(long, default_value_t = 0.0)]
    clamp: f32,

    /// A .hdr or .exr picture that surrounds the scene.
    #[arg(long, value_name = "FILE")]
    sky: Option<PathBuf>,

    /// Frames per second at which animations are sampled.
    #[arg(long, default_value_t = 24.0)]
    fps: f32,
}

/// The two regions of a job.
#[derive(Debug)]
pub(super) struct Regions {
    pub(super) input: Bytes,
    pub(super) params: RenderParams,
}

/// A place in the scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point([f32; 3]);

impl SceneArgs {
    /// Imports and compiles the scene. Takes as long as the scene is large.
    pub(super) fn compile(&self) -> Result<Regions> {
        let import = self.import()?;
        let report = &import.report;
        for warning in &report.warnings {
            eprintln!("warning: {warning}");
        }
        if report.more_warnings_count > 0 {
            eprintln!("warning: {} more", report.more_warnings_count);
        }
        let input = scene::build(&import.parts).wrap_err("compiling the scene")?;
        let params = self.params()?;
        Ok(Regions {
            input: Bytes::from(input),
            params,
        })
    }

    fn import(&self) -> Result<Import> {
        let generated = match self.scene.to_str() {
            Some("demo") => Some(generate::demo()),
            Some("cornell") => Some(generate::cornell_box()),
            _ => None,
        };
        let mut options = match &generated {
            Some(generated) => generated.options.clone(),
            None => ImportOptions::default(),
        };
        options.fps = self.fps;
        if let Some(sky) = &self.sky {
            let sky = scene::load_environment(sky, &EnvironmentOptions::default())
                .wrap_err_with(|| format!("reading {}", sky.display()))?;
            options.sky = Some(sky);
        }
        match generated {
            Some(generated) => Ok(import_bytes(&generated.glb, &options)?),
            None => import_file(&self.scene, &options)
                .wrap_err_with(|| format!("importing {}", self.scene.display())),
        }
    }

    fn params(&self) -> Result<RenderParams> {
        let (width, height) = self.size;
        let frame_count = self.frames.end() - self.frames.start() + 1;
        let camera = match (self.camera_from, self.camera_at) {
            (Some(from), Some(at)) => CameraChoice::own(look_at(from, at)?, self.yfov.to_radians()),
            _ => CameraChoice::Scene { index: self.camera },
        };
        let params = RenderParams {
            max_depth: self.depth,
            tile_edge: TILE_EDGE,
            first_frame: *self.frames.start(),
            frame_count,
            seed: self.seed,
            camera,
            radiance_clamp: self.clamp,
            ..RenderParams::new(width, height, self.samples)
        };
        params.check().wrap_err_with(|| {
            format!(
                "what to render: edges of 1 to {FRAME_EDGE_MAX} pixels, 1 to {SAMPLES_MAX} samples, \
                 depth 1 to {DEPTH_MAX}, tiles of a power of two, frames below {FRAMES_MAX}"
            )
        })?;
        Ok(params)
    }
}

/// Turns a place and a target into the camera's axes: it looks along its negative z, y is up.
fn look_at(from: Point, at: Point) -> Result<Affine> {
    let (Point(from), Point(at)) = (from, at);
    let minus = |a: [f32; 3], b: [f32; 3]| [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    let cross = |a: [f32; 3], b: [f32; 3]| {
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    };
    let unit = |a: [f32; 3]| {
        let length = (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]).sqrt();
        (length > 1e-6).then(|| a.map(|value| value / length))
    };
    let back = unit(minus(from, at))
        .ok_or_else(|| eyre!("--camera-from and --camera-at are one place"))?;
    let right = unit(cross([0.0, 1.0, 0.0], back)).unwrap_or([1.0, 0.0, 0.0]);
    let up = cross(back, right);
    Ok([0, 1, 2].map(|row| [right[row], up[row], back[row], from[row]]))
}

fn parse_frames(text: &str) -> Result<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |part: &str| {
        part.parse::<u32>()
            .wrap_err("frames are written as 0-9, or as one number")
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first || last == u32::MAX {
        bail!("the last frame must not be before the first");
    }
    Ok(first..=last)
}

fn parse_size(text: &str) -> Result<(u32, u32)> {
    let wrong = || eyre!("a size is written as 1280x720");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    Ok((
        width.parse().map_err(|_| wrong())?,
        height.parse().map_err(|_| wrong())?,
    ))
}

fn parse_point(text: &str) -> Result<Point> {
    let wrong = || eyre!("a point is written as 1,2.5,-3");
    let parts: Vec<f32> = text
        .split(',')
        .map(str::trim)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong())?;
    Ok(Point(parts.try_into().map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_sizes_and_points_are_read() {
        assert_eq!(parse_frames("3-7").unwrap(), 3..=7);
        assert_eq!(parse_frames("5").unwrap(), 5..=5);
        assert_eq!(parse_size("1280x720").unwrap(), (1280, 720));
        assert_eq!(parse_point("1, -2.5,3").unwrap(), Point([1.0, -2.5, 3.0]));
        for wrong in ["7-3", "a", "1-"] {
            assert!(parse_frames(wrong).is_err(), "{wrong}");
        }
        assert!(parse_size("1280").is_err() && parse_point("1,2").is_err());
    }

    #[test]
    fn a_camera_looks_at_its_target_with_y_up() {
        let affine = look_at(Point([0.0, 0.0, 5.0]), Point([0.0, 0.0, 0.0])).unwrap();
        assert_eq!(
            affine,
            [
                [1.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 5.0]
            ]
        );
        assert!(look_at(Point([1.0; 3]), Point([1.0; 3])).is_err());
        assert!(
            look_at(Point([0.0, 9.0, 0.0]), Point([0.0; 3])).is_ok(),
            "straight down"
        );
    }
}
