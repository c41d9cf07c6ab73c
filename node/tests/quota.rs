//! What is sent to a manager and named by nothing: how much of it is taken, and for how long it is kept.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that can't go on must fail"
)]

mod common;

use std::{convert::Infallible, sync::Arc, time::Duration};

use alloy::primitives::{Address, B256, keccak256};
use bytes::Bytes;
use common::{Bench, CHAIN_ID, WORK_CLAIMS};
use inferix_node::{
    api::{
        ApiState,
        auth::NonceBook,
        client::{Client, ClientError, ClientOptions},
        rate::RateLimit,
        serve,
        types::ReleaseRequest,
    },
    manager::{ManagerError, loose::QuotaError},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PLENTY_WEI: u64 = 1_000_000_000_000;
const ACCOUNT_BYTES: u64 = 1000;
const TOTAL_BYTES: u64 = 1500;
const KEEP_S: u64 = 100;

fn bench() -> Bench {
    Bench::with(|config| {
        config.max_account_loose_bytes = ACCOUNT_BYTES;
        config.max_loose_bytes = TOTAL_BYTES;
        config.keep_loose = Duration::from_secs(KEEP_S);
    })
}

/// Sends a blob of made-up bytes in pieces of 100.
async fn send(bench: &Bench, account: Address, len: usize, fill: u8) -> Result<B256, ManagerError> {
    let bytes = Bytes::from(vec![fill; len]);
    let hash = keccak256(&bytes);
    let starts = (0..len).step_by(100);
    let pieces = starts.map(|at| Ok::<_, Infallible>(bytes.slice(at..len.min(at + 100))));
    let pieces: Vec<_> = pieces.collect();
    let stream = futures::stream::iter(pieces);
    bench.desk.receive_blob(account, hash, stream).await?;
    Ok(hash)
}

#[track_caller]
fn quota(sent: Result<B256, ManagerError>) -> QuotaError {
    match sent.unwrap_err() {
        ManagerError::Quota(err) => err,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_account_sends_so_much_and_all_together_so_much() {
    let mut bench = bench();
    let (one, other) = (bench.add_worker(2).address(), bench.add_worker(3).address());
    let stored = send(&bench, one, 900, 1).await.unwrap();
    let refused = QuotaError::Account {
        account: one,
        max_bytes: ACCOUNT_BYTES,
        keep_s: KEEP_S,
    };
    assert_eq!(quota(send(&bench, one, 101, 2).await), refused);
    assert!(bench.desk.blobs().has(stored).await.unwrap());
    send(&bench, one, 100, 2).await.unwrap();
    send(&bench, other, 500, 3).await.unwrap();
    let total = QuotaError::Total {
        max_bytes: TOTAL_BYTES,
        keep_s: KEEP_S,
    };
    assert_eq!(quota(send(&bench, other, 1, 4).await), total);

    // What was refused takes no room; neither does what is swept, and a restart forgets nothing.
    bench.pass(KEEP_S - 1);
    assert_eq!(bench.desk.sweep().await.unwrap(), 0);
    bench.pass(1);
    assert_eq!(bench.desk.sweep().await.unwrap(), 3);
    assert!(!bench.desk.blobs().has(stored).await.unwrap());
    let again = send(&bench, one, 1000, 5).await.unwrap();
    bench.restart();
    bench.pass(3600);
    assert_eq!(bench.desk.sweep().await.unwrap(), 1);
    assert!(!bench.desk.blobs().has(again).await.unwrap());
}

#[tokio::test]
async fn what_a_job_names_counts_no_more_and_is_not_swept() {
    let bench = bench();
    let builder = bench.add_builder(1, PLENTY_WEI);
    for salt in 0..3 {
        // The input is stored, then sent again as by the builder.
        let job = bench.job(&builder, 4, salt).await;
        let input = bench.desk.blobs().get(job.input_blob).await.unwrap();
        let stream = futures::stream::iter([Ok::<_, Infallible>(input)]);
        let received = bench
            .desk
            .receive_blob(builder.address(), job.input_blob, stream);
        received.await.unwrap();
        bench
            .desk
            .submit(builder.address(), job.clone())
            .await
            .unwrap();
        send(&bench, builder.address(), 1000, u8::try_from(salt).unwrap())
            .await
            .unwrap();
        bench.pass(KEEP_S);
        assert_eq!(bench.desk.sweep().await.unwrap(), 1);
        assert!(bench.desk.blobs().has(job.input_blob).await.unwrap());
    }
}

#[tokio::test]
async fn a_client_is_told_what_to_do_about_it() {
    let bench = bench();
    let worker = bench.add_worker(2);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let cancel = CancellationToken::new();
    let state = ApiState {
        desk: Arc::clone(&bench.desk),
        nonces: Arc::new(NonceBook::open(&bench.store).unwrap()),
        rate: Arc::new(RateLimit::default()),
        clock: bench.clock(),
        metrics: None,
    };
    tokio::spawn(serve(listener, state, cancel.clone()));
    let client = Client::connect(ClientOptions {
        base: base.parse().unwrap(),
        account: worker.address(),
        wallet: worker.clone(),
        chain_id: CHAIN_ID,
        work_claims: WORK_CLAIMS,
        clock: bench.clock(),
    })
    .await
    .unwrap();
    client.send_blob(Bytes::from(vec![1; 1000])).await.unwrap();
    let err = client
        .send_blob(Bytes::from(vec![2; 200]))
        .await
        .unwrap_err();
    let ClientError::Refused {
        status, refusal, ..
    } = &err
    else {
        panic!("{err}");
    };
    assert_eq!((*status, refusal.code.as_str()), (507, "quota"));
    assert!(
        refusal.message.contains("or wait 100 s"),
        "{}",
        refusal.message
    );
    assert!(err.is_retryable(), "a report waits until there is room");
    // The connection is as good as before.
    let unknown = ReleaseRequest {
        task_id: B256::ZERO,
        reason: String::new(),
    };
    assert_eq!(
        client.release(&unknown).await.unwrap_err().code(),
        Some("not_found")
    );
    cancel.cancel();
}
