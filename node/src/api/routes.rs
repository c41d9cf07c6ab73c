//! What can be asked of a manager.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use inferix_prover::id::JobId;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::{
    extract::{Caller, InPath, InQuery, Signed, authenticate},
    refusal::RequestError,
    server::ApiState,
    types::{
        ApiRefusal, ClaimNotice, JobStatus, LeaseReply, LeaseRequest, ManagerInfo, OutputPiece,
        ReceiptRequest, ReleaseRequest, ResultReport, SignedJob, SignedReceipt,
    },
};
use crate::blobs::BlobError;

/// How long a blob may take to arrive.
const BLOB_TIMEOUT: Duration = Duration::from_secs(1800);

/// The whole API, as OpenAPI tells it.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Inferix manager",
        description = "Jobs, leases, results and blobs of one manager. Every request but those of `/v1/info`, `/healthz`, \
                       `/metrics` and this document is signed: `node/src/api/auth.rs` says how."
    ),
    paths(
        info,
        put_blob,
        get_blob,
        head_blob,
        post_job,
        list_jobs,
        get_job,
        cancel_job,
        get_outputs,
        get_signed_job,
        post_lease,
        post_results,
        post_receipt,
        post_release,
        post_claim
    ),
    components(schemas(ApiRefusal))
)]
pub struct ApiDoc;

/// Whose jobs to list.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct JobsQuery {
    /// The builder; the caller, if left out.
    #[param(value_type = Option<String>)]
    builder: Option<Address>,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct OutputsQuery {
    /// First unit that is asked for.
    #[serde(default)]
    from: u64,
}

/// Tells what the manager is and can do at present.
#[utoipa::path(get, path = "/v1/info", responses((status = 200, body = ManagerInfo)))]
pub async fn info(State(state): State<ApiState>) -> Json<ManagerInfo> {
    Json(state.desk.info())
}

/// Stores a blob under the Keccak-256 of its bytes, which is also the hash that the request signs.
#[utoipa::path(
    put, path = "/v1/blobs/{hash}",
    params(("hash" = String, Path)),
    request_body(content_type = "application/octet-stream"),
    responses((status = 201), (status = "4XX", body = ApiRefusal))
)]
pub async fn put_blob(
    State(state): State<ApiState>,
    InPath(hash): InPath<B256>,
    request: Request,
) -> Result<StatusCode, RequestError> {
    let (parts, body) = request.into_parts();
    let caller = authenticate(&parts, &state, hash).await?;
    let stream = Box::pin(body.into_data_stream());
    let stored = state.desk.receive_blob(caller, hash, stream);
    let size_bytes = tokio::time::timeout(BLOB_TIMEOUT, stored)
        .await
        .map_err(|_| RequestError::BrokenBody)??;
    metrics::counter!("inferix_api_received_bytes_total").increment(size_bytes);
    Ok(StatusCode::CREATED)
}

/// Returns a blob, to those who may read what names it.
#[utoipa::path(
    get, path = "/v1/blobs/{hash}",
    params(("hash" = String, Path)),
    responses(
        (status = 200, content_type = "application/octet-stream"),
        (status = "4XX", body = ApiRefusal)
    )
)]
pub async fn get_blob(
    State(state): State<ApiState>,
    InPath(hash): InPath<B256>,
    Caller(caller): Caller,
) -> Result<Response, RequestError> {
    state.desk.check_may_read(caller, hash).await?;
    let stream = state.desk.blobs().stream(hash).await?;
    let sent = stream.inspect_ok(|chunk| {
        metrics::counter!("inferix_api_sent_bytes_total").increment(chunk.len() as u64);
    });
    let octets = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, octets)], Body::from_stream(sent)).into_response())
}

/// Tells whether a blob is here, so that it need not be sent.
#[utoipa::path(
    head, path = "/v1/blobs/{hash}",
    params(("hash" = String, Path)),
    responses((status = 200), (status = 404))
)]
pub async fn head_blob(
    State(state): State<ApiState>,
    InPath(hash): InPath<B256>,
    Caller(_): Caller,
) -> Result<StatusCode, RequestError> {
    if !state.desk.blobs().has(hash).await? {
        return Err(BlobError::Missing { hash }.into());
    }
    state.desk.touch_blob(hash);
    Ok(StatusCode::OK)
}

/// Takes a job. Sending it again changes nothing.
#[utoipa::path(
    post, path = "/v1/jobs", request_body = SignedJob,
    responses((status = 200, body = JobStatus), (status = "4XX", body = ApiRefusal))
)]
pub async fn post_job(
    State(state): State<ApiState>,
    Signed { caller, body }: Signed<SignedJob>,
) -> Result<Json<JobStatus>, RequestError> {
    Ok(Json(state.desk.submit(caller, body).await?))
}

/// Lists the caller's jobs, the latest first.
#[utoipa::path(
    get, path = "/v1/jobs", params(JobsQuery),
    responses((status = 200, body = Vec<JobStatus>), (status = "4XX", body = ApiRefusal))
)]
pub async fn list_jobs(
    State(state): State<ApiState>,
    InQuery(query): InQuery<JobsQuery>,
    Caller(caller): Caller,
) -> Result<Json<Vec<JobStatus>>, RequestError> {
    let builder = query.builder.unwrap_or(caller);
    state.desk.check_may_list(caller, builder).await?;
    Ok(Json(state.desk.jobs_of(builder)))
}

/// Tells where a job stands.
#[utoipa::path(
    get, path = "/v1/jobs/{id}",
    params(("id" = String, Path)),
    responses((status = 200, body = JobStatus), (status = "4XX", body = ApiRefusal))
)]
pub async fn get_job(
    State(state): State<ApiState>,
    InPath(job_id): InPath<JobId>,
    Caller(caller): Caller,
) -> Result<Json<JobStatus>, RequestError> {
    Ok(Json(state.desk.status(caller, job_id).await?))
}

/// Cancels a job: what is leased is still finished and paid.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}",
    params(("id" = String, Path)),
    responses((status = 200, body = JobStatus), (status = "4XX", body = ApiRefusal))
)]
pub async fn cancel_job(
    State(state): State<ApiState>,
    InPath(job_id): InPath<JobId>,
    Caller(caller): Caller,
) -> Result<Json<JobStatus>, RequestError> {
    Ok(Json(state.desk.cancel(caller, job_id).await?))
}

/// Lists where a job's outputs lie, in the order of its units: at most 1000 pieces an answer.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/outputs",
    params(("id" = String, Path), OutputsQuery),
    responses((status = 200, body = Vec<OutputPiece>), (status = "4XX", body = ApiRefusal))
)]
pub async fn get_outputs(
    State(state): State<ApiState>,
    InPath(job_id): InPath<JobId>,
    InQuery(query): InQuery<OutputsQuery>,
    Caller(caller): Caller,
) -> Result<Json<Vec<OutputPiece>>, RequestError> {
    Ok(Json(state.desk.outputs(caller, job_id, query.from).await?))
}

/// Returns a job as its builder signed it.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/signed",
    params(("id" = String, Path)),
    responses((status = 200, body = SignedJob), (status = "4XX", body = ApiRefusal))
)]
pub async fn get_signed_job(
    State(state): State<ApiState>,
    InPath(job_id): InPath<JobId>,
    Caller(caller): Caller,
) -> Result<Json<SignedJob>, RequestError> {
    Ok(Json(state.desk.signed_job(caller, job_id).await?))
}

/// Leases units to a worker, if some job has them for it.
#[utoipa::path(
    post, path = "/v1/leases", request_body = LeaseRequest,
    responses((status = 200, body = LeaseReply), (status = "4XX", body = ApiRefusal))
)]
pub async fn post_lease(
    State(state): State<ApiState>,
    Signed { caller, body }: Signed<LeaseRequest>,
) -> Result<Json<LeaseReply>, RequestError> {
    Ok(Json(state.desk.lease(caller, body).await?))
}

/// Takes results of a task's units, whose outputs were sent as a blob before.
#[utoipa::path(
    post, path = "/v1/results", request_body = ResultReport,
    responses((status = 204), (status = "4XX", body = ApiRefusal))
)]
pub async fn post_results(
    State(state): State<ApiState>,
    Signed { caller, body }: Signed<ResultReport>,
) -> Result<StatusCode, RequestError> {
    state.desk.deliver(caller, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs the receipt of an interval whose units were all delivered before. There is none for units that another
/// task delivered first.
#[utoipa::path(
    post, path = "/v1/receipts", request_body = ReceiptRequest,
    responses((status = 200, body = SignedReceipt), (status = "4XX", body = ApiRefusal))
)]
pub async fn post_receipt(
    State(state): State<ApiState>,
    Signed { caller, body }: Signed<ReceiptRequest>,
) -> Result<Json<SignedReceipt>, RequestError> {
    Ok(Json(state.desk.receipt(caller, body).await?))
}

/// Takes a task back from its worker.
#[utoipa::path(
    post, path = "/v1/releases", request_body = ReleaseRequest,
    responses((status = 204), (status = "4XX", body = ApiRefusal))
)]
pub async fn post_release(
    State(state): State<ApiState>,
    Signed { caller, body }: Signed<ReleaseRequest>,
) -> Result<StatusCode, RequestError> {
    state.desk.release(caller, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps a claim's blob, which was sent before, for those who check the claim.
#[utoipa::path(
    post, path = "/v1/claims", request_body = ClaimNotice,
    responses((status = 204), (status = "4XX", body = ApiRefusal))
)]
pub async fn post_claim(
    State(state): State<ApiState>,
    Signed { caller, body }: Signed<ClaimNotice>,
) -> Result<StatusCode, RequestError> {
    state.desk.publish_claim(caller, body).await?;
    Ok(StatusCode::NO_CONTENT)
}
