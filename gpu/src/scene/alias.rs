//! Alias tables: drawing from a list by weight in constant time (Vose, 1991).

/// One entry: drawn evenly, then kept if a second number is below the threshold, else exchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AliasEntry {
    /// Probability of keeping the entry.
    pub(super) threshold: f32,
    /// What it is exchanged for.
    pub(super) alias: u32,
    /// Probability that the entry is what is drawn in the end.
    pub(super) pick: f32,
}

/// Makes a table of finite weights that are not negative. If all are zero, all are drawn evenly.
pub(super) fn alias_table(weights: &[f64]) -> Vec<AliasEntry> {
    let sum: f64 = weights.iter().sum();
    let even = 1.0 / weights.len() as f64;
    let share = |weight: &f64| if sum > 0.0 { weight / sum } else { even };
    let mut scaled: Vec<f64> = weights
        .iter()
        .map(|weight| share(weight) * weights.len() as f64)
        .collect();
    let mut table: Vec<AliasEntry> = (0..)
        .zip(weights)
        .map(|(i, weight)| AliasEntry {
            threshold: 1.0,
            alias: i,
            pick: share(weight) as f32,
        })
        .collect();

    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..weights.len()).partition(|&i| scaled[i] < 1.0);
    while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
        table[low].threshold = scaled[low] as f32;
        table[low].alias = table[high].alias;
        scaled[high] -= 1.0 - scaled[low];
        if scaled[high] < 1.0 {
            large.pop();
            small.push(high);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_draws_is_what_its_picks_say() {
        let weights = [3.0, 0.0, 1.0, 5.0, 0.25, 0.75];
        let table = alias_table(&weights);
        let mut drawn = [0.0; 6];
        for (i, entry) in table.iter().enumerate() {
            drawn[i] += f64::from(entry.threshold) / 6.0;
            drawn[entry.alias as usize] += (1.0 - f64::from(entry.threshold)) / 6.0;
        }
        for (i, entry) in table.iter().enumerate() {
            assert!((drawn[i] - weights[i] / 10.0).abs() < 1e-6, "entry {i}");
            assert!((drawn[i] - f64::from(entry.pick)).abs() < 1e-6, "entry {i}");
        }
    }
}
