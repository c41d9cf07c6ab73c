//! Claims that lie on request, to see them refuted.

use std::collections::BTreeMap;

use inferix_prover::attack::Attack;
use tracing::warn;

use super::plan::{OrderKey, Prepared};

/// Makes a claim lie, if it can tell this lie.
pub(super) fn lie(
    attack: Attack,
    prepared: &mut Prepared,
    cursors: &BTreeMap<OrderKey, u32>,
    ib_micro: u64,
) {
    let ranges: Vec<_> = prepared
        .draft
        .lines
        .iter()
        .map(|line| {
            let key = (line.order.manager, line.order.builder);
            (
                cursors.get(&key).copied().unwrap_or_default(),
                line.cursor_to,
            )
        })
        .collect();
    match attack.commit(&mut prepared.blob, &ranges, ib_micro, 1_000) {
        Ok(lines) => {
            for (draft, line) in prepared.draft.lines.iter_mut().zip(lines) {
                draft.top_hash = line.topHash;
                draft.leaf_count = line.leafCount;
                draft.sum_ibm_micro = line.sumIbmMicro;
            }
            prepared.draft.blob_hash = prepared.blob.hash();
            warn!(attack = attack.name(), "claim lies");
        }
        Err(err) => warn!(%err, "no lie could be told"),
    }
}
