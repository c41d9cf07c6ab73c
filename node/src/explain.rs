//! Why a claim pays what it pays: from chain and blob, figure by figure.

use alloy::primitives::{U256, keccak256};
use eyre::Result;
use inferix_prover::{
    blob::ClaimBlob,
    claim::ClaimHeader,
    interval::{Interval, payable_micro},
    task::Task,
};
use serde::Serialize;

use crate::{
    blobs::Blobs,
    chain::{PostedClaim, Reader},
    config::Config,
};

/// One step of an explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What the figure is.
    pub what: String,
    /// The figure with its unit.
    pub figure: String,
    /// Where it is from.
    pub source: &'static str,
}

const CHAIN: &str = "chain";
const BLOB: &str = "claim blob";
const COMPUTED: &str = "computed";

/// Explains a claim. The blob is taken from the data folder; without it the intervals stay unexplained.
///
/// # Errors
///
/// That the chain or the blob folder can't be read.
pub async fn explain(config: &Config, reader: &Reader, posted: &PostedClaim) -> Result<Vec<Step>> {
    let header = &posted.header;
    let state = reader.claim_state(header).await?;
    let parameters = reader.parameters_at(header.paramsVersion).await?;
    let mut steps = vec![
        step(
            "device's speed",
            format!("{} micro-IB", header.ibMicro),
            CHAIN,
        ),
        step("claim's span", span(header.startMs, header.endMs), CHAIN),
        step(
            "status",
            format!("{:?}", state.status).to_lowercase(),
            CHAIN,
        ),
    ];
    let blob = find_blob(config, header).await?;
    for (index, line) in posted.lines.iter().enumerate() {
        let blob_line = blob.as_ref().and_then(|blob| blob.lines.get(index));
        match blob_line {
            Some(blob_line) => {
                for held in &blob_line.intervals {
                    let task = usize::try_from(held.interval.task_index).ok();
                    let task = task.and_then(|index| blob_line.tasks.get(index));
                    explain_interval(&mut steps, &held.interval, task, header.ibMicro);
                }
                let price = blob_line.order.priceWei;
                steps.push(step(
                    &format!("line {index}: price per IBM"),
                    format!("{price} wei"),
                    BLOB,
                ));
            }
            None => steps.push(step(
                &format!("line {index}: {} intervals", line.leafCount),
                "their blob is not in this node's data folder".to_owned(),
                CHAIN,
            )),
        }
        let voided = reader.voided_micro(posted.claim_id, index).await?;
        let worker_bps = u64::from(parameters.workerBps);
        let sum = U256::from(line.sumIbmMicro);
        let amount = U256::from(line.amountWei);
        let payable = if sum.is_zero() {
            U256::ZERO
        } else {
            amount * (sum - voided) / sum
        };
        let share = payable * U256::from(worker_bps) / U256::from(10_000);
        steps.extend([
            step(
                &format!("line {index}: work"),
                format!("{sum} micro-IBM"),
                CHAIN,
            ),
            step(
                &format!("line {index}: money = work × price / 10^6"),
                format!("{amount} wei"),
                CHAIN,
            ),
            step(
                &format!("line {index}: voided work"),
                format!("{voided} micro-IBM"),
                CHAIN,
            ),
            step(
                &format!("line {index}: worker's share, {worker_bps}/10000"),
                format!("{share} wei"),
                COMPUTED,
            ),
        ]);
    }
    Ok(steps)
}

fn explain_interval(
    steps: &mut Vec<Step>,
    interval: &Interval,
    task: Option<&Task>,
    ib_micro: u64,
) {
    let name = format!("interval {}", interval.seq);
    let Interval {
        unit_count,
        first_unit,
        cost,
        active_ms,
        ..
    } = interval;
    let units = format!("{unit_count} from unit {first_unit}");
    steps.push(step(&format!("{name}: units"), units, BLOB));
    steps.push(step(
        &format!("{name}: device time"),
        format!(
            "{active_ms} ms of {}",
            span(interval.start_ms, interval.end_ms)
        ),
        BLOB,
    ));
    steps.push(step(
        &format!("{name}: cost"),
        format!("{cost} work units"),
        BLOB,
    ));
    if let Some(task) = task {
        let by_cost = payable_micro(*cost, task.reference_rate, u64::MAX, u32::MAX);
        steps.push(step(
            &format!(
                "{name}: proved work = cost × {} / 10^12",
                task.reference_rate
            ),
            format!("{by_cost} micro-IBM"),
            COMPUTED,
        ));
    }
    let by_time = payable_micro(u128::from(u64::MAX), u64::MAX, ib_micro, *active_ms);
    steps.push(step(
        &format!("{name}: possible work = {ib_micro} × {active_ms} / 60000"),
        format!("{by_time} micro-IBM"),
        COMPUTED,
    ));
    steps.push(step(
        &format!("{name}: payable, the lesser of both"),
        format!("{} micro-IBM", interval.ibm_micro),
        BLOB,
    ));
}

/// The claim's blob, if this node has it and it is the one that the claim names.
async fn find_blob(config: &Config, header: &ClaimHeader) -> Result<Option<ClaimBlob>> {
    let blobs = Blobs::open(&config.data_dir.join("blobs"))?;
    if !blobs.has(header.blobHash).await? {
        return Ok(None);
    }
    let bytes = blobs.get(header.blobHash).await?;
    debug_assert_eq!(keccak256(&bytes), header.blobHash);
    Ok(Some(ClaimBlob::from_bytes(&bytes)?))
}

fn step(what: &str, figure: String, source: &'static str) -> Step {
    Step {
        what: what.to_owned(),
        figure,
        source,
    }
}

fn span(start_ms: u64, end_ms: u64) -> String {
    format!(
        "{} ms, from {start_ms} to {end_ms}",
        end_ms.saturating_sub(start_ms)
    )
}
