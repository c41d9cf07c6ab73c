//! `kill -9` at random moments: nothing is lost, nothing is paid twice.
#![allow(missing_docs, reason = "the facts are in the names")]

#[path = "common/world.rs"]
mod world;

use std::time::{Duration, Instant};

use alloy::primitives::U256;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use world::{IFX, World, wait_until};

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
        pause: Duration::from_secs(5),
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
    let claim_count = world
        .every_unit_is_claimed_once("worker", plan.unit_count)
        .await;
    assert!(claim_count > 1, "all kills fell into one claim");
    money_adds_up(&world).await;
    for name in VICTIMS {
        let log = world.log_text(name);
        assert!(
            !log.contains("panicked") && !log.contains("ERROR"),
            "{name}: {log}"
        );
    }
}

async fn money_adds_up(world: &World) {
    let reader = world.reader().await;
    let head = reader.head().await.unwrap().number;
    let claims = reader.posted_claims(0, head).await.unwrap();
    let lines = claims.iter().flat_map(|claim| &claim.lines);
    let claimed_wei: U256 = lines.map(|line| U256::from(line.amountWei)).sum();
    let (treasury, _) = reader.treasury_and_pool().await.unwrap();
    let (earned_wei, _) = reader.credits(world.account("worker")).await.unwrap();
    let (fee_wei, _) = reader.credits(treasury).await.unwrap();
    assert_eq!(earned_wei + fee_wei, claimed_wei);
    let (builder, manager) = (world.account("builder"), world.account("manager"));
    let left_wei = reader.allocation(builder, manager).await.unwrap().free_wei;
    assert_eq!(
        left_wei + claimed_wei,
        U256::from(ALLOCATION_IFX) * U256::from(IFX)
    );
    for name in VICTIMS {
        let node = reader.node(world.account(name)).await.unwrap();
        assert_eq!(node.locked_wei, U256::ZERO, "{name}'s stake is free again");
    }
    let worker = reader.node(world.account("worker")).await.unwrap();
    assert_eq!(
        worker.stake_wei,
        U256::from(1000) * U256::from(IFX),
        "no stake was lost"
    );
}
