//! A worker's receipts move the duty to show its outputs to the manager.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/demander.rs"]
mod demander;
#[path = "common/world.rs"]
mod world;

use std::{collections::BTreeSet, time::Duration};

use alloy::{primitives::B256, sol_types::SolEvent};
use demander::Demander;
use inferix_node::chain::bindings::demands as sol;
use world::{PATIENCE, WINDOW_S, World, wait_until};

/// The worker looks for what can go every quarter of `keep_blobs`.
const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"300s\"\ntask_length = \"2s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"2s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\nkeep_blobs = \"2s\"\n";

/// `IDemands.DemandStatus.Served`.
const SERVED: u8 = 3;
/// `IDemands.DemandKind.Output`.
const OUTPUT: u8 = 6;

/// The blobs of an account's folder, or of a folder below it.
fn blobs_in(world: &World, dir: &str) -> BTreeSet<B256> {
    let mut found = BTreeSet::new();
    for dir in std::fs::read_dir(world.data(dir).join("blobs")).unwrap() {
        for file in std::fs::read_dir(dir.unwrap().path()).unwrap() {
            found.extend(file.unwrap().file_name().to_string_lossy().parse::<B256>());
        }
    }
    found
}

#[tokio::test]
async fn outputs_under_receipts_leave_the_worker_and_their_demands_go_to_the_manager() {
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    world.register(&["worker"]);
    world.allocate("500");
    world.start_manager().await;
    world.spawn("worker", &["worker", "run"]);
    let job_id = world.submit(&["cornell", "--size", "64x48", "--samples", "64"]);
    world.json("builder", &["job", "watch", &job_id]);
    world.done("worker", &["worker", "drain"]);
    wait_until("the claim, and the outputs to be gone", || {
        let is_posted = world.status("worker").is_some_and(|status| {
            let claims = status["claims"].as_array().unwrap();
            let is_posted = |claim: &serde_json::Value| {
                let stage = claim["stage"].as_str().unwrap();
                stage.starts_with("posted")
            };
            status["unclaimed_intervals"] == 0 && claims.iter().any(is_posted)
        });
        // What is left is the claim's.
        is_posted && blobs_in(&world, "worker").len() == 1
    })
    .await;

    let demander = Demander::find(&world).await;
    let line = &demander.blob.lines[0];
    let unit_count = line.intervals.iter().map(|held| held.units.len()).max();
    assert!(unit_count > Some(1), "an interval holds more than a unit");
    // What the worker published there is not needed.
    let kept = blobs_in(&world, "manager/manager");
    assert!(kept.contains(&demander.claim.header.blobHash));
    let before = demander
        .reader
        .node(world.account("manager"))
        .await
        .unwrap();

    let (demand_id, _) = demander.open(OUTPUT, (0, 1, 3)).await;
    let until = tokio::time::Instant::now() + PATIENCE;
    while demander.reader.demand_state(demand_id).await.unwrap().0 != SERVED {
        assert!(tokio::time::Instant::now() < until, "not served");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let head = demander.reader.head().await.unwrap().number;
    let contract = demander.reader.deployment().demands;
    let events = async |topic| {
        let logs = demander.reader.logs(contract, vec![topic], 0, head).await;
        logs.unwrap()
    };
    let shifted = events(sol::DemandShifted::SIGNATURE_HASH).await;
    assert_eq!(shifted.len(), 1, "it was moved once");
    let shifted = sol::DemandShifted::decode_log(&shifted[0].inner).unwrap();
    assert_eq!(shifted.manager, world.account("manager"));
    let served = events(sol::DemandServed::SIGNATURE_HASH).await;
    assert_eq!(served.len(), 1);
    let served = sol::DemandServed::decode_log(&served[0].inner).unwrap();
    assert_eq!(served.payee, world.account("manager"));
    let after = demander
        .reader
        .node(world.account("manager"))
        .await
        .unwrap();
    assert_eq!(after.stake_wei, before.stake_wei);
    assert_eq!(
        after.locked_wei, before.locked_wei,
        "its stake is free again"
    );

    world.pass(WINDOW_S).await;
    world.settle(&["worker"]).await;
    world.money_adds_up(&["worker"], 500).await;
    let log = world.log_text("worker");
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
}
