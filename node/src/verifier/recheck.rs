//! Executing units again, on the verifier's own device.

use std::sync::Arc;

use alloy::primitives::{B256, keccak256};
use inferix_gpu::{
    GpuError, Program, TaskInput,
    executor::{Executor, UnitBatch},
    memory,
};
use inferix_prover::{
    blob::{ClaimBlob, SignedJob},
    unit::UnitLeaf,
};

/// A unit that is executed again, and what the claim says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Its job.
    pub(super) job: SignedJob,
    /// What the claim says.
    pub(super) claimed: UnitLeaf,
    /// The task's bound on its cost.
    pub(super) max_cost: u64,
}

/// Draws one unit in `one_in`, at least one of each claim.
///
/// The draw depends on a secret of the verifier's, so that a worker can't know which units are looked at.
pub(super) fn draw(blob: &ClaimBlob, claim_id: B256, secret: B256, one_in: u64) -> Vec<Sample> {
    let mut all = Vec::new();
    for line in &blob.lines {
        for held in &line.intervals {
            let Some(job) = line.job(held.interval.job_id) else {
                continue;
            };
            let index = usize::try_from(held.interval.task_index).unwrap_or(usize::MAX);
            let Some(task) = line.tasks.get(index) else {
                continue;
            };
            all.extend(
                held.units
                    .iter()
                    .map(|unit| (lot(claim_id, secret, unit), job, unit, task)),
            );
        }
    }
    let count = u64::try_from(all.len())
        .unwrap_or(u64::MAX)
        .div_ceil(one_in.max(1));
    all.sort_by_key(|(lot, ..)| *lot);
    all.into_iter()
        .take(usize::try_from(count).unwrap_or(usize::MAX))
        .map(|(_, job, unit, task)| Sample {
            job: job.clone(),
            claimed: *unit,
            max_cost: task.max_cost,
        })
        .collect()
}

fn lot(claim_id: B256, secret: B256, unit: &UnitLeaf) -> B256 {
    let mut bytes = claim_id.to_vec();
    bytes.extend(secret);
    bytes.extend(unit.to_bytes());
    keccak256(bytes)
}

/// What executing a unit again showed.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is as claimed.
    Same,
    /// It is not as claimed.
    Different {
        /// What it should be.
        computed: UnitLeaf,
    },
    /// It can't be executed here.
    Unknown(String),
}

/// Executes a unit again. `input` and `params` are the job's regions.
pub(super) fn execute(
    executor: &dyn Executor,
    sample: &Sample,
    input: &[u8],
    params: &[u8],
) -> Verdict {
    let job = &sample.job.job;
    if job.programId.0 != Program::Render.program_id() {
        return Verdict::Unknown("this verifier does not have the program".to_owned());
    }
    if memory::subtree_root(input, memory::LOG2_INPUT) != job.inputRoot.0
        || memory::subtree_root(params, memory::LOG2_PARAMS) != job.paramsRoot.0
    {
        return Verdict::Unknown(
            "the job's regions are not those that the builder signed".to_owned(),
        );
    }
    let task = TaskInput {
        program: Program::Render,
        input: Arc::from(input),
        params: Arc::from(params),
    };
    match run(executor, task, sample) {
        Ok(Some(computed)) if computed == sample.claimed => Verdict::Same,
        Ok(Some(computed)) => Verdict::Different { computed },
        Ok(None) => Verdict::Unknown("the device gave nothing".to_owned()),
        Err(err) => Verdict::Unknown(err.to_string()),
    }
}

fn run(
    executor: &dyn Executor,
    task: TaskInput,
    sample: &Sample,
) -> Result<Option<UnitLeaf>, GpuError> {
    let mut session = executor.prepare(task)?;
    session.submit(UnitBatch {
        first_unit: sample.claimed.unit_index,
        unit_count: 1,
        max_cost: sample.max_cost,
    })?;
    let output = session.collect()?;
    Ok(output.and_then(|batch| batch.outputs.first().map(UnitLeaf::from)))
}
