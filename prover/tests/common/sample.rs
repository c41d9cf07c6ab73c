//! Honest claims of any shape, from a seed.

use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct};
use inferix_prover::{
    U96,
    blob::{BlobInterval, BlobLine, ClaimBlob, SignedJob},
    claim::{ClaimHeader, Line, lines_hash},
    id::DeviceId,
    interval::{Interval, payable_micro},
    task::{Task, task_tree},
    typed_data::{self, CompactSignature, Job, WorkOrder},
    unit::{CAPPED, DONE, UnitLeaf, unit_tree},
};
use k256::ecdsa::SigningKey;

/// The worker's speed in all samples: half of the standard node's.
pub const IB_MICRO: u64 = 500_000;
pub const START_MS: u64 = 1_700_000_000_000;
pub const CHECKPOINT_SECONDS: u64 = 300;

/// An honest claim and the time at which it was posted.
#[derive(Clone, Debug)]
pub struct Sample {
    pub header: ClaimHeader,
    pub lines: Vec<Line>,
    pub blob: ClaimBlob,
}

/// How much there is of each thing.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub lines: u64,
    pub tasks: u64,
    pub intervals_per_task: u64,
    pub units_per_interval: u64,
}

/// Numbers from a seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn b256(&mut self) -> B256 {
        keccak256(self.next().to_be_bytes())
    }
}

pub fn domain() -> Eip712Domain {
    typed_data::domain(31_337, Address::repeat_byte(0xc1))
}

pub fn key(name: &str) -> SigningKey {
    SigningKey::from_slice(keccak256(name).as_slice()).unwrap()
}

pub fn address(name: &str) -> Address {
    Address::from_private_key(&key(name))
}

pub fn sign<T: SolStruct>(message: &T, signer: &str) -> CompactSignature {
    let hash = typed_data::signing_hash(message, &domain());
    let (signature, recovery) = key(signer)
        .sign_prehash_recoverable(hash.as_slice())
        .unwrap();
    Signature::from((signature, recovery)).as_erc2098()
}

/// The checkpoints that a sample's leaves may cite: index 1 on, with the time of each in seconds.
pub fn checkpoint_at(index: u32) -> u64 {
    START_MS / 1000 - CHECKPOINT_SECONDS + u64::from(index - 1) * CHECKPOINT_SECONDS
}

pub fn honest(seed: u64, shape: Shape) -> Sample {
    let mut rng = Rng(seed);
    let worker = address("worker");
    let device_id = DeviceId::from_parts(worker, U96::ZERO);
    let mut clock = Clock {
        device_id,
        now_ms: START_MS,
        seq: 0,
    };
    let blob_lines: Vec<_> = (0..shape.lines)
        .map(|i| blob_line(&mut rng, i, shape, &mut clock))
        .collect();
    let blob = ClaimBlob {
        device_id,
        seq: 1,
        start_ms: START_MS,
        end_ms: clock.now_ms,
        lines: blob_lines,
    };
    let lines = blob
        .lines
        .iter()
        .map(|line| line.to_line(0, line.order.taskCount).unwrap());
    sample(blob.clone(), lines.collect())
}

/// Posts whatever a blob and lines say.
pub fn sample(blob: ClaimBlob, lines: Vec<Line>) -> Sample {
    let posted_at = blob.end_ms.div_ceil(1000) + 1;
    let header = ClaimHeader {
        deviceId: blob.device_id.bytes(),
        seq: blob.seq,
        paramsVersion: 1,
        ibMicro: IB_MICRO,
        startMs: blob.start_ms,
        endMs: blob.end_ms,
        postedAt: posted_at,
        deadlineAt: posted_at + 60,
        blobHash: blob.hash(),
        linesHash: lines_hash(&lines),
    };
    Sample {
        header,
        lines,
        blob,
    }
}

struct Clock {
    device_id: DeviceId,
    now_ms: u64,
    seq: u32,
}

fn blob_line(rng: &mut Rng, index: u64, shape: Shape, clock: &mut Clock) -> BlobLine {
    let builder = format!("builder {index}");
    let job_count = shape.tasks.div_ceil(2);
    let task_units = shape.intervals_per_task * shape.units_per_interval;
    let lease_ends_at = START_MS / 1000 + 1_000_000;
    let jobs: Vec<Job> = (0..job_count)
        .map(|_| Job {
            builder: address(&builder),
            manager: address("manager"),
            programId: B256::repeat_byte(1),
            inputRoot: rng.b256(),
            paramsRoot: rng.b256(),
            unitCount: 2 * task_units,
            maxCost: 2_000_000_000,
            referenceRate: 1_000_000 + rng.below(500_000_000),
            priceCapWei: U96::from(3_000_000_000_000_000_000_u64),
            minIbMicro: 100_000,
            deadlineAt: lease_ends_at,
            salt: rng.next(),
        })
        .collect();
    let tasks: Vec<Task> = (0..shape.tasks)
        .map(|i| {
            let job = &jobs[(i / 2) as usize];
            Task {
                job_id: job.job_id(),
                first_unit: (i % 2) * task_units,
                unit_count: task_units as u32,
                max_cost: job.maxCost,
                reference_rate: job.referenceRate,
                lease_ends_at,
            }
        })
        .collect();
    let mut intervals = Vec::new();
    for (task_index, task) in (0..).zip(&tasks) {
        for i in 0..shape.intervals_per_task {
            let first_unit = task.first_unit + i * shape.units_per_interval;
            let units = units(rng, task, first_unit, shape.units_per_interval);
            intervals.push(interval(rng, task, task_index, units, clock));
        }
    }
    let order = WorkOrder {
        manager: address("manager"),
        deviceId: clock.device_id.bytes(),
        builder: address(&builder),
        tasksRoot: task_tree(&tasks).unwrap().root().unwrap(),
        taskCount: tasks.len() as u32,
        capIbmMicro: U96::from(u64::MAX),
        capWei: U96::MAX,
        priceWei: U96::from(2_000_000_000_000_000_000_u64),
        leaseEndsAt: lease_ends_at,
    };
    let mut jobs: Vec<_> = jobs
        .into_iter()
        .map(|job| SignedJob {
            signature: sign(&job, &builder),
            job,
        })
        .collect();
    jobs.sort_by_key(|signed| signed.job.job_id());
    let order_signature = sign(&order, "operator");
    BlobLine {
        order,
        order_signature,
        tasks,
        jobs,
        intervals,
        ..BlobLine::default()
    }
}

pub fn units(rng: &mut Rng, task: &Task, first_unit: u64, count: u64) -> Vec<UnitLeaf> {
    (first_unit..first_unit + count)
        .map(|unit_index| {
            let cost = (rng.below(task.max_cost + task.max_cost / 8)).min(task.max_cost);
            let capped = cost == task.max_cost;
            let status = if capped { CAPPED } else { DONE };
            UnitLeaf {
                unit_index,
                status,
                output_root: rng.b256(),
                cost,
            }
        })
        .collect()
}

fn interval(
    rng: &mut Rng,
    task: &Task,
    task_index: u32,
    units: Vec<UnitLeaf>,
    clock: &mut Clock,
) -> BlobInterval {
    let tree = unit_tree(&units).unwrap();
    let start_ms = clock.now_ms + rng.below(2_000);
    let end_ms = start_ms + 1 + rng.below(60_000);
    let active_ms = rng.below(end_ms - start_ms + 1) as u32;
    clock.now_ms = end_ms;
    clock.seq += 1;
    let cost = tree.sum();
    let interval = Interval {
        seq: clock.seq,
        job_id: task.job_id,
        task_id: task.task_id(),
        device_id: clock.device_id,
        task_index,
        checkpoint_index: (1..)
            .take_while(|i| checkpoint_at(*i) * 1000 <= start_ms)
            .last()
            .unwrap(),
        start_ms,
        end_ms,
        active_ms,
        first_unit: units[0].unit_index,
        unit_count: units.len() as u32,
        units_root: tree.root().unwrap(),
        cost,
        ibm_micro: payable_micro(cost, task.reference_rate, IB_MICRO, active_ms),
        telemetry_digest: rng.b256(),
    };
    BlobInterval { interval, units }
}

/// A U256 of a 96-bit number, for sums in tests.
pub fn wide(value: U96) -> U256 {
    U256::from(value.to::<u128>())
}
