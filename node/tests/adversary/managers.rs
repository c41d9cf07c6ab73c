//! What a manager signs against a builder costs it stake, and the worker stays paid.

use inferix_node::chain::{ManagerEndpoints, bindings::node_registry};
use inferix_prover::claim::Line;

use super::*;

const MANAGER_STAKE_IFX: u64 = 1_000;

/// A verifier that runs, and the folder that it finds claim blobs in.
struct Running {
    blobs: Blobs,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), inferix_node::verifier::VerifierError>>,
}

impl Running {
    async fn start(world: &World) -> Self {
        let config = verifier_config(world);
        let blobs = Blobs::open(&config.data_dir.join("blobs")).unwrap();
        let verifier = Verifier::open(config, world.verifier.clone())
            .await
            .unwrap();
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let task = tokio::spawn(async move { verifier.run(stop).await });
        Self {
            blobs,
            cancel,
            task,
        }
    }

    async fn end(self) {
        self.cancel.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// Waits until the manager has lost an amount, and checks that the builder got it.
async fn manager_loses(world: &World, lost_wei: U256) {
    let stake_wei = U256::from(ifx(MANAGER_STAKE_IFX));
    let mut left_wei = stake_wei;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let node = world.reader.node(world.manager.address()).await.unwrap();
        left_wei = node.stake_wei;
        if left_wei == stake_wei - lost_wei {
            break;
        }
    }
    assert_eq!(stake_wei - left_wei, lost_wei);
    let builder = world.builder.address();
    let compensated_wei = world.reader.compensated_wei(builder).await.unwrap();
    assert_eq!(compensated_wei, lost_wei);
}

async fn is_paid(world: &World, claim: &PostedClaim) {
    world.pass(61).await;
    let call = calls::finalize(world.devnet.deployment(), &claim.header, &claim.lines).unwrap();
    world.sender.send("finalize", call).await.unwrap();
    assert_eq!(world.status(claim).await, ClaimStatus::Final);
    let (earned_wei, _) = world.reader.credits(claim.header.worker()).await.unwrap();
    let amount_wei = U256::from(claim.lines[0].amountWei);
    assert_eq!(earned_wei, amount_wei * U256::from(8) / U256::from(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_whose_order_is_dearer_than_the_job_repays_the_line_once() {
    let mut world = World::new().await;
    world.job.priceCapWei = ifx(1) - U96::from(1);
    let running = Running::start(&world).await;
    let (blob, (from, to)) = world.honest(1).await;
    let line = blob.lines[0].to_line(from, to).unwrap();
    let claim = world.post(&running.blobs, &blob, &line).await;
    assert!(line.amountWei > U96::ZERO);

    manager_loses(&world, U256::from(line.amountWei)).await;
    running.end().await;
    // A verifier that lost its memory changes nothing.
    let running = Running::start(&world).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    manager_loses(&world, U256::from(line.amountWei)).await;
    is_paid(&world, &claim).await;
    running.end().await;
}

/// The lease that shows it is the one that ends first: its claim lands when the other's is judged already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_that_leases_units_twice_repays_each_leaf() {
    let mut world = World::new().await;
    let (first_blob, first_cursors) = world.honest(1).await;
    let first = (world.worker.clone(), world.sender);
    (world.worker, world.sender) = second_worker(&world.devnet, &world.reader, &world.dir).await;
    world.tasks.clear();
    let (blob, (from, to)) = world.honest(1).await;
    let running = Running::start(&world).await;
    let line = blob.lines[0].to_line(from, to).unwrap();
    let claim = world.post(&running.blobs, &blob, &line).await;
    is_judged(&world).await;

    let second = (world.worker, world.sender);
    (world.worker, world.sender) = first;
    let (from, to) = first_cursors;
    let first_line = first_blob.lines[0].to_line(from, to).unwrap();
    world.post(&running.blobs, &first_blob, &first_line).await;
    let lost_wei = blob.lines[0]
        .intervals
        .iter()
        .map(|held| leaf_wei(&line, &held.interval))
        .sum();
    manager_loses(&world, lost_wei).await;
    (world.worker, world.sender) = second;
    is_paid(&world, &claim).await;
    running.end().await;
}

/// What was read before is kept, and what changed since is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managers_endpoint_is_followed() {
    let world = World::new().await;
    let store = Store::open(&world.dir.path().join("endpoints")).unwrap();
    let (manager, stranger) = (world.manager.address(), world.worker.address());
    let told = async |endpoints: &ManagerEndpoints| {
        let told = endpoints.of(&world.reader, [manager, stranger]);
        told.await.unwrap()
    };
    let endpoints = ManagerEndpoints::open(&store, 1).unwrap();
    assert_eq!(told(&endpoints).await, [""]);
    for endpoint in ["http://one", "http://other"] {
        let call = node_registry::setEndpointCall {
            node: manager,
            endpoint: endpoint.to_owned(),
        };
        let registry = world.devnet.deployment().node_registry;
        let call = inferix_node::chain::Call::new(registry, call.abi_encode());
        world.send_as(&world.manager, endpoint, call).await;
        assert_eq!(told(&endpoints).await, [endpoint]);
        world.pass(1).await;
        let again = ManagerEndpoints::open(&store, 1).unwrap();
        assert_eq!(told(&again).await, [endpoint]);
    }
}

fn leaf_wei(line: &Line, leaf: &Interval) -> U256 {
    U256::from(line.amountWei) * U256::from(leaf.ibm_micro) / U256::from(line.sumIbmMicro)
}

/// Its outputs can't be executed again here, so it is judged when half of its window is over.
async fn is_judged(world: &World) {
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.pass(31).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
}

async fn second_worker(
    devnet: &Devnet,
    reader: &Reader,
    dir: &tempfile::TempDir,
) -> (Wallet, Sender) {
    let worker = Wallet::from_signer(PrivateKeySigner::random());
    let account = worker.address();
    devnet.fund(account, 10_000).await.unwrap();
    let deployment = devnet.deployment();
    let stake_wei = ifx(STAKE_IFX);
    let permit = Permit::sign(
        reader,
        &worker,
        deployment.node_registry,
        U256::from(stake_wei),
    )
    .await
    .unwrap();
    let registration = Registration {
        roles: roles::WORKER,
        ib_micro: IB_MICRO,
        price_wei: ifx(1),
        stake_wei,
        endpoint: String::new(),
    };
    let call = calls::register(deployment, account, &worker, registration, &permit).unwrap();
    let config = devnet.chain_config(&dir.path().join("deployment.json"));
    let store = Store::open(&dir.path().join("second")).unwrap();
    let sender = Sender::open(&config, CHAIN_ID, worker.clone(), &store).unwrap();
    sender.send("register", call).await.unwrap();
    (worker, sender)
}
