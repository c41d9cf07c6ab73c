//! From batches to intervals.
//!
//! The state is a fold over the journal's entries: [`Meter::apply`] is the only way that it changes, so
//! a restart that reads the journal again is where it was. The other methods return the entry to write.

use std::{collections::BTreeSet, time::Duration};

use alloy::primitives::{Address, B256, keccak256};
use inferix_prover::{
    id::{DeviceId, JobId, TaskId},
    interval::{Interval, payable_micro},
    unit::{UnitLeaf, unit_tree},
};
use serde::{Deserialize, Serialize};

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The device started on a unit.
    Opened(OpenInterval),
    /// Units are done and their outputs are stored.
    Batch(BatchRecord),
    /// The interval ended at its last batch.
    Closed(Telemetry),
    /// All intervals up to this number are in claims that the chain has confirmed.
    Claimed {
        /// The number of the last of them.
        through_seq: u32,
    },
    /// These intervals will never be in a claim.
    GivenUp {
        /// Their numbers.
        seqs: BTreeSet<u32>,
    },
    /// Numbers below this one are taken: what is left where intervals are dropped.
    Numbered {
        /// The number of the next interval.
        next_seq: u32,
        /// When the last interval ended, in Unix milliseconds.
        last_end_ms: u64,
    },
}

/// An interval that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInterval {
    /// The manager whose order covers the task.
    pub manager: Address,
    /// The builder who pays.
    pub builder: Address,
    /// The job.
    pub job_id: JobId,
    /// The task.
    pub task_id: TaskId,
    /// The task's position in the order's list.
    pub task_index: u32,
    /// The job's rate, in micro-IBM per 10^12 work units.
    pub reference_rate: u64,
    /// The device's speed, in micro-IB.
    pub ib_micro: u64,
    /// The latest checkpoint when it began.
    pub checkpoint_index: u32,
    /// When it began, in Unix milliseconds.
    pub start_ms: u64,
}

/// Consecutive units that were executed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// Their results.
    pub units: Vec<UnitLeaf>,
    /// Device time, in microseconds.
    pub active_us: u64,
    /// When the batch ended, in Unix milliseconds.
    pub end_ms: u64,
    /// Blob that holds their outputs.
    pub output_blob: B256,
}

/// How the device was, for receipts and diagnosis. No money depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telemetry {
    /// The device's name.
    pub device_name: String,
    /// Threads over which it spreads its work.
    pub thread_count: u32,
    /// Share of the interval in which it was busy, in 1/10000.
    pub busy_bps: u32,
}

impl Telemetry {
    /// What a leaf holds of it.
    pub fn digest(&self) -> B256 {
        let text = format!(
            "{}\n{}\n{}",
            self.device_name, self.thread_count, self.busy_bps
        );
        keccak256(text)
    }
}

/// An interval with all that a claim needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedInterval {
    /// The manager whose order covers it.
    pub manager: Address,
    /// The builder who pays.
    pub builder: Address,
    /// The leaf.
    pub interval: Interval,
    /// Its units.
    pub units: Vec<UnitLeaf>,
    /// What the digest stands for.
    pub telemetry: Telemetry,
}

/// A device's intervals.
#[derive(Clone, Debug)]
pub struct Meter {
    device_id: DeviceId,
    open: Option<(OpenInterval, Vec<BatchRecord>)>,
    closed: Vec<ClosedInterval>,
    next_seq: u32,
    last_end_ms: u64,
}

impl Meter {
    /// Makes the meter of a device from what its journal holds.
    pub fn replay(device_id: DeviceId, entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut meter = Self {
            device_id,
            open: None,
            closed: Vec::new(),
            next_seq: 1,
            last_end_ms: 0,
        };
        for entry in entries {
            meter.apply(entry);
        }
        meter
    }

    /// Begins an interval. It never begins before the last one ended.
    pub fn open(&self, interval: OpenInterval) -> Entry {
        let start_ms = interval.start_ms.max(self.last_end_ms);
        Entry::Opened(OpenInterval {
            start_ms,
            ..interval
        })
    }

    /// Whether an interval is open that units of this task, from `first_unit` on, may go on with.
    pub fn goes_on(&self, task_id: TaskId, first_unit: u64) -> bool {
        self.open.as_ref().is_some_and(|(open, batches)| {
            let next = batches.iter().flat_map(|batch| &batch.units).next_back();
            open.task_id == task_id
                && next.is_none_or(|unit| unit.unit_index.checked_add(1) == Some(first_unit))
        })
    }

    /// How long the open interval has lasted at its last batch.
    pub fn open_length(&self) -> Option<Duration> {
        let (open, batches) = self.open.as_ref()?;
        let end_ms = batches.last()?.end_ms;
        Some(Duration::from_millis(end_ms.saturating_sub(open.start_ms)))
    }

    /// Ends the open interval, if there is one with units.
    pub fn close(&self, device_name: &str, thread_count: usize) -> Option<Entry> {
        let (open, batches) = self
            .open
            .as_ref()
            .filter(|(_, batches)| !batches.is_empty())?;
        let wall_ms = span_ms(open, batches);
        let busy = u64::from(active_ms(open, batches)) * 10_000 / wall_ms.max(1);
        Some(Entry::Closed(Telemetry {
            device_name: device_name.to_owned(),
            thread_count: u32::try_from(thread_count).unwrap_or(u32::MAX),
            busy_bps: u32::try_from(busy).unwrap_or(u32::MAX),
        }))
    }

    /// Moves on by one entry of the journal.
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Opened(interval) => self.open = Some((interval, Vec::new())),
            Entry::Batch(batch) => {
                if let Some((_, batches)) = &mut self.open {
                    self.last_end_ms = self.last_end_ms.max(batch.end_ms);
                    batches.push(batch);
                }
            }
            Entry::Closed(telemetry) => {
                if let Some((open, batches)) = self.open.take() {
                    self.closed
                        .extend(self.closed_interval(&open, batches, telemetry));
                    self.next_seq = self.next_seq.saturating_add(1);
                }
            }
            Entry::Claimed { through_seq } => {
                self.closed
                    .retain(|closed| closed.interval.seq > through_seq);
            }
            Entry::GivenUp { seqs } => {
                self.closed
                    .retain(|closed| !seqs.contains(&closed.interval.seq));
            }
            Entry::Numbered {
                next_seq,
                last_end_ms,
            } => {
                self.next_seq = next_seq;
                self.last_end_ms = last_end_ms;
            }
        }
    }

    /// Intervals that no confirmed claim holds, in the order of time.
    pub fn closed(&self) -> &[ClosedInterval] {
        &self.closed
    }

    /// The number that the next interval gets.
    pub fn next_seq(&self) -> u32 {
        self.next_seq
    }

    /// The task that the open interval belongs to.
    pub fn open_task(&self) -> Option<TaskId> {
        self.open.as_ref().map(|(open, _)| open.task_id)
    }

    /// When the last interval ended, in Unix milliseconds.
    pub fn last_end_ms(&self) -> u64 {
        self.last_end_ms
    }

    /// Blobs that hold outputs of the open interval, with the first unit of each.
    pub fn open_batches(&self) -> impl Iterator<Item = &BatchRecord> {
        self.open.iter().flat_map(|(_, batches)| batches)
    }

    fn closed_interval(
        &self,
        open: &OpenInterval,
        batches: Vec<BatchRecord>,
        telemetry: Telemetry,
    ) -> Option<ClosedInterval> {
        // A clock that was set back can't make an interval that ends before it begins: that is a fraud.
        let end_ms = batches.last()?.end_ms.max(open.start_ms);
        let active_ms = active_ms(open, &batches);
        let units: Vec<UnitLeaf> = batches.into_iter().flat_map(|batch| batch.units).collect();
        let tree = unit_tree(&units).ok()?;
        let cost = tree.top().ok()?.sum;
        let interval = Interval {
            seq: self.next_seq,
            job_id: open.job_id,
            task_id: open.task_id,
            device_id: self.device_id,
            task_index: open.task_index,
            checkpoint_index: open.checkpoint_index,
            start_ms: open.start_ms,
            end_ms,
            active_ms,
            first_unit: units.first()?.unit_index,
            unit_count: u32::try_from(units.len()).ok()?,
            units_root: tree.root().ok()?,
            cost,
            ibm_micro: payable_micro(cost, open.reference_rate, open.ib_micro, active_ms),
            telemetry_digest: telemetry.digest(),
        };
        let OpenInterval {
            manager, builder, ..
        } = *open;
        Some(ClosedInterval {
            manager,
            builder,
            interval,
            units,
            telemetry,
        })
    }
}

fn span_ms(open: &OpenInterval, batches: &[BatchRecord]) -> u64 {
    batches
        .last()
        .map_or(0, |batch| batch.end_ms.saturating_sub(open.start_ms))
}

/// Device time, cut to the wall time: what a leaf may state.
fn active_ms(open: &OpenInterval, batches: &[BatchRecord]) -> u32 {
    let active_us = batches
        .iter()
        .fold(0_u64, |sum, batch| sum.saturating_add(batch.active_us));
    u32::try_from((active_us / 1000).min(span_ms(open, batches))).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const TASK: TaskId = TaskId::new(B256::repeat_byte(3));

    pub(in crate::meter) fn opened(start_ms: u64) -> OpenInterval {
        OpenInterval {
            manager: Address::repeat_byte(1),
            builder: Address::repeat_byte(2),
            job_id: JobId::new(B256::repeat_byte(4)),
            task_id: TASK,
            task_index: 0,
            reference_rate: 1_000_000_000_000,
            ib_micro: 60_000,
            checkpoint_index: 1,
            start_ms,
        }
    }

    pub(in crate::meter) fn batch(first_unit: u64, active_us: u64, end_ms: u64) -> BatchRecord {
        let unit = |unit_index| UnitLeaf {
            unit_index,
            cost: 1000,
            status: inferix_prover::unit::DONE,
            output_root: B256::ZERO,
        };
        BatchRecord {
            units: vec![unit(first_unit), unit(first_unit + 1)],
            active_us,
            end_ms,
            output_blob: B256::ZERO,
        }
    }

    pub(in crate::meter) fn entry(first_unit: u64) -> Entry {
        Entry::Batch(batch(first_unit, 5, 10))
    }

    fn run(meter: &mut Meter, start_ms: u64, batches: Vec<BatchRecord>) {
        meter.apply(meter.open(opened(start_ms)));
        for batch in batches {
            meter.apply(Entry::Batch(batch));
        }
        meter.apply(meter.close("cpu", 2).unwrap());
    }

    #[test]
    fn batches_become_one_interval_that_ends_with_the_last() {
        let mut meter = Meter::replay(DeviceId::default(), []);
        run(
            &mut meter,
            1000,
            vec![batch(0, 400_000, 1500), batch(2, 300_000, 2000)],
        );

        let closed = &meter.closed()[0].interval;
        assert_eq!(
            (closed.seq, closed.first_unit, closed.unit_count),
            (1, 0, 4)
        );
        assert_eq!(
            (closed.start_ms, closed.end_ms, closed.active_ms),
            (1000, 2000, 700)
        );
        assert_eq!(closed.cost, 4000);
        // 4000 work units at one micro-IBM each, and 700 ms at 60,000 micro-IB: the lesser pays.
        assert_eq!(closed.ibm_micro.to::<u64>(), 700);
        assert_eq!(meter.closed()[0].telemetry.busy_bps, 7000);
    }

    #[test]
    fn device_time_is_cut_to_wall_time_and_intervals_never_overlap() {
        let mut meter = Meter::replay(DeviceId::default(), []);
        run(&mut meter, 1000, vec![batch(0, 9_000_000, 1500)]);
        run(&mut meter, 1200, vec![batch(2, 1, 1600)]);
        let [first, second] = meter.closed() else {
            panic!("two intervals")
        };
        assert_eq!(first.interval.active_ms, 500);
        assert_eq!(second.interval.start_ms, first.interval.end_ms);
        assert_eq!(second.interval.seq, 2);
    }

    #[test]
    fn an_interval_never_ends_before_it_begins() {
        let mut meter = Meter::replay(DeviceId::default(), []);
        run(&mut meter, 1000, vec![batch(0, 1_000, 2000)]);
        // The node died and came back with a clock that stands before the end of its journal.
        run(&mut meter, 1500, vec![batch(2, 1_000, 1600)]);
        let second = &meter.closed()[1].interval;
        assert_eq!((second.start_ms, second.end_ms), (2000, 2000));
        assert_eq!((second.active_ms, second.unit_count), (0, 2));
    }

    #[test]
    fn units_go_on_only_where_they_left_off() {
        let mut meter = Meter::replay(DeviceId::default(), []);
        assert!(!meter.goes_on(TASK, 0));
        meter.apply(meter.open(opened(0)));
        assert!(
            meter.close("cpu", 1).is_none(),
            "an interval without units is none"
        );
        assert!(meter.goes_on(TASK, 7));
        meter.apply(Entry::Batch(batch(7, 1, 1)));
        assert!(meter.goes_on(TASK, 9));
        assert!(!meter.goes_on(TASK, 10));
        assert!(!meter.goes_on(TaskId::default(), 9));
    }

    #[test]
    fn claimed_intervals_are_dropped_and_their_numbers_stay_taken() {
        let mut meter = Meter::replay(DeviceId::default(), []);
        run(&mut meter, 0, vec![batch(0, 1, 1)]);
        run(&mut meter, 2, vec![batch(2, 1, 3)]);
        meter.apply(Entry::Claimed { through_seq: 1 });
        assert_eq!(meter.closed().len(), 1);

        let kept = [Entry::Numbered {
            next_seq: 3,
            last_end_ms: 3,
        }];
        let mut meter = Meter::replay(DeviceId::default(), kept);
        run(&mut meter, 0, vec![batch(4, 1, 9)]);
        assert_eq!(meter.closed()[0].interval.seq, 3);
    }
}
