//! What a worker delivered, held to what it reported: every output's root is computed again.

use alloy::primitives::B256;
use inferix_prover::{
    sum_tree::SumTreeError,
    task::Task,
    unit::{CAPPED, DONE, UnitLeaf, unit_tree},
};

use super::programs::{self, ProgramError};
use crate::api::types::{ResultReport, UnitResult};

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportRefusal {
    /// The units are not the task's.
    #[error("units {first_unit} and {unit_count} on are not within the task")]
    UnitsNotTask {
        /// First unit.
        first_unit: u64,
        /// How many.
        unit_count: usize,
    },
    /// The blob does not hold exactly the units' output regions.
    #[error("the output blob has {got} bytes, the units' outputs have {needed}")]
    WrongSize {
        /// The blob's.
        got: u64,
        /// What the units have.
        needed: u64,
    },
    /// An output is not what was reported.
    #[error("unit {unit_index} has the output root {computed}, the report says {reported}")]
    WrongRoot {
        /// The unit.
        unit_index: u64,
        /// The root of the bytes.
        computed: B256,
        /// What the worker reported.
        reported: B256,
    },
    /// A unit cost more than its job allows.
    #[error("unit {unit_index} cost {cost} work units, the job allows {max_cost}")]
    CostTooHigh {
        /// The unit.
        unit_index: u64,
        /// What was reported.
        cost: u64,
        /// The job's bound.
        max_cost: u64,
    },
    /// An output holds another cost than was reported.
    #[error(
        "unit {unit_index} has an output that cost {computed} work units, the report says {reported}"
    )]
    WrongCost {
        /// The unit.
        unit_index: u64,
        /// What the output's own words come to.
        computed: u64,
        /// What the worker reported.
        reported: u64,
    },
    /// An output is whole, and was reported as capped.
    #[error("unit {unit_index} is reported as capped, and nothing of its output is cut")]
    NotCapped {
        /// The unit.
        unit_index: u64,
    },
    /// A status is none, or a capped unit did not cost the cap.
    #[error("unit {unit_index} has status {status} at cost {cost}, which can't be")]
    WrongStatus {
        /// The unit.
        unit_index: u64,
        /// What was reported.
        status: u8,
        /// What was reported.
        cost: u64,
    },
    /// The lease ended, and others have the units.
    #[error(
        "the lease ended at {lease_ends_at} and the units went to another worker: claim what you did"
    )]
    LeaseEnded {
        /// When.
        lease_ends_at: u64,
    },
    /// A unit was delivered before, with another result.
    #[error("unit {unit_index} was delivered before with another result: the first one counts")]
    Contradicts {
        /// The unit.
        unit_index: u64,
    },
    /// The task's units were delivered in overlapping batches too often.
    #[error("outputs of {kept_count} units of the task are kept here, {max_count} at most")]
    TooOften {
        /// How many outputs are kept, those of one unit as often as they are.
        kept_count: u64,
        /// The most.
        max_count: u64,
    },
    /// The program does not know the output.
    #[error("the outputs can't be checked")]
    Program(#[from] ProgramError),
    /// The units make no tree.
    #[error("the units make no tree")]
    Tree(#[from] SumTreeError),
}

/// Turns a report into the leaves that the worker will claim.
///
/// # Errors
///
/// [`ReportRefusal::UnitsNotTask`], [`ReportRefusal::CostTooHigh`], [`ReportRefusal::WrongStatus`].
pub fn leaves(report: &ResultReport, task: &Task) -> Result<Vec<UnitLeaf>, ReportRefusal> {
    let (first_unit, unit_count) = (report.first_unit, report.units.len());
    let is_held = u32::try_from(unit_count).is_ok_and(|count| task.holds(first_unit, count));
    if !is_held {
        return Err(ReportRefusal::UnitsNotTask {
            first_unit,
            unit_count,
        });
    }
    (first_unit..)
        .zip(&report.units)
        .map(|(unit_index, unit)| leaf(unit_index, unit, task))
        .collect()
}

/// Checks that a blob holds the outputs of these units of a program, one after the other.
///
/// # Errors
///
/// [`ReportRefusal::WrongSize`], [`ReportRefusal::WrongRoot`], [`ReportRefusal::WrongCost`],
/// [`ReportRefusal::NotCapped`], [`ReportRefusal::Program`].
pub fn check_outputs(
    units: &[UnitLeaf],
    blob: &[u8],
    (program_id, log2_output): (B256, u32),
) -> Result<(), ReportRefusal> {
    let size_bytes = 1_usize << log2_output;
    let needed = units.len().saturating_mul(size_bytes);
    if blob.len() != needed {
        let as_u64 = |len| u64::try_from(len).unwrap_or(u64::MAX);
        return Err(ReportRefusal::WrongSize {
            got: as_u64(blob.len()),
            needed: as_u64(needed),
        });
    }
    for (unit, output) in units.iter().zip(blob.chunks_exact(size_bytes)) {
        let computed = programs::output_root(output, log2_output)?;
        if computed != unit.output_root {
            let (unit_index, reported) = (unit.unit_index, unit.output_root);
            return Err(ReportRefusal::WrongRoot {
                unit_index,
                computed,
                reported,
            });
        }
        check_cost(unit, output, program_id)?;
    }
    Ok(())
}

/// Returns the root of the units' tree.
///
/// # Errors
///
/// [`ReportRefusal::Tree`].
pub fn units_root(units: &[UnitLeaf]) -> Result<B256, ReportRefusal> {
    Ok(unit_tree(units)?.root()?)
}

fn check_cost(unit: &UnitLeaf, output: &[u8], program_id: B256) -> Result<(), ReportRefusal> {
    let (unit_index, reported) = (unit.unit_index, unit.cost);
    let is_capped = unit.status == CAPPED;
    let computed = programs::output_cost(program_id, output, is_capped)?
        .ok_or(ReportRefusal::NotCapped { unit_index })?;
    let is_right = computed == reported || is_capped && computed < reported;
    if !is_right {
        return Err(ReportRefusal::WrongCost {
            unit_index,
            computed,
            reported,
        });
    }
    Ok(())
}

fn leaf(unit_index: u64, unit: &UnitResult, task: &Task) -> Result<UnitLeaf, ReportRefusal> {
    let UnitResult {
        status,
        output_root,
        cost,
    } = *unit;
    if cost > task.max_cost {
        return Err(ReportRefusal::CostTooHigh {
            unit_index,
            cost,
            max_cost: task.max_cost,
        });
    }
    if !(status == DONE || status == CAPPED && cost == task.max_cost) {
        return Err(ReportRefusal::WrongStatus {
            unit_index,
            status,
            cost,
        });
    }
    Ok(UnitLeaf {
        unit_index,
        status,
        output_root,
        cost,
    })
}
