//! One clear refusal for each thing that can be wrong with a request: status, fixed word, text.

use std::error::Error;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tracing::{debug, error};

use super::{auth::AuthError, types::ApiRefusal};
use crate::{blobs::BlobError, manager::ManagerError, queue::QueueError};

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It is not the caller's.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The manager refused it.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// A blob was not taken or is not there.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The body is larger than the route takes.
    #[error("the body is larger than the {max_bytes} bytes that this route takes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// The body is not what the route takes.
    #[error("the body is not what this route takes")]
    MalformedBody(#[source] serde_json::Error),
    /// The path or the query is not what the route takes.
    #[error("the {part} of the address is malformed")]
    MalformedAddress {
        /// Which part.
        part: &'static str,
    },
    /// The body came too slowly, or broke off.
    #[error("the body did not arrive: send it again")]
    BrokenBody,
    /// There is no such route.
    #[error("there is no such route: see /openapi.json")]
    NoRoute,
}

impl RequestError {
    /// Returns the HTTP status and the fixed word.
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Auth(err) => auth(err),
            Self::Manager(err) => manager(err),
            Self::Blob(err) => blob(err),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::MalformedBody(_) | Self::MalformedAddress { .. } => {
                (StatusCode::BAD_REQUEST, "malformed")
            }
            Self::BrokenBody => (StatusCode::REQUEST_TIMEOUT, "broken_off"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "not_found"),
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let message = in_full(&self);
        metrics::counter!("inferix_api_refusals_total", "code" => code).increment(1);
        if status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE {
            error!(code, message, "request failed");
        } else {
            debug!(code, message, "request refused");
        }
        (
            status,
            Json(ApiRefusal {
                code: code.to_owned(),
                message,
            }),
        )
            .into_response()
    }
}

fn auth(err: &AuthError) -> (StatusCode, &'static str) {
    match err {
        AuthError::Missing | AuthError::Signature(_) | AuthError::Forged { .. } => {
            (StatusCode::UNAUTHORIZED, "unauthorized")
        }
        AuthError::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed"),
        AuthError::WrongChain { .. } => (StatusCode::UNAUTHORIZED, "wrong_chain"),
        AuthError::Expired { .. } | AuthError::ExpiresTooLate { .. } => {
            (StatusCode::UNAUTHORIZED, "expired")
        }
        AuthError::Replayed { .. } => (StatusCode::CONFLICT, "replayed"),
        AuthError::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        AuthError::Chain(_) => UNAVAILABLE,
        AuthError::Manager(err) => manager(err),
        AuthError::Store(_) => INTERNAL,
    }
}

const UNAVAILABLE: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
const INTERNAL: (StatusCode, &str) = (StatusCode::INTERNAL_SERVER_ERROR, "internal");

fn manager(err: &ManagerError) -> (StatusCode, &'static str) {
    match err {
        ManagerError::NotRegistered { .. } => (StatusCode::FORBIDDEN, "not_registered"),
        ManagerError::Stranger { .. } => (StatusCode::FORBIDDEN, "stranger"),
        ManagerError::NotBuilder { .. } => (StatusCode::FORBIDDEN, "not_builder"),
        ManagerError::DeviceUnknown { .. } => (StatusCode::FORBIDDEN, "device_unknown"),
        ManagerError::JobRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "job_refused"),
        ManagerError::ReportRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "report_refused"),
        ManagerError::ReceiptRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "receipt_refused"),
        ManagerError::AllocationTooLow { .. } => {
            (StatusCode::PAYMENT_REQUIRED, "allocation_too_low")
        }
        ManagerError::InputMissing { .. }
        | ManagerError::OutputMissing { .. }
        | ManagerError::ClaimMissing { .. } => (StatusCode::CONFLICT, "blob_missing"),
        ManagerError::JobUnknown { .. }
        | ManagerError::TaskUnknown { .. }
        | ManagerError::BlobUnknown { .. } => (StatusCode::NOT_FOUND, "not_found"),
        ManagerError::Quota(_) => (StatusCode::INSUFFICIENT_STORAGE, "quota"),
        ManagerError::Queue(err) => queue(err),
        ManagerError::Blob(err) => blob(err),
        ManagerError::Chain(_) | ManagerError::Stopping => UNAVAILABLE,
        ManagerError::Order(_) | ManagerError::Wallet(_) | ManagerError::Store(_) => INTERNAL,
    }
}

fn queue(err: &QueueError) -> (StatusCode, &'static str) {
    match err {
        QueueError::JobUnknown { .. } | QueueError::TaskUnknown { .. } => {
            (StatusCode::NOT_FOUND, "not_found")
        }
        QueueError::JobEnded { .. } | QueueError::UnitsTaken { .. } => {
            (StatusCode::CONFLICT, "units_taken")
        }
        QueueError::UnitsNotTask { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "report_refused"),
        QueueError::Store(_) => INTERNAL,
    }
}

fn blob(err: &BlobError) -> (StatusCode, &'static str) {
    match err {
        BlobError::Missing { .. } => (StatusCode::NOT_FOUND, "not_found"),
        BlobError::WrongHash { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "wrong_hash"),
        BlobError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        BlobError::BrokenStream(_) => (StatusCode::REQUEST_TIMEOUT, "broken_off"),
        BlobError::Disk(_) | BlobError::Folder(_) | BlobError::File(_) => INTERNAL,
    }
}

/// The error and its causes, in one line.
fn in_full(err: &RequestError) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
