//! What a worker keeps does not grow with what it has done, and nothing goes that can be demanded.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use alloy::primitives::{B256, keccak256};
use bytes::Bytes;
use inferix_node::{
    blobs::Blobs,
    store::Store,
    worker::{Book, ReceiptBook},
};
use serde_json::Value;
use world::{WINDOW_S, World, wait_until};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"400s\"\ntask_length = \"2s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\nkeep_blobs = \"1s\"\n\
    [verifier]\nthreads = 1\n";
const LEASE_S: u64 = 400;
/// Units of each job.
const UNITS: usize = 12;

/// All blobs of a folder.
fn blobs_in(world: &World) -> Vec<B256> {
    let mut found = Vec::new();
    for dir in std::fs::read_dir(world.data("worker").join("blobs")).unwrap() {
        for file in std::fs::read_dir(dir.unwrap().path()).unwrap() {
            found.extend(file.unwrap().file_name().to_string_lossy().parse::<B256>());
        }
    }
    found
}

/// Makes all blobs older than the worker keeps them without need.
fn age_blobs(world: &World) {
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for dir in std::fs::read_dir(world.data("worker").join("blobs")).unwrap() {
        for file in std::fs::read_dir(dir.unwrap().path()).unwrap() {
            let file = File::open(file.unwrap().path());
            // A sweep may have been quicker.
            file.map_or(Ok(()), |file| file.set_modified(long_ago))
                .unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_worker_keeps_does_not_grow_with_the_jobs_that_it_has_done() {
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    world.register(&["worker"]);
    world.allocate("500");
    world.start_manager().await;
    world.spawn("worker", &["worker", "run"]);
    for round in 1..=3 {
        world.done("worker", &["worker", "resume"]);
        let samples = (32 + round).to_string();
        let job_id = world.submit(&["cornell", "--size", "64x48", "--samples", &samples]);
        wait_until("the job to be done", || {
            world.job(&job_id).is_some_and(|job| job["state"] == "done")
        })
        .await;
        world.done("worker", &["worker", "drain"]);
        wait_until("the claim to be posted", || {
            world.status("worker").is_some_and(|status| {
                let claims = status["claims"].as_array().unwrap();
                status["unclaimed_intervals"] == 0 && claims.len() == round
            })
        })
        .await;
        everything_that_can_be_demanded_is_there(&mut world, round).await;
        world.settle(&["worker"]).await;
        // One more window, in which demands could have come.
        world.pass(WINDOW_S).await;
    }

    world.pass(LEASE_S).await;
    wait_until("all blobs to be gone", || blobs_in(&world).is_empty()).await;
    let claims = world.json("worker", &["worker", "claims"]);
    let is_paid = |claim: &Value| claim["stage"] == "final";
    assert!(claims.as_array().unwrap().iter().all(is_paid), "{claims}");
    world.kill("worker");
    let book = Book::open(&Store::open(&world.data("worker").join("store")).unwrap()).unwrap();
    assert_eq!(book.leases().unwrap().len(), 0);
    assert!(book.outputs().unwrap().is_empty());
    drop(book);
    let store = Store::open(&world.data("worker").join("store")).unwrap();
    let receipts = ReceiptBook::open(&store).unwrap();
    assert!(receipts.covered().unwrap().is_empty());
    let log = world.log_text("worker");
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
}

/// A demand may ask for any unit's output: what is not stored is under a receipt, and the manager must show it.
async fn everything_that_can_be_demanded_is_there(world: &mut World, rounds: usize) {
    age_blobs(world);
    let blobs = Blobs::open(&world.data("worker").join("blobs")).unwrap();
    // A whole sweep lies between the end of the first and that of the second.
    for stray in [&b"stray"[..], b"another"] {
        blobs.put(Bytes::copy_from_slice(stray)).await.unwrap();
        age_blobs(world);
        let hash = keccak256(stray);
        wait_until("a sweep", || !blobs_in(world).contains(&hash)).await;
    }
    world.kill("worker");
    let store = Store::open(&world.data("worker").join("store")).unwrap();
    let book = Book::open(&store).unwrap();
    let covered = ReceiptBook::open(&store).unwrap().covered().unwrap();
    let (mut unit_count, mut covered_count) = (0, 0);
    for record in book.leases().unwrap() {
        let end = record.task.first_unit + u64::from(record.task.unit_count);
        for unit in record.task.first_unit..end {
            let task_id = record.task.task_id().bytes();
            let stored = book.output(task_id, unit).unwrap().unwrap();
            unit_count += 1;
            let mut receipts = covered.iter();
            if receipts.any(|(task, units)| *task == task_id && units.contains(&unit)) {
                covered_count += 1;
                continue;
            }
            let bytes = blobs.get(stored.blob).await.unwrap();
            assert_eq!(stored.unit(&bytes, unit).unwrap().len(), 4096);
        }
    }
    assert_eq!(unit_count, UNITS * rounds);
    assert!(
        covered_count >= UNITS * (rounds - 1),
        "managers gave receipts"
    );
    drop((store, book));
    world.spawn("worker", &["worker", "run"]);
}
