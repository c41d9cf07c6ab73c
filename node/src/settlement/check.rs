//! A claim as a verifier would see it, before it is posted: what would be refuted is never posted.

use std::collections::BTreeMap;

use alloy::sol_types::Eip712Domain;
use inferix_prover::{
    blob::LineError,
    claim::{ClaimHeader, Line, lines_hash},
    fraud::{ClaimView, Facts, Findings, Known, Predicate, find},
};

use super::plan::Prepared;

/// What the chain adds to a claim.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Domain of jobs and orders.
    pub(super) domain: Eip712Domain,
    /// The device's speed, in micro-IB.
    pub(super) ib_micro: u64,
    /// How far clocks may be apart, in seconds.
    pub(super) drift_s: u64,
}

/// What a verifier finds in a claim as it would be posted.
///
/// # Errors
///
/// [`LineError`] where a line comes to more than a claim can state.
pub(super) fn findings(
    prepared: &Prepared,
    terms: &Terms,
    checkpoints: &BTreeMap<u32, u64>,
) -> Result<Findings, LineError> {
    let blob = &prepared.blob;
    let cursors = prepared.cursors_from.iter().zip(&prepared.draft.lines);
    let lines: Vec<Line> = blob
        .lines
        .iter()
        .zip(cursors)
        .map(|(line, (from, draft))| line.to_line(*from, draft.cursor_to))
        .collect::<Result<_, _>>()?;
    let header = ClaimHeader {
        deviceId: blob.device_id.bytes(),
        seq: blob.seq,
        ibMicro: terms.ib_micro,
        startMs: blob.start_ms,
        endMs: blob.end_ms,
        blobHash: prepared.draft.blob_hash,
        linesHash: lines_hash(&lines),
        ..ClaimHeader::default()
    };
    let view = ClaimView {
        header: &header,
        lines: &lines,
        blob: Some(blob),
        known: &Known::default(),
    };
    let facts = Facts {
        domain: &terms.domain,
        drift_seconds: terms.drift_s,
        checkpoints,
        live_programs: None,
        other_orders: &[],
    };
    Ok(find(view, facts))
}

/// Names the intervals for which a claim would be refuted, by their numbers, and by which predicate. Where a lie
/// is in no single interval, all of its line are named.
///
/// # Errors
///
/// [`LineError`] where a line comes to more than a claim can state.
pub(super) fn refutable(
    prepared: &Prepared,
    terms: &Terms,
) -> Result<BTreeMap<u32, Predicate>, LineError> {
    let blob = &prepared.blob;
    // Checkpoints and suspensions only void, which costs the worker no more than not to claim.
    let found = findings(prepared, terms, &BTreeMap::new())?;
    let mut refutable = BTreeMap::new();
    for fraud in found.frauds {
        let predicate = fraud.predicate();
        if let Some(leaf) = fraud.leaf() {
            refutable.insert(leaf.seq, predicate);
            continue;
        }
        let line = blob.lines.get(fraud.line_index());
        let intervals = line.into_iter().flat_map(|line| &line.intervals);
        refutable.extend(intervals.map(|held| (held.interval.seq, predicate)));
    }
    Ok(refutable)
}
