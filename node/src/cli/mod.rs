//! The command line: parse, start logging, run. One file for each subcommand.

mod account;
mod claim;
mod config;
mod demo;
mod devnet;
mod job;
mod manager;
mod registration;
mod session;
mod verifier;
mod wallet;
mod worker;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use eyre::Result;

pub(crate) use session::Session;

/// The Inferix node: proved GPU work, settled on chain.
#[derive(Debug, Parser)]
#[command(name = "inferix", version)]
pub struct Cli {
    /// Configuration file; `inferix config init` writes one.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "inferix.toml"
    )]
    config: PathBuf,

    /// Print JSON, one document a listing.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make, import and show keys.
    Wallet(wallet::WalletArgs),
    /// Write a configuration.
    Config(config::ConfigArgs),
    /// Run a chain on this machine with everything deployed.
    Devnet(devnet::DevnetArgs),
    /// Pay in, let managers spend, pay out.
    Account(account::AccountArgs),
    /// Order work and fetch what was computed.
    Job(Box<job::JobArgs>),
    /// Take jobs, lease their units, sign what workers may claim.
    Manager(manager::ManagerArgs),
    /// Execute tasks and be paid for them.
    Worker(worker::WorkerArgs),
    /// Check claims and refute false ones.
    Verifier(verifier::VerifierArgs),
    /// Look at claims and close them.
    Claim(claim::ClaimArgs),
    /// Run the main job on this machine.
    Demo(demo::DemoArgs),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What the command could not do, and why.
    pub async fn run(self) -> Result<()> {
        let session = Session::new(self.config, self.json);
        match self.command {
            Command::Wallet(args) => args.run(&session),
            Command::Config(args) => args.run(),
            Command::Devnet(args) => args.run().await,
            Command::Account(args) => args.run(&session).await,
            Command::Job(args) => args.run(&session).await,
            Command::Manager(args) => args.run(&session).await,
            Command::Worker(args) => args.run(&session).await,
            Command::Verifier(args) => args.run(&session).await,
            Command::Claim(args) => args.run(&session).await,
            Command::Demo(args) => args.run().await,
        }
    }
}
