//! Metrics for Prometheus.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use eyre::{Result, WrapErr};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Starts to count. To be called once, before anything is counted.
///
/// # Errors
///
/// That another recorder is installed.
pub fn install() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .wrap_err("starting the metrics")
}

/// Shows the metrics at `/metrics` of an address, if one is configured.
///
/// # Errors
///
/// That the address can't be listened on.
pub fn serve(listen: Option<SocketAddr>) -> Result<()> {
    let Some(listen) = listen else { return Ok(()) };
    let handle = install()?;
    let listener = std::net::TcpListener::bind(listen)
        .wrap_err_with(|| format!("listening on metrics_listen {listen}"))?;
    listener
        .set_nonblocking(true)
        .wrap_err("preparing the metrics address")?;
    let listener =
        tokio::net::TcpListener::from_std(listener).wrap_err("preparing the metrics address")?;
    let app = Router::new().route("/metrics", get(move || async move { handle.render() }));
    tokio::spawn(async move {
        if let Err(err) = axum::serve(listener, app).await {
            tracing::warn!(%err, "metrics are not shown any more");
        }
    });
    Ok(())
}
