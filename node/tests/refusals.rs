//! What people get wrong: each gets one error that says what to do, and nothing is lost.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use std::process::Output;

use inferix_gpu::scene::generate;
use serde_json::json;
use world::{World, text};

const TUNING: &str = "[manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"3000s\"\ntask_length = \"4s\"\n\
    [worker]\nmanagers = [\"http://127.0.0.1:{port}\"]\nthreads = 1\ninterval = \"1s\"\nclaim_every = \"1h\"\n\
    max_gas_bps = 10000\nifx_price_wei = 9000000000000000000\n\
    [verifier]\nthreads = 1\n";
const ACCOUNTS: [&str; 5] = ["builder", "manager", "worker", "verifier", "poor"];

/// Whether a command failed as it should: with code 1, or 2 for what clap refuses, one error on one line that
/// holds these words, and no panic.
#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let told = text(&output.stderr);
    println!("{told}");
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{:?}: {told}",
        output.status
    );
    assert!(
        !told.contains("panicked") && !told.contains("RUST_BACKTRACE"),
        "{told}"
    );
    assert_eq!(
        told.lines()
            .filter(|line| line.starts_with("error: "))
            .count(),
        1,
        "{told}"
    );
    for word in words {
        assert!(told.contains(word), "«{word}» is missing in: {told}");
    }
}

#[tokio::test]
async fn a_configuration_that_can_not_work_is_refused_with_its_place() {
    let world = World::start(&["builder", "worker"], TUNING).await;
    let good = std::fs::read_to_string(world.config("builder")).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        std::fs::write(world.config("bad"), good.replace(from, to)).unwrap();
        world.run("bad", &["account", "show"])
    };
    refused(
        &world.run("absent", &["account", "show"]),
        &["absent.toml", "inferix config init"],
    );
    refused(
        &with("[chain]", "[chain"),
        &["bad.toml is not a valid configuration", "[chain"],
    );
    refused(
        &with("threads", "treads"),
        &["unknown field `treads`", "threads"],
    );
    refused(&with("\"200ms\"", "\"soon\""), &["poll_interval", "soon"]);
    refused(
        &with("\"200ms\"", "\"0s\""),
        &["chain.poll_interval must be longer than zero"],
    );
    refused(
        &with("[\"http://127.0.0.1:", "[\"no url\", \"http://127.0.0.1:"),
        &["bad.toml is not a valid"],
    );
    refused(
        &with("devnet/deployment", "nowhere"),
        &["nowhere.json", "get it from whoever runs the network"],
    );
    refused(
        &with("devnet/deployment.json", "bad.toml"),
        &["bad.toml is no deployment file", "get it from"],
    );
    refused(
        &with("keys/builder", "keys/nobody"),
        &["nobody.json", "check the path and the password"],
    );
    refused(
        &with("devnet/password", "bad.toml"),
        &["builder.json", "check the path and the password"],
    );
    refused(
        &with("keystore_file", "#"),
        &["wallet.keystore_file is not set", "inferix wallet new"],
    );

    let deployment = std::fs::read_to_string(world.path("devnet/deployment.json")).unwrap();
    let elsewhere = deployment.replace("31337", "8453");
    std::fs::write(world.path("elsewhere.json"), elsewhere).unwrap();
    let output = with("devnet/deployment", "elsewhere");
    refused(
        &output,
        &[
            "serves chain 31337",
            "the deployment file names chain 8453",
            "correct one of them",
        ],
    );
    let mut fields: serde_json::Value = serde_json::from_str(&deployment).unwrap();
    fields["work_claims"] = json!("0x00000000000000000000000000000000000000ee");
    std::fs::write(world.path("elsewhere.json"), fields.to_string()).unwrap();
    let output = with("devnet/deployment", "elsewhere");
    refused(&output, &["there is no contract at", "of another network"]);

    // The path of an endpoint's address may be an API key.
    let endpoint = "rpc_urls = [\"http://127.0.0.1:9/v1/s3cr3t\"] #";
    std::fs::write(world.config("bad"), good.replace("rpc_urls = [", endpoint)).unwrap();
    for command in [["account", "show"], ["worker", "run"]] {
        let output = world.run("bad", &command);
        refused(
            &output,
            &["no RPC endpoint answered", "check chain.rpc_urls"],
        );
        assert!(
            !text(&output.stderr).contains("s3cr3t"),
            "{}",
            text(&output.stderr)
        );
    }
}

#[tokio::test]
async fn an_account_that_can_not_pay_is_told_what_it_lacks() {
    let world = World::start(&ACCOUNTS, TUNING).await;
    let by_owner = |name: &str, args: &[&str]| {
        let (keystore, password) = world.owner(name);
        let owner = [
            "--owner-keystore",
            &keystore,
            "--owner-password-file",
            &password,
        ];
        world.run(name, &[args, &owner].concat())
    };
    let register = ["worker", "register", "--ib", "0.05", "--price", "20"];
    let dear = [&register[..], &["--stake", "20000"]].concat();
    refused(
        &by_owner("worker", &dear),
        &[
            "has 10000 IFX and needs 20000 for its stake",
            "send it some",
        ],
    );
    refused(
        &world.run("worker", &["worker", "run"]),
        &["not registered", "run `inferix worker register`"],
    );
    refused(
        &world.run("manager", &["manager", "run"]),
        &["not registered", "run `inferix manager register`"],
    );
    refused(
        &world.run("verifier", &["verifier", "run"]),
        &["registered verifier", "inferix verifier register"],
    );
    refused(
        &world.run("worker", &["worker", "status"]),
        &["no worker has run on", "check data_dir"],
    );
    let low = [&register[..], &["--stake", "0.1"]].concat();
    refused(&by_owner("worker", &low), &["at least", "IFX", "--stake"]);

    assert!(by_owner("worker", &register).status.success());
    refused(
        &by_owner("worker", &register),
        &["is registered already, with operator"],
    );

    world
        .rpc("anvil_setBalance", json!([world.account("poor"), "0x0"]))
        .await;
    refused(
        &by_owner("poor", &register),
        &["has 0 wei of the chain's coin", "send it some"],
    );
    refused(
        &world.run("builder", &["account", "deposit", "10001"]),
        &["has 10000 IFX", "send it some"],
    );
    refused(
        &world.run("builder", &["account", "deposit", "much"]),
        &["no amount of IFX", "12.5"],
    );
    refused(
        &world.run("builder", &["account", "withdraw"]),
        &["nothing is free to withdraw", "deallocate"],
    );
    let claim_id = format!("0x{}", "11".repeat(32));
    refused(
        &world.run("builder", &["claim", "explain", &claim_id]),
        &["no claim 0x11", "was posted on this chain"],
    );
}

#[tokio::test]
async fn a_job_that_can_not_be_is_refused_before_it_costs_anything() {
    let mut world = World::start(&ACCOUNTS, TUNING).await;
    let submit = |world: &World, args: &[&str]| {
        world.run(
            "builder",
            &[&["job", "submit"], args, &["--price-cap", "25", "--yes"]].concat(),
        )
    };
    let output = submit(&world, &["cornell"]);
    refused(
        &output,
        &[
            "the manager at http://127.0.0.1:",
            "can't be reached: check the address",
        ],
    );

    world.register(&["worker"]);
    world.start_manager().await;
    let small = ["cornell", "--size", "32x32", "--samples", "1"];
    refused(&submit(&world, &small), &["allocat"]);
    world.allocate("100");

    let glb = generate::cornell_box().glb;
    let file = |name: &str, bytes: &[u8]| {
        let path = world.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    for kept in [0, 3, 11, 12, 20, 100, glb.len() / 2, glb.len() - 1] {
        let cut = file("cut.glb", &glb[..kept]);
        refused(&submit(&world, &[&cut]), &["importing", "cut.glb"]);
    }
    let prose = file(
        "prose.glb",
        b"This is a text, and no scene.\n".repeat(50).as_slice(),
    );
    refused(&submit(&world, &[&prose]), &["importing", "prose.glb"]);
    let prose = file("prose.gltf", b"This is a text, and no scene.\n");
    refused(&submit(&world, &[&prose]), &["importing", "prose.gltf"]);
    refused(
        &submit(&world, &["absent.glb"]),
        &["importing absent.glb", "No such file"],
    );
    for (option, value, words) in [
        ("--size", "0x0", "what to render"),
        ("--size", "1000000x1000000", "what to render"),
        ("--size", "wide", "a size is written as 1280x720"),
        ("--samples", "0", "what to render"),
        ("--samples", "4294967295", "what to render"),
        (
            "--frames",
            "3-1",
            "the last frame must not be before the first",
        ),
        ("--camera", "7", "camera"),
        ("--price-cap", "much", "no amount of IFX"),
    ] {
        let args = ["job", "submit", "cornell", "--yes", option, value];
        let cap = ["--price-cap", "25"];
        let args = if option == "--price-cap" {
            args.to_vec()
        } else {
            [&args[..], &cap].concat()
        };
        refused(&world.run("builder", &args), &[words]);
    }
    let job_id = format!("0x{}", "22".repeat(32));
    for verb in ["watch", "fetch", "cancel"] {
        let output = world.run("builder", &["job", verb, &job_id]);
        refused(&output, &["refused: job 0x22", "is not here (not_found)"]);
    }
    let output = world.run("builder", &["job", "watch", "7"]);
    refused(&output, &["invalid value '7'"]);
    let nobody = world.json("builder", &["job", "list"]);
    assert_eq!(nobody, json!([]), "a refused job left nothing behind");
    let status = submit(&world, &small);
    assert!(status.status.success(), "{}", text(&status.stderr));

    let output = world.run("manager", &["manager", "run"]);
    refused(
        &output,
        &["the store failed", "no other node uses this data folder"],
    );
    let address = world.manager_url().replace("http://", "");
    world.kill("manager");
    let taken = std::net::TcpListener::bind(&address).unwrap();
    let output = world.run("manager", &["manager", "run"]);
    refused(
        &output,
        &[
            &format!("listening on {address}"),
            "set manager.listen to a free address",
        ],
    );
    drop(taken);
}
