//! What the manager has to answer a demand on a claim of one of its lines.
//!
//! Orders, lists, jobs and outputs are its own. The interval that an output is asked of is the worker's: the
//! transaction that moved the demand here shows it, and so may the claim's blob. Either is a stranger's word,
//! and counts once it leads to the top of the line's tree.

use std::sync::Arc;

use alloy::{
    primitives::{Bytes, U256},
    sol_types::SolCall,
};
use inferix_prover::{
    blob::{BlobInterval, BlobLine, ClaimBlob, SignedJob},
    claim::Line,
    id::JobId,
    interval::Interval,
    sum_tree::{Node, Proof},
};

use super::{desk::Desk, error::ManagerError, receipts::compose};
use crate::{
    chain::{PostedClaim, bindings::demands as sol},
    demands::{AnswerError, ShownInterval, shown},
};

impl Desk {
    /// Returns the line with its order and list, and with the job of a listed task.
    pub(super) async fn listed_line(
        self: &Arc<Self>,
        claim: &PostedClaim,
        demand: &sol::Demand,
    ) -> Result<Result<BlobLine, AnswerError>, ManagerError> {
        let index = usize::from(demand.lineIndex);
        let Some(line) = claim.lines.get(index) else {
            return Ok(Err(AnswerError::NoSuchPlace));
        };
        let own = self.orders().past(line.orderHash)?;
        let mut held = match own {
            Some((order, tasks)) => BlobLine {
                order,
                tasks,
                ..BlobLine::default()
            },
            None => match self.claim_line(claim, index).await? {
                Some(told) if told.order.order_hash() == line.orderHash => told,
                Some(_) | None => return Ok(Err(AnswerError::NoOrder)),
            },
        };
        let position = usize::try_from(demand.position).unwrap_or(usize::MAX);
        let job_id = held.tasks.get(position).map(|task| task.job_id);
        held.jobs
            .extend(job_id.and_then(|id| self.builders_job(id)));
        held.jobs.sort_by_key(|signed| signed.job.job_id());
        Ok(Ok(held))
    }

    /// Returns the interval that an output is asked of, with its units, their job and the unit's output.
    pub(super) async fn receipted_output(
        self: &Arc<Self>,
        claim: &PostedClaim,
        demand: &sol::Demand,
        shifts: &[Bytes],
    ) -> Result<Result<(BlobLine, ShownInterval, Vec<u8>), AnswerError>, ManagerError> {
        let index = usize::from(demand.lineIndex);
        let Some(line) = claim.lines.get(index) else {
            return Ok(Err(AnswerError::NoSuchPlace));
        };
        let found = shown_in(shifts, line, demand);
        let found = match found {
            Some(found) => Some(found),
            None => {
                let told = self.claim_line(claim, index).await?;
                told.and_then(|told| proven_by(&told, line, demand.leafIndex))
            }
        };
        let Some((interval, siblings)) = found else {
            return Ok(Err(AnswerError::NoInterval));
        };
        let pieces = self.receipts.pieces(interval.job_id, interval.task_id)?;
        let end_unit = interval
            .first_unit
            .saturating_add(interval.unit_count.into());
        let receipted = compose(&pieces, interval.first_unit..end_unit, interval.units_root);
        let (Ok(receipted), Some(job)) = (receipted, self.builders_job(interval.job_id)) else {
            return Ok(Err(AnswerError::NoOutput));
        };

        let asked = usize::try_from(demand.position).unwrap_or(usize::MAX);
        let place = receipted.places.get(asked).or(receipted.places.first());
        let Some(place) = place else {
            return Ok(Err(AnswerError::NoOutput));
        };
        let outputs = self.blobs.get(place.blob).await?;
        let size_bytes = outputs.len().checked_div(place.unit_count);
        let output = size_bytes.and_then(|size| outputs.chunks(size.max(1)).nth(place.position));
        let Some(output) = output.map(<[u8]>::to_vec) else {
            return Ok(Err(AnswerError::NoOutput));
        };
        let held = BlobInterval {
            interval,
            units: receipted.units,
        };
        let line = BlobLine {
            jobs: vec![job],
            ..BlobLine::default()
        };
        Ok(Ok((line, ShownInterval { held, siblings }, output)))
    }

    /// A job with its builder's signature.
    fn builders_job(&self, job_id: JobId) -> Option<SignedJob> {
        let job = self.queue.job(job_id)?;
        let signed = &job.entry.signed;
        Some(SignedJob {
            job: signed.job.clone(),
            signature: signed.signature.as_ref().try_into().ok()?,
        })
    }

    /// A line as the claim's blob tells it, if it is here.
    async fn claim_line(
        self: &Arc<Self>,
        claim: &PostedClaim,
        index: usize,
    ) -> Result<Option<BlobLine>, ManagerError> {
        let hash = claim.header.blobHash;
        if !self.blobs.has(hash).await? {
            return Ok(None);
        }
        let bytes = self.blobs.get(hash).await?;
        self.blocking(move |_| {
            let blob = ClaimBlob::from_bytes(&bytes).ok();
            Ok(blob.and_then(|blob| blob.lines.into_iter().nth(index)))
        })
        .await
    }
}

/// Looks for the interval in the calldata that moved a demand. Who moved it may have gone through a contract of
/// its own, so the call is looked for anywhere.
fn shown_in(shifts: &[Bytes], line: &Line, demand: &sol::Demand) -> Option<(Interval, Vec<Node>)> {
    let selector = sol::shiftToManagerCall::SELECTOR;
    let calls = shifts.iter().flat_map(|input| {
        let places = 0..input.len().saturating_sub(selector.len());
        places.filter_map(move |at| {
            let call = input.get(at..).filter(|call| call.starts_with(&selector))?;
            sol::shiftToManagerCall::abi_decode(call).ok()
        })
    });
    let mut shown = calls.map(|call| {
        let interval = shown::interval(&call.leaf.leaf);
        (interval, shown::nodes(&call.leaf.siblings))
    });
    shown.find(|(interval, siblings)| is_of(interval, siblings, line, demand.leafIndex))
}

fn proven_by(told: &BlobLine, line: &Line, leaf_index: u64) -> Option<(Interval, Vec<Node>)> {
    let index = usize::try_from(leaf_index).ok()?;
    let interval = told.intervals.get(index)?.interval;
    let siblings = told.interval_tree().ok()?.prove(leaf_index).ok()?.siblings;
    is_of(&interval, &siblings, line, leaf_index).then_some((interval, siblings))
}

/// Whether a leaf and its way up lead to the line's top.
fn is_of(interval: &Interval, siblings: &[Node], line: &Line, leaf_index: u64) -> bool {
    let proof = Proof {
        leaf_index,
        leaf_count: line.leafCount,
        siblings: siblings.to_vec(),
    };
    let top = proof.top(interval.leaf());
    top.is_ok_and(|top| {
        top.hash == line.topHash && U256::from(top.sum) == U256::from(line.sumIbmMicro)
    })
}
