//! A disk that is full: one clear error, nothing is lost, and the work goes on when there is room again.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use inferix_node::meter::{Entry, Journal};
use rustix::process::{Resource, Rlimit, prlimit};
use world::{World, wait_until};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"3000s\"\ntask_length = \"4s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n\
    [verifier]\nthreads = 1\n";
const ACCOUNTS: [&str; 4] = ["builder", "manager", "worker", "verifier"];

/// Starts the worker so that it takes a limit to its files for a full disk: it ignores the signal for it.
fn start(world: &mut World) {
    let config = world.config("worker");
    let worker = world.command(&["--config", &config.to_string_lossy(), "worker", "run"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    world.spawn_piped(
        "worker",
        command.arg(worker.get_program()).args(worker.get_args()),
    );
}

fn start_again(world: &mut World) {
    let code = world.collect("worker");
    assert_eq!(code, Some(1), "{}", world.log_text("worker"));
    start(world);
}

/// Lets none of the worker's files grow beyond a size.
fn limit(world: &World, bytes: Option<u64>) {
    let limits = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(world.pid("worker")), Resource::Fsize, limits).unwrap();
}

#[tokio::test]
async fn a_journal_that_can_not_grow_stops_the_work_and_loses_nothing() {
    /// Larger than whatever else the worker writes.
    const JOURNAL_BYTES: u64 = 32 << 20;
    /// Of the lease that ends meanwhile.
    const LEASE: &str = "20s";

    let mut world = World::start(&ACCOUNTS, &TUNING.replace("3000s", LEASE)).await;
    world.register(&["worker"]);
    world.allocate("2000");
    world.start_manager().await;
    let path = world.data("worker").join("journal/device-0.journal");
    let nothing = Entry::Numbered {
        next_seq: 1,
        last_end_ms: 0,
    };
    let (mut journal, _) = Journal::open(&path).unwrap();
    journal.append(&nothing).unwrap();
    let entry_bytes = journal.size_bytes();
    let entries = std::iter::repeat_n(
        &nothing,
        usize::try_from(JOURNAL_BYTES / entry_bytes).unwrap(),
    );
    journal.rewrite(entries).unwrap();
    drop(journal);
    start(&mut world);
    let job_id = world.submit(&["cornell", "--size", "256x256", "--samples", "128"]);
    wait_until("some units", || {
        world.job(&job_id).is_some_and(|job| job["done_count"] != 0)
    })
    .await;

    limit(&world, Some(std::fs::metadata(&path).unwrap().len()));
    let told = |world: &World, words: &str| {
        let log = world.log_text("worker");
        log.lines().filter(|line| line.contains(words)).count()
    };
    wait_until("the worker to say so", || {
        told(&world, "can't be written down") == 1
    })
    .await;
    // Its lease runs out, and it takes no other.
    let leased = told(&world, "task leased");
    wait_until("the lease to end", || {
        world
            .job(&job_id)
            .is_some_and(|job| job["leased_count"] == 0)
    })
    .await;
    let log = world.log_text("worker");
    assert_eq!(told(&world, "task leased"), leased, "{log}");
    assert_eq!(told(&world, "ERROR"), 1, "{log}");
    assert_eq!(told(&world, "service starts again"), 0, "{log}");
    assert!(
        log.contains("check the free space") && log.contains("File too large"),
        "{log}"
    );

    limit(&world, None);
    wait_until("the job to be done", || {
        world.job(&job_id).is_some_and(|job| job["state"] == "done")
    })
    .await;
    assert!(!world.has_ended("worker"));
    world.settle(&["worker"]).await;
    let (claimed, _) = world.claimed_units("worker").await;
    assert!(claimed.into_iter().eq(0..256), "a unit was never claimed");
}

#[tokio::test]
async fn a_full_disk_stops_the_worker_and_loses_nothing() {
    let mut world = World::start(&ACCOUNTS, TUNING).await;
    world.register(&["worker"]);
    world.allocate("2000");
    world.start_manager().await;
    let job_id = world.submit(&["cornell", "--size", "256x256", "--samples", "128"]);
    start(&mut world);
    wait_until("some units", || {
        world.job(&job_id).is_some_and(|job| job["done_count"] != 0)
    })
    .await;

    // No file may grow any more: to a process that ignores the signal, that is what a full disk is.
    limit(&world, Some(0));
    // Whichever of the places where work is kept is written to first.
    let kept_in = ["the blob folder failed", "the journal", "the store failed"];
    wait_until("the worker to say so", || {
        let log = world.log_text("worker");
        kept_in.iter().any(|place| log.contains(place)) || world.has_ended("worker")
    })
    .await;
    assert!(world.log_text("worker").contains("check the free space"));
    if !world.has_ended("worker") {
        limit(&world, None);
    }

    // There is room again: it goes on by itself, or after whoever watches over it has started it again.
    wait_until("the job to be done", || {
        if world.has_ended("worker") {
            start_again(&mut world);
        }
        world.job(&job_id).is_some_and(|job| job["state"] == "done")
    })
    .await;
    let log = world.log_text("worker");
    let told = log
        .lines()
        .filter(|line| line.contains("check the free space"));
    told.for_each(|line| println!("{line}"));
    assert!(!log.contains("panicked"), "{log}");
    world.settle(&["worker"]).await;
    let (claimed, _) = world.claimed_units("worker").await;
    assert!(claimed.into_iter().eq(0..256), "a unit was never claimed");
}
