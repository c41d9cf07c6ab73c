//! What answers a demand, built from what a claim blob holds or its manager has: pure.

use alloy::{
    primitives::{Address, B256},
    sol_types::SolCall,
};
use inferix_gpu::memory;
use inferix_prover::{
    blob::{BlobInterval, BlobLine},
    fraud::{LeafEvidence, TaskEvidence, UnitEvidence},
    sum_tree::{Node, Span, SumTree, SumTreeError},
};

use crate::chain::{
    Call, ChainError, Deployment, PostedClaim,
    bindings::{demands as sol, recode},
    evidence,
};

/// Levels of a chunk of an output: 32 leaves.
const CHUNK_LEVELS: u32 = 5;
/// Bytes of a chunk.
const CHUNK_BYTES: usize = 1 << (CHUNK_LEVELS + memory::LOG2_LEAF);

/// Why a demand can't be answered from what the worker has.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// The demanded place is not in the claim, which the contract would not have let pass.
    #[error("the demanded place is not in the claim")]
    NoSuchPlace,
    /// The kind is of a later contract.
    #[error("demands of kind {kind} are not known to this version")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// The line's order is not here.
    #[error("the order of the demanded line is not here")]
    NoOrder,
    /// The interval that an output is asked of is not known.
    #[error("nobody has shown the interval that the demanded output is of")]
    NoInterval,
    /// The job's signature is not here.
    #[error("the job of the demanded task is not here")]
    NoJob,
    /// A receipt's signature is not one.
    #[error("the receipt has no signature of 64 bytes")]
    NoSignature,
    /// The output is not stored any more.
    #[error("the demanded output is not stored here any more")]
    NoOutput,
    /// The tree can't be built.
    #[error("the claim's trees can't be built again")]
    Tree(#[from] SumTreeError),
    /// The call can't be encoded.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// An interval and the way up from it, shown by somebody else where its line's others are not known.
#[derive(Clone, Debug)]
pub(crate) struct ShownInterval {
    /// The interval and its units.
    pub(crate) held: BlobInterval,
    /// The siblings up to the top of the line's tree.
    pub(crate) siblings: Vec<Node>,
}

/// A demand on a claim, with what there is to answer it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// The contracts.
    pub(crate) deployment: &'a Deployment,
    /// The claim, its header as it is now.
    pub(crate) claim: &'a PostedClaim,
    /// What is asked.
    pub(crate) demand: &'a sol::Demand,
    /// The line that it is asked of.
    pub(crate) line: &'a BlobLine,
    /// The interval that it is asked of, where the line does not hold all of its own.
    pub(crate) shown: Option<&'a ShownInterval>,
    /// The unit's output, for a demand of one.
    pub(crate) output: Option<&'a [u8]>,
    /// Who gets the fee.
    pub(crate) payee: Address,
}

/// The call that answers a demand.
///
/// # Errors
///
/// Every variant of [`AnswerError`].
pub(crate) fn answer(question: &Question<'_>) -> Result<Call, AnswerError> {
    let Question {
        deployment,
        claim,
        demand,
        line,
        payee,
        ..
    } = *question;
    let demand = demand.clone();
    let target: sol::LineRef = recode(&evidence::line_ref(claim, usize::from(demand.lineIndex))?)?;
    let data = match demand.kind {
        0 => {
            let leaf = shown_leaf(question)?;
            sol::serveIntervalCall {
                target,
                demand,
                leaf,
                payee,
            }
            .abi_encode()
        }
        1 => {
            let shown = nodes(&line.interval_tree()?, &demand)?;
            sol::serveNodesCall {
                target,
                demand,
                shown,
                payee,
            }
            .abi_encode()
        }
        2 => {
            let (leaf, unit) = (shown_leaf(question)?, shown_unit(question)?);
            sol::serveUnitCall {
                target,
                demand,
                leaf,
                unit,
                payee,
            }
            .abi_encode()
        }
        3 => {
            let leaf = shown_leaf(question)?;
            let tree = held(question)?.unit_tree()?;
            let units = recode(&evidence::top(&tree.root_preimage()?))?;
            let shown = if has_node(&tree, &demand) {
                nodes(&tree, &demand)?
            } else {
                no_nodes()
            };
            sol::serveUnitNodesCall {
                target,
                demand,
                leaf,
                units,
                shown,
                payee,
            }
            .abi_encode()
        }
        4 => {
            let (order, listed) = (recode(&line.order)?, shown_task(question)?);
            sol::serveTaskCall {
                target,
                demand,
                order,
                listed,
                payee,
            }
            .abi_encode()
        }
        5 => {
            let listed = shown_task(question)?;
            let signed = line.job(listed_job(question)?).ok_or(AnswerError::NoJob)?;
            let signature = sol::Signature {
                r: B256::from_slice(&signed.signature[..32]),
                vs: B256::from_slice(&signed.signature[32..]),
            };
            sol::serveJobCall {
                target,
                demand,
                order: recode(&line.order)?,
                listed,
                job: recode(&signed.job)?,
                signature,
                payee,
            }
            .abi_encode()
        }
        6 => {
            let job = line
                .job(held(question)?.interval.job_id)
                .ok_or(AnswerError::NoJob)?;
            sol::serveOutputCall {
                leaf: shown_leaf(question)?,
                unit: shown_unit(question)?,
                job: recode(&job.job)?,
                chunk: chunk(question.output, demand.chunkIndex)?,
                target,
                demand,
                payee,
            }
            .abi_encode()
        }
        kind => return Err(AnswerError::UnknownKind { kind }),
    };
    Ok(Call::new(deployment.demands, data))
}

/// The interval that a demand is about.
fn held<'a>(question: &Question<'a>) -> Result<&'a BlobInterval, AnswerError> {
    if let Some(shown) = question.shown {
        return Ok(&shown.held);
    }
    let index = usize::try_from(question.demand.leafIndex).unwrap_or(usize::MAX);
    question
        .line
        .intervals
        .get(index)
        .ok_or(AnswerError::NoSuchPlace)
}

pub(super) fn shown_leaf(question: &Question<'_>) -> Result<sol::LeafEvidence, AnswerError> {
    let index = question.demand.leafIndex;
    let siblings = match question.shown {
        Some(shown) => shown.siblings.clone(),
        None => question.line.interval_tree()?.prove(index)?.siblings,
    };
    let shown = LeafEvidence {
        line_index: usize::from(question.demand.lineIndex),
        leaf: held(question)?.interval,
        index,
        siblings,
    };
    Ok(recode(&evidence::leaf_evidence(&shown))?)
}

/// The demanded unit; the first one where the interval has no such unit, which the leaf shows already.
fn shown_unit(question: &Question<'_>) -> Result<sol::UnitEvidence, AnswerError> {
    let held = held(question)?;
    let asked = usize::try_from(question.demand.position).unwrap_or(usize::MAX);
    let position = if asked < held.units.len() { asked } else { 0 };
    let unit = *held.units.get(position).ok_or(AnswerError::NoSuchPlace)?;
    let tree = held.unit_tree()?;
    let index = u64::try_from(position).unwrap_or(u64::MAX);
    let shown = UnitEvidence {
        unit,
        position: u32::try_from(position).unwrap_or(u32::MAX),
        top: tree.root_preimage()?,
        siblings: tree.prove(index)?.siblings,
    };
    Ok(recode(&evidence::unit_evidence(&shown))?)
}

fn shown_task(question: &Question<'_>) -> Result<sol::TaskEvidence, AnswerError> {
    let position = question.demand.position;
    let index = usize::try_from(position).unwrap_or(usize::MAX);
    let task = *question
        .line
        .tasks
        .get(index)
        .ok_or(AnswerError::NoSuchPlace)?;
    let tree = question.line.task_tree()?;
    let shown = TaskEvidence {
        task,
        index: u32::try_from(position).map_err(|_| AnswerError::NoSuchPlace)?,
        top: tree.root_preimage()?,
        siblings: tree.prove(position)?.siblings,
    };
    Ok(recode(&evidence::task_evidence(&shown))?)
}

fn listed_job(question: &Question<'_>) -> Result<inferix_prover::id::JobId, AnswerError> {
    let index = usize::try_from(question.demand.position).unwrap_or(usize::MAX);
    let task = question
        .line
        .tasks
        .get(index)
        .ok_or(AnswerError::NoSuchPlace)?;
    Ok(task.job_id)
}

fn has_node(tree: &SumTree, demand: &sol::Demand) -> bool {
    tree.node(u32::from(demand.level), demand.position)
        .is_some()
}

/// The nodes five levels below a node, and the way up from it.
fn nodes(tree: &SumTree, demand: &sol::Demand) -> Result<sol::NodesEvidence, AnswerError> {
    let span = Span {
        level: u32::from(demand.level),
        index: demand.position,
    };
    let below = tree.descent(span)?;
    let whole = Span::whole(tree.leaf_count()).level;
    let above = (span.level..whole).filter_map(|level| {
        let sibling = (span.index >> (level - span.level)) ^ 1;
        tree.node(level, sibling)
    });
    Ok(sol::NodesEvidence {
        nodes: siblings(&below)?,
        siblings: siblings(&above.collect::<Vec<_>>())?,
    })
}

fn no_nodes() -> sol::NodesEvidence {
    sol::NodesEvidence {
        nodes: Vec::new(),
        siblings: Vec::new(),
    }
}

fn siblings(nodes: &[Node]) -> Result<Vec<sol::Sibling>, ChainError> {
    evidence::siblings(nodes).iter().map(recode).collect()
}

/// A chunk of an output and the way up to the output's root.
fn chunk(output: Option<&[u8]>, chunk_index: u64) -> Result<sol::ChunkEvidence, AnswerError> {
    let output = output.ok_or(AnswerError::NoOutput)?;
    let index = usize::try_from(chunk_index).map_err(|_| AnswerError::NoSuchPlace)?;
    let count = output.len() / CHUNK_BYTES;
    if index >= count {
        // The program's depth shows that there is no such chunk; the call needs none.
        return Ok(sol::ChunkEvidence {
            data: Vec::new().into(),
            siblings: Vec::new(),
        });
    }
    let part = |level: u32, index: usize| {
        let size = CHUNK_BYTES << level;
        &output[index * size..(index + 1) * size]
    };
    let siblings = (0..count.ilog2())
        .map(|level| {
            let sibling = (index >> level) ^ 1;
            let log2_size = CHUNK_LEVELS + memory::LOG2_LEAF + level;
            B256::from(memory::subtree_root(part(level, sibling), log2_size))
        })
        .collect();
    Ok(sol::ChunkEvidence {
        data: part(0, index).to_vec().into(),
        siblings,
    })
}
