//! `inferix verifier`: check claims and refute false ones.

use std::sync::Arc;

use clap::{Args, Subcommand};
use eyre::Result;

use super::{
    registration::{RegisterArgs, Role},
    session::Session,
};
use crate::{
    supervisor::{Failure, Supervisor},
    verifier::Verifier,
};

/// Check claims and refute false ones.
#[derive(Args, Debug)]
pub(super) struct VerifierArgs {
    #[command(subcommand)]
    command: VerifierCommand,
}

#[derive(Debug, Subcommand)]
enum VerifierCommand {
    /// Register the account and its operator.
    Register(RegisterArgs),
    /// Run: read every claim, refute false ones, execute samples again.
    Run {
        /// Threads for executing again; 0 for one for each core.
        #[arg(long)]
        threads: Option<usize>,

        /// One in how many units is executed again, as `1/20`.
        #[arg(long, value_name = "1/N", value_parser = parse_share)]
        sample: Option<u64>,
    },
}

impl VerifierArgs {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self.command {
            VerifierCommand::Register(register) => register.run(session, Role::Verifier).await,
            VerifierCommand::Run { threads, sample } => {
                let mut config = session.config()?;
                config.verifier.threads = threads.unwrap_or(config.verifier.threads);
                config.verifier.sample_one_in = sample.unwrap_or(config.verifier.sample_one_in);
                crate::metrics::serve(config.metrics_listen)?;
                let wallet = session.wallet(&config)?;
                let verifier = Arc::new(Verifier::open(config, wallet).await?);
                let mut supervisor = Supervisor::default();
                supervisor.add("verifier", move |cancel| {
                    let verifier = Arc::clone(&verifier);
                    async move { verifier.run(cancel).await.map_err(Failure::from) }
                });
                supervisor.run().await
            }
        }
    }
}

/// Parses a share as `1/20`.
fn parse_share(text: &str) -> Result<u64, String> {
    let one_in = text.strip_prefix("1/").and_then(|rest| rest.parse().ok());
    one_in
        .filter(|&one_in| one_in > 0)
        .ok_or_else(|| format!("{text} is no share: write it as 1/20"))
}
