//! Each way to cheat, by name: a false claim is posted on a real chain and the verifier refutes it, and
//! an honest claim survives beside them.
#![cfg(feature = "attack")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test says what failed by panicking"
)]

#[path = "adversary/managers.rs"]
mod managers;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy::{
    primitives::{Address, B256, U256, aliases::U96, keccak256},
    providers::{Provider, RootProvider},
    signers::local::PrivateKeySigner,
    sol_types::{SolCall, SolValue},
};
use bytes::Bytes;
use inferix_gpu::{Program, memory::subtree_root};
use inferix_node::{
    api::types::{ResultReport, UnitResult},
    blobs::Blobs,
    chain::{
        ClaimStatus, Permit, PostedClaim, Reader, Sender,
        bindings::{demands, ifx as token, recode},
        calls::{self, ClaimDraft, LineDraft, Registration},
        posted_claim,
    },
    config::Config,
    devnet::{CHAIN_ID, Devnet, DevnetOptions},
    roles,
    settlement::{ClaimRecord, DemandServer, Outbox, Stage as SettlementStage},
    store::Store,
    verifier::Verifier,
    wallet::Wallet,
    worker::Context,
};
use inferix_prover::{
    attack::Attack,
    blob::{BlobInterval, BlobLine, ClaimBlob, SignedJob},
    id::DeviceId,
    interval::{Interval, payable_micro},
    task::{Task, task_tree},
    typed_data::{Job, WorkOrder, domain},
    unit::{DONE, UnitLeaf, unit_tree},
};
use tokio_util::sync::CancellationToken;

const IB_MICRO: u64 = 50_000;
const RATE: u64 = 1_000_000;
const MAX_COST: u64 = 2_000_000_000;
const UNIT_COST: u64 = 1_000_000_000;
const UNITS_PER_INTERVAL: u32 = 5;
const STAKE_IFX: u64 = 5_000;

/// A chain with everybody on it.
struct World {
    dir: tempfile::TempDir,
    devnet: Devnet,
    provider: RootProvider,
    reader: Reader,
    worker: Wallet,
    manager: Wallet,
    builder: Wallet,
    verifier: Wallet,
    sender: Sender,
    /// Those of the others: a store that was closed is free only a moment later.
    senders: tokio::sync::Mutex<BTreeMap<Address, Sender>>,
    tasks: Vec<Task>,
    job: Job,
}

fn ifx(amount: u64) -> U96 {
    U96::from(amount) * U96::from(10_u64.pow(18))
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let devnet = Devnet::start(&DevnetOptions {
            dir: dir.path().to_owned(),
            anvil: None,
            port: 0,
            block_time: Duration::ZERO,
        })
        .await
        .unwrap();
        let config = devnet.chain_config(&dir.path().join("deployment.json"));
        let reader = Reader::connect(&config).await.unwrap();
        let wallet = || Wallet::from_signer(PrivateKeySigner::random());
        let (worker, manager, builder, verifier) = (wallet(), wallet(), wallet(), wallet());
        let store = Store::open(&dir.path().join("test")).unwrap();
        let sender = Sender::open(&config, CHAIN_ID, worker.clone(), &store).unwrap();
        let job = Job {
            builder: builder.address(),
            manager: manager.address(),
            programId: B256::new(Program::Render.program_id()),
            unitCount: 1_000_000,
            maxCost: MAX_COST,
            referenceRate: RATE,
            priceCapWei: ifx(1),
            deadlineAt: u64::MAX,
            ..Job::default()
        };
        let provider = RootProvider::new_http(devnet.rpc_url().clone());
        let world = Self {
            dir,
            devnet,
            provider,
            reader,
            worker,
            manager,
            builder,
            verifier,
            sender,
            senders: tokio::sync::Mutex::default(),
            tasks: Vec::new(),
            job,
        };
        world.populate().await;
        world
    }

    async fn populate(&self) {
        let deployment = self.devnet.deployment();
        let parties = [
            (&self.worker, roles::WORKER, IB_MICRO, ifx(1), STAKE_IFX),
            (&self.manager, roles::MANAGER, 0, U96::ZERO, 1_000),
            (&self.verifier, roles::VERIFIER, 0, U96::ZERO, 100),
        ];
        for (wallet, roles, ib_micro, price_wei, stake) in parties {
            let account = wallet.address();
            self.devnet.fund(account, 10_000).await.unwrap();
            let spender = deployment.node_registry;
            let permit = Permit::sign(&self.reader, wallet, spender, U256::from(ifx(stake)))
                .await
                .unwrap();
            let stake_wei = ifx(stake);
            let registration = Registration {
                roles,
                ib_micro,
                price_wei,
                stake_wei,
                endpoint: String::new(),
            };
            let call = calls::register(deployment, account, wallet, registration, &permit).unwrap();
            self.send_as(wallet, "register", call).await;
        }
        self.devnet
            .fund(self.builder.address(), 10_000)
            .await
            .unwrap();
        let spender = deployment.builder_accounts;
        let permit = Permit::sign(&self.reader, &self.builder, spender, U256::from(ifx(5_000)))
            .await
            .unwrap();
        let manager = self.manager.address();
        let call = calls::deposit_and_allocate(deployment, manager, ifx(5_000), &permit);
        self.send_as(&self.builder, "deposit", call).await;
        self.pass(10).await;
        self.sender
            .send("checkpoint", calls::checkpoint(deployment))
            .await
            .unwrap();
    }

    async fn send_as(&self, wallet: &Wallet, intent: &str, call: inferix_node::chain::Call) {
        let account = wallet.address();
        let mut senders = self.senders.lock().await;
        let sender = senders.entry(account).or_insert_with(|| {
            let deployment_file = self.dir.path().join("deployment.json");
            let config = self.devnet.chain_config(&deployment_file);
            let store = Store::open(&self.dir.path().join(format!("{account:#x}"))).unwrap();
            Sender::open(&config, CHAIN_ID, wallet.clone(), &store).unwrap()
        });
        sender.send(intent, call).await.unwrap();
    }

    /// Lets time pass on the chain.
    async fn pass(&self, seconds: u64) {
        let request = self
            .provider
            .raw_request::<_, serde_json::Value>("evm_increaseTime".into(), (seconds,));
        request.await.unwrap();
        for _ in 0..3 {
            self.provider
                .raw_request::<_, serde_json::Value>("evm_mine".into(), ())
                .await
                .unwrap();
        }
    }

    fn sign<T: alloy::sol_types::SolStruct>(&self, wallet: &Wallet, message: &T) -> [u8; 64] {
        let deployment = self.devnet.deployment();
        wallet
            .sign_message(message, &domain(CHAIN_ID, deployment.work_claims))
            .unwrap()
    }

    /// An honest claim blob of two tasks with two intervals each, and the range of tasks that it takes.
    async fn honest(&mut self, seq: u32) -> (ClaimBlob, (u32, u32)) {
        self.pass(60).await;
        let now = self.reader.head().await.unwrap().time;
        let cursor = u32::try_from(self.tasks.len()).unwrap();
        let task_units = 2 * UNITS_PER_INTERVAL;
        for _ in 0..2 {
            let listed = u64::try_from(self.tasks.len()).unwrap();
            self.tasks.push(Task {
                job_id: self.job.job_id(),
                first_unit: listed * u64::from(task_units),
                unit_count: task_units,
                max_cost: MAX_COST,
                reference_rate: RATE,
                lease_ends_at: now + 600,
            });
        }
        let device_id = DeviceId::from_parts(self.worker.address(), U96::ZERO);
        let order = WorkOrder {
            manager: self.manager.address(),
            deviceId: device_id.bytes(),
            builder: self.builder.address(),
            tasksRoot: task_tree(&self.tasks).unwrap().root().unwrap(),
            taskCount: u32::try_from(self.tasks.len()).unwrap(),
            capIbmMicro: U96::from(u64::MAX),
            capWei: ifx(1_000),
            priceWei: ifx(1),
            leaseEndsAt: now + 600,
        };
        let mut intervals = Vec::new();
        for index in 0..4_u32 {
            let task_index = cursor + index / 2;
            let task = self.tasks[usize::try_from(task_index).unwrap()];
            let first_unit = task.first_unit + u64::from(index % 2 * UNITS_PER_INTERVAL);
            intervals.push(interval(
                device_id,
                task,
                (seq * 4 + index, task_index),
                first_unit,
                now * 1000 - 40_000 + u64::from(index) * 9_000,
            ));
        }
        let line = BlobLine {
            order_signature: self.sign(&self.manager, &order),
            order,
            tasks: self.tasks.clone(),
            jobs: vec![SignedJob {
                job: self.job.clone(),
                signature: self.sign(&self.builder, &self.job),
            }],
            intervals,
            ..BlobLine::default()
        };
        let blob = ClaimBlob {
            device_id,
            seq,
            start_ms: now * 1000 - 40_000,
            end_ms: now * 1000,
            lines: vec![line],
        };
        (blob, (cursor, cursor + 2))
    }

    /// Posts a claim and puts its blob where the verifier finds it.
    async fn post(
        &self,
        blobs: &Blobs,
        blob: &ClaimBlob,
        line: &inferix_prover::claim::Line,
    ) -> PostedClaim {
        blobs.put(Bytes::from(blob.to_bytes())).await.unwrap();
        let draft = ClaimDraft {
            device_id: blob.device_id,
            seq: blob.seq,
            start_ms: blob.start_ms,
            end_ms: blob.end_ms,
            blob_hash: blob.hash(),
            lines: vec![LineDraft {
                order: blob.lines[0].order.clone(),
                signature: blob.lines[0].order_signature.into(),
                cursor_to: line.cursorTo,
                top_hash: line.topHash,
                leaf_count: line.leafCount,
                sum_ibm_micro: line.sumIbmMicro,
            }],
        };
        let call = calls::submit(self.devnet.deployment(), &draft).unwrap();
        let receipt = self
            .sender
            .send(&format!("claim/{}", blob.seq), call)
            .await
            .unwrap();
        receipt
            .inner
            .logs()
            .iter()
            .find_map(|log| posted_claim(log).ok())
            .unwrap()
    }

    async fn status(&self, claim: &PostedClaim) -> ClaimStatus {
        self.reader.claim_state(&claim.header).await.unwrap().status
    }
}

fn interval(
    device_id: DeviceId,
    task: Task,
    (seq, task_index): (u32, u32),
    first_unit: u64,
    start_ms: u64,
) -> BlobInterval {
    let units: Vec<UnitLeaf> = (first_unit..first_unit + u64::from(UNITS_PER_INTERVAL))
        .map(|unit_index| UnitLeaf {
            unit_index,
            status: DONE,
            output_root: keccak256(unit_index.to_be_bytes()),
            cost: UNIT_COST,
        })
        .collect();
    let tree = unit_tree(&units).unwrap();
    let cost = tree.sum();
    let interval = Interval {
        seq,
        job_id: task.job_id,
        task_id: task.task_id(),
        device_id,
        task_index,
        checkpoint_index: 1,
        start_ms,
        end_ms: start_ms + 8_000,
        active_ms: 7_000,
        first_unit,
        unit_count: UNITS_PER_INTERVAL,
        units_root: tree.root().unwrap(),
        cost,
        ibm_micro: payable_micro(cost, RATE, IB_MICRO, 7_000),
        telemetry_digest: B256::ZERO,
    };
    BlobInterval { interval, units }
}

fn verifier_config(world: &World) -> Config {
    let text = format!(
        "data_dir = \"verifier\"\n[chain]\nrpc_urls = [\"{}\"]\ndeployment_file = \"deployment.json\"\n\
         poll_interval = \"50ms\"\nconfirmations_blocks = 1\n[verifier]\nthreads = 1\n",
        world.devnet.rpc_url()
    );
    let path = world.dir.path().join("verifier.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(&path).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_cheat_is_refuted_and_an_honest_claim_is_not() {
    let shown = inferix_node::metrics::install().unwrap();
    let mut world = World::new().await;
    let config = verifier_config(&world);
    let blobs = Blobs::open(&config.data_dir.join("blobs")).unwrap();
    let verifier = Arc::new(
        Verifier::open(config, world.verifier.clone())
            .await
            .unwrap(),
    );
    let cancel = CancellationToken::new();
    let running = {
        let (verifier, cancel) = (Arc::clone(&verifier), cancel.clone());
        tokio::spawn(async move { verifier.run(cancel).await })
    };

    let mut seq = 0;
    for attack in Attack::ALL {
        seq += 1;
        let (mut blob, cursors) = world.honest(seq).await;
        let lines = attack
            .commit(&mut blob, &[cursors], IB_MICRO, 1_000)
            .unwrap();
        let claim = world.post(&blobs, &blob, &lines[0]).await;
        let mut status = ClaimStatus::Posted;
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            status = world.status(&claim).await;
            if status != ClaimStatus::Posted {
                break;
            }
            assert!(
                !running.is_finished(),
                "the verifier ended during {}",
                attack.name()
            );
            // A demand that nobody serves takes time to be lost.
            world.pass(1).await;
        }
        assert_eq!(status, ClaimStatus::Rejected, "attack {}", attack.name());
    }
    let node = world.reader.node(world.worker.address()).await.unwrap();
    let lost_wei = U256::from(ifx(STAKE_IFX)) - node.stake_wei;
    let attack_count = u64::try_from(Attack::ALL.len()).unwrap();
    assert!(
        lost_wei >= U256::from(ifx(10 * attack_count)),
        "each lie costs at least ten IFX: {lost_wei}"
    );
    assert_eq!(node.locked_wei, U256::ZERO);

    seq += 1;
    let (blob, (from, to)) = world.honest(seq).await;
    let line = blob.lines[0].to_line(from, to).unwrap();
    let claim = world.post(&blobs, &blob, &line).await;
    let treasury = world.reader.treasury_and_pool().await.unwrap().0;
    world.pass(61).await;
    let call = calls::finalize(world.devnet.deployment(), &claim.header, &claim.lines).unwrap();
    world.sender.send("finalize", call).await.unwrap();
    assert_eq!(world.status(&claim).await, ClaimStatus::Final);
    let amount_wei = U256::from(claim.lines[0].amountWei);
    let (earned_wei, _) = world.reader.credits(world.worker.address()).await.unwrap();
    assert_eq!(earned_wei, amount_wei * U256::from(8) / U256::from(10));
    assert_eq!(
        world.reader.credits(treasury).await.unwrap().0,
        amount_wei - earned_wei
    );

    // Tests beside this one refute no worker.
    let shown = shown.render();
    let has = |line: &str| assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    // One of them hides what would prove it, and loses by not serving the demand.
    has("inferix_claims_refuted_total 15");
    has("inferix_bounties_wei 45000000000000000000");
    has("inferix_demands_opened_total 1");
    has("inferix_demands_answered_total 0");

    cancel.cancel();
    running.await.unwrap().unwrap();
}

/// The worker's side of one posted claim: its store, blobs and demand server.
async fn serving(
    world: &World,
    claim: &PostedClaim,
    blob: &ClaimBlob,
    output: &[u8],
) -> DemandServer {
    let text = format!(
        "data_dir = \"worker\"\n[chain]\nrpc_urls = [\"{}\"]\ndeployment_file = \"deployment.json\"\n\
         poll_interval = \"50ms\"\nconfirmations_blocks = 1\n[worker]\nmanagers = [\"http://127.0.0.1:9\"]\n",
        world.devnet.rpc_url()
    );
    let path = world.dir.path().join("worker.toml");
    std::fs::write(&path, text).unwrap();
    let config = Config::read(&path).unwrap();
    let ctx = Arc::new(Context::open(config, world.worker.clone()).await.unwrap());
    ctx.blobs.put(Bytes::from(blob.to_bytes())).await.unwrap();
    let unit = blob.lines[0].intervals[0].units[0];
    let report = ResultReport {
        task_id: blob.lines[0].intervals[0].interval.task_id.bytes(),
        first_unit: unit.unit_index,
        units: vec![UnitResult {
            status: unit.status,
            output_root: unit.output_root,
            cost: unit.cost,
        }],
        output_blob: ctx.blobs.put(Bytes::copy_from_slice(output)).await.unwrap(),
    };
    ctx.book
        .queue_report(&"http://127.0.0.1:9".parse().unwrap(), &report)
        .unwrap();
    let stage = SettlementStage::Posted {
        header: claim.header.clone(),
        lines: claim.lines.clone(),
        block_number: claim.block_number,
    };
    let draft = ClaimDraft {
        device_id: blob.device_id,
        seq: blob.seq,
        start_ms: blob.start_ms,
        end_ms: blob.end_ms,
        blob_hash: blob.hash(),
        lines: Vec::new(),
    };
    let record = ClaimRecord {
        draft,
        through_seq: 0,
        value_wei: U256::ZERO,
        cursors_from: Vec::new(),
        askable_until: 0,
        refusal_count: 0,
        retry_at: 0,
        stage,
        gas_used: 0,
    };
    Outbox::open(&ctx.store, ctx.device_id.bytes())
        .unwrap()
        .put(&record)
        .unwrap();
    let chain_id = ctx.reader.deployment().chain_id;
    let sender = Sender::open(
        &ctx.config.chain,
        chain_id,
        world.worker.clone(),
        &ctx.store,
    )
    .unwrap();
    DemandServer::new(ctx, Arc::new(sender)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_serves_every_kind_of_demand_and_keeps_its_stake() {
    let mut world = World::new().await;
    let blobs = Blobs::open(&world.dir.path().join("elsewhere")).unwrap();
    let (mut blob, (from, to)) = world.honest(1).await;
    let output: Vec<u8> = (0..4096_u32)
        .map(|i| u8::try_from(i * 7 % 251).unwrap())
        .collect();
    let held = &mut blob.lines[0].intervals[0];
    held.units[0].output_root = B256::from(subtree_root(&output, 12));
    held.interval.units_root = unit_tree(&held.units).unwrap().root().unwrap();
    let line = blob.lines[0].to_line(from, to).unwrap();
    let claim = world.post(&blobs, &blob, &line).await;
    let server = serving(&world, &claim, &blob, &output).await;
    let cancel = CancellationToken::new();
    let running = tokio::spawn(server.run(cancel.clone()));

    let demand = |kind, level, (leaf_index, position, chunk_index)| demands::Demand {
        claimId: claim.claim_id,
        kind,
        lineIndex: 0,
        level,
        leafIndex: leaf_index,
        position,
        chunkIndex: chunk_index,
    };
    let asked = [
        demand(0, 0, (3, 0, 0)),
        demand(1, 2, (0, 0, 0)),
        demand(1, 1, (0, 1, 0)),
        demand(2, 0, (1, 4, 0)),
        demand(2, 0, (1, 9, 0)),
        demand(3, 3, (2, 0, 0)),
        demand(3, 1, (2, 2, 0)),
        demand(4, 0, (0, 1, 0)),
        demand(5, 0, (0, 0, 0)),
        demand(6, 0, (0, 0, 2)),
    ];
    let fees = U256::from(ifx(100));
    let allow = demands_allowance(&world, fees);
    world.send_as(&world.builder, "allow", allow).await;
    for demand in &asked {
        let target = demands::LineRef {
            header: recode(&claim.header).unwrap(),
            lines: claim
                .lines
                .iter()
                .map(|line| recode(line).unwrap())
                .collect(),
            lineIndex: U256::ZERO,
        };
        let call = demands::openCall {
            target,
            demand: demand.clone(),
        }
        .abi_encode();
        let call = inferix_node::chain::Call::new(world.devnet.deployment().demands, call);
        let demand_id = keccak256(demand.abi_encode());
        world
            .send_as(&world.builder, &format!("open/{demand_id}"), call)
            .await;
        let mut status = 0;
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            status = world.reader.demand_state(demand_id).await.unwrap().0;
            if status == SERVED {
                break;
            }
            assert!(!running.is_finished(), "the server ended at {demand:?}");
        }
        assert_eq!(status, SERVED, "{demand:?}");
    }
    let node = world.reader.node(world.worker.address()).await.unwrap();
    assert_eq!(node.stake_wei, U256::from(ifx(STAKE_IFX)));
    cancel.cancel();
    running.await.unwrap().unwrap();
}

/// `IDemands.DemandStatus.Served`.
const SERVED: u8 = 3;

fn demands_allowance(world: &World, amount_wei: U256) -> inferix_node::chain::Call {
    let deployment = world.devnet.deployment();
    let call = token::approveCall {
        spender: deployment.demands,
        value: amount_wei,
    };
    inferix_node::chain::Call::new(deployment.ifx, call.abi_encode())
}
