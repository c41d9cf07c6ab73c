//! What sends transactions, on a chain that mines when the test says so: each intent happens once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails where it stops, and its name is the fact"
)]

use std::{
    future::Future,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use alloy::{
    network::Ethereum,
    primitives::{Address, Bytes, U256},
    providers::{Provider, RootProvider},
    signers::local::PrivateKeySigner,
};
use axum::{Json, Router, extract::State, routing::post};
use inferix_node::{
    chain::{Call, ChainError, Sender},
    config::ChainConfig,
    devnet::{CHAIN_ID, DevnetOptions, start_anvil},
    secret::Secret,
    store::Store,
    wallet::Wallet,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Child;
use url::Url;

const RECEIVER: Address = Address::repeat_byte(0x77);
const ONE_WEI: U256 = U256::ONE;
/// An endpoint where nobody listens.
const DEAD: &str = "http://127.0.0.1:9";
const PATIENCE: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(300);

struct Chain {
    dir: TempDir,
    url: Url,
    provider: RootProvider<Ethereum>,
    key: PrivateKeySigner,
    _anvil: Child,
}

impl Chain {
    /// A chain that mines each transaction at once, or only when told to.
    async fn start(automine: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = DevnetOptions {
            dir: dir.path().to_owned(),
            anvil: None,
            port: 0,
            block_time: Duration::ZERO,
        };
        let (anvil, url) = start_anvil(&options).await.unwrap();
        let provider = RootProvider::new_http(url.clone());
        let key = PrivateKeySigner::random();
        let chain = Self {
            dir,
            url,
            provider,
            key,
            _anvil: anvil,
        };
        let coin_wei = U256::from(10).pow(U256::from(18));
        chain
            .rpc("anvil_setBalance", json!([chain.key.address(), coin_wei]))
            .await;
        chain.rpc("evm_setAutomine", json!([automine])).await;
        chain
    }

    async fn rpc(&self, method: &'static str, params: Value) -> Value {
        self.provider
            .raw_request(method.into(), params)
            .await
            .unwrap()
    }

    async fn mine(&self) {
        self.rpc("evm_mine", json!([])).await;
    }

    fn config(&self) -> ChainConfig {
        ChainConfig {
            rpc_urls: vec![Secret::new(self.url.clone())],
            deployment_file: "none".into(),
            poll_interval: Duration::from_millis(50),
            confirmations_blocks: 1,
            replace_after: NEVER,
        }
    }

    /// Opens a sender of the chain's one key, with a store of its own.
    fn sender(&self, config: &ChainConfig, store: &str) -> Sender {
        open(config, &self.key, &self.dir.path().join(store))
    }

    /// The highest fee of the key's transaction that waits with this nonce.
    async fn waiting_fee_wei(&self, nonce: u64) -> Option<u128> {
        let pool = self.rpc("txpool_content", json!([])).await;
        let mut accounts = pool["pending"].as_object()?.iter();
        let own = |name: &str| name.parse::<Address>().ok() == Some(self.key.address());
        let (_, waiting) = accounts.find(|(name, _)| own(name))?;
        let fee = waiting[nonce.to_string()]["maxFeePerGas"].as_str()?;
        u128::from_str_radix(fee.trim_start_matches("0x"), 16).ok()
    }

    async fn received_wei(&self) -> u64 {
        self.provider.get_balance(RECEIVER).await.unwrap().to()
    }

    async fn sent_count(&self) -> u64 {
        self.provider
            .get_transaction_count(self.key.address())
            .await
            .unwrap()
    }
}

fn open(config: &ChainConfig, key: &PrivateKeySigner, dir: &Path) -> Sender {
    let store = Store::open(dir).unwrap();
    Sender::open(config, CHAIN_ID, Wallet::from_signer(key.clone()), &store).unwrap()
}

/// Gives the receiver one wei: what it holds tells how often that was done.
fn gift() -> Call {
    Call {
        to: Some(RECEIVER),
        data: Bytes::new(),
        value_wei: ONE_WEI,
    }
}

/// Asks again and again until there is an answer.
async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_stuck_transaction_is_replaced_at_a_higher_fee() {
    let chain = Chain::start(false).await;
    let config = ChainConfig {
        replace_after: SOON,
        ..chain.config()
    };
    let sender = chain.sender(&config, "store");
    let watch = async {
        let first_wei = wait_for("the first attempt", || chain.waiting_fee_wei(0)).await;
        let raised_wei = wait_for("a replacement", || async {
            chain
                .waiting_fee_wei(0)
                .await
                .filter(|fee_wei| *fee_wei > first_wei)
        })
        .await;
        assert!(
            raised_wei * 100 >= first_wei * 125,
            "{first_wei} to {raised_wei}"
        );
        chain.mine().await;
    };
    let (receipt, ()) = tokio::join!(sender.send("gift", gift()), watch);
    assert!(receipt.unwrap().status());
    assert_eq!(
        (chain.received_wei().await, chain.sent_count().await),
        (1, 1)
    );
}

#[tokio::test]
async fn a_restart_in_the_middle_finds_the_same_transaction() {
    let chain = Chain::start(false).await;
    let config = chain.config();
    {
        let sender = Arc::new(chain.sender(&config, "store"));
        let dying = Arc::clone(&sender);
        let task = tokio::spawn(async move { dying.send("gift", gift()).await });
        wait_for("the transaction", || chain.waiting_fee_wei(0)).await;
        task.abort();
        let _ = task.await;
    }
    // The chain has forgotten it, too: what is written down is sent again.
    chain.rpc("anvil_dropAllTransactions", json!([])).await;

    let sender = chain.sender(&config, "store");
    let mine = async {
        wait_for("the transaction again", || chain.waiting_fee_wei(0)).await;
        chain.mine().await;
    };
    let (recovered, ()) = tokio::join!(sender.recover(), mine);
    recovered.unwrap();
    assert_eq!(chain.received_wei().await, 1);

    let first = sender.send("gift", gift()).await.unwrap();
    let second = sender.send("gift", gift()).await.unwrap();
    assert_eq!(first.transaction_hash, second.transaction_hash);
    assert_eq!(
        (chain.received_wei().await, chain.sent_count().await),
        (1, 1)
    );
}

#[tokio::test]
async fn a_nonce_that_another_sender_took_is_planned_again() {
    let chain = Chain::start(false).await;
    let patient = chain.sender(&chain.config(), "patient");
    let hasty = chain.sender(
        &ChainConfig {
            replace_after: SOON,
            ..chain.config()
        },
        "hasty",
    );
    let compete = async {
        let first_wei = wait_for("the first attempt", || chain.waiting_fee_wei(0)).await;
        let outbid = async {
            wait_for("the other's to displace it", || async {
                chain
                    .waiting_fee_wei(0)
                    .await
                    .filter(|fee_wei| *fee_wei > first_wei)
            })
            .await;
            chain.mine().await;
            chain.rpc("evm_setAutomine", json!([true])).await;
        };
        tokio::join!(hasty.send("other", gift()), outbid).0
    };
    let (own, other) = tokio::join!(patient.send("own", gift()), compete);
    assert_ne!(
        own.unwrap().transaction_hash,
        other.unwrap().transaction_hash
    );
    assert_eq!(
        (chain.received_wei().await, chain.sent_count().await),
        (2, 2)
    );
}

#[tokio::test]
async fn a_transaction_that_a_reorganization_threw_out_is_sent_again() {
    let chain = Chain::start(true).await;
    let config = ChainConfig {
        confirmations_blocks: 3,
        ..chain.config()
    };
    let sender = chain.sender(&config, "store");
    let snapshot = chain.rpc("evm_snapshot", json!([])).await;
    let mined = || async { (chain.received_wei().await == 1).then_some(()) };
    let reorganize = async {
        wait_for("the transaction to be mined", mined).await;
        chain.rpc("evm_revert", json!([snapshot])).await;
        assert_eq!(chain.received_wei().await, 0);
        wait_for("the transaction to be mined again", mined).await;
        chain.mine().await;
        chain.mine().await;
    };
    let (receipt, ()) = tokio::join!(sender.send("gift", gift()), reorganize);
    assert!(receipt.unwrap().status());
    assert_eq!(
        (chain.received_wei().await, chain.sent_count().await),
        (1, 1)
    );
}

#[tokio::test]
async fn one_dead_endpoint_of_two_is_not_noticed() {
    let chain = Chain::start(true).await;
    let dead = Secret::new(Url::parse(DEAD).unwrap());
    let alive = Secret::new(chain.url.clone());
    for (store, rpc_urls) in [
        ("dead first", vec![dead.clone(), alive.clone()]),
        ("dead last", vec![alive, dead.clone()]),
    ] {
        let config = ChainConfig {
            rpc_urls,
            ..chain.config()
        };
        let receipt = chain.sender(&config, store).send("gift", gift()).await;
        assert!(receipt.unwrap().status(), "{store}");
    }
    assert_eq!(chain.received_wei().await, 2);

    let config = ChainConfig {
        rpc_urls: vec![dead],
        ..chain.config()
    };
    let err = chain
        .sender(&config, "only dead")
        .send("gift", gift())
        .await
        .unwrap_err();
    assert!(
        matches!(err, ChainError::Rpc(_)) && err.is_retryable(),
        "{err}"
    );
}

#[tokio::test]
async fn an_endpoint_that_lags_does_not_make_a_transaction_happen_twice() {
    let chain = Chain::start(true).await;
    let laggard = Laggard {
        behind: chain.url.clone(),
        http: reqwest::Client::new(),
        receipts_hidden: Arc::new(AtomicU32::new(2)),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hidden = Arc::clone(&laggard.receipts_hidden);
    let app = Router::new().route("/", post(answer)).with_state(laggard);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let config = ChainConfig {
        rpc_urls: vec![Secret::new(url.parse().unwrap())],
        ..chain.config()
    };
    let receipt = chain.sender(&config, "store").send("gift", gift()).await;
    assert!(receipt.unwrap().status());
    assert_eq!(hidden.load(Ordering::SeqCst), 0, "it lagged");
    assert_eq!(
        (chain.received_wei().await, chain.sent_count().await),
        (1, 1)
    );
    server.abort();
}

/// Knows the account's count before it knows the receipt, as two endpoints at different heights do.
#[derive(Clone)]
struct Laggard {
    behind: Url,
    http: reqwest::Client,
    receipts_hidden: Arc<AtomicU32>,
}

async fn answer(State(laggard): State<Laggard>, Json(request): Json<Value>) -> Json<Value> {
    let hide = |left: u32| left.checked_sub(1);
    let is_hidden = request["method"] == "eth_getTransactionReceipt"
        && laggard
            .receipts_hidden
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, hide)
            .is_ok();
    if is_hidden {
        return Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": null }));
    }
    let answered = laggard
        .http
        .post(laggard.behind)
        .json(&request)
        .send()
        .await
        .unwrap();
    Json(answered.json().await.unwrap())
}
