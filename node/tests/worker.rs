//! What a worker does that is more than one job for one manager.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use alloy::primitives::U256;
use inferix_node::meter::{Entry, Journal};
use world::{World, free_port, wait_until, wei};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"300s\"\ntask_length = \"2s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n\
    [verifier]\nmanagers = [\"http://127.0.0.1:{port}\"]\nsample_one_in = 4\nthreads = 1\n";
const ALLOCATION_IFX: u64 = 500;
const SCENE: [&str; 5] = ["cornell", "--size", "64x48", "--samples", "64"];
const UNITS: u64 = 12;

#[tokio::test]
async fn two_managers_pay_one_worker_in_one_claim() {
    let accounts = ["builder", "manager", "second", "worker", "verifier"];
    let mut world = World::start(&accounts, TUNING).await;
    // The second manager listens elsewhere, and worker and verifier know both.
    let (first_url, second_url) = (
        world.manager_url(),
        format!("http://127.0.0.1:{}", free_port()),
    );
    for (name, from, to) in [
        (
            "second",
            first_url.replace("http://", ""),
            second_url.replace("http://", ""),
        ),
        (
            "worker",
            format!("\"{first_url}\""),
            format!("\"{first_url}\", \"{second_url}\""),
        ),
    ] {
        let text = std::fs::read_to_string(world.config(name)).unwrap();
        std::fs::write(world.config(name), text.replace(&from, &to)).unwrap();
    }
    let metrics = format!("127.0.0.1:{}", free_port());
    let text = std::fs::read_to_string(world.config("worker")).unwrap();
    let text = format!("metrics_listen = \"{metrics}\"\n{text}");
    std::fs::write(world.config("worker"), text).unwrap();
    world.register(&["worker"]);
    let second = format!("{:#x}", world.account("second"));
    let register = [
        "manager",
        "register",
        "--endpoint",
        &second_url,
        "--stake",
        "1000",
    ];
    world.done_by_owner("second", &register);
    world.allocate(&ALLOCATION_IFX.to_string());
    let deposit = [
        "account",
        "deposit",
        &ALLOCATION_IFX.to_string(),
        "--manager",
        &second,
    ];
    world.done("builder", &deposit);
    world.start_manager().await;
    world.spawn("second", &["manager", "run"]);
    let address = second_url.replace("http://", "");
    wait_until("the second manager", || {
        std::net::TcpStream::connect(&address).is_ok()
    })
    .await;
    world.spawn("verifier", &["verifier", "run"]);
    world.spawn("worker", &["worker", "run"]);

    let submit = |url: &str| {
        let args = [
            &["job", "--manager", url, "submit"],
            &SCENE[..],
            &["--price-cap", "25", "--yes"],
        ];
        let status = world.json("builder", &args.concat());
        status["job_id"].as_str().unwrap().to_owned()
    };
    for (url, job_id) in [
        (&first_url, submit(&first_url)),
        (&second_url, submit(&second_url)),
    ] {
        let done = world.json("builder", &["job", "--manager", url, "watch", &job_id]);
        assert_eq!(
            (&done["state"], &done["done_count"]),
            (&"done".into(), &UNITS.into())
        );
    }
    world.settle(&["worker"]).await;

    let reader = world.reader().await;
    let head = reader.head().await.unwrap().number;
    let claims = reader.posted_claims(0, head).await.unwrap();
    assert_eq!((claims.len(), claims[0].lines.len()), (1, 2));
    let mut claimed_wei = U256::ZERO;
    for (name, builder) in [("manager", "builder"), ("second", "builder")] {
        let manager = world.account(name);
        let line = claims[0]
            .lines
            .iter()
            .find(|line| line.manager == manager)
            .unwrap();
        let amount_wei = U256::from(line.amountWei);
        let left = reader
            .allocation(world.account(builder), manager)
            .await
            .unwrap();
        assert!(!amount_wei.is_zero());
        assert_eq!(
            left.free_wei + amount_wei,
            U256::from(ALLOCATION_IFX) * U256::from(world::IFX)
        );
        claimed_wei += amount_wei;
    }
    let (earned_wei, _) = reader.credits(world.account("worker")).await.unwrap();
    let rows = world.json("worker", &["worker", "claims"]);
    assert_eq!(earned_wei, wei(&rows[0]["value_wei"]));
    let share_wei = claimed_wei * U256::from(8) / U256::from(10);
    assert!(
        share_wei - earned_wei <= U256::from(1),
        "each line is rounded down: {earned_wei}"
    );
    metrics_agree(&metrics, earned_wei).await;
}
/// What a worker's metrics say of two jobs that were paid in one claim.
async fn metrics_agree(address: &str, earned_wei: U256) {
    let shown = reqwest::get(format!("http://{address}/metrics"))
        .await
        .unwrap();
    let shown = shown.text().await.unwrap();
    let figure = |name: &str| -> f64 {
        let line = shown
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {shown}"))
            .parse()
            .unwrap()
    };
    assert_eq!(figure("inferix_worker_units_total"), 2.0 * UNITS as f64);
    assert!(figure("inferix_worker_cost_total") > 0.0);
    assert!(figure("inferix_worker_active_ms_total") > 0.0);
    assert!(figure("inferix_worker_intervals_total") >= 2.0);
    assert_eq!(figure("inferix_worker_claims{stage=\"final\"}"), 1.0);
    assert_eq!(figure("inferix_worker_earned_wei"), f64::from(earned_wei));
    assert!(figure("inferix_worker_journal_bytes") > 0.0);
    assert!(figure("inferix_worker_chain_contact_timestamp_seconds") > 1e9);
    for none in [
        "leases",
        "unsent_reports",
        "outbox_claims",
        "claims{stage=\"rejected\"}",
    ] {
        assert_eq!(figure(&format!("inferix_worker_{none}")), 0.0);
    }
}

#[tokio::test]
async fn what_a_verifier_would_refute_is_set_aside_and_the_rest_is_paid() {
    let mut world = World::start(&["builder", "manager", "worker", "verifier"], TUNING).await;
    world.register(&["worker"]);
    world.allocate(&ALLOCATION_IFX.to_string());
    world.start_manager().await;
    world.spawn("verifier", &["verifier", "run"]);
    world.spawn("worker", &["worker", "run"]);
    let job_id = world.submit(&SCENE);
    world.json("builder", &["job", "watch", &job_id]);
    wait_until("the tasks to end", || {
        world
            .status("worker")
            .is_some_and(|status| status["active_leases"] == 0 && status["unsent_reports"] == 0)
    })
    .await;
    world.kill("worker");

    // The journal holds its last interval twice, as a disk or a hand that errs may leave it.
    let path = world.data("worker").join("journal/device-0.journal");
    let (mut journal, entries) = Journal::open(&path).unwrap();
    let is_opened = |entry: &Entry| matches!(entry, Entry::Opened(_));
    let last = entries.iter().rposition(is_opened).unwrap();
    for entry in &entries[last..] {
        journal.append(entry).unwrap();
    }
    drop(journal);
    world.spawn("worker", &["worker", "run"]);
    world.settle(&["worker"]).await;

    let log = world.log_text("worker");
    assert!(
        log.contains("verifiers would refute") && log.contains("UnitsRepeated"),
        "{log}"
    );
    let (_, aside) = Journal::open(&path.with_extension("aside")).unwrap();
    assert_eq!(aside[1..], entries[last..], "nothing is lost");
    let (claimed, _) = world.claimed_units("worker").await;
    assert!(claimed.into_iter().eq(0..UNITS));
    let judged = world.log_text("verifier");
    assert!(!judged.contains("claim is false"), "{judged}");
    world.money_adds_up(&["worker"], ALLOCATION_IFX).await;
}
