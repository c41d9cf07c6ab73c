//! What is claimed when, and with which proof.

use alloy::{primitives::Bytes, signers::local::PrivateKeySigner};
use inferix_prover::{
    fraud::{Findings, Predicate},
    interval::Interval,
    task::{Task, task_tree},
    typed_data::{Job, WorkOrder, domain},
    unit::UnitLeaf,
};

use super::*;
use crate::{
    api::types as api,
    meter::{BatchRecord, Entry, Meter, OpenInterval, Telemetry},
    settlement::check,
    wallet::Wallet,
};

const WORKER: Address = Address::repeat_byte(0xee);
const WORK_CLAIMS: Address = Address::repeat_byte(0xc1);
const PRICE_WEI: u64 = 1_000_000_000;
const RATE: u64 = 1_000_000_000_000;
const IB_MICRO: u64 = 50_000;

const TIMING: Timing = Timing {
    now: 1_000_000,
    last_posted_at: 0,
    spacing_s: 21_600,
    oldest_at: 1_000_000 - 86_400,
    lease_ends_at: 1_000_000,
    grace_s: 172_800,
    claim_every_s: 86_400,
    is_draining: false,
    gas_price_wei: 1_000_000,
    value_wei: U256::from_limbs([10_000_000_000_000_000_000, 0, 0, 0]),
    ifx_price_wei: 5_000_000_000_000,
    max_gas_bps: 200,
};

/// A manager's order for a builder: a list of tasks, each of a job of its own, and intervals of some of them.
struct Order {
    key: OrderKey,
    lease: Lease,
    jobs: BTreeMap<JobId, api::SignedJob>,
}

impl Order {
    fn new(seed: u8, task_count: u32, lease_ends_at: u64) -> Self {
        let wallet = |seed| {
            let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(seed)).unwrap();
            Wallet::from_signer(key)
        };
        let (manager, builder) = (wallet(seed), wallet(seed + 1));
        let jobs: Vec<Job> = (0..u64::from(task_count))
            .map(|salt| Job {
                builder: builder.address(),
                manager: manager.address(),
                unitCount: 4,
                maxCost: 10_000,
                referenceRate: RATE,
                priceCapWei: U96::from(PRICE_WEI),
                deadlineAt: u64::MAX,
                salt,
                ..Job::default()
            })
            .collect();
        let tasks: Vec<Task> = jobs
            .iter()
            .map(|job| Task {
                job_id: job.job_id(),
                first_unit: 0,
                unit_count: 4,
                max_cost: 10_000,
                reference_rate: RATE,
                lease_ends_at,
            })
            .collect();
        let order = WorkOrder {
            manager: manager.address(),
            deviceId: device().bytes(),
            builder: builder.address(),
            tasksRoot: task_tree(&tasks).unwrap().root().unwrap(),
            taskCount: task_count,
            capIbmMicro: U96::MAX,
            capWei: U96::MAX,
            priceWei: U96::from(PRICE_WEI),
            leaseEndsAt: lease_ends_at,
        };
        let signed = |job: &Job| api::SignedJob {
            job: job.clone(),
            signature: builder
                .sign_message(job, &domain(1, WORK_CLAIMS))
                .unwrap()
                .into(),
            input_blob: B256::ZERO,
            params: Bytes::new(),
        };
        let jobs: BTreeMap<JobId, api::SignedJob> =
            jobs.iter().map(|job| (job.job_id(), signed(job))).collect();
        let signature = manager
            .sign_message(&order, &domain(1, WORK_CLAIMS))
            .unwrap();
        Self {
            key: (manager.address(), builder.address()),
            lease: Lease {
                task_index: task_count - 1,
                job: jobs.values().next().unwrap().clone(),
                tasks,
                tasks_from: 0,
                order,
                order_signature: signature.into(),
            },
            jobs,
        }
    }

    /// Executes all units of a listed task in one interval, of two seconds from `start_ms` on.
    fn work(&self, meter: &mut Meter, task_index: u32, start_ms: u64) {
        let task = self.lease.tasks[usize::try_from(task_index).unwrap()];
        let unit = |unit_index| UnitLeaf {
            unit_index,
            cost: 1000,
            status: inferix_prover::unit::DONE,
            output_root: B256::ZERO,
        };
        meter.apply(meter.open(OpenInterval {
            manager: self.key.0,
            builder: self.key.1,
            job_id: task.job_id,
            task_id: task.task_id(),
            task_index,
            reference_rate: RATE,
            ib_micro: IB_MICRO,
            checkpoint_index: 1,
            start_ms,
        }));
        meter.apply(Entry::Batch(BatchRecord {
            units: (0..4).map(unit).collect(),
            active_us: 1_500_000,
            end_ms: start_ms + 2000,
            output_blob: B256::ZERO,
        }));
        meter.apply(meter.close("cpu", 1).unwrap());
    }
}

/// Everything of some orders, none of it claimed.
struct Stock {
    closed: Vec<ClosedInterval>,
    orders: BTreeMap<OrderKey, Lease>,
    cursors: BTreeMap<OrderKey, u32>,
    jobs: BTreeMap<JobId, api::SignedJob>,
}

impl Stock {
    fn new(orders: &[&Order], meter: &Meter) -> Self {
        let leases = orders.iter().map(|order| (order.key, order.lease.clone()));
        let jobs = orders.iter().flat_map(|order| order.jobs.clone());
        Self {
            closed: meter.closed().to_vec(),
            orders: leases.collect(),
            cursors: orders.iter().map(|order| (order.key, 0)).collect(),
            jobs: jobs.collect(),
        }
    }

    fn view(&self) -> Holdings<'_> {
        Holdings {
            closed: &self.closed,
            active_tasks: &[],
            orders: &self.orders,
            cursors: &self.cursors,
            jobs: &self.jobs,
        }
    }
}

fn device() -> DeviceId {
    DeviceId::from_parts(WORKER, U96::ZERO)
}

fn slot() -> Slot {
    Slot {
        device_id: device(),
        seq: 1,
        after_ms: 0,
    }
}

fn terms(ib_micro: u64) -> check::Terms {
    check::Terms {
        domain: domain(1, WORK_CLAIMS),
        ib_micro,
        drift_s: 5,
    }
}

fn findings(prepared: &Prepared) -> Findings {
    check::findings(prepared, &terms(IB_MICRO), &BTreeMap::from([(1, 1)])).unwrap()
}

#[test]
fn a_line_shows_the_jobs_of_all_tasks_that_it_consumes() {
    let order = Order::new(1, 4, 1_000);
    let mut meter = Meter::replay(device(), []);
    // Tasks 0 and 1 were lost before a unit of them was done; task 3 is not consumed.
    order.work(&mut meter, 2, 10_000);
    let stock = Stock::new(&[&order], &meter);
    let prepared = gather(&stock.view(), slot()).unwrap().unwrap();

    let shown: BTreeSet<JobId> = prepared.blob.lines[0]
        .jobs
        .iter()
        .map(|signed| signed.job.job_id())
        .collect();
    let listed = order.lease.tasks[..3].iter().map(|task| task.job_id);
    assert_eq!(shown, listed.collect());
    assert_eq!(
        findings(&prepared),
        Findings::default(),
        "nothing is left to demand"
    );
    assert!(missing_jobs(&prepared).is_empty());

    let mut stock = Stock::new(&[&order], &meter);
    let unknown = [order.lease.tasks[1].job_id, order.lease.tasks[3].job_id];
    stock.jobs.retain(|job_id, _| !unknown.contains(job_id));
    let prepared = gather(&stock.view(), slot()).unwrap().unwrap();
    let needed = BTreeSet::from([(order.key.0, unknown[0])]);
    assert_eq!(
        missing_jobs(&prepared),
        needed,
        "the fourth is not consumed"
    );
}

#[test]
fn a_claim_waits_for_its_day_and_for_its_spacing() {
    assert_eq!(decide(&TIMING), Decision::Post);
    let early = Timing {
        oldest_at: TIMING.now - 100,
        ..TIMING
    };
    assert_eq!(decide(&early), Decision::Gathering);
    assert_eq!(
        decide(&Timing {
            is_draining: true,
            ..early
        }),
        Decision::Post
    );
    let spaced = Timing {
        last_posted_at: TIMING.now - 21_599,
        ..TIMING
    };
    assert_eq!(decide(&spaced), Decision::Spacing);
}

#[test]
fn intervals_behind_the_cursor_hold_up_nothing() {
    let closed = [1, 2, 3].map(|seq| ClosedInterval {
        manager: Address::ZERO,
        builder: Address::ZERO,
        interval: Interval {
            seq,
            task_index: seq - 1,
            ..Interval::default()
        },
        units: Vec::new(),
        telemetry: Telemetry::default(),
    });
    let passed_at = |cursor| {
        passed(&Holdings {
            closed: &closed,
            active_tasks: &[],
            orders: &BTreeMap::new(),
            cursors: &BTreeMap::from([((Address::ZERO, Address::ZERO), cursor)]),
            jobs: &BTreeMap::new(),
        })
    };
    assert_eq!([0, 2, 9].map(passed_at), [None, Some(2), Some(3)]);
}

#[test]
fn dear_gas_is_waited_out_until_the_last_third_of_the_grace() {
    let dear = Timing {
        gas_price_wei: 100_000_000_000,
        ..TIMING
    };
    assert_eq!(decide(&dear), Decision::GasTooDear);
    let pressed = Timing {
        lease_ends_at: TIMING.now - 115_200,
        ..dear
    };
    assert_eq!(decide(&pressed), Decision::Post);
    let late = Timing {
        lease_ends_at: TIMING.now - 172_800,
        ..dear
    };
    assert_eq!(decide(&late), Decision::TooLate);
}

#[test]
fn only_the_line_whose_order_ran_out_is_lost() {
    const GRACE_S: u64 = 100;
    let (dead, live) = (Order::new(1, 2, 1_000), Order::new(5, 2, 2_000));
    let mut meter = Meter::replay(device(), []);
    for (order, task_index, start_ms) in [
        (&dead, 0, 10_000),
        (&live, 0, 20_000),
        (&dead, 1, 30_000),
        (&live, 1, 40_000),
    ] {
        order.work(&mut meter, task_index, start_ms);
    }
    let stock = Stock::new(&[&dead, &live], &meter);
    assert_eq!(expired(&stock.view(), 1_099, GRACE_S), BTreeMap::new());
    let lost = expired(&stock.view(), 1_100, GRACE_S);
    assert_eq!(lost, BTreeMap::from([(dead.key, BTreeSet::from([1, 3]))]));

    meter.apply(Entry::GivenUp {
        seqs: lost.into_values().flatten().collect(),
    });
    let stock = Stock::new(&[&dead, &live], &meter);
    let prepared = gather(&stock.view(), slot()).unwrap().unwrap();
    assert_eq!(prepared.draft.lines.len(), 1);
    assert_eq!(prepared.draft.lines[0].order, live.lease.order);
    assert_eq!(prepared.draft.lines[0].leaf_count, 2);
    assert_eq!(findings(&prepared), Findings::default());
}

#[test]
fn a_claim_that_would_be_refuted_is_known_before_it_is_posted() {
    let order = Order::new(1, 3, 1_000);
    let mut meter = Meter::replay(device(), []);
    order.work(&mut meter, 0, 10_000);
    order.work(&mut meter, 1, 20_000);
    let refutable = |meter: &Meter, ib_micro| {
        let stock = Stock::new(&[&order], meter);
        let prepared = gather(&stock.view(), slot()).unwrap().unwrap();
        check::refutable(&prepared, &terms(ib_micro)).unwrap()
    };
    assert_eq!(refutable(&meter, IB_MICRO), BTreeMap::new());
    let overstated = [1, 2].map(|seq| (seq, Predicate::LeafArithmetic));
    assert_eq!(refutable(&meter, IB_MICRO / 2), BTreeMap::from(overstated));

    // The journal has a task's units twice.
    order.work(&mut meter, 1, 30_000);
    order.work(&mut meter, 2, 40_000);
    let repeated = BTreeMap::from([(3, Predicate::UnitsRepeated)]);
    assert_eq!(refutable(&meter, IB_MICRO), repeated);
}
