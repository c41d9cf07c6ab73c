//! `inferix devnet`: a chain on this machine with everything deployed and funded accounts.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use eyre::{Result, WrapErr};
use serde_json::json;

use crate::{
    devnet::{Devnet, DevnetOptions},
    secret::Secret,
    wallet::Wallet,
};

/// The password of all keys of a devnet: they guard nothing.
pub(super) const PASSWORD: &str = "devnet";

/// Run a chain on this machine with everything deployed.
#[derive(Args, Debug)]
pub(super) struct DevnetArgs {
    /// Folder for the deployment file and the keys.
    #[arg(long, value_name = "DIR", default_value = "devnet")]
    dir: PathBuf,

    /// Port to listen on; 0 for any.
    #[arg(long, default_value_t = 8545)]
    port: u16,

    /// Seconds between blocks; 0 for a block with each transaction.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    block_time: u64,

    /// Accounts to make and fund. Each gets an owner's and an operator's key.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_values_t = ["builder", "manager", "worker-1", "worker-2", "verifier"].map(str::to_owned)
    )]
    accounts: Vec<String>,

    /// IFX that each account gets.
    #[arg(long, default_value_t = 10_000)]
    ifx: u64,

    /// Anvil's binary. Left out, it is looked for in contracts/node_modules and on the path.
    #[arg(long, value_name = "FILE")]
    anvil: Option<PathBuf>,
}

impl DevnetArgs {
    pub(super) async fn run(self) -> Result<()> {
        let options = DevnetOptions {
            dir: self.dir.clone(),
            anvil: self.anvil.clone(),
            port: self.port,
            block_time: Duration::ZERO,
        };
        let devnet = Devnet::start(&options).await?;
        self.fund(&devnet).await?;
        devnet
            .mine_every(Duration::from_secs(self.block_time))
            .await?;
        let ready = json!({ "rpc_url": devnet.rpc_url(), "dir": self.dir });
        let ready_file = self.dir.join("ready.json");
        std::fs::write(&ready_file, ready.to_string())
            .wrap_err_with(|| format!("writing {}", ready_file.display()))?;
        println!(
            "chain {} at {}",
            devnet.deployment().chain_id,
            devnet.rpc_url()
        );
        println!("deployment {}", self.dir.join("deployment.json").display());
        println!(
            "keys in {} (password file: password)",
            self.dir.join("keys").display()
        );
        tokio::select! {
            () = crate::supervisor::stop_signal() => {}
            () = devnet.ended() => eyre::bail!("anvil ended"),
        }
        Ok(())
    }

    async fn fund(&self, devnet: &Devnet) -> Result<()> {
        let keys = self.dir.join("keys");
        std::fs::create_dir_all(&keys).wrap_err("making the key folder")?;
        std::fs::write(self.dir.join("password"), PASSWORD)
            .wrap_err("writing the password file")?;
        for name in &self.accounts {
            for (file, ifx) in [
                (format!("{name}.json"), self.ifx),
                (format!("{name}-operator.json"), 0),
            ] {
                let path = keys.join(file);
                let password = Secret::new(PASSWORD.to_owned());
                let wallet = if path.exists() {
                    Wallet::open(&path, &password)?
                } else {
                    Wallet::create(&path, &password)?
                };
                devnet.fund(wallet.address(), ifx).await?;
            }
        }
        Ok(())
    }
}
