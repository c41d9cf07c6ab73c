//! The whole life of a job: every party is a process of its own, the chain is a real one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use alloy::primitives::U256;
use serde_json::Value;
use world::{IFX, World, files, wei};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"300s\"\ntask_length = \"2s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n\
    [verifier]\nmanagers = [\"http://127.0.0.1:{port}\"]\nsample_one_in = 4\nthreads = 1\n";
const ALLOCATION_IFX: u64 = 500;

#[tokio::test]
async fn a_job_is_rendered_measured_claimed_checked_and_paid() {
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    let metrics_url = show_metrics(&world, "verifier");
    world.register(&["worker"]);
    world.allocate(&ALLOCATION_IFX.to_string());
    world.start_manager().await;
    world.spawn("verifier", &["verifier", "run"]);
    world.spawn("worker", &["worker", "run"]);
    let job_id = world.submit(&["cornell", "--size", "64x48", "--samples", "64"]);

    let done = world.json("builder", &["job", "watch", &job_id]);
    assert_eq!(
        (&done["state"], &done["done_count"]),
        (&"done".into(), &12.into())
    );
    let frames = world.path("frames");
    world.done(
        "builder",
        &["job", "fetch", &job_id, "--out", &frames.to_string_lossy()],
    );
    assert_eq!(
        (files(&frames, "png").len(), files(&frames, "exr").len()),
        (1, 1)
    );

    world.settle(&["worker"]).await;
    let rows = world.json("builder", &["claim", "list"]);
    let rows = rows.as_array().unwrap();
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row["status"] == "final"),
        "{rows:?}"
    );
    let claimed_wei: U256 = rows.iter().map(|row| wei(&row["amount_wei"])).sum();
    assert!(!claimed_wei.is_zero());

    let reader = world.reader().await;
    let (worker, manager) = (world.account("worker"), world.account("manager"));
    let (treasury, _) = reader.treasury_and_pool().await.unwrap();
    let (earned_wei, withdrawn_wei) = reader.credits(worker).await.unwrap();
    let (fee_wei, _) = reader.credits(treasury).await.unwrap();
    assert_eq!(withdrawn_wei, U256::ZERO);
    assert_eq!(earned_wei + fee_wei, claimed_wei);
    let share_wei: U256 = rows
        .iter()
        .map(|row| wei(&row["amount_wei"]) * U256::from(8000) / U256::from(10_000))
        .sum();
    assert_eq!(earned_wei, share_wei, "80 % are the worker's");
    let left = reader
        .allocation(world.account("builder"), manager)
        .await
        .unwrap();
    let paid_in_wei = U256::from(ALLOCATION_IFX) * U256::from(IFX);
    assert_eq!(left.free_wei, paid_in_wei - claimed_wei);

    figures_agree(&world, rows, earned_wei);
    let before_wei = reader.ifx_wei(worker).await.unwrap();
    world.done_by_owner("worker", &["worker", "withdraw"]);
    assert_eq!(
        reader.ifx_wei(worker).await.unwrap() - before_wei,
        earned_wei
    );
    let again = world.done_by_owner("worker", &["worker", "withdraw"]);
    assert!(again.contains("nothing to withdraw"), "{again}");
    let judged = world.log_text("verifier");
    assert!(
        judged.contains("Sound") && !judged.contains("ERROR"),
        "{judged}"
    );
    verifier_tells_what_it_did(&metrics_url, rows.len()).await;
}

/// Lets a node show its metrics, and returns where.
fn show_metrics(world: &World, name: &str) -> String {
    let address = format!("127.0.0.1:{}", world::free_port());
    let config = world.config(name);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("metrics_listen = \"{address}\"\n{text}")).unwrap();
    format!("http://{address}/metrics")
}

async fn verifier_tells_what_it_did(url: &str, claim_count: usize) {
    let shown = reqwest::get(url).await.unwrap().text().await.unwrap();
    let figure = |name: &str| -> f64 {
        let line = shown.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {shown}"));
        line.trim().parse().unwrap()
    };
    let claim_count = f64::from(u32::try_from(claim_count).unwrap());
    assert_eq!(figure("inferix_claims_seen_total "), claim_count);
    assert_eq!(figure("inferix_claims_sound_total "), claim_count);
    assert_eq!(figure("inferix_claims_refuted_total "), 0.0);
    assert_eq!(figure("inferix_bounties_wei "), 0.0);
    assert!(figure("inferix_units_rechecked_total ") >= claim_count);
    assert!(figure("inferix_verifier_chain_contact_timestamp_seconds ") > 1e9);
}

/// What the chain, the worker and the explanation say of the same claims.
fn figures_agree(world: &World, rows: &[Value], earned_wei: U256) {
    let status = world.json("worker", &["worker", "status"]);
    assert_eq!(status["unclaimed_intervals"], 0);
    let claims = world.json("worker", &["worker", "claims"]);
    assert_eq!(status["claims"], claims);
    let claims = claims.as_array().unwrap();
    assert_eq!(claims.len(), rows.len());
    let paid_wei: U256 = claims.iter().map(|claim| wei(&claim["value_wei"])).sum();
    assert_eq!(paid_wei, earned_wei);
    for (claim, row) in claims.iter().zip(rows) {
        assert_eq!(claim["claim_id"], row["claim_id"]);
        assert_eq!(claim["interval_count"], row["intervals"]);
        let claim_id = claim["claim_id"].as_str().unwrap();
        let steps = world.json("worker", &["claim", "explain", claim_id]);
        let steps = steps.as_array().unwrap();
        let figure = |part: &str| {
            let step = steps
                .iter()
                .find(|step| step["what"].as_str().unwrap().contains(part));
            let figure = step.unwrap_or_else(|| panic!("no {part} in {steps:?}"))["figure"].clone();
            figure.as_str().unwrap().trim_end_matches(" wei").to_owned()
        };
        assert_eq!(figure("money"), wei(&row["amount_wei"]).to_string());
        assert_eq!(
            figure("worker's share"),
            wei(&claim["value_wei"]).to_string()
        );
        assert_eq!(figure("status"), "final");
        let explained = steps.iter().filter(|step| {
            step["what"]
                .as_str()
                .unwrap()
                .ends_with("payable, the lesser of both")
        });
        assert_eq!(explained.count() as u64, row["intervals"].as_u64().unwrap());
    }
}
