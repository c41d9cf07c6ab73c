//! What a manager promises, and what it never does.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that can't go on must fail"
)]

mod common;

use alloy::primitives::{Address, B256, Bytes, U256};
use common::{
    ASKABLE_S, Bench, IB_MICRO, LEASE_S, MAX_COST, NOW, PRICE_WEI, ask, sign_job, wallet,
};
use inferix_node::{
    api::types::{JobState, KnownList, Lease, LeaseRequest, ReleaseRequest, SignedJob},
    chain::{CursorView, NodeView},
    manager::{
        ManagerError, admission::JobRefusal, programs::ProgramError, results::ReportRefusal,
        signing::signer_of,
    },
    wallet::Wallet,
};
use inferix_prover::{
    U96,
    id::DeviceId,
    task::{Task, task_tree},
    typed_data::{Job, WorkOrder},
};

/// Money for many tasks.
const PLENTY_WEI: u64 = 1_000_000_000_000;

/// What a unit can cost at most: 10^9 work units are 1000 micro-IBM.
const UNIT_WEI: u64 = PRICE_WEI / 1000;

fn task_of(lease: &Lease) -> Task {
    lease.tasks[lease.task_index as usize]
}

fn check_order(bench: &Bench, lease: &Lease) {
    let signer = signer_of(&lease.order, bench.desk.domain(), &lease.order_signature).unwrap();
    assert_eq!(signer, bench.manager.address());
    assert_eq!(
        lease.order.tasksRoot,
        task_tree(&lease.tasks).unwrap().root().unwrap()
    );
    assert_eq!(lease.order.taskCount as usize, lease.tasks.len());
}

async fn deliver_all(bench: &Bench, worker: &Wallet, lease: &Lease) {
    let report = bench.report(lease, 0, task_of(lease).unit_count).await;
    bench.desk.deliver(worker.address(), report).await.unwrap();
}

fn device(worker: &Wallet, index: u32) -> DeviceId {
    DeviceId::from_parts(worker.address(), U96::from(index))
}

async fn lease_to(bench: &Bench, worker: &Wallet, device_index: u32) -> Lease {
    let request = inferix_node::api::types::LeaseRequest {
        device_index,
        held: Vec::new(),
        known: Vec::new(),
    };
    let reply = bench.desk.lease(worker.address(), request).await.unwrap();
    *reply.lease.unwrap()
}

async fn reason(bench: &Bench, worker: &Wallet) -> String {
    bench
        .desk
        .lease(worker.address(), ask(&[]))
        .await
        .unwrap()
        .reason
        .unwrap()
}

#[tokio::test]
async fn an_order_repeats_its_list_and_adds_to_it() {
    let mut bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 40, 1).await;
    bench.submit(&builder, 9, 2).await;

    let (mut held, mut last): (Vec<B256>, Option<(WorkOrder, Vec<Task>)>) = (Vec::new(), None);
    for round in 0..4 {
        let lease = bench.lease(&worker, &held).await;
        check_order(&bench, &lease);
        assert_eq!(lease.task_index, round);
        if let Some((order, tasks)) = last {
            assert_eq!(lease.tasks[..tasks.len()], tasks);
            assert!(
                lease.order.capIbmMicro > order.capIbmMicro && lease.order.capWei > order.capWei
            );
        }
        held.push(task_of(&lease).task_id().bytes());
        last = Some((lease.order.clone(), lease.tasks.clone()));
        bench.restart();
    }
    let reason = bench
        .desk
        .lease(worker.address(), ask(&held))
        .await
        .unwrap()
        .reason
        .unwrap();
    assert!(reason.contains("holds enough"), "{reason}");
}

#[tokio::test]
async fn of_a_list_only_what_its_worker_lacks_is_sent() {
    let mut bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 40, 1).await;
    let first = bench.lease(&worker, &[]).await;
    bench.restart();
    let known = KnownList {
        builder: builder.address(),
        task_count: 1,
        tasks_root: first.order.tasksRoot,
    };
    let held = task_of(&first).task_id().bytes();
    let asked = async |held: &[B256], known: &[KnownList]| {
        let request = LeaseRequest {
            known: known.to_vec(),
            ..ask(held)
        };
        let reply = bench.desk.lease(worker.address(), request).await.unwrap();
        *reply.lease.unwrap()
    };

    let second = asked(&[held], &[known]).await;
    assert_eq!((second.tasks_from, second.tasks.len()), (1, 1));
    let whole = [first.tasks.clone(), second.tasks.clone()].concat();
    let root = task_tree(&whole).unwrap().root().unwrap();
    assert_eq!((root, second.task_index), (second.order.tasksRoot, 1));

    // Of another list than the manager's, everything is sent.
    let others = [
        KnownList {
            tasks_root: B256::ZERO,
            ..known
        },
        KnownList {
            task_count: 2,
            ..known
        },
        KnownList {
            task_count: 0,
            ..known
        },
        KnownList {
            builder: worker.address(),
            ..known
        },
    ];
    for other in others {
        let again = asked(&[held], &[other]).await;
        assert_eq!((again.tasks_from, &again.tasks), (0, &whole));
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_not_another_task() {
    let mut bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 40, 1).await;
    let lease = bench.lease(&worker, &[]).await;
    bench.restart();
    let again = bench.lease(&worker, &[]).await;
    assert_eq!(
        (again.task_index, &again.tasks, &again.order),
        (0, &lease.tasks, &lease.order)
    );
    let next = bench
        .lease(&worker, &[task_of(&lease).task_id().bytes()])
        .await;
    assert_eq!(
        task_of(&next).first_unit,
        u64::from(task_of(&lease).unit_count)
    );
}

#[tokio::test]
async fn caps_follow_the_cursor_and_what_was_delivered() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 100, 1).await;
    let first = bench.lease(&worker, &[]).await;
    assert_eq!(task_of(&first).unit_count, 4, "the first task is a probe");
    assert_eq!(first.order.capIbmMicro, U96::from(4 * 1000));
    assert_eq!(first.order.capWei, U96::from(4 * UNIT_WEI));

    // Delivered at 1000 work units each: worth 4 × 1000 × 10^6 / 10^12 micro-IBM, rounded up.
    deliver_all(&bench, &worker, &first).await;
    let second = bench.lease(&worker, &[]).await;
    let unit_count = u64::from(task_of(&second).unit_count);
    assert_eq!(second.order.capIbmMicro, U96::from(1 + unit_count * 1000));

    // The chain saw the first task claimed.
    let claimed = CursorView {
        cursor: 1,
        claimed_ibm_micro: U256::from(500),
        claimed_wei: U256::from(77),
    };
    bench
        .ledger
        .cursors
        .lock()
        .unwrap()
        .insert((device(&worker, 0), builder.address()), claimed);
    let third = bench
        .lease(&worker, &[task_of(&second).task_id().bytes()])
        .await;
    let open_count = unit_count + u64::from(task_of(&third).unit_count);
    assert_eq!(third.order.capIbmMicro, U96::from(500 + open_count * 1000));
    assert_eq!(third.order.capWei, U96::from(77 + open_count * UNIT_WEI));
}

/// What one device claims must not pass the other's tasks: each has a list and a cursor of its own, and the stake
/// of their worker stands behind both.
#[tokio::test]
async fn each_device_of_a_worker_has_its_own_list() {
    let mut bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 100, 1).await;
    let first = bench.lease(&worker, &[]).await;
    let held = [task_of(&first).task_id().bytes()];
    let next = bench.lease(&worker, &held).await;
    assert_eq!(next.task_index, 1);

    let other = lease_to(&bench, &worker, 1).await;
    check_order(&bench, &other);
    assert_eq!(other.order.device_id(), device(&worker, 1));
    assert_eq!((other.task_index, other.tasks.len()), (0, 1));
    let (mine, theirs) = (task_of(&next), task_of(&other));
    assert!(theirs.first_unit >= mine.first_unit + u64::from(mine.unit_count));

    // The chain saw a claim of device 0: device 1's list and caps stay as they are.
    let claimed = CursorView {
        cursor: 2,
        claimed_ibm_micro: U256::from(5000),
        claimed_wei: U256::from(77),
    };
    let cursors = &bench.ledger.cursors;
    let pair = (device(&worker, 0), builder.address());
    cursors.lock().unwrap().insert(pair, claimed);
    bench.restart();
    let again = lease_to(&bench, &worker, 1).await;
    assert_eq!((again.task_index, &again.order), (0, &other.order));
    let third = bench.lease(&worker, &[]).await;
    assert_eq!(third.order.device_id(), device(&worker, 0));
}

#[tokio::test]
async fn promises_never_exceed_the_allocation_over_all_workers() {
    let bench = Bench::new();
    let (builder, one, two) = (
        bench.add_builder(1, 7 * UNIT_WEI),
        bench.add_worker(2),
        bench.add_worker(3),
    );
    bench.submit(&builder, 100, 1).await;
    let first = bench.lease(&one, &[]).await;
    let second = bench.lease(&two, &[]).await;
    assert_eq!(
        (task_of(&first).unit_count, task_of(&second).unit_count),
        (4, 2)
    );
    let third = bench
        .lease(&one, &[task_of(&first).task_id().bytes()])
        .await;
    assert_eq!(task_of(&third).unit_count, 1);
    let mut promised = U96::ZERO;
    promised += third.order.capWei + second.order.capWei;
    assert_eq!(promised, U96::from(7 * UNIT_WEI));
    let held = [task_of(&second).task_id().bytes()];
    let reply = bench.desk.lease(two.address(), ask(&held)).await.unwrap();
    assert!(reply.reason.unwrap().contains("allocation"));

    // The orders die with their leases and the grace after them: the money is free again.
    bench.pass(LEASE_S + 60 + 5 + 1);
    assert_eq!(task_of(&bench.lease(&two, &[]).await).first_unit, 0);
}

#[tokio::test]
async fn a_worker_needs_the_stake_that_its_claim_will_lock() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 100, 1).await;
    let set_stake = |stake_wei: u64, locked_wei: u64| {
        let mut nodes = bench.ledger.nodes.lock().unwrap();
        let node = nodes.get_mut(&worker.address()).unwrap();
        (node.stake_wei, node.locked_wei) = (U256::from(stake_wei), U256::from(locked_wei));
    };
    set_stake(2 * UNIT_WEI + 5, 10);
    assert!(reason(&bench, &worker).await.contains("stake"));
    set_stake(4 * UNIT_WEI, 0);
    assert_eq!(
        task_of(&bench.lease(&worker, &[]).await).unit_count,
        2,
        "as many units as are covered"
    );
}

#[tokio::test]
async fn who_may_not_work_gets_no_task() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 100, 1).await;
    let set = |change: &dyn Fn(&mut NodeView)| {
        let mut nodes = bench.ledger.nodes.lock().unwrap();
        change(nodes.get_mut(&worker.address()).unwrap());
    };
    let refused = async || {
        bench
            .desk
            .lease(worker.address(), ask(&[]))
            .await
            .unwrap_err()
    };

    set(&|node| node.exit_at = NOW + 1000);
    assert!(matches!(
        refused().await,
        ManagerError::NotRegistered { role: "worker", .. }
    ));
    set(&|node| (node.exit_at, node.roles) = (0, inferix_node::roles::VERIFIER));
    assert!(matches!(
        refused().await,
        ManagerError::NotRegistered { role: "worker", .. }
    ));
    set(&|node| node.roles = inferix_node::roles::WORKER);
    set(&|node| node.price_wei = U256::from(PRICE_WEI + 1));
    assert!(
        reason(&bench, &worker)
            .await
            .contains("above the job's cap")
    );
    let unknown = inferix_node::api::types::LeaseRequest {
        device_index: 9,
        held: Vec::new(),
        known: Vec::new(),
    };
    let err = bench
        .desk
        .lease(worker.address(), unknown)
        .await
        .unwrap_err();
    assert!(matches!(
        err,
        ManagerError::DeviceUnknown {
            device_index: 9,
            ..
        }
    ));
}

#[tokio::test]
async fn a_slow_device_gets_no_job_that_asks_for_more() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    let SignedJob {
        job,
        params,
        input_blob,
        ..
    } = bench.job(&builder, 4, 1).await;
    let fast = sign_job(
        &builder,
        Job {
            minIbMicro: IB_MICRO + 1,
            ..job
        },
        params,
        input_blob,
    );
    let job_id = fast.job.job_id();
    bench.desk.submit(builder.address(), fast).await.unwrap();
    assert!(reason(&bench, &worker).await.contains("micro-IB"));
    let status = bench.desk.status(builder.address(), job_id).await.unwrap();
    assert!(
        status.waiting_for.unwrap().contains("micro-IB"),
        "the builder is told why it waits"
    );
}

#[tokio::test]
async fn units_of_a_lost_worker_go_to_another_when_the_lease_and_the_drift_are_over() {
    let bench = Bench::new();
    let builder = bench.add_builder(1, PLENTY_WEI);
    let (lost, other) = (bench.add_worker(2), bench.add_worker(3));
    bench.submit(&builder, 4, 1).await;
    let first = bench.lease(&lost, &[]).await;
    let taken = u64::from(task_of(&first).unit_count);
    let request = ReleaseRequest {
        task_id: task_of(&first).task_id().bytes(),
        reason: "drain".to_owned(),
    };
    bench.desk.release(lost.address(), request).await.unwrap();

    bench.pass(LEASE_S + 4);
    let rest = bench.lease(&other, &[]).await;
    assert_eq!(task_of(&rest).first_unit, taken);
    bench.pass(1);
    let again = bench
        .lease(&other, &[task_of(&rest).task_id().bytes()])
        .await;
    assert_eq!(task_of(&again).first_unit, 0);

    // What the lost worker still brings is no longer welcome: another has the units.
    let late = bench.report(&first, 0, 1).await;
    let err = bench.desk.deliver(lost.address(), late).await.unwrap_err();
    assert!(
        matches!(
            err,
            ManagerError::ReportRefused(ReportRefusal::LeaseEnded { .. })
        ),
        "{err}"
    );
}

#[tokio::test]
async fn late_results_are_welcome_while_nobody_else_has_the_units() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    let job = bench.submit(&builder, 4, 1).await;
    let lease = bench.lease(&worker, &[]).await;
    bench.pass(LEASE_S + 30);
    deliver_all(&bench, &worker, &lease).await;
    let status = bench
        .desk
        .status(builder.address(), job.job.job_id())
        .await
        .unwrap();
    assert_eq!(status.done_count, u64::from(task_of(&lease).unit_count));
}

#[tokio::test]
async fn a_job_is_refused_for_each_thing_that_is_wrong_with_it() {
    let bench = Bench::new();
    let builder = bench.add_builder(1, PLENTY_WEI);
    let SignedJob {
        job,
        params,
        input_blob,
        ..
    } = bench.job(&builder, 4, 1).await;
    let submit = async |change: &dyn Fn(&mut Job)| {
        let mut job = job.clone();
        change(&mut job);
        let signed = sign_job(&builder, job, params.clone(), input_blob);
        match bench
            .desk
            .submit(builder.address(), signed)
            .await
            .unwrap_err()
        {
            ManagerError::JobRefused(refusal) => refusal,
            other => panic!("{other}"),
        }
    };

    let wrong = submit(&|job| job.manager = Address::ZERO).await;
    assert!(matches!(wrong, JobRefusal::WrongManager { .. }), "{wrong}");
    let wrong = submit(&|job| job.programId = B256::ZERO).await;
    assert!(
        matches!(wrong, JobRefusal::Program(ProgramError::Unknown { .. })),
        "{wrong}"
    );
    let wrong = submit(&|job| job.inputRoot = B256::ZERO).await;
    assert!(
        matches!(
            wrong,
            JobRefusal::WrongRoot {
                region: "input",
                ..
            }
        ),
        "{wrong}"
    );
    let wrong = submit(&|job| job.paramsRoot = B256::ZERO).await;
    assert!(
        matches!(
            wrong,
            JobRefusal::WrongRoot {
                region: "parameter",
                ..
            }
        ),
        "{wrong}"
    );
    let wrong = submit(&|job| job.unitCount = 5).await;
    assert!(
        matches!(
            wrong,
            JobRefusal::WrongUnitCount {
                signed: 5,
                computed: 4
            }
        ),
        "{wrong}"
    );
    let wrong = submit(&|job| job.referenceRate += 1).await;
    assert!(matches!(wrong, JobRefusal::WrongRate { .. }), "{wrong}");
    let wrong = submit(&|job| job.maxCost = 0).await;
    assert!(
        matches!(
            wrong,
            JobRefusal::OutOfRange {
                field: "maxCost",
                value: 0,
                ..
            }
        ),
        "{wrong}"
    );
    let wrong = submit(&|job| job.deadlineAt = NOW + 4).await;
    assert!(
        matches!(wrong, JobRefusal::DeadlineTooNear { .. }),
        "{wrong}"
    );

    let forged = SignedJob {
        signature: Bytes::from(vec![1; 64]),
        ..bench.job(&builder, 4, 1).await
    };
    assert!(bench.desk.submit(builder.address(), forged).await.is_err());
    let other = sign_job(&wallet(7), job.clone(), params.clone(), input_blob);
    let err = bench
        .desk
        .submit(builder.address(), other)
        .await
        .unwrap_err();
    assert!(
        matches!(
            err,
            ManagerError::JobRefused(JobRefusal::WrongSigner { .. })
        ),
        "{err}"
    );

    let bad = bench
        .desk
        .blobs()
        .put(bytes::Bytes::from_static(b"bad scene"))
        .await
        .unwrap();
    let bad = common::signed_job(&builder, bench.manager.address(), b"bad scene", (4, 1, bad));
    let err = bench.desk.submit(builder.address(), bad).await.unwrap_err();
    assert!(
        matches!(
            err,
            ManagerError::JobRefused(JobRefusal::Program(ProgramError::Refused(_)))
        ),
        "{err}"
    );
    bench.allocate(&builder, UNIT_WEI - 1);
    let good = bench.job(&builder, 4, 1).await;
    let err = bench
        .desk
        .submit(builder.address(), good)
        .await
        .unwrap_err();
    assert!(
        matches!(err, ManagerError::AllocationTooLow { .. }),
        "{err}"
    );
}

#[tokio::test]
async fn a_canceled_job_is_leased_no_more_and_only_its_builder_cancels() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    let job_id = bench.submit(&builder, 40, 1).await.job.job_id();
    let lease = bench.lease(&worker, &[]).await;
    let err = bench
        .desk
        .cancel(worker.address(), job_id)
        .await
        .unwrap_err();
    assert!(matches!(err, ManagerError::NotBuilder { .. }));
    let status = bench.desk.cancel(builder.address(), job_id).await.unwrap();
    assert_eq!(status.state, JobState::Canceled);
    let held = [task_of(&lease).task_id().bytes()];
    assert!(
        bench
            .desk
            .lease(worker.address(), ask(&held))
            .await
            .unwrap()
            .lease
            .is_none()
    );
    deliver_all(&bench, &worker, &lease).await;
}

#[tokio::test]
async fn builders_share_the_workers() {
    let bench = Bench::new();
    let (many, one) = (
        bench.add_builder(1, PLENTY_WEI),
        bench.add_builder(2, PLENTY_WEI),
    );
    for salt in 0..3 {
        bench.submit(&many, 40, salt).await;
    }
    let late = bench.submit(&one, 40, 9).await;
    let mut builders = Vec::new();
    for seed in 10..14 {
        let worker = bench.add_worker(seed);
        builders.push(bench.lease(&worker, &[]).await.order.builder);
    }
    let count = builders
        .iter()
        .filter(|builder| **builder == late.job.builder)
        .count();
    assert_eq!(count, 2, "half of the workers, with one job against three");
}

#[tokio::test]
async fn a_lease_whose_order_was_never_kept_is_undone() {
    let mut bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    let job = bench.submit(&builder, 4, 1).await;
    // The power failed between the queue's write and the order book's.
    let queue = inferix_node::queue::EmbeddedQueue::open(&bench.store).unwrap();
    let task = Task {
        job_id: job.job.job_id(),
        first_unit: 0,
        unit_count: 4,
        max_cost: MAX_COST,
        reference_rate: common::RATE,
        lease_ends_at: NOW + LEASE_S,
    };
    let lost = inferix_node::queue::LeaseEntry {
        task,
        worker: worker.address(),
        device_index: 0,
        leased_at: NOW,
        is_released: false,
    };
    inferix_node::queue::TaskQueue::lease(&queue, lost, NOW).unwrap();

    bench.restart();
    let lease = bench.lease(&worker, &[]).await;
    assert_eq!((task_of(&lease).first_unit, lease.task_index), (0, 0));
}

#[tokio::test]
async fn the_sweep_keeps_what_live_jobs_name() {
    let bench = Bench::new();
    let builder = bench.add_builder(1, PLENTY_WEI);
    let job = bench.submit(&builder, 4, 1).await;
    let day = 86_400;
    bench.pass(day);
    bench.desk.sweep().await.unwrap();
    assert!(bench.desk.blobs().has(job.input_blob).await.unwrap());
    assert_eq!(bench.desk.jobs_of(builder.address()).len(), 1);
    // Its deadline, and then the time that ended jobs are kept. One of which a task was leased can be asked about.
    let worker = bench.add_worker(2);
    bench.submit(&builder, 4, 2).await;
    let leased = bench.lease(&worker, &[]).await.job;
    bench.pass(16 * day);
    bench.desk.sweep().await.unwrap();
    assert_eq!(bench.desk.jobs_of(builder.address()).len(), 1);
    assert!(bench.desk.blobs().has(leased.input_blob).await.unwrap());
    bench.pass(ASKABLE_S);
    bench.desk.sweep().await.unwrap();
    assert!(bench.desk.jobs_of(builder.address()).is_empty());
}
