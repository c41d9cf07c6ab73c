//! What workers deliver to a manager, and the receipts that they get for it.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that can't go on must fail"
)]

mod common;

use alloy::primitives::B256;
use common::{Bench, MAX_COST};
use inferix_node::{
    api::types::{Lease, ReceiptRequest, ResultReport, SignedReceipt},
    manager::{ManagerError, receipts::ReceiptRefusal, results::ReportRefusal, signing::signer_of},
    wallet::Wallet,
};
use inferix_prover::{
    task::Task,
    unit::{UnitLeaf, unit_tree},
};

/// Money for many tasks.
const PLENTY_WEI: u64 = 1_000_000_000_000;

fn task_of(lease: &Lease) -> Task {
    lease.tasks[lease.task_index as usize]
}

#[tokio::test]
async fn what_a_worker_reports_must_be_what_it_sent() {
    let bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    bench.submit(&builder, 40, 1).await;
    let lease = bench.lease(&worker, &[]).await;
    let good = bench.report(&lease, 0, 2).await;
    let refusal = async |change: &dyn Fn(&mut ResultReport)| {
        let mut report = good.clone();
        change(&mut report);
        match bench
            .desk
            .deliver(worker.address(), report)
            .await
            .unwrap_err()
        {
            ManagerError::ReportRefused(refusal) => refusal,
            other => panic!("{other}"),
        }
    };

    let wrong_root = refusal(&|report| report.units[1].output_root = B256::ZERO).await;
    assert!(
        matches!(wrong_root, ReportRefusal::WrongRoot { unit_index: 1, .. }),
        "{wrong_root}"
    );
    let cheap = refusal(&|report| report.units[1].cost += 1).await;
    assert!(
        matches!(
            cheap,
            ReportRefusal::WrongCost {
                unit_index: 1,
                computed: 1000,
                reported: 1001
            }
        ),
        "{cheap}"
    );
    let whole = refusal(&|report| {
        (report.units[0].status, report.units[0].cost) = (1, MAX_COST);
    })
    .await;
    assert!(
        matches!(whole, ReportRefusal::NotCapped { unit_index: 0 }),
        "{whole}"
    );
    let dear = refusal(&|report| report.units[0].cost = MAX_COST + 1).await;
    assert!(
        matches!(
            dear,
            ReportRefusal::CostTooHigh {
                unit_index: 0,
                max_cost: MAX_COST,
                ..
            }
        ),
        "{dear}"
    );
    let capped = refusal(&|report| report.units[0].status = 1).await;
    assert!(
        matches!(capped, ReportRefusal::WrongStatus { status: 1, .. }),
        "{capped}"
    );
    let short = refusal(&|report| report.units.truncate(1)).await;
    assert!(
        matches!(
            short,
            ReportRefusal::WrongSize {
                got: 8192,
                needed: 4096
            }
        ),
        "{short}"
    );
    let outside = refusal(&|report| report.first_unit = 3).await;
    assert!(
        matches!(
            outside,
            ReportRefusal::UnitsNotTask {
                first_unit: 3,
                unit_count: 2
            }
        ),
        "{outside}"
    );
    let none = refusal(&|report| report.units.clear()).await;
    assert!(
        matches!(none, ReportRefusal::UnitsNotTask { unit_count: 0, .. }),
        "{none}"
    );

    let err = bench
        .desk
        .deliver(bench.add_worker(5).address(), good.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(err, ManagerError::TaskUnknown { .. }),
        "not its task"
    );
    let (unsent, _) = common::report(&lease, 2, 1, 1000);
    let err = bench
        .desk
        .deliver(worker.address(), unsent)
        .await
        .unwrap_err();
    assert!(matches!(err, ManagerError::OutputMissing { .. }));
    bench.desk.deliver(worker.address(), good).await.unwrap();
}

/// Asks for the receipt of an interval of the first units of a lease.
async fn receipt_of(
    bench: &Bench,
    worker: &Wallet,
    report: &ResultReport,
) -> Result<SignedReceipt, ManagerError> {
    let units: Vec<UnitLeaf> = (report.first_unit..)
        .zip(&report.units)
        .map(|(unit_index, unit)| UnitLeaf {
            unit_index,
            status: unit.status,
            output_root: unit.output_root,
            cost: unit.cost,
        })
        .collect();
    let request = ReceiptRequest {
        task_id: report.task_id,
        first_unit: report.first_unit,
        unit_count: u32::try_from(units.len()).unwrap(),
        units_root: unit_tree(&units).unwrap().root().unwrap(),
    };
    bench.desk.receipt(worker.address(), request).await
}

#[tokio::test]
async fn a_receipt_is_for_an_interval_in_whatever_batches_its_units_came() {
    let mut bench = Bench::new();
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    let job = bench.submit(&builder, 40, 1).await;
    let lease = bench.lease(&worker, &[]).await;
    let interval = bench.report(&lease, 1, 3).await;
    // The last two came again after a crash, in other batches.
    for (from, unit_count) in [(0, 2), (2, 2), (1, 3), (0, 4)] {
        let report = bench.report(&lease, from, unit_count).await;
        let is_whole = from + unit_count >= 4;
        bench.desk.deliver(worker.address(), report).await.unwrap();
        bench.restart();
        let receipt = receipt_of(&bench, &worker, &interval).await;
        if !is_whole {
            let err = receipt.unwrap_err();
            assert!(
                matches!(
                    err,
                    ManagerError::ReceiptRefused(ReceiptRefusal::NotDelivered { .. })
                ),
                "{err}"
            );
            continue;
        }
        let receipt = receipt.unwrap();
        let signer = signer_of(&receipt.receipt, bench.desk.domain(), &receipt.signature).unwrap();
        assert_eq!(
            (signer, receipt.receipt.unitCount),
            (bench.manager.address(), 3)
        );
    }
    let outside = ResultReport {
        first_unit: interval.first_unit + 1_000,
        ..interval.clone()
    };
    let err = receipt_of(&bench, &worker, &outside).await.unwrap_err();
    assert!(matches!(err, ManagerError::ReceiptRefused(_)), "{err}");
    let stranger = bench.add_worker(5);
    let err = receipt_of(&bench, &stranger, &interval).await.unwrap_err();
    assert!(matches!(err, ManagerError::TaskUnknown { .. }), "{err}");
    let status = bench
        .desk
        .status(builder.address(), job.job.job_id())
        .await
        .unwrap();
    assert_eq!(
        (status.done_count, status.cost),
        (4, 4000),
        "nothing counts twice"
    );
}

#[tokio::test]
async fn what_a_task_delivers_again_must_be_the_same_and_is_kept_only_where_it_brings_something() {
    let bench = Bench::with(|config| {
        config.lease *= 10;
        config.task_length *= 10;
    });
    let (builder, worker) = (bench.add_builder(1, PLENTY_WEI), bench.add_worker(2));
    let job = bench.submit(&builder, 40, 1).await;
    let probe = bench.lease(&worker, &[]).await;
    let report = bench.report(&probe, 0, task_of(&probe).unit_count).await;
    bench.desk.deliver(worker.address(), report).await.unwrap();
    let held = [task_of(&probe).task_id().bytes()];
    let lease = bench.lease(&worker, &held).await;
    let kept_count = async || {
        let outputs = bench
            .desk
            .outputs(builder.address(), job.job.job_id(), 0)
            .await;
        outputs.unwrap().len()
    };
    let report = bench.report(&lease, 0, 2).await;
    bench.desk.deliver(worker.address(), report).await.unwrap();
    let (other, blob) = common::report(&lease, 0, 3, 2000);
    bench.desk.blobs().put(blob).await.unwrap();
    let err = bench.desk.deliver(worker.address(), other).await;
    let err = err.unwrap_err();
    assert!(
        matches!(
            err,
            ManagerError::ReportRefused(ReportRefusal::Contradicts { .. })
        ),
        "{err}"
    );
    let again = bench.report(&lease, 1, 1).await;
    bench.desk.deliver(worker.address(), again).await.unwrap();
    assert_eq!(kept_count().await, 2, "nothing of it is new");

    // One more unit each time, and all before it again: the disk is not the worker's to fill.
    let unit_count = task_of(&lease).unit_count;
    let mut refusal = None;
    for count in 3..=unit_count {
        let report = bench.report(&lease, 0, count).await;
        if let Err(err) = bench.desk.deliver(worker.address(), report).await {
            refusal = Some(err);
            break;
        }
    }
    let Some(ManagerError::ReportRefused(ReportRefusal::TooOften { max_count, .. })) = refusal
    else {
        panic!("{refusal:?}");
    };
    assert_eq!(max_count, 4 * u64::from(unit_count));
}
