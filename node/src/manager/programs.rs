//! The programs that the manager takes jobs for, and what it asks of `inferix-gpu` about them.

use std::sync::Arc;

use alloy::primitives::B256;
use bytes::Bytes;
use inferix_gpu::{
    Executor, GpuError, Program, TaskInput, memory,
    render::{PIXEL_BYTES, RenderParams, pixels_cost},
};

/// What a job's parameters fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobShape {
    /// Units in all.
    pub unit_count: u64,
    /// Log2 of the bytes of a unit's output region.
    pub log2_output: u32,
}

/// Log2 of the bytes of a rendered unit's output: a tile of 16 by 16 pixels of 16 bytes. The chain knows
/// one depth for a program, and an output of another could not be shown when it is demanded.
pub const RENDER_LOG2_OUTPUT: u32 = 12;

/// Why a program can't run a job.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// No such program.
    #[error("program {program_id} is not known here")]
    Unknown {
        /// The program.
        program_id: B256,
    },
    /// A unit's output has another size than the program's.
    #[error(
        "a unit's output has 2^{log2_output} bytes, the program's has 2^{needed}: use tiles of 16 pixels"
    )]
    WrongOutputSize {
        /// Log2 of the output's bytes.
        log2_output: u32,
        /// Log2 of what the chain knows of the program.
        needed: u32,
    },
    /// A region is larger than the program's memory.
    #[error("the {region} region has {len_bytes} bytes, the program takes {max_bytes}")]
    TooLarge {
        /// Which.
        region: &'static str,
        /// Its size.
        len_bytes: u64,
        /// The most.
        max_bytes: u64,
    },
    /// The regions are refused.
    #[error("the job's input is refused")]
    Refused(#[source] GpuError),
}

/// Returns the ids of all programs.
pub fn program_ids() -> Vec<B256> {
    vec![B256::new(Program::Render.program_id())]
}

/// Reads what a job's parameters fix.
///
/// # Errors
///
/// [`ProgramError::Unknown`], [`ProgramError::Refused`].
pub fn shape(program_id: B256, params: &[u8]) -> Result<JobShape, ProgramError> {
    match program(program_id)? {
        Program::Render => {
            let params = RenderParams::decode(params)
                .map_err(|err| ProgramError::Refused(GpuError::from(err)))?;
            let log2_output = params.log2_output();
            if log2_output != RENDER_LOG2_OUTPUT {
                let needed = RENDER_LOG2_OUTPUT;
                return Err(ProgramError::WrongOutputSize {
                    log2_output,
                    needed,
                });
            }
            Ok(JobShape {
                unit_count: params.unit_count(),
                log2_output,
            })
        }
    }
}

/// Checks the regions as every executor does before it runs a unit of them. Takes as long as reading them.
///
/// # Errors
///
/// Every variant of [`ProgramError`].
pub fn check_input(
    executor: &dyn Executor,
    program_id: B256,
    input: &Bytes,
    params: &[u8],
) -> Result<(), ProgramError> {
    let program = program(program_id)?;
    let task = TaskInput {
        program,
        input: Arc::from(input.as_ref()),
        params: Arc::from(params),
    };
    executor.prepare(task).map_err(ProgramError::Refused)?;
    Ok(())
}

/// Returns the root of an input region.
///
/// # Errors
///
/// [`ProgramError::TooLarge`].
pub fn input_root(bytes: &[u8]) -> Result<B256, ProgramError> {
    root("input", bytes, memory::LOG2_INPUT)
}

/// Returns the root of a parameter region.
///
/// # Errors
///
/// [`ProgramError::TooLarge`].
pub fn params_root(bytes: &[u8]) -> Result<B256, ProgramError> {
    root("parameter", bytes, memory::LOG2_PARAMS)
}

/// Returns the root of an output region.
///
/// # Errors
///
/// [`ProgramError::TooLarge`].
pub fn output_root(bytes: &[u8], log2_output: u32) -> Result<B256, ProgramError> {
    root("output", bytes, log2_output)
}

/// Returns what an output says that its unit cost: a finished unit exactly that, a capped one no less. `None` if
/// the output can't be a capped unit's.
///
/// # Errors
///
/// [`ProgramError::Unknown`].
pub fn output_cost(
    program_id: B256,
    output: &[u8],
    is_capped: bool,
) -> Result<Option<u64>, ProgramError> {
    match program(program_id)? {
        Program::Render => {
            // The pixel that did not fit is cut, and all below it.
            let last = output.get(output.len().saturating_sub(PIXEL_BYTES)..);
            let is_cut = last.unwrap_or_default().iter().all(|&byte| byte == 0);
            Ok((is_cut || !is_capped).then(|| pixels_cost(output)))
        }
    }
}

fn root(region: &'static str, bytes: &[u8], log2_size: u32) -> Result<B256, ProgramError> {
    let len_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let max_bytes = 1 << log2_size;
    if len_bytes > max_bytes {
        return Err(ProgramError::TooLarge {
            region,
            len_bytes,
            max_bytes,
        });
    }
    Ok(B256::new(memory::subtree_root(bytes, log2_size)))
}

fn program(program_id: B256) -> Result<Program, ProgramError> {
    if program_id == B256::new(Program::Render.program_id()) {
        return Ok(Program::Render);
    }
    Err(ProgramError::Unknown { program_id })
}
