//! The C kernels, as this machine can run them.
//!
//! The same source is linked once for each instruction set. All give the same bits; they differ in speed.
//! Every call goes through a [`ValidScene`]: no kernel is given bytes that the validator has not seen.

use bytemuck::{Pod, Zeroable};

use crate::{
    GpuError, UnitStatus,
    render::{PARAMS_BYTES, PIXEL_BYTES, ParamsError, RenderParams, Tile},
    scene::ValidScene,
};

/// Which build of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instructions {
    /// Eight lanes and a fused multiply-add: x86 since 2013.
    Avx2,
    /// What every processor of the architecture has.
    Baseline,
    /// No vectors: the source as CUDA and RV32IM have it.
    Scalar,
}

/// One build of the kernels that this machine can run.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    instructions: Instructions,
    symbols: Symbols,
}

/// A scene and parameters that name only what it has.
#[derive(Debug)]
pub struct ValidTask {
    scene: ValidScene,
    params: RenderParams,
    raw: AlignedParams,
}

/// A half line. The layout is the kernels'.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Ray {
    /// Where it begins.
    pub origin: [f32; 3],
    /// Hits count beyond this distance; not negative.
    pub t_min: f32,
    /// Where it goes; distances count in its length.
    pub direction: [f32; 3],
    /// Hits count up to this distance.
    pub t_max: f32,
}

/// Where a ray ends. The layout is the kernels'.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Hit {
    /// Distance.
    pub t: f32,
    /// Weight of the second corner.
    pub u: f32,
    /// Weight of the third corner.
    pub v: f32,
    /// Index of the triangle; [`u32::MAX`] if nothing was hit.
    pub triangle: u32,
    /// Index of the instance.
    pub instance: u32,
}

/// The sum of one range of a pixel's samples. The layout is the kernels'.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct SubUnit {
    /// Radiance, summed.
    pub sum: [f32; 3],
    /// What the paths cost.
    pub cost: u32,
}

/// A function of `float.h` or `math.h`, by its number in `host.c`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "named as in C; only tests call them")]
pub enum Number {
    Fma,
    Sqrt,
    Add,
    Mul,
    Div,
    Floor,
    ToInt,
    Exp,
    Log,
    Sine,
    Cosine,
    SineTurn,
    CosineTurn,
    Arctangent,
    Arccosine,
    Pow,
    FmaDouble,
    Sub,
    SoftAdd,
    SoftSub,
    SoftMul,
    SoftDiv,
    SoftSqrt,
    SoftFma,
    SoftCompare,
    SoftFromI32,
    SoftFromU32,
    SoftToI32,
    SoftToU32,
}

/// The parameter region where the kernels may read it as a struct.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
struct AlignedParams([u8; PARAMS_BYTES]);

/// A pixel of a unit's output.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Pixel {
    radiance: [f32; 3],
    cost: u32,
}

type Pixels = unsafe extern "C" fn(*const u8, *const AlignedParams, u32, u32, u32, u32, *mut Pixel);
type SubUnits =
    unsafe extern "C" fn(*const u8, *const AlignedParams, u32, u32, u32, u32, *mut SubUnit);
type CloseUnit = unsafe extern "C" fn(*mut Pixel, u32, u64, *mut u64) -> u32;
type Rays = unsafe extern "C" fn(*const u8, u32, *const Ray, u64, u32, *mut Hit) -> u64;
type Numbers = unsafe extern "C" fn(u32, f32, f32, f32) -> f32;

#[derive(Clone, Copy, Debug)]
struct Symbols {
    pixels: Pixels,
    sub_unit: SubUnits,
    close_unit: CloseUnit,
    rays: Rays,
    number: Numbers,
}

/// Declares the symbols of one build, and puts them in a table.
macro_rules! symbols {
    ($pixels:ident, $sub_unit:ident, $close_unit:ident, $rays:ident, $number:ident) => {{
        unsafe extern "C" {
            fn $pixels(
                blob: *const u8,
                params: *const AlignedParams,
                frame: u32,
                x: u32,
                y: u32,
                count: u32,
                out: *mut Pixel,
            );
            fn $sub_unit(
                blob: *const u8,
                params: *const AlignedParams,
                frame: u32,
                x: u32,
                y: u32,
                range: u32,
                out: *mut SubUnit,
            );
            fn $close_unit(pixels: *mut Pixel, count: u32, max_cost: u64, cost: *mut u64) -> u32;
            fn $rays(
                blob: *const u8,
                frame: u32,
                rays: *const Ray,
                count: u64,
                any: u32,
                hits: *mut Hit,
            ) -> u64;
            fn $number(function: u32, a: f32, b: f32, c: f32) -> f32;
        }
        Symbols {
            pixels: $pixels,
            sub_unit: $sub_unit,
            close_unit: $close_unit,
            rays: $rays,
            number: $number,
        }
    }};
}

impl Kernels {
    /// Returns the fastest build that this machine can run.
    pub fn detect() -> Self {
        Self::with(Instructions::Avx2).unwrap_or_else(|_| Self::baseline())
    }

    /// Returns one build.
    ///
    /// # Errors
    ///
    /// [`GpuError::InstructionsMissing`] if the processor can't run it.
    pub fn with(instructions: Instructions) -> Result<Self, GpuError> {
        match instructions {
            Instructions::Avx2 => avx2().ok_or(GpuError::InstructionsMissing {
                instructions: "AVX2, FMA and BMI2",
            }),
            Instructions::Baseline => Ok(Self::baseline()),
            Instructions::Scalar => Ok(Self {
                instructions,
                symbols: symbols!(
                    ifx_scalar_pixels,
                    ifx_scalar_sub_unit,
                    ifx_scalar_close_unit,
                    ifx_scalar_rays,
                    ifx_scalar_number
                ),
            }),
        }
    }

    /// Returns which build this is.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Renders the pixels of a tile from `first` on that `out` has room for, all of one row: those that lie in
    /// the frame.
    pub(crate) fn render_run(&self, task: &ValidTask, tile: Tile, first: u32, out: &mut [u8]) {
        let params = &task.params;
        let x = tile.x + first % params.tile_edge;
        let y = tile.y + first / params.tile_edge;
        if x >= params.width || y >= params.height {
            return;
        }
        let mut pixels = vec![Pixel::zeroed(); out.len() / PIXEL_BYTES];
        let count = u32::try_from(pixels.len())
            .unwrap_or(u32::MAX)
            .min(params.width - x);
        // SAFETY: the blob and the parameters have been validated together, `frame` is one of the
        // job's since tiles are made from its units, the pixels lie in the frame, and `pixels` has
        // room for `count`.
        unsafe {
            (self.symbols.pixels)(
                task.scene.bytes().as_ptr(),
                &raw const task.raw,
                tile.frame,
                x,
                y,
                count,
                pixels.as_mut_ptr(),
            );
        }
        out.copy_from_slice(bytemuck::cast_slice(&pixels));
    }

    /// Renders one range of a pixel's samples. `None` unless frame, pixel and range are the job's.
    pub fn render_sub_unit(
        &self,
        task: &ValidTask,
        frame: u32,
        (x, y): (u32, u32),
        range: u32,
    ) -> Option<SubUnit> {
        let params = &task.params;
        let is_inside = x < params.width && y < params.height && range < params.range_count();
        params.units_of_frame(frame).filter(|_| is_inside)?;
        let mut out = SubUnit::zeroed();
        // SAFETY: as above; frame, pixel and range have just been found to be the job's.
        unsafe {
            (self.symbols.sub_unit)(
                task.scene.bytes().as_ptr(),
                &raw const task.raw,
                frame,
                x,
                y,
                range,
                &raw mut out,
            );
        }
        Some(out)
    }

    /// Cuts the pixels of a unit's output that `max_cost` does not pay for. Returns the unit's cost.
    pub(crate) fn close_unit(&self, output: &mut [u8], max_cost: u64) -> (UnitStatus, u64) {
        let mut pixels = vec![Pixel::zeroed(); output.len() / PIXEL_BYTES];
        bytemuck::cast_slice_mut(&mut pixels).copy_from_slice(output);
        let count = u32::try_from(pixels.len()).unwrap_or(u32::MAX);
        let mut cost = 0;
        // SAFETY: `pixels` has at least `count` entries, and `cost` is a u64.
        let is_capped = unsafe {
            (self.symbols.close_unit)(pixels.as_mut_ptr(), count, max_cost, &raw mut cost)
        };
        output.copy_from_slice(bytemuck::cast_slice(&pixels));
        (
            if is_capped == 0 {
                UnitStatus::Done
            } else {
                UnitStatus::Capped
            },
            cost,
        )
    }

    /// Finds the closest hit of each ray in a frame, and what finding them cost. `None` if the scene has
    /// no such frame.
    pub fn closest(&self, scene: &ValidScene, frame: u32, rays: &[Ray]) -> Option<(Vec<Hit>, u64)> {
        self.trace(scene, frame, rays, 0)
    }

    /// Tells for each ray whether anything is hit, and what. `None` if the scene has no such frame.
    pub fn any(&self, scene: &ValidScene, frame: u32, rays: &[Ray]) -> Option<(Vec<Hit>, u64)> {
        self.trace(scene, frame, rays, 1)
    }

    /// Calls one function of the kernels' arithmetic.
    #[doc(hidden)]
    pub fn number(&self, function: Number, a: f32, b: f32, c: f32) -> f32 {
        // SAFETY: it takes any number and touches no memory.
        unsafe { (self.symbols.number)(function as u32, a, b, c) }
    }

    fn trace(
        &self,
        scene: &ValidScene,
        frame: u32,
        rays: &[Ray],
        any: u32,
    ) -> Option<(Vec<Hit>, u64)> {
        if frame >= scene.frame_count() {
            return None;
        }
        let mut hits = vec![Hit::zeroed(); rays.len()];
        let count = u64::try_from(rays.len()).ok()?;
        // SAFETY: the blob has been validated, it has the frame, and `hits` has room for all rays.
        let cost = unsafe {
            let blob = scene.bytes().as_ptr();
            (self.symbols.rays)(blob, frame, rays.as_ptr(), count, any, hits.as_mut_ptr())
        };
        Some((hits, cost))
    }

    fn baseline() -> Self {
        Self {
            instructions: Instructions::Baseline,
            symbols: symbols!(
                ifx_base_pixels,
                ifx_base_sub_unit,
                ifx_base_close_unit,
                ifx_base_rays,
                ifx_base_number
            ),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn avx2() -> Option<Kernels> {
    let has_all = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2");
    has_all.then(|| Kernels {
        instructions: Instructions::Avx2,
        symbols: symbols!(
            ifx_avx2_pixels,
            ifx_avx2_sub_unit,
            ifx_avx2_close_unit,
            ifx_avx2_rays,
            ifx_avx2_number
        ),
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn avx2() -> Option<Kernels> {
    None
}

impl ValidTask {
    /// Binds a scene to parameters.
    ///
    /// # Errors
    ///
    /// [`ParamsError`] if they name a frame or a camera that the scene has not.
    pub fn new(scene: ValidScene, params: RenderParams) -> Result<Self, ParamsError> {
        scene.check_params(&params)?;
        let raw = AlignedParams(params.encode());
        Ok(Self { scene, params, raw })
    }

    /// Returns the parameters.
    pub fn params(&self) -> &RenderParams {
        &self.params
    }

    /// Returns the scene.
    pub fn scene(&self) -> &ValidScene {
        &self.scene
    }
}
