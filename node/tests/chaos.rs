//! `kill -9` at random moments: nothing is lost, nothing is paid twice.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use world::{World, wait_until};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"3000s\"\ntask_length = \"4s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"5s\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n\
    [verifier]\nmanagers = [\"http://127.0.0.1:{port}\"]\nsample_one_in = 20\nthreads = 1\n";
const ALLOCATION_IFX: u64 = 5_000;
const VICTIMS: [&str; 3] = ["worker", "manager", "verifier"];

struct Plan {
    kills_each: usize,
    /// Longest time between two kills.
    pause: Duration,
    size: &'static str,
    samples: &'static str,
    unit_count: u64,
}

#[tokio::test]
async fn kills_at_random_moments_lose_nothing_and_pay_nothing_twice() {
    survive(Plan {
        kills_each: 3,
        pause: Duration::from_secs(4),
        size: "320x320",
        samples: "128",
        unit_count: 400,
    })
    .await;
}

#[tokio::test]
#[ignore = "takes minutes: a hundred kills"]
async fn a_hundred_kills_lose_nothing_and_pay_nothing_twice() {
    survive(Plan {
        kills_each: 33,
        pause: Duration::from_millis(2500),
        size: "640x640",
        samples: "256",
        unit_count: 1600,
    })
    .await;
}

async fn survive(plan: Plan) {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    world.register(&["worker"]);
    world.allocate(&ALLOCATION_IFX.to_string());
    world.start_manager().await;
    let scene = ["cornell", "--size", plan.size, "--samples", plan.samples];
    let job_id = world.submit(&scene);
    world.spawn("verifier", &["verifier", "run"]);
    world.spawn("worker", &["worker", "run"]);

    let mut victims: Vec<&str> = VICTIMS
        .into_iter()
        .cycle()
        .take(3 * plan.kills_each)
        .collect();
    victims.shuffle(&mut rng);
    let began = Instant::now();
    for victim in victims {
        // The moment is what is drawn; nothing waits for it.
        tokio::time::sleep(plan.pause.mul_f64(rng.r#gen())).await;
        assert!(
            !world.has_ended(victim),
            "{victim} ended by itself: {}",
            world.log_text(victim)
        );
        let done = world.job(&job_id).map(|job| job["done_count"].clone());
        println!("{:?}: kill {victim}, units done: {done:?}", began.elapsed());
        world.kill(victim);
        world.spawn(victim, &[victim, "run"]);
    }
    wait_until("the job to be done", || {
        world.job(&job_id).is_some_and(|job| job["state"] == "done")
    })
    .await;
    println!("{:?}: done", began.elapsed());
    world.settle(&["worker"]).await;
    println!("{:?}: settled", began.elapsed());
    let (claimed, claim_count) = world.claimed_units("worker").await;
    assert!(claim_count > 1, "all kills fell into one claim");
    assert!(
        claimed.into_iter().eq(0..plan.unit_count),
        "a unit was never claimed"
    );
    world.money_adds_up(&["worker"], ALLOCATION_IFX).await;
    for name in VICTIMS {
        let log = world.log_text(name);
        assert!(
            !log.contains("panicked") && !log.contains("ERROR"),
            "{name}: {log}"
        );
    }
}

#[tokio::test]
async fn what_a_worker_did_before_it_lost_its_lease_is_paid_all_the_same() {
    let tuning = TUNING.replace("3000s", "8s");
    let accounts = ["builder", "manager", "worker", "other", "verifier"];
    let mut world = World::start(&accounts, &tuning).await;
    let workers = ["worker", "other"];
    world.register(&workers);
    world.allocate(&ALLOCATION_IFX.to_string());
    world.start_manager().await;
    let job_id = world.submit(&["cornell", "--size", "256x256", "--samples", "128"]);
    world.spawn("worker", &["worker", "run"]);
    let done_count = |world: &World| world.job(&job_id)?["done_count"].as_u64();
    wait_until("some units", || {
        done_count(&world).is_some_and(|count| count > 0)
    })
    .await;
    world.kill("worker");

    world.spawn("other", &["worker", "run"]);
    wait_until("the other to do the rest", || {
        done_count(&world) == Some(256)
    })
    .await;
    world.spawn("worker", &["worker", "run"]);
    world.settle(&workers).await;
    let (first, _) = world.claimed_units("worker").await;
    let (second, _) = world.claimed_units("other").await;
    println!("{} units and {}", first.len(), second.len());
    assert!(!first.is_empty() && !second.is_empty());
    assert!(
        first.union(&second).copied().eq(0..256),
        "a unit was never claimed"
    );
    world.money_adds_up(&workers, ALLOCATION_IFX).await;
}
