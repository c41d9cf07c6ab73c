//! The `inferix` binary.

use std::process::ExitCode;

use clap::Parser;
use inferix_node::cli::Cli;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("INFERIX_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,inferix_node=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            // All causes on one line; where in the code it happened helps nobody at a terminal.
            eprintln!("error: {report:#}");
            ExitCode::FAILURE
        }
    }
}
