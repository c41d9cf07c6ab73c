//! What the verifier has done, for Prometheus: each thing counts once, however often it is looked at again.
//!
//! # Layout
//!
//! The tree `tally`: `metric/id` to an amount. What it holds is shown again after a restart.

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Mutex, PoisonError},
};

use crate::store::{Store, StoreError, Tree};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// A claim's event was read.
    ClaimSeen,
    /// A claim was found sound.
    ClaimSound,
    /// A claim was refuted by a proof of this verifier's, or while it had one ready.
    ClaimRefuted,
    /// A leaf was voided.
    LeafVoided,
    /// A fraud of a manager's was proven.
    ManagerRefuted,
    /// Something hidden was demanded.
    DemandOpened,
    /// A demand of this verifier's was served.
    DemandServed,
    /// Units were executed again.
    UnitsRechecked,
    /// A bounty was earned, in wei.
    BountyEarned,
}

impl Deed {
    const ALL: [Self; 9] = [
        Self::ClaimSeen,
        Self::ClaimSound,
        Self::ClaimRefuted,
        Self::LeafVoided,
        Self::ManagerRefuted,
        Self::DemandOpened,
        Self::DemandServed,
        Self::UnitsRechecked,
        Self::BountyEarned,
    ];

    const fn metric(self) -> &'static str {
        match self {
            Self::ClaimSeen => "inferix_claims_seen_total",
            Self::ClaimSound => "inferix_claims_sound_total",
            Self::ClaimRefuted => "inferix_claims_refuted_total",
            Self::LeafVoided => "inferix_leaves_voided_total",
            Self::ManagerRefuted => "inferix_manager_frauds_total",
            Self::DemandOpened => "inferix_demands_opened_total",
            Self::DemandServed => "inferix_demands_answered_total",
            Self::UnitsRechecked => "inferix_units_rechecked_total",
            Self::BountyEarned => "inferix_bounties_wei",
        }
    }
}

/// All that was done.
#[derive(Debug)]
pub(super) struct Tally {
    tree: Tree,
    totals: Mutex<BTreeMap<Deed, u128>>,
}

impl Tally {
    /// Opens the tally and shows it.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`]; so does the method below.
    pub(super) fn open(store: &Store) -> Result<Self, StoreError> {
        let tree = store.tree("tally")?;
        let mut totals = BTreeMap::new();
        for deed in Deed::ALL {
            let amounts = tree.scan::<u128>(format!("{}/", deed.metric()))?;
            let total = amounts
                .into_iter()
                .fold(0_u128, |sum, (_, amount)| sum.saturating_add(amount));
            show(deed, total);
            totals.insert(deed, total);
        }
        Ok(Self {
            tree,
            totals: Mutex::new(totals),
        })
    }

    /// Counts what was done about an id, and returns whether it was not counted before.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub(super) fn note(
        &self,
        deed: Deed,
        id: impl Display,
        amount: u128,
    ) -> Result<bool, StoreError> {
        let key = format!("{}/{id}", deed.metric());
        if self.tree.get::<u128>(&key)?.is_some() {
            return Ok(false);
        }
        self.tree.put(key, &amount)?;
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let total = totals.entry(deed).or_default();
        *total = total.saturating_add(amount);
        show(deed, amount);
        Ok(true)
    }
}

/// Shows what came to a total.
fn show(deed: Deed, added: u128) {
    if deed == Deed::BountyEarned {
        // Seven bounties have more wei than a counter holds.
        metrics::gauge!(deed.metric()).increment(added as f64);
        return;
    }
    let added = u64::try_from(added).unwrap_or(u64::MAX);
    metrics::counter!(deed.metric()).increment(added);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_counts_once_and_outlives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let bounty_wei = 3_u128 * 10_u128.pow(18);
        {
            let tally = Tally::open(&Store::open(dir.path()).unwrap()).unwrap();
            for claim in ["a", "b", "a"] {
                tally.note(Deed::BountyEarned, claim, bounty_wei).unwrap();
                tally.note(Deed::ClaimSeen, claim, 1).unwrap();
            }
        }
        let tally = Tally::open(&Store::open(dir.path()).unwrap()).unwrap();
        tally.note(Deed::ClaimSeen, "c", 1).unwrap();
        let totals = tally.totals.lock().unwrap();
        assert_eq!(totals[&Deed::ClaimSeen], 3);
        assert_eq!(totals[&Deed::BountyEarned], 2 * bounty_wei);
        assert_eq!(totals[&Deed::ClaimSound], 0);
    }
}
