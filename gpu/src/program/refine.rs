//! Splits a unit into the sub-units that a dispute is about.
//!
//! Only a dispute computes them. Each is one region of [`Layout::log2_output`](super::Layout) in the region of parts,
//! in their order, from which the program puts the unit's output together.

use rayon::prelude::*;

use crate::{
    GpuError, TaskInput,
    kernels::{Kernels, SubUnit, ValidTask},
    program::Program,
    render::RenderParams,
    scene::ValidScene,
};

/// Computes what a unit's sub-units put out, on the CPU: the beginning of the region of parts.
///
/// # Errors
///
/// [`GpuError::InvalidInput`] if the program may not be run on the regions, [`GpuError::UnitOutOfRange`] if the unit
/// is not the job's.
pub fn refine(task: &TaskInput, unit_index: u64) -> Result<Vec<u8>, GpuError> {
    let Program::Render = task.program;
    let params = RenderParams::decode(&task.params)?;
    let unit_count = params.unit_count();
    let tile = params.tile(unit_index).ok_or(GpuError::UnitOutOfRange {
        first_unit: unit_index,
        end_unit: unit_index.saturating_add(1),
        unit_count,
    })?;
    let valid = ValidTask::new(ValidScene::new(&task.input)?, params.clone())?;
    let kernels = Kernels::detect();

    let (edge, ranges) = (params.tile_edge, params.range_count());
    let leaf_bytes = 1_usize << task.program.binary().layout.log2_output;
    let parts = (0..edge * edge * ranges).into_par_iter().map(|index| {
        let pixel = index / ranges;
        let place = (tile.x + pixel % edge, tile.y + pixel / edge);
        kernels.render_sub_unit(&valid, tile.frame, place, index % ranges)
    });
    Ok(parts.flat_map_iter(|part| leaf(part, leaf_bytes)).collect())
}

/// A sub-unit's output region; of a pixel outside of the frame it is zero.
fn leaf(part: Option<SubUnit>, leaf_bytes: usize) -> Vec<u8> {
    let mut leaf = part.map_or_else(Vec::new, |part| bytemuck::bytes_of(&part).to_vec());
    leaf.resize(leaf_bytes, 0);
    leaf
}
