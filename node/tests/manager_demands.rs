//! A manager serves the demands that fall on it: its worker is gone, and it is killed in between.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

#[path = "common/world.rs"]
mod world;

use std::time::Duration;

use alloy::{
    primitives::{B256, U256, keccak256},
    sol_types::{SolCall, SolEvent, SolValue},
};
use bytes::Bytes;
use inferix_node::{
    api::{
        client::{Client, ClientOptions},
        types::{ResultReport, SignedReceipt, UnitResult},
    },
    blobs::Blobs,
    chain::{
        Call, PostedClaim, Reader, Sender,
        bindings::{demands as sol, ifx, recode},
    },
    config::Config,
    manager::clock::Clock,
    secret::Secret,
    store::Store,
    wallet::Wallet,
    worker::Book,
};
use inferix_prover::{
    blob::{BlobInterval, ClaimBlob},
    interval::Interval,
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

    let stage = Stage::find(&world).await;
    let receipt = stage.receipt(&world).await;
    world.kill("manager");
    // What the worker published there is not needed.
    let hash = hex::encode(stage.claim.header.blobHash);
    let kept = format!("manager/manager/blobs/{}/{hash}", &hash[..2]);
    std::fs::remove_file(world.data(&kept)).unwrap();
    let before_wei = stage.reader.node(world.account("manager")).await.unwrap();
    let fees_before_wei = stage
        .reader
        .ifx_wei(world.account("manager"))
        .await
        .unwrap();

    let job_demand = stage
        .open(5, (0, u64::from(stage.claim.lines[0].cursorFrom), 0))
        .await;
    let output_demand = stage.open(6, (0, 1, 2)).await;
    stage.shift(output_demand.1.clone(), &receipt).await;
    for (demand_id, _) in [&job_demand, &output_demand] {
        let (status, _) = stage.reader.demand_state(*demand_id).await.unwrap();
        assert_eq!(status, TO_MANAGER);
    }

    // Killed at some instant of its start, and started again.
    world.spawn("manager", &["manager", "run"]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    world.kill("manager");
    world.start_manager().await;
    let until = tokio::time::Instant::now() + PATIENCE;
    for (demand_id, demand) in [&job_demand, &output_demand] {
        while stage.reader.demand_state(*demand_id).await.unwrap().0 != SERVED {
            assert!(
                tokio::time::Instant::now() < until,
                "not served: {demand:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    let after_wei = stage.reader.node(world.account("manager")).await.unwrap();
    assert_eq!(after_wei.stake_wei, before_wei.stake_wei);
    assert_eq!(after_wei.locked_wei, U256::ZERO, "its stake is free again");
    let fees_wei = stage
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
    let head = stage.reader.head().await.unwrap().number;
    let topics = vec![sol::DemandServed::SIGNATURE_HASH];
    let contract = stage.reader.deployment().demands;
    let served = stage.reader.logs(contract, topics, 0, head).await.unwrap();
    assert_eq!(served.len(), 2, "each is served once");
}

/// A posted claim, and what its builder needs to ask about it.
struct Stage {
    reader: Reader,
    sender: Sender,
    claim: PostedClaim,
    blob: ClaimBlob,
}

impl Stage {
    async fn find(world: &World) -> Self {
        let reader = world.reader().await;
        let head = reader.head().await.unwrap().number;
        let claim = reader.posted_claims(0, head).await.unwrap().remove(0);
        let blobs = Blobs::open(&world.data("worker").join("blobs")).unwrap();
        let bytes = blobs.get(claim.header.blobHash).await.unwrap();
        let config = Config::read(&world.config("builder")).unwrap();
        let store = Store::open(&world.path("test-store")).unwrap();
        let chain_id = reader.deployment().chain_id;
        let builder = key(world, "builder");
        let sender = Sender::open(&config.chain, chain_id, builder, &store).unwrap();
        let allow = ifx::approveCall {
            spender: reader.deployment().demands,
            value: U256::from(100 * u128::from(IFX)),
        };
        let allow = Call::new(reader.deployment().ifx, allow.abi_encode());
        sender.send("allow", allow).await.unwrap();
        Self {
            reader,
            sender,
            claim,
            blob: ClaimBlob::from_bytes(&bytes).unwrap(),
        }
    }

    fn held(&self) -> &BlobInterval {
        &self.blob.lines[0].intervals[0]
    }

    fn target(&self) -> sol::LineRef {
        let lines = self.claim.lines.iter();
        sol::LineRef {
            header: recode(&self.claim.header).unwrap(),
            lines: lines.map(|line| recode(line).unwrap()).collect(),
            lineIndex: U256::ZERO,
        }
    }

    /// Delivers the first interval's units again, in one report: its receipt is the interval's.
    async fn receipt(&self, world: &World) -> SignedReceipt {
        let book = Book::open(&Store::open(&world.data("worker").join("store")).unwrap()).unwrap();
        let blobs = Blobs::open(&world.data("worker").join("blobs")).unwrap();
        let (interval, units) = (self.held().interval, &self.held().units);
        let mut outputs = Vec::new();
        for unit in units {
            let stored = book
                .output(interval.task_id.bytes(), unit.unit_index)
                .unwrap()
                .unwrap();
            let bytes = blobs.get(stored.blob).await.unwrap();
            outputs.extend_from_slice(stored.unit(&bytes, unit.unit_index).unwrap());
        }
        let deployment = self.reader.deployment();
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
        let report = ResultReport {
            task_id: interval.task_id.bytes(),
            first_unit: interval.first_unit,
            units: units
                .iter()
                .map(|unit| UnitResult {
                    status: unit.status,
                    output_root: unit.output_root,
                    cost: unit.cost,
                })
                .collect(),
            output_blob: client.send_blob(Bytes::from(outputs)).await.unwrap(),
        };
        client.deliver(&report).await.unwrap().unwrap()
    }

    async fn open(
        &self,
        kind: u8,
        (leaf_index, position, chunk_index): (u64, u64, u64),
    ) -> (B256, sol::Demand) {
        let demand = sol::Demand {
            claimId: self.claim.claim_id,
            kind,
            lineIndex: 0,
            level: 0,
            leafIndex: leaf_index,
            position,
            chunkIndex: chunk_index,
        };
        let call = sol::openCall {
            target: self.target(),
            demand: demand.clone(),
        };
        self.send(&format!("open/{kind}"), call.abi_encode()).await;
        (keccak256(demand.abi_encode()), demand)
    }

    async fn shift(&self, demand: sol::Demand, receipt: &SignedReceipt) {
        let tree = self.blob.lines[0].interval_tree().unwrap();
        let siblings = tree.prove(demand.leafIndex).unwrap().siblings;
        let siblings = siblings.iter().map(|node| sol::Sibling {
            hash: node.hash,
            sum: node.sum,
        });
        let call = sol::shiftToManagerCall {
            target: self.target(),
            leaf: sol::LeafEvidence {
                leaf: leaf(&self.held().interval),
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
        self.send("shift", call.abi_encode()).await;
    }

    async fn send(&self, intent: &str, data: Vec<u8>) {
        let call = Call::new(self.reader.deployment().demands, data);
        self.sender.send(intent, call).await.unwrap();
    }
}

fn key(world: &World, name: &str) -> Wallet {
    let password = std::fs::read_to_string(world.path("devnet/password")).unwrap();
    let password = Secret::new(password.trim().to_owned());
    Wallet::open(&world.path(&format!("devnet/keys/{name}.json")), &password).unwrap()
}

fn leaf(leaf: &Interval) -> sol::Interval {
    sol::Interval {
        seq: leaf.seq,
        jobId: leaf.job_id.bytes(),
        taskId: leaf.task_id.bytes(),
        deviceId: leaf.device_id.bytes(),
        taskIndex: leaf.task_index,
        checkpointIndex: leaf.checkpoint_index,
        startMs: leaf.start_ms,
        endMs: leaf.end_ms,
        activeMs: leaf.active_ms,
        firstUnit: leaf.first_unit,
        unitCount: leaf.unit_count,
        unitsRoot: leaf.units_root,
        cost: leaf.cost,
        ibmMicro: leaf.ibm_micro,
        telemetryDigest: leaf.telemetry_digest,
    }
}
