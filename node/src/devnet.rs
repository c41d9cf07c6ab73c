//! A chain on this machine: anvil's own binary, all contracts, funded accounts.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use alloy::{
    primitives::{Address, U256},
    providers::{Provider, RootProvider},
};
use inferix_gpu::{Program, memory::LOG2_LEAF};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Mutex,
};
use url::Url;

use crate::{
    chain::{ChainError, Deployment, DeploymentError, Sender, calls, deploy},
    config::ChainConfig,
    manager::programs::RENDER_LOG2_OUTPUT,
    secret::Secret,
    store::{Store, StoreError},
    wallet::{Wallet, WalletError},
};

/// The chain's id: anvil's own.
pub const CHAIN_ID: u64 = 31337;

/// Why a devnet did not start.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// Anvil is not installed.
    #[error("anvil is missing: run `npm ci` in contracts/, or name it with --anvil")]
    NoAnvil,
    /// Anvil did not start.
    #[error("{path} did not start")]
    Spawn {
        /// The binary.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Anvil ended before it listened.
    #[error("anvil ended before it listened: is the port taken?")]
    Ended,
    /// A folder can't be made.
    #[error("can't make {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The deployment file can't be written.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// A key can't be made.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How to start a devnet.
#[derive(Clone, Debug)]
pub struct DevnetOptions {
    /// Where the deployment file, the keys and the deployer's store lie.
    pub dir: PathBuf,
    /// Anvil's binary; looked for where left out.
    pub anvil: Option<PathBuf>,
    /// Port; 0 for any.
    pub port: u16,
    /// Time between blocks. Zero: a block for each transaction.
    pub block_time: Duration,
}

/// A running devnet. Dropping it ends the chain.
#[derive(Debug)]
pub struct Devnet {
    rpc_url: Url,
    deployment: Deployment,
    deployer: Sender,
    provider: RootProvider,
    anvil: Mutex<Child>,
}

impl Devnet {
    /// Starts anvil and deploys everything.
    ///
    /// # Errors
    ///
    /// Every variant of [`DevnetError`].
    pub async fn start(options: &DevnetOptions) -> Result<Self, DevnetError> {
        let dir = &options.dir;
        std::fs::create_dir_all(dir).map_err(|source| DevnetError::Folder {
            path: dir.clone(),
            source,
        })?;
        let (anvil, rpc_url) = start_anvil(options).await?;
        let provider = RootProvider::new_http(rpc_url.clone());

        let wallet = Wallet::from_signer(alloy::signers::local::PrivateKeySigner::random());
        set_coin(&provider, wallet.address(), coins(10_000)).await?;
        let config = chain_config(&rpc_url, &dir.join("deployment.json"));
        let store = Store::open(&dir.join("deployer"))?;
        let deployer = Sender::open(&config, CHAIN_ID, wallet, &store)?;
        let account = deployer.account();
        let roles = deploy::Roles {
            minter: Address::ZERO,
            holder: account,
            treasury: named_address("treasury"),
            penalty_pool: named_address("penalty pool"),
            timelock: account,
            guardian: account,
        };
        let supply_wei = coins(1_000_000_000);
        let terms = deploy::devnet_terms();
        let deployment = deploy::deploy(&deployer, CHAIN_ID, &roles, supply_wei, &terms).await?;
        let output_depth = u8::try_from(RENDER_LOG2_OUTPUT - LOG2_LEAF).unwrap_or(u8::MAX);
        let call = deploy::register_program(&deployment, Program::Render, output_depth);
        deployer.send("program/render", call).await?;

        deployment.write(&dir.join("deployment.json"))?;
        let devnet = Self {
            rpc_url,
            deployment,
            deployer,
            provider,
            anvil: Mutex::new(anvil),
        };
        devnet.mine_every(options.block_time).await?;
        Ok(devnet)
    }

    /// Sets the time between blocks. Zero: a block with each transaction.
    ///
    /// # Errors
    ///
    /// [`DevnetError::Chain`].
    pub async fn mine_every(&self, block_time: Duration) -> Result<(), DevnetError> {
        if block_time.is_zero() {
            return Ok(());
        }
        let seconds = (block_time.as_secs().max(1),);
        self.provider
            .raw_request::<_, ()>("evm_setIntervalMining".into(), seconds)
            .await
            .map_err(ChainError::from)?;
        Ok(())
    }

    /// Waits until the chain has ended.
    pub async fn ended(&self) {
        // The lock is held by nobody else: dropping kills the child without it.
        let _ = self.anvil.lock().await.wait().await;
    }

    /// Where the chain listens.
    pub fn rpc_url(&self) -> &Url {
        &self.rpc_url
    }

    /// Where the contracts are.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The chain's settings for a node on this machine.
    pub fn chain_config(&self, deployment_file: &Path) -> ChainConfig {
        chain_config(&self.rpc_url, deployment_file)
    }

    /// Gives an account coin for gas, and IFX.
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`].
    pub async fn fund(&self, account: Address, ifx: u64) -> Result<(), DevnetError> {
        set_coin(&self.provider, account, coins(100)).await?;
        if ifx > 0 {
            let call = calls::transfer(&self.deployment, account, coins(ifx));
            self.deployer
                .send(&format!("fund/{account}/{ifx}"), call)
                .await?;
        }
        Ok(())
    }
}

/// Finds anvil: beside the contracts of this checkout, or on the path.
fn find_anvil() -> Option<PathBuf> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("macos", "aarch64") => "darwin-arm64",
        ("macos", _) => "darwin-amd64",
        (_, "aarch64") => "linux-arm64",
        _ => "linux-amd64",
    };
    let packaged = format!("contracts/node_modules/@foundry-rs/anvil-{platform}/bin/anvil");
    let here = std::env::current_dir().ok()?;
    let exe = std::env::current_exe().ok()?;
    here.ancestors()
        .chain(exe.ancestors())
        .map(|dir| dir.join(&packaged))
        .chain(std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join("anvil")))
        .find(|path| path.is_file())
}

/// Starts a bare chain, without contracts. Dropping the child ends it.
///
/// # Errors
///
/// [`DevnetError::NoAnvil`], [`DevnetError::Spawn`], [`DevnetError::Ended`].
pub async fn start_anvil(options: &DevnetOptions) -> Result<(Child, Url), DevnetError> {
    let path = options
        .anvil
        .clone()
        .or_else(find_anvil)
        .ok_or(DevnetError::NoAnvil)?;
    let mut child = Command::new(&path)
        .args(["--host", "127.0.0.1", "--accounts", "1", "--balance", "0"])
        .args([
            "--chain-id",
            &CHAIN_ID.to_string(),
            "--port",
            &options.port.to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| DevnetError::Spawn { path, source })?;
    let stdout = child.stdout.take().ok_or(DevnetError::Ended)?;
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some(address) = line.strip_prefix("Listening on ") else {
            continue;
        };
        let Ok(rpc_url) = Url::parse(&format!("http://{}", address.trim())) else {
            continue;
        };
        // Anvil logs every request: what nobody reads would fill the pipe and stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Ok((child, rpc_url));
    }
    Err(DevnetError::Ended)
}

fn chain_config(rpc_url: &Url, deployment_file: &Path) -> ChainConfig {
    ChainConfig {
        rpc_urls: vec![Secret::new(rpc_url.clone())],
        deployment_file: deployment_file.to_owned(),
        poll_interval: Duration::from_millis(250),
        confirmations_blocks: 1,
        replace_after: Duration::from_secs(30),
    }
}

async fn set_coin(
    provider: &RootProvider,
    account: Address,
    amount_wei: U256,
) -> Result<(), DevnetError> {
    provider
        .raw_request::<_, ()>("anvil_setBalance".into(), (account, amount_wei))
        .await
        .map_err(ChainError::from)?;
    Ok(())
}

/// An address that nobody has the key of, but that people recognize in a listing.
fn named_address(name: &str) -> Address {
    Address::from_word(alloy::primitives::keccak256(format!(
        "inferix devnet {name}"
    )))
}

fn coins(amount: u64) -> U256 {
    U256::from(amount) * U256::from(10_u64.pow(18))
}
