//! A set of units, kept as the ranges that it is made of.
//!
//! Jobs hold millions of units and hand them out in runs, so a set costs what its runs cost.

use std::ops::Range;

/// A set of unit indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitRanges {
    /// Sorted, disjoint, not empty, not touching.
    ranges: Vec<Range<u64>>,
}

impl UnitRanges {
    /// Returns the set of one range, which may be empty.
    pub fn of(range: Range<u64>) -> Self {
        let mut set = Self::default();
        set.insert(range);
        set
    }

    /// Adds a range.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.ranges.partition_point(|held| held.end < range.start);
        let to = self.ranges.partition_point(|held| held.start <= range.end);
        let mut merged = range;
        if let Some(touched) = self
            .ranges
            .get(from..to)
            .filter(|touched| !touched.is_empty())
        {
            merged.start = merged.start.min(touched[0].start);
            merged.end = merged.end.max(touched[touched.len() - 1].end);
        }
        self.ranges.splice(from..to, [merged]);
    }

    /// Takes a range out.
    pub fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.ranges.partition_point(|held| held.end <= range.start);
        let to = self.ranges.partition_point(|held| held.start < range.end);
        let rest: Vec<_> = self.ranges[from..to]
            .iter()
            .flat_map(|held| {
                [
                    held.start..range.start.min(held.end),
                    range.end.max(held.start)..held.end,
                ]
            })
            .filter(|piece| !piece.is_empty())
            .collect();
        self.ranges.splice(from..to, rest);
    }

    /// Takes out all units of another set.
    pub fn remove_all(&mut self, other: &Self) {
        for range in &other.ranges {
            self.remove(range.clone());
        }
    }

    /// Whether all units of a range are in the set. True for an empty range.
    pub fn contains(&self, range: &Range<u64>) -> bool {
        let at = self.ranges.partition_point(|held| held.end < range.end);
        range.is_empty()
            || self
                .ranges
                .get(at)
                .is_some_and(|held| held.start <= range.start)
    }

    /// Whether some unit of a range is in the set.
    pub fn intersects(&self, range: &Range<u64>) -> bool {
        let at = self.ranges.partition_point(|held| held.end <= range.start);
        !range.is_empty()
            && self
                .ranges
                .get(at)
                .is_some_and(|held| held.start < range.end)
    }

    /// Returns how many units the set holds.
    pub fn count(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// Whether the set holds no unit.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns the ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.ranges.iter().cloned()
    }

    /// Returns the first run of consecutive units.
    pub fn first_run(&self) -> Option<Range<u64>> {
        self.ranges.first().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_of_ranges_is_the_set_of_its_units(
            steps in prop::collection::vec((any::<bool>(), 0_u64..40, 0_u64..12), 0..40),
            probe in (0_u64..50, 0_u64..10),
        ) {
            let (mut ranges, mut units) = (UnitRanges::default(), BTreeSet::new());
            for (is_insert, start, len) in steps {
                let range = start..start + len;
                if is_insert {
                    ranges.insert(range.clone());
                    units.extend(range);
                } else {
                    ranges.remove(range.clone());
                    units.retain(|unit| !range.contains(unit));
                }
            }
            prop_assert_eq!(ranges.iter().flatten().collect::<Vec<_>>(), units.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ranges.count(), units.len() as u64);
            prop_assert!(ranges.ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{ranges:?}");

            let range = probe.0..probe.0 + probe.1;
            prop_assert_eq!(ranges.contains(&range), range.clone().all(|unit| units.contains(&unit)));
            prop_assert_eq!(ranges.intersects(&range), range.clone().any(|unit| units.contains(&unit)));
        }
    }
}
