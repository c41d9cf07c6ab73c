//! What a job will cost, from units of it that are rendered here at full settings.

use std::sync::Arc;

use alloy::primitives::U256;
use eyre::{Result, WrapErr, eyre};
use inferix_gpu::{CpuExecutor, Executor, Program, TaskInput, UnitBatch};
use serde::Serialize;

use super::scene::Regions;
use crate::{
    api::types::ManagerInfo,
    cli::session::{Session, Table, ifx},
    manager::cover::{cost_to_ibm_micro, price_of},
};

/// A sampled unit stops here: far beyond what any sensible unit costs.
const SAMPLE_MAX_COST: u64 = 1 << 50;

/// How far above the dearest sampled unit a unit may cost before it is capped: samples miss the worst spot.
const MAX_COST_FACTOR: u64 = 8;

/// What a job will likely take.
#[derive(Debug, Serialize)]
pub(super) struct Estimate {
    pub(super) unit_count: u64,
    pub(super) sampled_count: u64,
    /// Work units of a unit at which the job will cap it.
    pub(super) max_cost: u64,
    /// Mean work units of a sampled unit, and twice the error of that mean.
    pub(super) unit_cost: f64,
    pub(super) unit_cost_spread: f64,
    pub(super) ibm: f64,
    pub(super) ibm_spread: f64,
    /// At the lowest and the highest price of workers seen lately, if there are any.
    pub(super) price_wei: Option<(U256, U256)>,
    /// At the speed of workers seen lately, if there are any.
    pub(super) minutes: Option<f64>,
    pub(super) input_bytes: usize,
}

/// Renders sampled units and extends their cost to the job.
pub(super) fn estimate(
    regions: &Regions,
    sample_count: u64,
    info: &ManagerInfo,
) -> Result<Estimate> {
    let unit_count = regions.params.unit_count();
    let costs = sample(regions, sample_count.clamp(1, unit_count))?;
    let (mean, spread) = mean_and_spread(&costs, unit_count);
    let dearest = costs.iter().copied().max().unwrap_or(0);

    let total = |unit_cost: f64| unit_cost * unit_count as f64;
    let to_ibm = info.reference_rate as f64 / 1e18;
    let ibm = total(mean) * to_ibm;
    // Whole work units: the estimate is far coarser.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "costs are positive"
    )]
    let ibm_micro = cost_to_ibm_micro(total(mean) as u128, info.reference_rate);
    let price_wei = info
        .price_range_wei
        .map(|(low_wei, high_wei)| (price_of(ibm_micro, low_wei), price_of(ibm_micro, high_wei)));
    let live_ib = info.live_ib_micro as f64 / 1e6;
    Ok(Estimate {
        unit_count,
        sampled_count: costs.len() as u64,
        max_cost: dearest.saturating_mul(MAX_COST_FACTOR).max(1),
        unit_cost: mean,
        unit_cost_spread: spread,
        ibm,
        ibm_spread: total(spread) * to_ibm,
        price_wei,
        minutes: (live_ib > 0.0).then(|| ibm / live_ib),
        input_bytes: regions.input.len(),
    })
}

impl Estimate {
    pub(super) fn print(&self, session: &Session) -> Result<()> {
        session.print(self, || {
            let mut table = Table::new(&["estimate", ""]);
            let mut row = |what: &str, figure: String| table.row([what.to_owned(), figure]);
            row(
                "units",
                format!("{} ({} sampled)", self.unit_count, self.sampled_count),
            );
            row(
                "work",
                format!("{:.4} IBM, give or take {:.4}", self.ibm, self.ibm_spread),
            );
            row(
                "price",
                match self.price_wei {
                    Some((low_wei, high_wei)) if low_wei == high_wei => {
                        format!("{} IFX", ifx(low_wei))
                    }
                    Some((low_wei, high_wei)) => {
                        format!("{} to {} IFX", ifx(low_wei), ifx(high_wei))
                    }
                    None => "no worker was seen lately".to_owned(),
                },
            );
            row(
                "time",
                match self.minutes {
                    Some(minutes) => format!("{minutes:.1} min with all workers seen lately"),
                    None => "no worker was seen lately".to_owned(),
                },
            );
            row("scene", format!("{:.1} MB", self.input_bytes as f64 / 1e6));
            table
        })
    }
}

/// Renders units that are spread over the whole job and returns what each cost.
fn sample(regions: &Regions, sample_count: u64) -> Result<Vec<u64>> {
    let executor = CpuExecutor::new(0).wrap_err("starting the CPU device")?;
    let task = TaskInput {
        program: Program::Render,
        input: Arc::from(regions.input.as_ref()),
        params: Arc::from(regions.params.encode().as_slice()),
    };
    let mut session = executor.prepare(task).wrap_err("the scene is refused")?;
    let unit_count = session.unit_count();
    for i in 0..sample_count {
        let batch = UnitBatch {
            first_unit: place(i, sample_count, unit_count),
            unit_count: 1,
            max_cost: SAMPLE_MAX_COST,
        };
        session.submit(batch).wrap_err("sampling a unit")?;
    }
    let mut costs = Vec::new();
    while let Some(batch) = session.collect().wrap_err("sampling a unit")? {
        costs.extend(batch.outputs.iter().map(|output| output.cost));
    }
    if costs.is_empty() {
        return Err(eyre!("the job has no units"));
    }
    Ok(costs)
}

/// Puts sample `i` of `sample_count` into its stretch of the units. Where in the stretch follows the golden
/// ratio, so that samples don't line up with the columns of a frame.
fn place(i: u64, sample_count: u64, unit_count: u64) -> u64 {
    let start = |i: u64| u128::from(i) * u128::from(unit_count) / u128::from(sample_count);
    let length = start(i + 1) - start(i);
    let fraction = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let unit = start(i) + ((length * u128::from(fraction)) >> 64);
    u64::try_from(unit).unwrap_or(0)
}

/// Mean, and twice its standard error: zero once every unit was sampled.
fn mean_and_spread(costs: &[u64], unit_count: u64) -> (f64, f64) {
    let count = costs.len() as f64;
    let mean = costs.iter().map(|cost| *cost as f64).sum::<f64>() / count;
    let squares = costs
        .iter()
        .map(|cost| (*cost as f64 - mean).powi(2))
        .sum::<f64>();
    let is_whole = costs.len() as u64 >= unit_count;
    let spread = if is_whole || costs.len() < 2 {
        0.0
    } else {
        2.0 * (squares / (count - 1.0) / count).sqrt()
    };
    (mean, spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_distinct_and_within_the_job() {
        for (sample_count, unit_count) in [(1, 1), (16, 16), (16, 17), (16, 8160), (7, 1_000_003)] {
            let places: Vec<u64> = (0..sample_count)
                .map(|i| place(i, sample_count, unit_count))
                .collect();
            assert!(
                places.windows(2).all(|pair| pair[0] < pair[1]),
                "{places:?}"
            );
            assert!(places.iter().all(|unit| *unit < unit_count), "{places:?}");
        }
    }

    #[test]
    fn the_spread_is_twice_the_error_of_the_mean() {
        let (mean, spread) = mean_and_spread(&[10, 14], 100);
        assert_eq!((mean, spread), (12.0, 4.0));
        assert_eq!(
            mean_and_spread(&[10, 14], 2).1,
            0.0,
            "all units were sampled"
        );
    }
}
