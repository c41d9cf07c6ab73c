//! How a call reaches a manager: signed afresh at each attempt, sent again where the transport failed.

use std::time::Duration;

use alloy::primitives::{B256, keccak256};
use bytes::Bytes;
use reqwest::{Method, Response, StatusCode, header::AUTHORIZATION};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{Client, ClientError, ClientOptions};
use crate::api::{
    auth::{Credentials, RequestParts, signed_path},
    types::ApiRefusal,
};

/// How long a signed request is valid, in seconds: clocks may differ by a part of it.
const VALID_S: u64 = 120;

/// Waits before another attempt.
const RETRY_WAITS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// How long an answer may take: checking a job's input takes seconds.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a blob may take.
pub(super) const BLOB_TIMEOUT: Duration = Duration::from_secs(1800);

impl Client {
    pub(super) async fn post<T: Serialize>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<Response, ClientError> {
        let malformed = |source| ClientError::Malformed {
            base: self.base_text(),
            source,
        };
        let bytes = Bytes::from(serde_json::to_vec(body).map_err(malformed)?);
        let url = self.url(path)?;
        let send = || async {
            let header = self.header(&Method::POST, path, keccak256(&bytes))?;
            let request = self.http.post(url.clone()).header(AUTHORIZATION, header);
            Ok(request.timeout(ANSWER_TIMEOUT).body(bytes.clone()))
        };
        self.attempt(send).await
    }

    pub(super) async fn call(&self, method: Method, path: &str) -> Result<Response, ClientError> {
        let url = self.url(path)?;
        let send = || async {
            let header = self.header(&method, path, keccak256([]))?;
            let request = self
                .http
                .request(method.clone(), url.clone())
                .header(AUTHORIZATION, header);
            Ok(request.timeout(BLOB_TIMEOUT))
        };
        self.attempt(send).await
    }

    /// Sends until the transport works.
    pub(super) async fn attempt<F>(&self, request: impl Fn() -> F) -> Result<Response, ClientError>
    where
        F: Future<Output = Result<reqwest::RequestBuilder, ClientError>>,
    {
        let mut waits = RETRY_WAITS.iter();
        loop {
            match request().await?.send().await {
                Ok(response) => return self.checked(response).await,
                Err(source) => match waits.next() {
                    Some(wait) => tokio::time::sleep(*wait).await,
                    None => return Err(self.unreachable(source)),
                },
            }
        }
    }

    async fn checked(&self, response: Response) -> Result<Response, ClientError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let refusal = response
            .json()
            .await
            .unwrap_or_else(|_| unexplained(status));
        Err(ClientError::Refused {
            base: self.base_text(),
            status: status.as_u16(),
            refusal,
        })
    }

    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        response: Response,
    ) -> Result<T, ClientError> {
        let bytes = response
            .bytes()
            .await
            .map_err(|source| self.unreachable(source))?;
        let malformed = |source| ClientError::Malformed {
            base: self.base_text(),
            source,
        };
        serde_json::from_slice(&bytes).map_err(malformed)
    }

    pub(super) fn header(
        &self,
        method: &Method,
        path: &str,
        body_hash: B256,
    ) -> Result<String, ClientError> {
        let ClientOptions {
            account,
            wallet,
            clock,
            ..
        } = &self.options;
        // The API's own path: a prefix in the manager's address is taken off by what stands before it.
        let path = signed_path(self.manager, path);
        let parts = RequestParts {
            method: method.as_str(),
            path: &path,
            body_hash,
        };
        let expires_at = clock.now().saturating_add(VALID_S);
        let credentials = Credentials::sign(
            wallet,
            &self.domain,
            parts,
            (*account, rand::random(), expires_at),
        )?;
        Ok(credentials.to_header())
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, ClientError> {
        let base = self.options.base.as_str().trim_end_matches('/');
        let wrong = |_| ClientError::WrongBase {
            base: self.base_text(),
        };
        Url::parse(&format!("{base}{path}")).map_err(wrong)
    }

    pub(super) fn base_text(&self) -> String {
        self.options.base.to_string()
    }

    pub(super) fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable {
            base: self.base_text(),
            source: source.without_url(),
        }
    }
}

/// A refusal by something between the caller and the manager.
fn unexplained(status: StatusCode) -> ApiRefusal {
    let message = status
        .canonical_reason()
        .unwrap_or("no reason given")
        .to_lowercase();
    ApiRefusal {
        code: status.as_u16().to_string(),
        message,
    }
}
