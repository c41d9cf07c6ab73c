//! What a verifier knows beside a claim, and claims that lie.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use alloy_sol_types::Eip712Domain;
use inferix_prover::{
    attack::Attack,
    blob::ClaimBlob,
    fraud::{ClaimView, Facts, Findings, Fraud, Known, ObservedOrder, Predicate, find},
};

use super::sample::{self, IB_MICRO, Sample, Shape, checkpoint_at, honest};

pub const SHAPE: Shape = Shape {
    lines: 2,
    tasks: 3,
    intervals_per_task: 4,
    units_per_interval: 5,
};
pub const DRIFT_SECONDS: u64 = 5;
pub const CHECKPOINTS: u32 = 2_000;

/// What a sample's chain says.
pub struct Chain {
    pub domain: Eip712Domain,
    pub checkpoints: BTreeMap<u32, u64>,
    pub live_programs: BTreeSet<B256>,
    pub other_orders: Vec<ObservedOrder>,
}

impl Chain {
    pub fn new() -> Self {
        Self {
            domain: sample::domain(),
            checkpoints: (1..=CHECKPOINTS).map(|i| (i, checkpoint_at(i))).collect(),
            live_programs: [B256::repeat_byte(1)].into(),
            other_orders: Vec::new(),
        }
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts {
            domain: &self.domain,
            drift_seconds: DRIFT_SECONDS,
            checkpoints: &self.checkpoints,
            live_programs: Some(&self.live_programs),
            other_orders: &self.other_orders,
        }
    }

    pub fn find(&self, claim: &Sample) -> Findings {
        self.find_knowing(claim, Some(&claim.blob), &Known::new())
    }

    /// Finds, and checks all evidence as the contracts do.
    pub fn find_knowing(
        &self,
        claim: &Sample,
        blob: Option<&ClaimBlob>,
        known: &Known,
    ) -> Findings {
        let (header, lines) = (&claim.header, claim.lines.as_slice());
        let findings = find(
            ClaimView {
                header,
                lines,
                blob,
                known,
            },
            self.facts(),
        );
        for fraud in &findings.frauds {
            assert!(fraud.holds(header, lines), "no evidence: {fraud:?}");
        }
        for void in &findings.voids {
            assert!(
                void.holds(header, lines, self.facts()),
                "no evidence: {void:?}"
            );
        }
        for fraud in &findings.manager_frauds {
            assert!(fraud.holds(header, lines), "no evidence: {fraud:?}");
        }
        findings
    }
}

pub fn attacked(attack: Attack, shape: Shape, seed: u64) -> Sample {
    let honest = honest(seed, shape);
    let mut blob = honest.blob;
    let cursors: Vec<_> = blob
        .lines
        .iter()
        .map(|line| (0, line.order.taskCount))
        .collect();
    let lines = attack
        .commit(&mut blob, &cursors, IB_MICRO, 1_000_000)
        .unwrap();
    sample::sample(blob, lines)
}

/// Posts a sample again after its first line's leaves were changed.
pub fn posted(mut claim: Sample, change: impl FnOnce(&mut ClaimBlob)) -> Sample {
    change(&mut claim.blob);
    let lines = claim.blob.lines.iter().zip(&claim.lines);
    let lines = lines.map(|(line, old)| line.to_line(old.cursorFrom, old.cursorTo).unwrap());
    let lines = lines.collect();
    let (end_ms, start_ms) = (claim.header.endMs, claim.header.startMs);
    claim.blob.end_ms = end_ms;
    claim.blob.start_ms = start_ms;
    sample::sample(claim.blob, lines)
}

pub fn predicates(findings: &Findings) -> BTreeSet<Predicate> {
    findings.frauds.iter().map(Fraud::predicate).collect()
}
