//! Why a device did not run a unit.

use crate::{render::ParamsError, scene::SceneError};

/// Why an executor did not do what was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GpuError {
    /// A region is not one that the program may be run on: the job is refused.
    #[error("invalid input")]
    InvalidInput(#[from] InvalidInput),
    /// The input does not fit on the device: it may run elsewhere.
    #[error("{need_bytes} bytes do not fit on the device, which has {have_bytes}")]
    OutOfMemory {
        /// What the input needs.
        need_bytes: u64,
        /// What the device has.
        have_bytes: u64,
    },
    /// A unit is not the job's.
    #[error("units {first_unit}..{end_unit} are not within the job's {unit_count}")]
    UnitOutOfRange {
        /// First unit of the batch.
        first_unit: u64,
        /// One past the last unit of the batch.
        end_unit: u64,
        /// How many units the job has.
        unit_count: u64,
    },
    /// The device failed: the batches in flight are lost.
    #[error("device `{device}` was lost")]
    DeviceLost {
        /// Its name.
        device: String,
    },
    /// The session was asked to end early.
    #[error("canceled")]
    Canceled,
    /// The processor lacks the instructions that were asked for.
    #[error("this processor has no {instructions}")]
    InstructionsMissing {
        /// The instruction set.
        instructions: &'static str,
    },
    /// The threads of a device could not be started.
    #[error("{thread_count} threads could not be started")]
    ThreadsUnavailable {
        /// How many were asked for.
        thread_count: usize,
    },
}

impl GpuError {
    /// Whether the same call may succeed later, or elsewhere, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::OutOfMemory { .. }
            | Self::DeviceLost { .. }
            | Self::Canceled
            | Self::ThreadsUnavailable { .. } => true,
            Self::InvalidInput(_)
            | Self::UnitOutOfRange { .. }
            | Self::InstructionsMissing { .. } => false,
        }
    }
}

/// Which region a program refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidInput {
    /// The input region is not a scene.
    #[error("the scene is refused")]
    Scene(#[from] SceneError),
    /// The parameter region does not decode.
    #[error("the render parameters are refused")]
    Params(#[from] ParamsError),
}

impl From<SceneError> for GpuError {
    fn from(err: SceneError) -> Self {
        Self::InvalidInput(err.into())
    }
}

impl From<ParamsError> for GpuError {
    fn from(err: ParamsError) -> Self {
        Self::InvalidInput(err.into())
    }
}
