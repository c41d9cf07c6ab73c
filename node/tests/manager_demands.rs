//! A manager serves the demands that fall on it: its worker is gone, and it is killed in between.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/demander.rs"]
mod demander;
#[path = "common/world.rs"]
mod world;

use std::time::Duration;

use alloy::{
    primitives::{B256, U256},
    sol_types::{SolCall, SolEvent},
};
use demander::{Demander, key};
use inferix_node::{
    api::{
        client::{Client, ClientOptions},
        types::{ReceiptRequest, SignedReceipt},
    },
    chain::{
        bindings::{demands as sol, recode},
        evidence,
    },
    manager::clock::Clock,
};
use world::{IFX, PATIENCE, World, wait_until};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"300s\"\ntask_length = \"2s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n";

/// `IDemands.DemandStatus`.
const TO_MANAGER: u8 = 2;
const SERVED: u8 = 3;

#[tokio::test]
async fn a_manager_shows_jobs_and_receipted_outputs_when_the_worker_is_gone() {
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    world.register(&["worker"]);
    world.allocate("500");
    world.start_manager().await;
    world.spawn("worker", &["worker", "run"]);
    let job_id = world.submit(&["cornell", "--size", "64x48", "--samples", "16"]);
    world.json("builder", &["job", "watch", &job_id]);
    world.done("worker", &["worker", "drain"]);
    wait_until("the claim", || {
        world.status("worker").is_some_and(|status| {
            let claims = status["claims"].as_array().unwrap();
            status["unclaimed_intervals"] == 0
                && status["unsent_reports"] == 0
                && claims
                    .iter()
                    .any(|claim| claim["stage"].as_str().unwrap().starts_with("posted"))
        })
    })
    .await;
    world.kill("worker");

    let demander = Demander::find(&world).await;
    let receipt = receipt(&demander, &world).await;
    world.kill("manager");
    // What the worker published there is not needed.
    let hash = hex::encode(demander.claim.header.blobHash);
    let kept = format!("manager/manager/blobs/{}/{hash}", &hash[..2]);
    std::fs::remove_file(world.data(&kept)).unwrap();
    let before_wei = demander
        .reader
        .node(world.account("manager"))
        .await
        .unwrap();
    let fees_before_wei = demander
        .reader
        .ifx_wei(world.account("manager"))
        .await
        .unwrap();

    let job_demand = demander
        .open(5, (0, u64::from(demander.claim.lines[0].cursorFrom), 0))
        .await;
    let output_demand = demander.open(6, (0, 1, 2)).await;
    shift(&demander, output_demand.1.clone(), &receipt).await;
    for (demand_id, _) in [&job_demand, &output_demand] {
        let (status, _) = demander.reader.demand_state(*demand_id).await.unwrap();
        assert_eq!(status, TO_MANAGER);
    }

    // Killed at some instant of its start, and started again.
    world.spawn("manager", &["manager", "run"]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    world.kill("manager");
    world.start_manager().await;
    let until = tokio::time::Instant::now() + PATIENCE;
    for (demand_id, demand) in [&job_demand, &output_demand] {
        while demander.reader.demand_state(*demand_id).await.unwrap().0 != SERVED {
            assert!(
                tokio::time::Instant::now() < until,
                "not served: {demand:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    let after_wei = demander
        .reader
        .node(world.account("manager"))
        .await
        .unwrap();
    assert_eq!(after_wei.stake_wei, before_wei.stake_wei);
    assert_eq!(after_wei.locked_wei, U256::ZERO, "its stake is free again");
    let fees_wei = demander
        .reader
        .ifx_wei(world.account("manager"))
        .await
        .unwrap()
        - fees_before_wei;
    assert_eq!(
        fees_wei,
        U256::from(IFX),
        "half of each fee is the manager's"
    );
    let head = demander.reader.head().await.unwrap().number;
    let topics = vec![sol::DemandServed::SIGNATURE_HASH];
    let contract = demander.reader.deployment().demands;
    let served = demander
        .reader
        .logs(contract, topics, 0, head)
        .await
        .unwrap();
    assert_eq!(served.len(), 2, "each is served once");
}

/// Asks for the receipt of the first interval, as its worker did.
async fn receipt(demander: &Demander, world: &World) -> SignedReceipt {
    let interval = demander.held().interval;
    let deployment = demander.reader.deployment();
    let client = Client::connect(ClientOptions {
        base: world.manager_url().parse().unwrap(),
        account: world.account("worker"),
        wallet: key(world, "worker-operator"),
        chain_id: deployment.chain_id,
        work_claims: deployment.work_claims,
        clock: Clock::system(),
    })
    .await
    .unwrap();
    let request = ReceiptRequest {
        task_id: interval.task_id.bytes(),
        first_unit: interval.first_unit,
        unit_count: interval.unit_count,
        units_root: interval.units_root,
    };
    client.receipt(&request).await.unwrap()
}

async fn shift(demander: &Demander, demand: sol::Demand, receipt: &SignedReceipt) {
    let tree = demander.blob.lines[0].interval_tree().unwrap();
    let siblings = tree.prove(demand.leafIndex).unwrap().siblings;
    let siblings = siblings.iter().map(|node| sol::Sibling {
        hash: node.hash,
        sum: node.sum,
    });
    let call = sol::shiftToManagerCall {
        target: demander.target(),
        leaf: sol::LeafEvidence {
            leaf: recode(&evidence::interval(&demander.held().interval)).unwrap(),
            index: demand.leafIndex,
            siblings: siblings.collect(),
        },
        demand,
        receipt: recode(&receipt.receipt).unwrap(),
        signature: sol::Signature {
            r: B256::from_slice(&receipt.signature[..32]),
            vs: B256::from_slice(&receipt.signature[32..]),
        },
    };
    demander.send("shift", call.abi_encode()).await;
}
