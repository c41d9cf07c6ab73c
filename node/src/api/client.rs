//! The other side of the API: what workers, builders and verifiers call.
//!
//! Each attempt is signed afresh, so a retry is never taken for a replay; every call may be repeated without
//! harm. Only a transport that failed is tried again: a refusal is an answer.

mod error;
mod transport;

use std::{convert::Infallible, time::Duration};

use alloy::{
    primitives::{Address, B256, keccak256},
    sol_types::Eip712Domain,
};
use bytes::{Bytes, BytesMut};
pub use error::ClientError;
use futures::{Stream, StreamExt, TryStreamExt};
use inferix_prover::{id::JobId, typed_data::domain};
use reqwest::{Body, Method, header::AUTHORIZATION};
use transport::{ANSWER_TIMEOUT, BLOB_TIMEOUT};
use url::Url;

use super::types::{
    ClaimNotice, JobStatus, LeaseReply, LeaseRequest, ManagerInfo, OutputPiece, ReceiptRequest,
    ReleaseRequest, ResultReport, SignedJob, SignedReceipt,
};
use crate::{
    blobs::{BlobError, Blobs},
    manager::clock::Clock,
    wallet::Wallet,
};

/// A blob is sent in pieces of this size.
const PIECE_BYTES: usize = 1 << 16;

/// Who calls which manager.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The manager's address.
    pub base: Url,
    /// The account that calls.
    pub account: Address,
    /// Its key, or its operator's.
    pub wallet: Wallet,
    /// The chain that the caller is on.
    pub chain_id: u64,
    /// The contract that messages are signed for.
    pub work_claims: Address,
    /// The time.
    pub clock: Clock,
}

/// A manager, as one account sees it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    options: ClientOptions,
    domain: Eip712Domain,
    manager: Address,
}

impl Client {
    /// Asks a manager what it is, and checks that it works on the caller's chain.
    ///
    /// # Errors
    ///
    /// [`ClientError::WrongChain`], [`ClientError::Unreachable`], [`ClientError::Malformed`].
    pub async fn connect(options: ClientOptions) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(ClientError::Http)?;
        let domain = domain(options.chain_id, options.work_claims);
        let mut client = Self {
            http,
            options,
            domain,
            manager: Address::ZERO,
        };

        let info = client.info().await?;
        let ClientOptions {
            base,
            chain_id,
            work_claims,
            ..
        } = &client.options;
        if info.chain_id != *chain_id || info.work_claims != *work_claims {
            return Err(ClientError::WrongChain {
                base: base.to_string(),
                got: info.chain_id,
                got_contract: info.work_claims,
                needed: *chain_id,
                needed_contract: *work_claims,
            });
        }
        client.manager = info.manager;
        Ok(client)
    }

    /// The manager's node account, as it says.
    pub fn manager(&self) -> Address {
        self.manager
    }

    /// The manager's address.
    pub fn base(&self) -> &Url {
        &self.options.base
    }

    /// Asks what the manager is and can do at present.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unreachable`], [`ClientError::Malformed`].
    pub async fn info(&self) -> Result<ManagerInfo, ClientError> {
        let url = self.url("/v1/info")?;
        let send = || async { Ok(self.http.get(url.clone()).timeout(ANSWER_TIMEOUT)) };
        self.read(self.attempt(send).await?).await
    }

    /// Sends a blob, unless it is there, and returns its hash.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`].
    pub async fn send_blob(&self, bytes: Bytes) -> Result<B256, ClientError> {
        let hash = keccak256(&bytes);
        if self.has_blob(hash).await? {
            return Ok(hash);
        }
        let path = blob_path(hash);
        let url = self.url(&path)?;
        let send = || async {
            let header = self.header(&Method::PUT, &path, hash)?;
            let request = self.http.put(url.clone()).header(AUTHORIZATION, header);
            Ok(request
                .timeout(BLOB_TIMEOUT)
                .body(Body::wrap_stream(pieces(bytes.clone()))))
        };
        self.attempt(send).await?;
        Ok(hash)
    }

    /// Asks whether a blob is there.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`].
    pub async fn has_blob(&self, hash: B256) -> Result<bool, ClientError> {
        match self.call(Method::HEAD, &blob_path(hash)).await {
            Ok(_) => Ok(true),
            Err(ClientError::Refused { status: 404, .. }) => Ok(false),
            Err(err) => Err(err),
        }
    }

    /// Fetches a blob into memory and checks its hash.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`], [`ClientError::Blob`].
    pub async fn fetch_blob(&self, hash: B256, max_bytes: u64) -> Result<Bytes, ClientError> {
        let mut stream = self.blob_stream(hash).await?;
        let mut bytes = BytesMut::new();
        while let Some(chunk) = stream
            .try_next()
            .await
            .map_err(|source| self.unreachable(source))?
        {
            bytes.extend_from_slice(&chunk);
            if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max_bytes {
                return Err(BlobError::TooLarge { max_bytes }.into());
            }
        }
        let actual = keccak256(&bytes);
        if actual != hash {
            return Err(BlobError::WrongHash {
                expected: hash,
                actual,
            }
            .into());
        }
        Ok(bytes.freeze())
    }

    /// Fetches a blob into a folder, piece by piece, and returns its size. Nothing is kept that has another
    /// hash.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`], [`ClientError::Blob`].
    pub async fn fetch_into(
        &self,
        blobs: &Blobs,
        hash: B256,
        max_bytes: u64,
    ) -> Result<u64, ClientError> {
        let stream = self.blob_stream(hash).await?;
        Ok(blobs.put_stream(hash, max_bytes, stream).await?)
    }

    /// Sends a job. Sending it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`], [`ClientError::Malformed`].
    pub async fn submit(&self, job: &SignedJob) -> Result<JobStatus, ClientError> {
        self.read(self.post("/v1/jobs", job).await?).await
    }

    /// Lists jobs of a builder, the latest first.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn jobs(&self, builder: Address) -> Result<Vec<JobStatus>, ClientError> {
        self.read(
            self.call(Method::GET, &format!("/v1/jobs?builder={builder:#x}"))
                .await?,
        )
        .await
    }

    /// Asks where a job stands.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn job(&self, job_id: JobId) -> Result<JobStatus, ClientError> {
        self.read(
            self.call(Method::GET, &format!("/v1/jobs/{job_id}"))
                .await?,
        )
        .await
    }

    /// Cancels a job.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn cancel(&self, job_id: JobId) -> Result<JobStatus, ClientError> {
        self.read(
            self.call(Method::DELETE, &format!("/v1/jobs/{job_id}"))
                .await?,
        )
        .await
    }

    /// Lists where a job's outputs lie, from a unit on: a part, if there are many.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn outputs(&self, job_id: JobId, from: u64) -> Result<Vec<OutputPiece>, ClientError> {
        let path = format!("/v1/jobs/{job_id}/outputs?from={from}");
        self.read(self.call(Method::GET, &path).await?).await
    }

    /// Asks for a job as its builder signed it.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn signed_job(&self, job_id: JobId) -> Result<SignedJob, ClientError> {
        self.read(
            self.call(Method::GET, &format!("/v1/jobs/{job_id}/signed"))
                .await?,
        )
        .await
    }

    /// Asks for a task.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn lease(&self, request: &LeaseRequest) -> Result<LeaseReply, ClientError> {
        self.read(self.post("/v1/leases", request).await?).await
    }

    /// Reports results whose outputs were sent as a blob before.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn deliver(&self, report: &ResultReport) -> Result<(), ClientError> {
        self.post("/v1/results", report).await.map(drop)
    }

    /// Asks for the receipt of an interval whose units were all delivered before.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub async fn receipt(&self, request: &ReceiptRequest) -> Result<SignedReceipt, ClientError> {
        self.read(self.post("/v1/receipts", request).await?).await
    }

    /// Hands a task back.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`].
    pub async fn release(&self, request: &ReleaseRequest) -> Result<(), ClientError> {
        self.post("/v1/releases", request).await.map(drop)
    }

    /// Tells where a claim's blob lies, which was sent before.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`], [`ClientError::Unreachable`].
    pub async fn publish_claim(&self, notice: &ClaimNotice) -> Result<(), ClientError> {
        self.post("/v1/claims", notice).await.map(drop)
    }

    async fn blob_stream(
        &self,
        hash: B256,
    ) -> Result<impl Stream<Item = Result<Bytes, reqwest::Error>> + Unpin + use<>, ClientError>
    {
        Ok(Box::pin(
            self.call(Method::GET, &blob_path(hash))
                .await?
                .bytes_stream(),
        ))
    }
}

fn blob_path(hash: B256) -> String {
    format!("/v1/blobs/{hash}")
}

fn pieces(bytes: Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let starts = futures::stream::iter((0..bytes.len()).step_by(PIECE_BYTES));
    starts.map(move |start| Ok(bytes.slice(start..bytes.len().min(start + PIECE_BYTES))))
}
