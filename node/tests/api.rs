//! Who may ask a manager what, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that can't go on must fail"
)]

mod common;

use std::{net::SocketAddr, sync::Arc};

use alloy::primitives::{Address, B256, keccak256};
use common::{Bench, CHAIN_ID, NOW, WORK_CLAIMS, ask, report, wallet};
use inferix_node::{
    api::{
        ApiState, Client, ClientError,
        auth::{Credentials, NonceBook, RequestParts, signed_path},
        client::ClientOptions,
        rate::RateLimit,
        routes::ApiDoc,
        serve,
        types::{ApiRefusal, ClaimNotice, JobState, ReceiptRequest},
    },
    roles,
    wallet::Wallet,
};
use inferix_prover::typed_data::domain;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use utoipa::OpenApi;

/// A manager that serves on a port of the system's choice.
struct Served {
    bench: Bench,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Served {
    async fn start() -> Self {
        Self::serve(Bench::new()).await
    }

    async fn serve(bench: Bench) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cancel = CancellationToken::new();
        let state = ApiState {
            desk: Arc::clone(&bench.desk),
            nonces: Arc::new(NonceBook::open(&bench.store).unwrap()),
            rate: Arc::new(RateLimit::default()),
            clock: bench.clock(),
            metrics: None,
        };
        tokio::spawn(serve(listener, state, cancel.clone()));
        Self {
            bench,
            address,
            _stop: cancel.drop_guard(),
        }
    }

    fn options(&self, wallet: &Wallet, account: Address) -> ClientOptions {
        ClientOptions {
            base: format!("http://{}", self.address).parse().unwrap(),
            account,
            wallet: wallet.clone(),
            chain_id: CHAIN_ID,
            work_claims: WORK_CLAIMS,
            clock: self.bench.clock(),
        }
    }

    async fn client(&self, wallet: &Wallet) -> Client {
        Client::connect(self.options(wallet, wallet.address()))
            .await
            .unwrap()
    }

    /// Signs a POST to `/v1/leases`.
    fn sign(&self, wallet: &Wallet, body: &str, terms: (Address, u64, u64)) -> Credentials {
        let path = signed_path(self.bench.manager.address(), "/v1/leases");
        let body_hash = keccak256(body);
        let parts = RequestParts {
            method: "POST",
            path: &path,
            body_hash,
        };
        Credentials::sign(wallet, &domain(CHAIN_ID, WORK_CLAIMS), parts, terms).unwrap()
    }

    /// Posts to `/v1/leases` as it is and returns the status and the refusal's word.
    async fn post(&self, header: Option<String>, body: &str) -> (u16, String) {
        let url = format!("http://{}/v1/leases", self.address);
        let mut request = reqwest::Client::new().post(url).body(body.to_owned());
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let refusal = serde_json::from_str::<ApiRefusal>(&text).map(|refusal| refusal.code);
        (status, refusal.unwrap_or_default())
    }
}

const BODY: &str = r#"{"device_index":0,"held":[]}"#;

#[tokio::test]
async fn a_signed_request_is_served_once() {
    let served = Served::start().await;
    let worker = served.bench.add_worker(1);
    let terms = (worker.address(), 7, NOW + 60);
    let header = served.sign(&worker, BODY, terms).to_header();
    assert_eq!(
        served.post(Some(header.clone()), BODY).await,
        (200, String::new())
    );
    assert_eq!(
        served.post(Some(header.clone()), BODY).await,
        (409, "replayed".to_owned())
    );

    // A restart forgets nothing.
    let Served { mut bench, .. } = served;
    bench.restart();
    let served = Served::serve(bench).await;
    assert_eq!(
        served.post(Some(header.clone()), BODY).await,
        (409, "replayed".to_owned())
    );
    served.bench.pass(61);
    assert_eq!(
        served.post(Some(header), BODY).await,
        (401, "expired".to_owned())
    );
}

#[tokio::test]
async fn a_request_that_was_not_signed_so_is_refused() {
    let served = Served::start().await;
    let worker = served.bench.add_worker(1);
    let account = worker.address();
    let good = served.sign(&worker, BODY, (account, 1, NOW + 60));
    let unauthorized = (401, "unauthorized".to_owned());

    assert_eq!(served.post(None, BODY).await, unauthorized);
    let other_body = r#"{"device_index":1,"held":[]}"#;
    assert_eq!(
        served.post(Some(good.to_header()), other_body).await,
        unauthorized
    );
    let stolen = Credentials {
        caller: Address::repeat_byte(9),
        ..good.clone()
    };
    assert_eq!(
        served.post(Some(stolen.to_header()), BODY).await,
        unauthorized
    );
    let forged = served.sign(&wallet(2), BODY, (account, 1, NOW + 60));
    assert_eq!(
        served.post(Some(forged.to_header()), BODY).await,
        unauthorized
    );
    let postponed = Credentials {
        expires_at: NOW + 61,
        ..good.clone()
    };
    assert_eq!(
        served.post(Some(postponed.to_header()), BODY).await,
        unauthorized
    );
    let short = Credentials {
        signature: vec![1; 63],
        ..good.clone()
    };
    assert_eq!(
        served.post(Some(short.to_header()), BODY).await,
        unauthorized
    );

    let path = signed_path(Address::repeat_byte(0x77), "/v1/leases");
    let parts = RequestParts {
        method: "POST",
        path: &path,
        body_hash: keccak256(BODY),
    };
    let elsewhere = Credentials::sign(
        &worker,
        &domain(CHAIN_ID, WORK_CLAIMS),
        parts,
        (account, 1, NOW + 60),
    );
    let elsewhere = elsewhere.unwrap().to_header();
    assert_eq!(
        served.post(Some(elsewhere), BODY).await,
        unauthorized,
        "meant for another manager"
    );

    assert_eq!(
        served.post(Some(good.to_header()), BODY).await.0,
        200,
        "none of that used its nonce"
    );
}

#[tokio::test]
async fn expired_foreign_and_malformed_requests_are_told_apart() {
    let served = Served::start().await;
    let worker = served.bench.add_worker(1);
    let account = worker.address();
    let post = async |credentials: Credentials, body: &str| {
        let (status, code) = served.post(Some(credentials.to_header()), body).await;
        (status, code)
    };

    let late = served.sign(&worker, BODY, (account, 1, NOW));
    assert_eq!(post(late, BODY).await, (401, "expired".to_owned()));
    let long = served.sign(&worker, BODY, (account, 1, NOW + 301));
    assert_eq!(post(long, BODY).await, (401, "expired".to_owned()));
    let foreign = Credentials {
        chain_id: 1,
        ..served.sign(&worker, BODY, (account, 1, NOW + 60))
    };
    assert_eq!(post(foreign, BODY).await, (401, "wrong_chain".to_owned()));

    for header in [
        "Bearer x",
        "Inferix ",
        "Inferix caller=1",
        "Inferix nonce=1, nonce=2",
    ] {
        let refusal = served.post(Some(header.to_owned()), BODY).await;
        assert_eq!(refusal, (400, "malformed".to_owned()), "{header}");
    }
    for (nonce, body) in ["", "[]", r#"{"device_index":0,"held":[],"more":1}"#]
        .iter()
        .enumerate()
    {
        let signed = served.sign(&worker, body, (account, nonce as u64, NOW + 60));
        assert_eq!(
            post(signed, body).await,
            (400, "malformed".to_owned()),
            "{body}"
        );
    }
    let huge = " ".repeat(300_000);
    let signed = served.sign(&worker, &huge, (account, 9, NOW + 60));
    assert_eq!(post(signed, &huge).await, (413, "too_large".to_owned()));
}

#[tokio::test]
async fn a_caller_that_asks_too_often_is_slowed_down() {
    let served = Served::start().await;
    let worker = served.bench.add_worker(1);
    let client = served.client(&worker).await;
    for _ in 0..1000 {
        client.lease(&ask(&[])).await.unwrap();
    }
    let err = client.lease(&ask(&[])).await.unwrap_err();
    assert_eq!(err.code(), Some("too_many_requests"));
    assert!(err.is_retryable());
}

#[tokio::test]
async fn an_operator_calls_for_its_owner_and_nobody_else_does() {
    let served = Served::start().await;
    let owner = Address::repeat_byte(0x42);
    let operator = served.bench.add_worker(1);
    let node = served
        .bench
        .ledger
        .nodes
        .lock()
        .unwrap()
        .get(&operator.address())
        .cloned()
        .unwrap();
    served
        .bench
        .ledger
        .nodes
        .lock()
        .unwrap()
        .insert(owner, node);

    let client = Client::connect(served.options(&operator, owner))
        .await
        .unwrap();
    assert!(client.lease(&ask(&[])).await.unwrap().lease.is_none());
    let stranger = Client::connect(served.options(&wallet(2), owner))
        .await
        .unwrap();
    assert_eq!(
        stranger.lease(&ask(&[])).await.unwrap_err().code(),
        Some("unauthorized")
    );
}

#[tokio::test]
async fn blobs_are_taken_under_their_own_hash_from_those_who_work_or_pay() {
    let served = Served::start().await;
    let builder = served.bench.add_builder(3, 1000);
    let client = served.client(&builder).await;
    let bytes = bytes::Bytes::from(vec![7; 200_000]);
    let hash = client.send_blob(bytes.clone()).await.unwrap();
    assert_eq!(hash, keccak256(&bytes));
    assert!(client.has_blob(hash).await.unwrap());
    assert!(!client.has_blob(B256::ZERO).await.unwrap());

    // Nothing names it yet, so it is nobody's to read.
    let err = client.fetch_blob(hash, 1 << 20).await.unwrap_err();
    assert_eq!(err.code(), Some("not_found"));
    let too_large = client
        .send_blob(vec![1; (1 << 20) + 1].into())
        .await
        .unwrap_err();
    assert_eq!(too_large.code(), Some("too_large"), "{too_large}");
    let stranger = served.client(&wallet(4)).await;
    let err = stranger.send_blob(vec![2; 9].into()).await.unwrap_err();
    assert_eq!(err.code(), Some("stranger"));

    // The signature binds the name; other bytes under it are refused.
    let path = format!("/v1/blobs/{hash}");
    let signed = signed_path(served.bench.manager.address(), &path);
    let parts = RequestParts {
        method: "PUT",
        path: &signed,
        body_hash: hash,
    };
    let terms = (builder.address(), 5, NOW + 60);
    let header = Credentials::sign(&builder, &domain(CHAIN_ID, WORK_CLAIMS), parts, terms);
    let put = reqwest::Client::new()
        .put(format!("http://{}{path}", served.address))
        .header("authorization", header.unwrap().to_header())
        .body("other bytes");
    assert_eq!(put.send().await.unwrap().status().as_u16(), 422);
}

#[tokio::test]
async fn a_job_lives_from_submission_to_its_outputs() {
    let served = Served::start().await;
    let bench = &served.bench;
    let (builder, worker) = (bench.add_builder(3, 1_000_000_000), bench.add_worker(1));
    let verifier = bench.add_node(5, roles::VERIFIER);
    let (at_builder, at_worker) = (served.client(&builder).await, served.client(&worker).await);

    let input = bytes::Bytes::from_static(b"scene");
    let blob = keccak256(&input);
    let job = common::signed_job(&builder, bench.manager.address(), &input, (4, 1, blob));
    let err = at_builder.submit(&job).await.unwrap_err();
    assert_eq!(err.code(), Some("blob_missing"));
    at_builder.send_blob(input.clone()).await.unwrap();
    let status = at_builder.submit(&job).await.unwrap();
    assert_eq!((status.state, status.unit_count), (JobState::Queued, 4));
    assert_eq!(
        at_builder.submit(&job).await.unwrap().job_id,
        status.job_id,
        "once more is harmless"
    );

    let err = at_worker.fetch_blob(blob, 1 << 20).await.unwrap_err();
    assert_eq!(err.code(), Some("not_found"), "not before it has a lease");
    let mut held = Vec::new();
    while let Some(lease) = at_worker.lease(&ask(&held)).await.unwrap().lease {
        assert_eq!(at_worker.fetch_blob(blob, 1 << 20).await.unwrap(), input);
        let task = lease.tasks[lease.task_index as usize];
        held.push(task.task_id().bytes());
        let (report, outputs) = report(&lease, 0, task.unit_count, 1000);
        assert_eq!(
            at_worker.deliver(&report).await.unwrap_err().code(),
            Some("blob_missing")
        );
        at_worker.send_blob(outputs).await.unwrap();
        at_worker.deliver(&report).await.unwrap();
        at_worker
            .deliver(&report)
            .await
            .expect("once more is harmless");
        let asked = ReceiptRequest {
            task_id: report.task_id,
            first_unit: report.first_unit,
            unit_count: task.unit_count,
            units_root: B256::ZERO,
        };
        let err = at_worker.receipt(&asked).await.unwrap_err();
        assert_eq!(err.code(), Some("receipt_refused"));
    }

    let status = at_builder.job(job.job.job_id()).await.unwrap();
    assert_eq!(
        (status.state, status.done_count, status.cost),
        (JobState::Done, 4, 4000)
    );
    let at_verifier = served.client(&verifier).await;
    let pieces = at_builder.outputs(job.job.job_id(), 0).await.unwrap();
    assert_eq!(pieces.iter().map(|piece| piece.unit_count).sum::<u32>(), 4);
    for client in [&at_builder, &at_verifier] {
        let outputs = client.fetch_blob(pieces[0].blob, 1 << 20).await.unwrap();
        assert_eq!(
            outputs.len(),
            pieces[0].unit_count as usize * common::UNIT_BYTES
        );
    }
    assert_eq!(at_verifier.signed_job(job.job.job_id()).await.unwrap(), job);

    // Its workers show it in their claims.
    assert_eq!(at_worker.signed_job(job.job.job_id()).await.unwrap(), job);

    let stranger = served.client(&wallet(8)).await;
    let err = stranger.signed_job(job.job.job_id()).await.unwrap_err();
    assert_eq!(err.code(), Some("not_found"));
    let err = stranger
        .fetch_blob(pieces[0].blob, 1 << 20)
        .await
        .unwrap_err();
    assert_eq!(err.code(), Some("not_found"));
    assert_eq!(
        stranger.job(job.job.job_id()).await.unwrap_err().code(),
        Some("not_found")
    );
    assert_eq!(
        stranger.jobs(builder.address()).await.unwrap_err().code(),
        Some("not_builder")
    );

    let claim = at_worker
        .send_blob(bytes::Bytes::from_static(b"claim"))
        .await
        .unwrap();
    at_worker
        .publish_claim(&ClaimNotice {
            claim_id: B256::repeat_byte(1),
            blob: claim,
        })
        .await
        .unwrap();
    assert_eq!(
        at_verifier.fetch_blob(claim, 100).await.unwrap(),
        &b"claim"[..]
    );
}

#[tokio::test]
async fn a_client_does_not_talk_to_a_manager_of_another_chain() {
    let served = Served::start().await;
    let options = ClientOptions {
        chain_id: 1,
        ..served.options(&wallet(1), wallet(1).address())
    };
    let err = Client::connect(options).await.unwrap_err();
    assert!(
        matches!(
            err,
            ClientError::WrongChain {
                got: CHAIN_ID,
                needed: 1,
                ..
            }
        ),
        "{err}"
    );
}

#[test]
fn the_openapi_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let needed = ApiDoc::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("INFERIX_GEN").is_some() {
        std::fs::write(path, &needed).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        committed, needed,
        "run the test with INFERIX_GEN=1 to write node/openapi.json again"
    );
}
