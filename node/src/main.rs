//! The `inferix` binary.

use clap::Parser;
use eyre::Result;
use inferix_node::cli::Cli;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_env("INFERIX_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,inferix_node=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Cli::parse().run().await
}
