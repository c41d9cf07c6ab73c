//! As much of Embree 3 as the bench calls, loaded at run time.

use std::ffi::c_void;

use inferix_gpu::kernels::{Hit, Ray};
use libloading::{Library, Symbol};

const NAMES: [&str; 2] = ["libembree3.so.3", "libembree3.so"];

const GEOMETRY_TYPE_TRIANGLE: i32 = 0;
const BUFFER_TYPE_INDEX: i32 = 0;
const BUFFER_TYPE_VERTEX: i32 = 1;
const FORMAT_UINT3: i32 = 0x5003;
const FORMAT_FLOAT3: i32 = 0x9003;

/// `FTZ` and `DAZ` of the control register, which Embree's manual asks callers to set.
const FLUSH_TO_ZERO: u32 = 0x8040;

type Handle = *mut c_void;

pub(crate) struct Embree {
    /// Never unloaded: its threads outlive the bench.
    library: &'static Library,
}

/// Triangles in Embree's own tree, of its default quality.
pub(crate) struct Scene {
    embree: Embree,
    scene: Handle,
}

#[repr(C, align(16))]
struct RayHit {
    origin: [f32; 3],
    t_near: f32,
    direction: [f32; 3],
    time: f32,
    t_far: f32,
    mask: u32,
    id: u32,
    flags: u32,
    normal: [f32; 3],
    u: f32,
    v: f32,
    triangle: u32,
    geometry: u32,
    instance: u32,
}

#[repr(C)]
struct Context {
    flags: i32,
    filter: *const c_void,
    instance: [u32; 4],
}

impl Embree {
    pub(crate) fn load() -> Option<Self> {
        // SAFETY: loading runs the constructors of a library that the machine's owner installed.
        let library = NAMES
            .iter()
            .find_map(|name| unsafe { Library::new(name) }.ok())?;
        Some(Self {
            library: Box::leak(Box::new(library)),
        })
    }

    pub(crate) fn scene(self, positions: &[[f32; 3]], indices: &[[u32; 3]]) -> Scene {
        type SetBuffer =
            unsafe extern "C" fn(Handle, i32, u32, i32, *const c_void, usize, usize, usize);
        // Embree may read 16 bytes at the last vertex.
        let mut positions = positions.to_vec();
        let count = positions.len();
        positions.push([0.0; 3]);
        // SAFETY: the signatures are those of rtcore.h; the buffers live as long as the process, since
        // they are leaked.
        unsafe {
            let positions = positions.leak();
            let indices = indices.to_vec().leak();
            let device = self.symbol::<unsafe extern "C" fn(*const u8) -> Handle>(b"rtcNewDevice")(
                std::ptr::null(),
            );
            let scene =
                self.symbol::<unsafe extern "C" fn(Handle) -> Handle>(b"rtcNewScene")(device);
            let geometry = self
                .symbol::<unsafe extern "C" fn(Handle, i32) -> Handle>(b"rtcNewGeometry")(
                device,
                GEOMETRY_TYPE_TRIANGLE,
            );
            let set = self.symbol::<SetBuffer>(b"rtcSetSharedGeometryBuffer");
            let at = positions.as_ptr().cast();
            set(
                geometry,
                BUFFER_TYPE_VERTEX,
                0,
                FORMAT_FLOAT3,
                at,
                0,
                12,
                count,
            );
            let at = indices.as_ptr().cast();
            set(
                geometry,
                BUFFER_TYPE_INDEX,
                0,
                FORMAT_UINT3,
                at,
                0,
                12,
                indices.len(),
            );
            self.symbol::<unsafe extern "C" fn(Handle)>(b"rtcCommitGeometry")(geometry);
            self.symbol::<unsafe extern "C" fn(Handle, Handle) -> u32>(b"rtcAttachGeometry")(
                scene, geometry,
            );
            self.symbol::<unsafe extern "C" fn(Handle)>(b"rtcCommitScene")(scene);
            Scene {
                embree: self,
                scene,
            }
        }
    }

    fn symbol<T>(&self, name: &[u8]) -> Symbol<'_, T> {
        // SAFETY: callers name a type that rtcore.h gives the symbol.
        unsafe { self.library.get(name) }.expect("the library is Embree 3")
    }
}

impl Scene {
    pub(crate) fn closest(&self, rays: &[Ray]) -> Vec<Hit> {
        type Intersect = unsafe extern "C" fn(Handle, *mut Context, *mut RayHit);
        let intersect = self.embree.symbol::<Intersect>(b"rtcIntersect1");
        let intersect = *intersect;
        let mut context = Context {
            flags: 0,
            filter: std::ptr::null(),
            instance: [u32::MAX; 4],
        };
        let control = control();
        set_control(control | FLUSH_TO_ZERO);
        let hits = rays
            .iter()
            .map(|ray| {
                let mut query = query_of(ray);
                // SAFETY: scene, context and query are Embree's structs, alive and aligned.
                unsafe { intersect(self.scene, &raw mut context, &raw mut query) };
                Hit {
                    t: query.t_far,
                    u: query.u,
                    v: query.v,
                    triangle: query.triangle,
                    instance: 0,
                }
            })
            .collect();
        set_control(control);
        hits
    }
}

fn query_of(ray: &Ray) -> RayHit {
    RayHit {
        origin: ray.origin,
        t_near: ray.t_min,
        direction: ray.direction,
        time: 0.0,
        t_far: ray.t_max,
        mask: u32::MAX,
        id: 0,
        flags: 0,
        normal: [0.0; 3],
        u: 0.0,
        v: 0.0,
        triangle: u32::MAX,
        geometry: u32::MAX,
        instance: u32::MAX,
    }
}

#[cfg(target_arch = "x86_64")]
fn control() -> u32 {
    let mut word = 0_u32;
    // SAFETY: stores the control register to a word.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut word) };
    word
}

#[cfg(target_arch = "x86_64")]
fn set_control(word: u32) {
    // SAFETY: flushing to zero while only Embree computes; the caller puts back what was there.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word) };
}

#[cfg(not(target_arch = "x86_64"))]
fn control() -> u32 {
    0
}

#[cfg(not(target_arch = "x86_64"))]
fn set_control(_: u32) {}
