//! The manager's time is the chain's, however far that is from the machine's.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use world::World;

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"300s\"\ntask_length = \"2s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n";
const DAYS_AHEAD: u64 = 30;

/// By the machine's clock, every lease would be over before it began, and so would the job.
#[tokio::test]
async fn a_job_is_done_and_paid_on_a_chain_that_is_a_month_ahead() {
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    world.pass(DAYS_AHEAD * 86_400).await;
    world.register(&["worker"]);
    world.allocate("500");
    world.start_manager().await;
    world.spawn("worker", &["worker", "run"]);
    let job_id = world.submit(&["cornell", "--size", "64x48", "--samples", "16"]);
    let done = world.json("builder", &["job", "watch", &job_id]);
    assert_eq!(done["state"], "done");

    // What goes on after a jump is seen within a poll.
    world.pass(120).await;
    let job_id = world.submit(&["cornell", "--size", "32x32", "--samples", "16"]);
    let done = world.json("builder", &["job", "watch", &job_id]);
    assert_eq!(done["state"], "done");
    world.settle(&["worker"]).await;
    world.money_adds_up(&["worker"], 500).await;
}
