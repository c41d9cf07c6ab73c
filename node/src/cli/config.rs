//! `inferix config init`: a commented configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, ensure};

/// Every setting with its default and what it is for.
const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Write a configuration.
#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Write a commented configuration with all defaults.
    Init {
        /// The file. One that is there is not overwritten.
        #[arg(default_value = "inferix.toml")]
        file: PathBuf,
    },
}

impl ConfigArgs {
    pub(super) fn run(self) -> Result<()> {
        let ConfigCommand::Init { file } = self.command;
        ensure!(
            !file.exists(),
            "{} exists already: choose another path, or move it away",
            file.display()
        );
        std::fs::write(&file, EXAMPLE).wrap_err_with(|| format!("writing {}", file.display()))?;
        println!(
            "wrote {}: set chain.rpc_urls, chain.deployment_file and wallet.keystore_file",
            file.display()
        );
        Ok(())
    }
}
