//! What a handler gets of a request: its caller, and its body once size, signature and shape are right.

use std::time::Duration;

use alloy::primitives::{Address, B256, keccak256};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{header::AUTHORIZATION, request::Parts},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{
    auth::{AuthError, Credentials, RequestParts, signed_path},
    refusal::RequestError,
    server::ApiState,
    types::{ClaimNotice, LeaseRequest, ReceiptRequest, ReleaseRequest, ResultReport, SignedJob},
};

/// How long a JSON body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The caller of a request without a body.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub Address);

/// A signed JSON body.
#[derive(Debug)]
pub struct Signed<T> {
    /// Who signed it.
    pub caller: Address,
    /// What it says.
    pub body: T,
}

/// A path parameter.
#[derive(Clone, Copy, Debug)]
pub struct InPath<T>(pub T);

/// The query.
#[derive(Clone, Copy, Debug)]
pub struct InQuery<T>(pub T);

/// A body with a bound on its size.
pub trait Bounded {
    /// The most bytes of its JSON.
    const MAX_BYTES: usize;
}

impl Bounded for SignedJob {
    const MAX_BYTES: usize = 16 << 10;
}

impl Bounded for LeaseRequest {
    // Some 70 bytes for each task since the last claim, a day's, and 150 for each list that the worker knows.
    const MAX_BYTES: usize = 256 << 10;
}

impl Bounded for ResultReport {
    // A task of 65,536 units, at some 150 bytes each.
    const MAX_BYTES: usize = 10 << 20;
}

impl Bounded for ReceiptRequest {
    const MAX_BYTES: usize = 1 << 10;
}

impl Bounded for ReleaseRequest {
    const MAX_BYTES: usize = 4 << 10;
}

impl Bounded for ClaimNotice {
    const MAX_BYTES: usize = 1 << 10;
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = RequestError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, RequestError> {
        Ok(Self(authenticate(parts, state, keccak256([])).await?))
    }
}

impl<T: DeserializeOwned + Bounded> FromRequest<ApiState> for Signed<T> {
    type Rejection = RequestError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, RequestError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, &parts, T::MAX_BYTES).await?;
        let caller = authenticate(&parts, state, keccak256(&bytes)).await?;
        let body = serde_json::from_slice(&bytes).map_err(RequestError::MalformedBody)?;
        Ok(Self { caller, body })
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<ApiState> for InPath<T> {
    type Rejection = RequestError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, RequestError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value))
            .map_err(|_| RequestError::MalformedAddress { part: "path" })
    }
}

impl<T: DeserializeOwned> FromRequestParts<ApiState> for InQuery<T> {
    type Rejection = RequestError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, RequestError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|_| RequestError::MalformedAddress { part: "query" })
    }
}

/// Checks who sent a request whose body has this hash, and that it was not sent before.
///
/// # Errors
///
/// [`RequestError::Auth`].
pub async fn authenticate(
    parts: &Parts,
    state: &ApiState,
    body_hash: B256,
) -> Result<Address, RequestError> {
    let header = parts.headers.get(AUTHORIZATION).ok_or(AuthError::Missing)?;
    let header = header
        .to_str()
        .map_err(|_| AuthError::Malformed { field: "text" })?;
    let credentials = Credentials::from_header(header)?;
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = signed_path(state.desk.account(), path_and_query);
    let request = RequestParts {
        method: parts.method.as_str(),
        path: &path,
        body_hash,
    };
    let now = state.clock.now();
    let signer = credentials.check(state.desk.domain(), request, now)?;

    let caller = credentials.caller;
    if signer != caller && !is_operator(state, caller, signer).await? {
        return Err(AuthError::Forged { signer, caller }.into());
    }
    state.rate.count(caller, now)?;
    let nonces = state.nonces.clone();
    let taken = tokio::task::spawn_blocking(move || nonces.take(&credentials, now)).await;
    taken.map_err(|_| crate::manager::ManagerError::Stopping)??;
    Ok(caller)
}

async fn is_operator(
    state: &ApiState,
    caller: Address,
    signer: Address,
) -> Result<bool, AuthError> {
    Ok(signer != Address::ZERO && state.desk.node(caller).await?.operator == signer)
}

/// Reads a body that is no longer than it may be. The header is believed when it says too much, never when it
/// says little.
async fn read(body: Body, parts: &Parts, max_bytes: usize) -> Result<Bytes, RequestError> {
    let told = parts
        .headers
        .get("content-length")
        .and_then(|told| told.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: u64| told > u64::try_from(max_bytes).unwrap_or(u64::MAX)) {
        return Err(RequestError::TooLarge { max_bytes });
    }
    // One byte more than allowed tells a body that is too large from one that broke off.
    let bytes =
        tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, max_bytes.saturating_add(1))).await;
    match bytes {
        Ok(Ok(bytes)) if bytes.len() <= max_bytes => Ok(bytes),
        Ok(Ok(_)) => Err(RequestError::TooLarge { max_bytes }),
        Ok(Err(err)) if is_too_long(&err) => Err(RequestError::TooLarge { max_bytes }),
        Ok(Err(_)) | Err(_) => Err(RequestError::BrokenBody),
    }
}

fn is_too_long(err: &axum::Error) -> bool {
    use std::error::Error;
    err.source()
        .is_some_and(|source| source.to_string().contains("length limit"))
}
