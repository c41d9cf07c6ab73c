//! Deterministic programs and the devices that run them.
//!
//! A program's arithmetic stands once, as portable C in `kernels/`. [`executor`] is the seam that callers
//! code against and [`cpu`] what defines its results; [`scene`] makes and checks the blob that the render
//! program reads; [`render`] says what a unit of it is; [`image`] makes pictures of frames; [`memory`]
//! commits to regions.

pub mod cpu;
pub mod error;
pub mod executor;
pub mod image;
pub mod kernels;
pub mod memory;
pub mod program;
pub mod render;
pub mod scene;

pub use cpu::CpuExecutor;
pub use error::GpuError;
pub use executor::{BatchOutput, Executor, Session, TaskInput, UnitBatch, UnitOutput, UnitStatus};
pub use program::Program;
