//! What an operator can set, in one TOML file.
//!
//! Precedence, lowest first: the defaults below, the file, `INFERIX_*` variables, flags.
//! `node/config.example.toml` spells out each default; a test holds it to this file.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::primitives::Address;
use serde::Deserialize;
use url::Url;

use crate::secret::Secret;

/// The node's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the journal, the store and the blobs lie.
    #[serde(default = "defaults::data_dir")]
    pub data_dir: PathBuf,
    /// The chain that work settles on.
    pub chain: ChainConfig,
    /// The key that signs and sends.
    #[serde(default)]
    pub wallet: WalletConfig,
    /// What this node does as a manager.
    #[serde(default)]
    pub manager: ManagerConfig,
    /// What this node does as a worker.
    #[serde(default)]
    pub worker: WorkerConfig,
    /// What this node does as a verifier.
    #[serde(default)]
    pub verifier: VerifierConfig,
    /// Where Prometheus may read the node's metrics. Left out, nowhere.
    pub metrics_listen: Option<SocketAddr>,
}

/// Where the contracts are and how to reach them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// JSON-RPC endpoints, in the order of preference. A path may hold an API key.
    pub rpc_urls: Vec<Secret<Url>>,
    /// File with the chain's id and the contracts' addresses, as `inferix devnet` writes it.
    pub deployment_file: PathBuf,
    /// How long to wait between polls for new blocks.
    #[serde(default = "defaults::poll_interval", with = "humantime_serde")]
    pub poll_interval: Duration,
    /// How deep a block must lie before the node acts on it.
    #[serde(default = "defaults::confirmations_blocks")]
    pub confirmations_blocks: u64,
    /// How long a transaction may stay unmined before it is replaced at a higher fee.
    #[serde(default = "defaults::replace_after", with = "humantime_serde")]
    pub replace_after: Duration,
}

/// The key that signs and sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WalletConfig {
    /// Encrypted keystore of the operator (of a node) or of the builder.
    pub keystore_file: Option<PathBuf>,
    /// File that holds its password. Left out, it is asked for.
    pub password_file: Option<PathBuf>,
    /// The node account, where it is not the key's own address.
    pub owner: Option<Address>,
}

/// What this node does as a manager.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManagerConfig {
    /// Address that the API listens on.
    pub listen: SocketAddr,
    /// How long a worker may take for a task. Longer leases requeue lost work later.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// How much work a task aims at, in seconds of the worker's declared speed.
    #[serde(with = "humantime_serde")]
    pub task_length: Duration,
    /// Largest blob that the API takes, in bytes.
    pub max_blob_bytes: u64,
    /// Micro-IBM per 10^12 work units of the jobs that are taken: what a work unit is worth.
    pub reference_rate: u64,
    /// How long blobs that a job or a claim named are kept when it is over.
    #[serde(with = "humantime_serde")]
    pub keep_blobs: Duration,
    /// Most bytes of blobs that an account may send before it sends what names them.
    pub max_account_loose_bytes: u64,
    /// The same of all accounts together.
    pub max_loose_bytes: u64,
    /// How long blobs are kept that nothing has named yet.
    #[serde(with = "humantime_serde")]
    pub keep_loose: Duration,
}

/// What this node does as a worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Managers to take tasks from.
    pub managers: Vec<Url>,
    /// Threads of the CPU device. Zero: one for each core.
    pub threads: usize,
    /// The device's index in the node's registration.
    pub device_index: u32,
    /// Length at which an interval is closed.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// How long a claim may gather work before it is posted.
    #[serde(with = "humantime_serde")]
    pub claim_every: Duration,
    /// Largest share of a claim's value that its gas may cost before the node waits for cheaper gas,
    /// in 1/10000. The deadline of the order overrides it.
    pub max_gas_bps: u64,
    /// What one IFX is worth in wei of the chain's coin, to compare gas with earnings.
    pub ifx_price_wei: u64,
    /// How long blobs that nothing names any more, and outputs under receipts, are kept.
    #[serde(with = "humantime_serde")]
    pub keep_blobs: Duration,
}

/// What this node does as a verifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifierConfig {
    /// Managers to fetch claim blobs from, besides those that the registry names.
    pub managers: Vec<Url>,
    /// One in how many units is executed again.
    pub sample_one_in: u64,
    /// Threads for executing again. Zero: one for each core.
    pub threads: usize,
}

impl Default for ManagerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7410)),
            lease: Duration::from_secs(600),
            task_length: Duration::from_secs(120),
            max_blob_bytes: 1 << 28,
            reference_rate: 1_000_000,
            keep_blobs: Duration::from_secs(14 * 86_400),
            max_account_loose_bytes: 1 << 30,
            max_loose_bytes: 1 << 34,
            keep_loose: Duration::from_secs(3600),
        }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            managers: Vec::new(),
            threads: 0,
            device_index: 0,
            interval: Duration::from_secs(60),
            claim_every: Duration::from_secs(86_400),
            max_gas_bps: 200,
            ifx_price_wei: 5_000_000_000_000,
            keep_blobs: Duration::from_secs(86_400),
        }
    }
}

impl Default for VerifierConfig {
    fn default() -> Self {
        Self {
            managers: Vec::new(),
            sample_one_in: 20,
            threads: 0,
        }
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read {path}: create it with `inferix config init {path}`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("{path} is not a valid configuration")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// No endpoint is named.
    #[error("chain.rpc_urls is empty: name at least one JSON-RPC endpoint")]
    NoEndpoint,
    /// A setting has a value that can't work.
    #[error("{key} must be {expected}")]
    OutOfRange {
        /// The setting.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// Every variant of [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|source| ConfigError::Malformed {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        config.resolve_paths(path.parent().unwrap_or(Path::new(".")));
        config.check()?;
        Ok(config)
    }

    /// Paths in the file are relative to the file.
    fn resolve_paths(&mut self, base: &Path) {
        let resolve = |path: &mut PathBuf| *path = base.join(&*path);
        resolve(&mut self.data_dir);
        resolve(&mut self.chain.deployment_file);
        self.wallet.keystore_file.as_mut().map(resolve);
        self.wallet.password_file.as_mut().map(resolve);
    }

    fn check(&self) -> Result<(), ConfigError> {
        let out_of_range = |key, expected| Err(ConfigError::OutOfRange { key, expected });
        if self.chain.rpc_urls.is_empty() {
            return Err(ConfigError::NoEndpoint);
        }
        if self.chain.poll_interval.is_zero() {
            return out_of_range("chain.poll_interval", "longer than zero");
        }
        if !(1..=3600).contains(&self.worker.interval.as_secs()) {
            return out_of_range("worker.interval", "between 1 s and 1 h");
        }
        if self.worker.keep_blobs < Duration::from_secs(1) {
            return out_of_range("worker.keep_blobs", "at least 1 s");
        }
        if self.worker.max_gas_bps == 0 || self.worker.max_gas_bps > 10_000 {
            return out_of_range("worker.max_gas_bps", "between 1 and 10000");
        }
        if self.verifier.sample_one_in == 0 {
            return out_of_range("verifier.sample_one_in", "at least 1");
        }
        if self.manager.reference_rate == 0 {
            return out_of_range("manager.reference_rate", "at least 1");
        }
        if self.manager.lease < Duration::from_secs(5) {
            return out_of_range("manager.lease", "at least 5 s");
        }
        if self.manager.max_account_loose_bytes < self.manager.max_blob_bytes {
            return out_of_range(
                "manager.max_account_loose_bytes",
                "at least manager.max_blob_bytes",
            );
        }
        if self.manager.max_loose_bytes < self.manager.max_account_loose_bytes {
            return out_of_range(
                "manager.max_loose_bytes",
                "at least manager.max_account_loose_bytes",
            );
        }
        Ok(())
    }
}

mod defaults {
    use super::{Duration, PathBuf};

    pub(super) fn data_dir() -> PathBuf {
        PathBuf::from("data")
    }

    pub(super) fn poll_interval() -> Duration {
        Duration::from_secs(2)
    }

    pub(super) fn confirmations_blocks() -> u64 {
        2
    }

    pub(super) fn replace_after() -> Duration {
        Duration::from_secs(60)
    }
}
