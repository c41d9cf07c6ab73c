//! The demo's processes: their folders, configurations and logs.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use alloy::primitives::{Address, B256};
use eyre::{Result, WrapErr, bail, ensure, eyre};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{chain::Reader, config::Config, secret::Secret, status::Status, wallet::Wallet};

/// The workers; the last one cheats.
pub(super) const WORKERS: [&str; 3] = ["worker-1", "worker-2", "cheat"];
const ACCOUNTS: [&str; 6] = [
    "builder", "manager", "worker-1", "worker-2", "cheat", "verifier",
];
/// A lie that one glance at the leaves refutes: an interval is there twice, and its work in the sum.
const LIE: &str = "repeat-interval";
/// A worker's declared speed in IB, and its price per IBM in IFX.
const IB: &str = "0.05";
const PRICE: &str = "20";
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The demo's processes. Dropping it ends them all.
#[derive(Debug)]
pub(super) struct Nodes {
    dir: PathBuf,
    exe: PathBuf,
    rpc_url: String,
    manager_url: String,
    children: Vec<(String, Child)>,
}

impl Nodes {
    /// Starts a chain with funded accounts, and writes a configuration for each.
    pub(super) async fn start_chain(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).wrap_err_with(|| format!("making {}", dir.display()))?;
        let dir = dir.canonicalize().wrap_err("finding the demo folder")?;
        let exe = std::env::current_exe().wrap_err("finding the binary")?;
        let mut nodes = Self {
            manager_url: String::new(),
            rpc_url: String::new(),
            children: Vec::new(),
            dir,
            exe,
        };
        let devnet = nodes.dir.join("devnet").to_string_lossy().into_owned();
        let accounts = ACCOUNTS.join(",");
        nodes.spawn(
            "devnet",
            &[
                "devnet",
                "--dir",
                &devnet,
                "--port",
                "0",
                "--accounts",
                &accounts,
            ],
        )?;
        let ready = nodes.dir.join("devnet/ready.json");
        nodes.wait_for("the chain", || ready.exists()).await?;
        let ready: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&ready).wrap_err("reading ready.json")?)?;
        let rpc_url = ready.get("rpc_url").and_then(|url| url.as_str());
        nodes.rpc_url = rpc_url
            .ok_or_else(|| eyre!("ready.json names no chain"))?
            .to_owned();
        // Only now: anvil chose its port itself, and could have chosen one that was free before.
        let port = free_port()?;
        nodes.manager_url = format!("http://127.0.0.1:{port}");
        for name in ACCOUNTS {
            nodes.write_config(name, port)?;
        }
        Ok(nodes)
    }

    fn write_config(&self, name: &str, port: u16) -> Result<()> {
        let (owner, _) = self.keys(name);
        // A builder signs with its own key; a node's owner stays cold.
        let is_builder = name == "builder";
        let key = if is_builder {
            format!("{name}.json")
        } else {
            format!("{name}-operator.json")
        };
        let owner_line = if is_builder {
            String::new()
        } else {
            format!(
                "owner = \"{:#x}\"\n",
                Wallet::open(&owner, &password())?.address()
            )
        };
        let (rpc_url, manager_url) = (&self.rpc_url, &self.manager_url);
        let text = format!(
            "data_dir = \"data/{name}\"\n\
             [chain]\nrpc_urls = [\"{rpc_url}\"]\ndeployment_file = \"devnet/deployment.json\"\n\
             poll_interval = \"500ms\"\nconfirmations_blocks = 1\n\
             [wallet]\nkeystore_file = \"devnet/keys/{key}\"\npassword_file = \"devnet/password\"\n{owner_line}\
             [manager]\nlisten = \"127.0.0.1:{port}\"\nlease = \"40s\"\ntask_length = \"4s\"\n\
             [worker]\nmanagers = [\"{manager_url}\"]\nthreads = 1\ninterval = \"2s\"\nclaim_every = \"20s\"\n\
             max_gas_bps = 10000\n\
             [verifier]\nmanagers = [\"{manager_url}\"]\nsample_one_in = 20\nthreads = 1\n"
        );
        let path = self.config(name);
        std::fs::write(&path, text).wrap_err_with(|| format!("writing {}", path.display()))
    }

    /// Registers every node account, each by its cold owner.
    pub(super) async fn register_all(&self) -> Result<()> {
        let manager_url = self.manager_url.clone();
        self.run_as_owner(
            "manager",
            [
                "manager",
                "register",
                "--endpoint",
                &manager_url,
                "--stake",
                "1000",
            ],
        )
        .await?;
        for worker in WORKERS {
            self.run_as_owner(
                worker,
                [
                    "worker", "register", "--ib", IB, "--price", PRICE, "--stake", "1000",
                ],
            )
            .await?;
        }
        self.run_as_owner("verifier", ["verifier", "register"])
            .await?;
        Ok(())
    }

    /// Starts the manager and the verifier.
    pub(super) async fn start_services(&mut self) -> Result<()> {
        self.spawn_as("manager", &["manager", "run"])?;
        let address = self.manager_url.trim_start_matches("http://").to_owned();
        self.wait_for("the manager", || {
            std::net::TcpStream::connect(&address).is_ok()
        })
        .await?;
        self.spawn_as("verifier", &["verifier", "run"])
    }

    /// Starts the workers.
    pub(super) fn start_workers(&mut self) -> Result<()> {
        for worker in WORKERS {
            if worker == "cheat" {
                self.spawn_as(worker, &["worker", "run", "--cheat", LIE])?;
            } else {
                self.spawn_as(worker, &["worker", "run"])?;
            }
        }
        Ok(())
    }

    /// Whether all work of the honest workers is claimed.
    pub(super) fn all_claimed(&self) -> bool {
        WORKERS.iter().all(|worker| {
            let status = Status::read(&self.dir.join("data").join(worker));
            status.is_ok_and(|status| {
                status.active_leases == 0 && (*worker == "cheat" || status.unclaimed_intervals == 0)
            })
        })
    }

    /// Gas of the workers' claims that `is_counted` names.
    pub(super) fn claim_gas(&self, is_counted: impl Fn(B256) -> bool) -> u64 {
        let statuses = WORKERS
            .iter()
            .filter_map(|name| Status::read(&self.dir.join("data").join(name)).ok());
        let claims = statuses.flat_map(|status| status.claims);
        claims
            .filter(|claim| is_counted(claim.claim_id))
            .map(|claim| claim.gas_used)
            .sum()
    }

    /// An account's address.
    pub(super) fn account(&self, name: &str) -> Result<Address> {
        Ok(Wallet::open(&self.keys(name).0, &password())?.address())
    }

    /// A reader of the demo's chain.
    pub(super) async fn reader(&self) -> Result<Reader> {
        let config = Config::read(&self.config("builder"))?;
        Ok(Reader::connect(&config.chain).await?)
    }

    /// Runs a command of the builder's and returns what it printed.
    pub(super) async fn builder<'a>(
        &self,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<String> {
        self.run_as("builder", args).await
    }

    /// Runs a command of the builder's that people watch.
    pub(super) async fn builder_loud<'a>(
        &self,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let mut command = self.command("builder", args);
        let status = command.status().await.wrap_err("starting a command")?;
        ensure!(status.success(), "the builder's command failed");
        Ok(())
    }

    /// Runs a command with an account's configuration and its owner's key.
    pub(super) async fn run_as_owner<'a>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<String> {
        let (owner, password) = self.keys(name);
        let mut command = self.command(name, args);
        command
            .arg("--owner-keystore")
            .arg(owner)
            .arg("--owner-password-file")
            .arg(password);
        output(command).await
    }

    /// Runs a command with an account's configuration.
    pub(super) async fn run_as<'a>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Result<String> {
        output(self.command(name, args)).await
    }

    /// Ends all processes, the last started first.
    pub(super) async fn stop(&mut self) {
        while let Some((_, mut child)) = self.children.pop() {
            if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                let pid = rustix::process::Pid::from_raw(pid);
                // A process that is gone already can't be signaled.
                let _ = pid
                    .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
            }
            let _ = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
        }
    }

    fn command<'a>(&self, name: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.exe);
        command
            .arg("--config")
            .arg(self.config(name))
            .args(args)
            .stdin(Stdio::null());
        command
    }

    fn spawn_as(&mut self, name: &str, args: &[&str]) -> Result<()> {
        let config = self.config(name).to_string_lossy().into_owned();
        let args: Vec<&str> = ["--config", &config]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        self.spawn(name, &args)
    }

    fn spawn(&mut self, name: &str, args: &[&str]) -> Result<()> {
        let logs = self.dir.join("logs");
        std::fs::create_dir_all(&logs).wrap_err("making the log folder")?;
        let log =
            std::fs::File::create(logs.join(format!("{name}.log"))).wrap_err("making a log")?;
        let err_log = log.try_clone().wrap_err("making a log")?;
        let child = Command::new(&self.exe)
            .args(args)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(err_log)
            .kill_on_drop(true)
            .spawn()
            .wrap_err_with(|| format!("starting {name}"))?;
        self.children.push((name.to_owned(), child));
        Ok(())
    }

    async fn wait_for(&mut self, what: &str, is_there: impl Fn() -> bool) -> Result<()> {
        let until = Instant::now() + START_TIMEOUT;
        while !is_there() {
            ensure!(
                Instant::now() < until,
                "{what} did not start: see {}",
                self.dir.join("logs").display()
            );
            for (name, child) in &mut self.children {
                if let Ok(Some(status)) = child.try_wait() {
                    bail!(
                        "{name} ended with {status}: see {}",
                        self.dir.join("logs").display()
                    );
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    fn config(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.toml"))
    }

    /// An owner's keystore, and the file with its password.
    fn keys(&self, name: &str) -> (PathBuf, PathBuf) {
        (
            self.dir.join(format!("devnet/keys/{name}.json")),
            self.dir.join("devnet/password"),
        )
    }
}

/// Runs a command to its end and returns what it printed.
async fn output(mut command: Command) -> Result<String> {
    let output = command.output().await.wrap_err("starting a command")?;
    if !output.status.success() {
        bail!(
            "{:?} failed: {}",
            command.as_std(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn password() -> Secret<String> {
    Secret::new(crate::cli::devnet::PASSWORD.to_owned())
}

fn free_port() -> Result<u16> {
    let listener =
        std::net::TcpListener::bind(("127.0.0.1", 0)).wrap_err("looking for a free port")?;
    Ok(listener
        .local_addr()
        .wrap_err("looking for a free port")?
        .port())
}
