//! The server behind the routes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use super::{auth::NonceBook, rate::RateLimit, refusal::RequestError, routes};
use crate::manager::{Desk, clock::Clock};

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct ApiState {
    /// The manager.
    pub desk: Arc<Desk>,
    /// Requests that were there before.
    pub nonces: Arc<NonceBook>,
    /// How often each caller asked.
    pub rate: Arc<RateLimit>,
    /// The time by which requests expire.
    pub clock: Clock,
    /// Where the metrics are read, if they are.
    pub metrics: Option<PrometheusHandle>,
}

/// Puts the routes together.
pub fn router(state: ApiState) -> Router {
    Router::new()
        .route("/healthz", get(|| async { StatusCode::OK }))
        .route("/metrics", get(metrics))
        .route(
            "/openapi.json",
            get(|| async { Json(routes::ApiDoc::openapi()) }),
        )
        .route("/v1/info", get(routes::info))
        .route(
            "/v1/blobs/{hash}",
            get(routes::get_blob)
                .put(routes::put_blob)
                .head(routes::head_blob),
        )
        .route("/v1/jobs", post(routes::post_job).get(routes::list_jobs))
        .route(
            "/v1/jobs/{id}",
            get(routes::get_job).delete(routes::cancel_job),
        )
        .route("/v1/jobs/{id}/outputs", get(routes::get_outputs))
        .route("/v1/jobs/{id}/signed", get(routes::get_signed_job))
        .route("/v1/leases", post(routes::post_lease))
        .route("/v1/results", post(routes::post_results))
        .route("/v1/receipts", post(routes::post_receipt))
        .route("/v1/releases", post(routes::post_release))
        .route("/v1/claims", post(routes::post_claim))
        .fallback(|| async { RequestError::NoRoute })
        .method_not_allowed_fallback(|| async { RequestError::NoRoute })
        .with_state(state)
}

/// Serves until it is told to stop; requests in flight are finished.
///
/// # Errors
///
/// The listener's.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    cancel: CancellationToken,
) -> Result<(), std::io::Error> {
    axum::serve(listener, router(state))
        .with_graceful_shutdown(cancel.cancelled_owned())
        .await
}

async fn metrics(State(state): State<ApiState>) -> Result<String, RequestError> {
    state
        .metrics
        .map(|handle| handle.render())
        .ok_or(RequestError::NoRoute)
}
