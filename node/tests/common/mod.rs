//! A manager on a chain that the test writes itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test binary uses a part"
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    signers::local::PrivateKeySigner,
};
use futures::{FutureExt, future::BoxFuture};
use inferix_gpu::{
    BatchOutput, Executor, GpuError, Program, Session, TaskInput, UnitBatch,
    memory::{LOG2_INPUT, LOG2_PARAMS, subtree_root},
    render::RenderParams,
};
use inferix_node::{
    api::types::{Lease, LeaseRequest, ResultReport, SignedJob, UnitResult},
    blobs::Blobs,
    chain::{AllocationView, ChainError, CursorView, NodeView},
    config::ManagerConfig,
    manager::{
        Desk,
        clock::Clock,
        desk::DeskParts,
        ledger::{LeaseParameters, Ledger},
        programs::RENDER_LOG2_OUTPUT,
    },
    queue::{EmbeddedQueue, TaskQueue},
    roles,
    store::Store,
    wallet::Wallet,
};
use inferix_prover::{
    U96,
    id::DeviceId,
    typed_data::{Job, domain},
};
use tempfile::TempDir;

pub const CHAIN_ID: u64 = 31_337;
pub const WORK_CLAIMS: Address = Address::repeat_byte(0xc1);
pub const NOW: u64 = 1_800_000_000;
pub const PRICE_WEI: u64 = 1_000_000_000;
pub const IB_MICRO: u64 = 500_000;
pub const RATE: u64 = 1_000_000;
pub const MAX_COST: u64 = 1_000_000_000;
pub const LEASE_S: u64 = 60;
pub const ASKABLE_S: u64 = 20 * 86_400;
pub const UNIT_BYTES: usize = 1 << RENDER_LOG2_OUTPUT;

/// The chain as a test wants it.
#[derive(Debug, Default)]
pub struct FakeLedger {
    pub nodes: Mutex<BTreeMap<Address, NodeView>>,
    pub allocations: Mutex<BTreeMap<Address, AllocationView>>,
    pub cursors: Mutex<BTreeMap<(DeviceId, Address), CursorView>>,
}

impl Ledger for FakeLedger {
    fn node(&self, account: Address) -> BoxFuture<'_, Result<NodeView, ChainError>> {
        let node = self
            .nodes
            .lock()
            .unwrap()
            .get(&account)
            .cloned()
            .unwrap_or_else(no_node);
        async move { Ok(node) }.boxed()
    }

    fn device_ib_micro(
        &self,
        account: Address,
        device_index: u32,
    ) -> BoxFuture<'_, Result<u64, ChainError>> {
        let node = self.nodes.lock().unwrap().get(&account).cloned();
        let ib_micro = node
            .filter(|_| device_index < 2)
            .map_or(0, |node| node.ib_micro);
        async move { Ok(ib_micro) }.boxed()
    }

    fn allocation(
        &self,
        builder: Address,
        _: Address,
    ) -> BoxFuture<'_, Result<AllocationView, ChainError>> {
        let none = AllocationView {
            free_wei: U256::ZERO,
            pending_wei: U256::ZERO,
            available_at: 0,
        };
        let allocation = self
            .allocations
            .lock()
            .unwrap()
            .get(&builder)
            .copied()
            .unwrap_or(none);
        async move { Ok(allocation) }.boxed()
    }

    fn cursor(
        &self,
        device_id: DeviceId,
        _: Address,
        builder: Address,
    ) -> BoxFuture<'_, Result<CursorView, ChainError>> {
        let cursor = self
            .cursors
            .lock()
            .unwrap()
            .get(&(device_id, builder))
            .copied()
            .unwrap_or_default();
        async move { Ok(cursor) }.boxed()
    }

    fn parameters(&self) -> BoxFuture<'_, Result<LeaseParameters, ChainError>> {
        let parameters = LeaseParameters {
            max_lease_s: 3600,
            lease_grace_s: 60,
            askable_s: ASKABLE_S,
            drift_s: 5,
            penalty_multiplier: 2,
            min_lock_wei: U256::from(10),
        };
        async move { Ok(parameters) }.boxed()
    }
}

pub fn no_node() -> NodeView {
    NodeView {
        operator: Address::ZERO,
        roles: 0,
        device_count: 0,
        ib_micro: 0,
        exit_at: 0,
        stake_wei: U256::ZERO,
        locked_wei: U256::ZERO,
        price_wei: U256::ZERO,
    }
}

/// Takes every input but those that begin with `bad`.
#[derive(Debug)]
pub struct AnyInput;

#[derive(Debug)]
struct NoSession;

impl Executor for AnyInput {
    fn device_name(&self) -> &str {
        "any input"
    }

    fn thread_count(&self) -> usize {
        1
    }

    fn prepare(&self, task: TaskInput) -> Result<Box<dyn Session>, GpuError> {
        if task.input.starts_with(b"bad") {
            return Err(RenderParams::decode(&[]).unwrap_err().into());
        }
        Ok(Box::new(NoSession))
    }
}

impl Session for NoSession {
    fn unit_count(&self) -> u64 {
        0
    }

    fn submit(&mut self, _: UnitBatch) -> Result<(), GpuError> {
        Err(GpuError::Canceled)
    }

    fn collect(&mut self) -> Result<Option<BatchOutput>, GpuError> {
        Ok(None)
    }

    fn cancel(&self) {}
}

/// A manager, its world and its folder.
pub struct Bench {
    pub dir: TempDir,
    pub ledger: Arc<FakeLedger>,
    pub time: Arc<AtomicU64>,
    pub manager: Wallet,
    pub desk: Arc<Desk>,
    pub store: Store,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// A manager with other settings, until it is restarted.
    pub fn with(change: impl FnOnce(&mut ManagerConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Arc::new(FakeLedger::default());
        let time = Arc::new(AtomicU64::new(NOW));
        let manager = wallet(0x99);
        let store = Store::open(&dir.path().join("store")).unwrap();
        let mut config = config();
        change(&mut config);
        let desk = open((&dir, &ledger, &time), &store, config);
        Self {
            dir,
            ledger,
            time,
            manager,
            desk,
            store,
        }
    }

    /// Opens everything again from what is on disk, as after a `kill -9`.
    pub fn restart(&mut self) {
        let world = (&self.dir, &self.ledger, &self.time);
        self.desk = open(world, &self.store, config());
    }

    pub fn now(&self) -> u64 {
        self.time.load(Ordering::SeqCst)
    }

    pub fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::of(move || time.load(Ordering::SeqCst))
    }

    /// Registers a worker with plenty of stake.
    pub fn add_worker(&self, seed: u8) -> Wallet {
        self.add_node(seed, roles::WORKER)
    }

    pub fn add_node(&self, seed: u8, roles: u8) -> Wallet {
        let wallet = wallet(seed);
        let node = NodeView {
            operator: wallet.address(),
            roles,
            device_count: 2,
            ib_micro: IB_MICRO,
            stake_wei: U256::from(10_u64.pow(18)),
            price_wei: U256::from(PRICE_WEI),
            ..no_node()
        };
        self.ledger
            .nodes
            .lock()
            .unwrap()
            .insert(wallet.address(), node);
        wallet
    }

    /// Makes a builder with an allocation.
    pub fn add_builder(&self, seed: u8, free_wei: u64) -> Wallet {
        let wallet = wallet(seed);
        self.allocate(&wallet, free_wei);
        wallet
    }

    pub fn allocate(&self, builder: &Wallet, free_wei: u64) {
        let free_wei = U256::from(free_wei);
        let allocation = AllocationView {
            free_wei,
            pending_wei: U256::ZERO,
            available_at: 0,
        };
        self.ledger
            .allocations
            .lock()
            .unwrap()
            .insert(builder.address(), allocation);
    }

    /// Composes a job of `unit_count` units (a square number of tiles does best) and stores its input.
    pub async fn job(&self, builder: &Wallet, unit_count: u32, salt: u64) -> SignedJob {
        let input = Bytes::from(format!("scene {salt}").into_bytes());
        let input_blob = self.desk.blobs().put(input.0.clone()).await.unwrap();
        signed_job(
            builder,
            self.manager.address(),
            &input,
            (unit_count, salt, input_blob),
        )
    }

    pub async fn submit(&self, builder: &Wallet, unit_count: u32, salt: u64) -> SignedJob {
        let job = self.job(builder, unit_count, salt).await;
        self.desk
            .submit(builder.address(), job.clone())
            .await
            .unwrap();
        job
    }

    /// Asks for a task that must be there.
    pub async fn lease(&self, worker: &Wallet, held: &[B256]) -> Lease {
        let reply = self.desk.lease(worker.address(), ask(held)).await.unwrap();
        *reply
            .lease
            .unwrap_or_else(|| panic!("no lease: {:?}", reply.reason))
    }

    /// Delivers units of a lease.
    pub async fn report(&self, lease: &Lease, from: u32, unit_count: u32) -> ResultReport {
        let (report, blob) = report(lease, from, unit_count, 1000);
        self.desk.blobs().put(blob).await.unwrap();
        report
    }
}

fn config() -> ManagerConfig {
    ManagerConfig {
        lease: Duration::from_secs(LEASE_S),
        max_blob_bytes: 1 << 20,
        reference_rate: RATE,
        ..ManagerConfig::default()
    }
}

fn open(
    (dir, ledger, time): (&TempDir, &Arc<FakeLedger>, &Arc<AtomicU64>),
    store: &Store,
    config: ManagerConfig,
) -> Arc<Desk> {
    let queue: Arc<dyn TaskQueue> = Arc::new(EmbeddedQueue::open(store).unwrap());
    let time = Arc::clone(time);
    Desk::open(DeskParts {
        account: wallet(0x99).address(),
        wallet: wallet(0x99),
        config,
        chain_id: CHAIN_ID,
        work_claims: WORK_CLAIMS,
        store: store.clone(),
        queue,
        blobs: Blobs::open(&dir.path().join("blobs")).unwrap(),
        ledger: Arc::clone(ledger) as Arc<dyn Ledger>,
        keep_views: Duration::ZERO,
        executor: Arc::new(AnyInput),
        clock: Clock::of(move || time.load(Ordering::SeqCst)),
    })
    .unwrap()
}

pub fn wallet(seed: u8) -> Wallet {
    Wallet::from_signer(PrivateKeySigner::from_bytes(&B256::repeat_byte(seed)).unwrap())
}

pub fn ask(held: &[B256]) -> LeaseRequest {
    LeaseRequest {
        device_index: 0,
        held: held.to_vec(),
        known: Vec::new(),
    }
}

pub fn signed_job(
    builder: &Wallet,
    manager: Address,
    input: &[u8],
    (unit_count, salt, input_blob): (u32, u64, B256),
) -> SignedJob {
    let params = RenderParams {
        tile_edge: 16,
        ..RenderParams::new(16 * unit_count, 16, 1)
    }
    .encode();
    let job = Job {
        builder: builder.address(),
        manager,
        programId: B256::new(Program::Render.program_id()),
        inputRoot: B256::new(subtree_root(input, LOG2_INPUT)),
        paramsRoot: B256::new(subtree_root(&params, LOG2_PARAMS)),
        unitCount: u64::from(unit_count),
        maxCost: MAX_COST,
        referenceRate: RATE,
        priceCapWei: U96::from(PRICE_WEI),
        minIbMicro: 0,
        deadlineAt: NOW + 100_000,
        salt,
    };
    sign_job(builder, job, Bytes::from(params), input_blob)
}

pub fn sign_job(builder: &Wallet, job: Job, params: Bytes, input_blob: B256) -> SignedJob {
    let signature = builder
        .sign_message(&job, &domain(CHAIN_ID, WORK_CLAIMS))
        .unwrap();
    SignedJob {
        job,
        signature: Bytes::copy_from_slice(&signature),
        input_blob,
        params,
    }
}

/// Composes a report of made-up outputs and the blob that holds them.
pub fn report(
    lease: &Lease,
    from: u32,
    unit_count: u32,
    cost: u64,
) -> (ResultReport, bytes::Bytes) {
    let task = lease.tasks[lease.task_index as usize];
    let first_unit = task.first_unit + u64::from(from);
    let output = |unit: u64| {
        let seed = keccak256(unit.to_be_bytes());
        let mut output: Vec<u8> = seed.iter().copied().cycle().take(UNIT_BYTES).collect();
        // The first pixel cost everything.
        for pixel in output.chunks_exact_mut(16) {
            pixel[12..].fill(0);
        }
        output[12..16].copy_from_slice(&u32::try_from(cost).unwrap().to_le_bytes());
        output
    };
    let outputs: Vec<Vec<u8>> = (first_unit..first_unit + u64::from(unit_count))
        .map(output)
        .collect();
    let units = outputs
        .iter()
        .map(|output| UnitResult {
            status: 0,
            output_root: B256::new(subtree_root(output, RENDER_LOG2_OUTPUT)),
            cost,
        })
        .collect();
    let blob = bytes::Bytes::from(outputs.concat());
    let report = ResultReport {
        task_id: task.task_id().bytes(),
        first_unit,
        units,
        output_blob: keccak256(&blob),
    };
    (report, blob)
}
