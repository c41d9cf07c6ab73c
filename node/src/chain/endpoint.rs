//! One provider over several RPC endpoints.
//!
//! Requests go to the best endpoints at once and the first answer counts, so an outage of one is not
//! noticed. An answer may come from an endpoint that lags: whatever acts on a view acts again on the next.

use std::time::Duration;

use alloy::{
    network::Ethereum,
    providers::{Identity, ProviderBuilder, RootProvider},
    rpc::client::RpcClient,
    transports::{
        http::{Http, reqwest},
        layers::FallbackLayer,
    },
};
use tower::Layer;

use super::ChainError;
use crate::config::ChainConfig;

/// An endpoint that has not answered by then counts as failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Opens the configured endpoints.
///
/// # Errors
///
/// [`ChainError::Client`] if the HTTP client can't be made.
pub(super) fn connect(config: &ChainConfig) -> Result<RootProvider<Ethereum>, ChainError> {
    let client = reqwest::Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .build()
        .map_err(ChainError::Client)?;
    let transports: Vec<_> = config
        .rpc_urls
        .iter()
        .map(|url| Http::with_client(client.clone(), url.expose().clone()))
        .collect();
    let rpc = RpcClient::new(FallbackLayer::default().layer(transports), false);
    rpc.set_poll_interval(config.poll_interval);
    Ok(ProviderBuilder::<Identity, Identity, Ethereum>::default().connect_client(rpc))
}
