//! A chain and nodes as real processes of the binary under test, each with a folder of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test binary uses a part"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use alloy::{
    network::Ethereum,
    primitives::{Address, U256},
    providers::{Provider, RootProvider},
};
use inferix_node::{
    blobs::Blobs,
    chain::{ClaimStatus, Reader},
    config::Config,
};
use inferix_prover::blob::ClaimBlob;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long any one thing may take on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// A window of the devnet's parameters, and a little more, in seconds.
pub const WINDOW_S: u64 = 65;
/// Claims of a device that the chain keeps.
pub const RING_SLOTS: usize = 16;
pub const IFX: u64 = 1_000_000_000_000_000_000;

/// A chain, accounts and whatever runs. Dropping it ends all processes.
pub struct World {
    dir: TempDir,
    port: u16,
    rpc_url: String,
    children: BTreeMap<String, Child>,
}

impl World {
    /// Starts a chain with funded accounts, and writes a configuration for each: its operator's key, its
    /// owner's account, and `tuning` at the end.
    pub async fn start(accounts: &[&str], tuning: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut world = Self {
            dir,
            port: 0,
            rpc_url: String::new(),
            children: BTreeMap::new(),
        };
        let devnet = world.path("devnet").to_string_lossy().into_owned();
        let names = accounts.join(",");
        let args = [
            "devnet",
            "--dir",
            &devnet,
            "--port",
            "0",
            "--accounts",
            &names,
        ];
        world.spawn_plain("devnet", &args);
        let ready = world.path("devnet/ready.json");
        wait_until("the chain", || ready.exists()).await;
        let ready: Value = serde_json::from_str(&std::fs::read_to_string(&ready).unwrap()).unwrap();
        world.rpc_url = ready["rpc_url"].as_str().unwrap().to_owned();
        // Only now: anvil chose its port itself, and could have chosen one that was free before.
        world.port = free_port();
        for name in accounts {
            let text = world.config_text(name, tuning);
            std::fs::write(world.config(name), text).unwrap();
        }
        world
    }

    fn config_text(&self, name: &str, tuning: &str) -> String {
        let (rpc_url, port) = (&self.rpc_url, self.port);
        let (key, owner) = if name == "builder" {
            (format!("{name}.json"), String::new())
        } else {
            let owner = self.account(name);
            (
                format!("{name}-operator.json"),
                format!("owner = \"{owner:#x}\"\n"),
            )
        };
        format!(
            "data_dir = \"data/{name}\"\n\
             [chain]\nrpc_urls = [\"{rpc_url}\"]\ndeployment_file = \"devnet/deployment.json\"\n\
             poll_interval = \"200ms\"\nconfirmations_blocks = 1\n\
             [wallet]\nkeystore_file = \"devnet/keys/{key}\"\npassword_file = \"devnet/password\"\n{owner}\
             {}",
            tuning.replace("{port}", &port.to_string())
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.toml"))
    }

    pub fn data(&self, name: &str) -> PathBuf {
        self.path(&format!("data/{name}"))
    }

    pub fn manager_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address of an account's owner: it stands in clear in the keystore's listing.
    pub fn account(&self, name: &str) -> Address {
        let keystore = self.path(&format!("devnet/keys/{name}.json"));
        let mut command = self.command(&["wallet", "address"]);
        command
            .arg(keystore)
            .arg("--password-file")
            .arg(self.path("devnet/password"));
        let output = command.output().unwrap();
        text(&output.stdout).trim().parse().unwrap()
    }

    pub async fn reader(&self) -> Reader {
        let config = Config::read(&self.config("builder")).unwrap();
        Reader::connect(&config.chain).await.unwrap()
    }

    /// Registers accounts, each by its owner.
    pub fn register(&self, workers: &[&str]) {
        let url = self.manager_url();
        self.done_by_owner(
            "manager",
            &["manager", "register", "--endpoint", &url, "--stake", "1000"],
        );
        for worker in workers {
            let terms = [
                "worker", "register", "--ib", "0.05", "--price", "20", "--stake", "1000",
            ];
            self.done_by_owner(worker, &terms);
        }
        self.done_by_owner("verifier", &["verifier", "register"]);
    }

    /// Lets the manager spend money of the builder's.
    pub fn allocate(&self, ifx: &str) {
        let manager = format!("{:#x}", self.account("manager"));
        self.done(
            "builder",
            &["account", "deposit", ifx, "--manager", &manager],
        );
    }

    /// Starts the manager and waits until it listens.
    pub async fn start_manager(&mut self) {
        self.spawn("manager", &["manager", "run"]);
        let address = format!("127.0.0.1:{}", self.port);
        wait_until("the manager", || {
            std::net::TcpStream::connect(&address).is_ok()
        })
        .await;
    }

    /// Submits a job and returns its id.
    pub fn submit(&self, scene: &[&str]) -> String {
        let args = [&["job", "submit"], scene, &["--price-cap", "25", "--yes"]].concat();
        let status = self.json("builder", &args);
        status["job_id"].as_str().unwrap().to_owned()
    }

    /// A job's status, if the manager answers.
    pub fn job(&self, job_id: &str) -> Option<Value> {
        let output = self.run("builder", &["--json", "job", "list"]);
        let jobs: Value = serde_json::from_slice(&output.stdout).ok()?;
        jobs.as_array()?
            .iter()
            .find(|job| job["job_id"] == job_id)
            .cloned()
    }

    /// A worker's status, if it has written one.
    pub fn status(&self, worker: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.data(worker).join("worker.status")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Runs a command with an account's configuration, whatever comes of it.
    pub fn run(&self, name: &str, args: &[&str]) -> Output {
        let config = self.config(name);
        let mut command = self.command(&["--config", &config.to_string_lossy()]);
        command.args(args).output().unwrap()
    }

    /// Runs a command that must succeed and returns what it printed.
    pub fn done(&self, name: &str, args: &[&str]) -> String {
        let output = self.run(name, args);
        assert!(
            output.status.success(),
            "{name} {args:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// The same with the owner's key.
    pub fn done_by_owner(&self, name: &str, args: &[&str]) -> String {
        let (keystore, password) = self.owner(name);
        let owner = [
            "--owner-keystore",
            &keystore,
            "--owner-password-file",
            &password,
        ];
        self.done(name, &[args, &owner].concat())
    }

    pub fn owner(&self, name: &str) -> (String, String) {
        let path = |file: String| self.path(&file).to_string_lossy().into_owned();
        (
            path(format!("devnet/keys/{name}.json")),
            path("devnet/password".to_owned()),
        )
    }

    /// Runs a command that must succeed and reads the JSON that it printed.
    pub fn json(&self, name: &str, args: &[&str]) -> Value {
        let printed = self.done(name, &[&["--json"], args].concat());
        serde_json::from_str(&printed).unwrap_or_else(|err| panic!("{args:?}: {err}: {printed}"))
    }

    /// Starts a process that goes on. Its log is appended to.
    pub fn spawn(&mut self, name: &str, args: &[&str]) {
        let config = self.config(name).to_string_lossy().into_owned();
        self.spawn_plain(name, &[&["--config", &config], args].concat());
    }

    fn spawn_plain(&mut self, name: &str, args: &[&str]) {
        let mut command = self.command(args);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log(name))
            .unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        assert!(
            self.children.insert(name.to_owned(), child).is_none(),
            "{name} runs already"
        );
    }

    /// The same, but the log reaches its file through a pipe: the process itself writes no file for it.
    pub fn spawn_piped(&mut self, name: &str, command: &mut Command) {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log(name))
            .unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut from, mut to) = (child.stderr.take().unwrap(), log);
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        assert!(
            self.children.insert(name.to_owned(), child).is_none(),
            "{name} runs already"
        );
    }

    pub fn pid(&self, name: &str) -> rustix::process::Pid {
        let id = i32::try_from(self.children[name].id()).unwrap();
        rustix::process::Pid::from_raw(id).unwrap()
    }

    /// A command of the binary under test, without a terminal.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inferix"));
        command
            .args(args)
            .stdin(Stdio::null())
            .env_remove("RUST_BACKTRACE");
        command
    }

    fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.log"))
    }

    pub fn log_text(&self, name: &str) -> String {
        std::fs::read_to_string(self.log(name)).unwrap_or_default()
    }

    /// `kill -9`.
    pub fn kill(&mut self, name: &str) {
        let mut child = self.children.remove(name).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Takes the exit code of a process that has ended.
    pub fn collect(&mut self, name: &str) -> Option<i32> {
        self.children.remove(name).unwrap().wait().unwrap().code()
    }

    /// Whether a process has ended by itself.
    pub fn has_ended(&mut self, name: &str) -> bool {
        self.children
            .get_mut(name)
            .unwrap()
            .try_wait()
            .unwrap()
            .is_some()
    }

    pub async fn rpc(&self, method: &'static str, params: Value) -> Value {
        let provider = RootProvider::<Ethereum>::new_http(self.rpc_url.parse().unwrap());
        provider.raw_request(method.into(), params).await.unwrap()
    }

    /// Lets time pass on the chain.
    pub async fn pass(&self, seconds: u64) {
        self.rpc("evm_increaseTime", json!([seconds])).await;
        self.rpc("evm_mine", json!([])).await;
    }

    /// Reads the blob of each of a worker's claims, which are all final: the units that they hold, none of them
    /// twice, in intervals that don't overlap in time. Returns them and how many claims there are.
    pub async fn claimed_units(&self, worker: &str) -> (BTreeSet<u64>, usize) {
        let reader = self.reader().await;
        let head = reader.head().await.unwrap().number;
        let account = self.account(worker);
        let mut claims = reader.posted_claims(0, head).await.unwrap();
        claims.retain(|claim| claim.header.worker() == account);
        let blobs = Blobs::open(&self.data(worker).join("blobs")).unwrap();
        let mut claimed = BTreeSet::new();
        let (mut last_end_ms, mut last_seq) = (0, 0);
        for claim in &claims {
            let header = &claim.header;
            let status = reader.claim_state(header).await.unwrap().status;
            // Of a claim whose slot in the ring was taken by a later one, the chain only knows that it ended.
            let is_past = usize::try_from(header.seq).unwrap() + RING_SLOTS <= claims.len();
            let is_final = matches!(status, ClaimStatus::Final);
            assert!(
                is_final || is_past && matches!(status, ClaimStatus::None),
                "{} is {status:?}",
                claim.claim_id
            );
            let blob = ClaimBlob::from_bytes(&blobs.get(header.blobHash).await.unwrap()).unwrap();
            for held in blob.lines.iter().flat_map(|line| &line.intervals) {
                let interval = &held.interval;
                assert!(interval.start_ms >= last_end_ms && interval.end_ms >= interval.start_ms);
                assert_eq!(interval.seq, last_seq + 1, "an interval is missing");
                (last_end_ms, last_seq) = (interval.end_ms, interval.seq);
                for unit in
                    interval.first_unit..interval.first_unit + u64::from(interval.unit_count)
                {
                    assert!(
                        claimed.insert(unit),
                        "unit {unit} is in {} again",
                        claim.claim_id
                    );
                }
            }
        }
        (claimed, claims.len())
    }

    /// What all claims came to is what their workers and the treasury were credited and the builder paid of its
    /// allocation; no stake is locked or lost.
    pub async fn money_adds_up(&self, workers: &[&str], allocated_ifx: u64) {
        let reader = self.reader().await;
        let head = reader.head().await.unwrap().number;
        let claims = reader.posted_claims(0, head).await.unwrap();
        let lines = claims.iter().flat_map(|claim| &claim.lines);
        let claimed_wei: U256 = lines.map(|line| U256::from(line.amountWei)).sum();
        let (treasury, _) = reader.treasury_and_pool().await.unwrap();
        let mut credited_wei = reader.credits(treasury).await.unwrap().0;
        for worker in workers {
            credited_wei += reader.credits(self.account(worker)).await.unwrap().0;
            let node = reader.node(self.account(worker)).await.unwrap();
            assert_eq!(
                node.locked_wei,
                U256::ZERO,
                "{worker}'s stake is free again"
            );
            assert_eq!(
                node.stake_wei,
                U256::from(1000) * U256::from(IFX),
                "no stake was lost"
            );
        }
        assert_eq!(credited_wei, claimed_wei);
        let (builder, manager) = (self.account("builder"), self.account("manager"));
        let left_wei = reader.allocation(builder, manager).await.unwrap().free_wei;
        assert_eq!(
            left_wei + claimed_wei,
            U256::from(allocated_ifx) * U256::from(IFX)
        );
    }

    /// Waits until a worker's work is all claimed and all its claims are final, and passes their windows.
    pub async fn settle(&self, workers: &[&str]) {
        for worker in workers {
            self.done(worker, &["worker", "drain"]);
        }
        let statuses = || {
            workers
                .iter()
                .map(|worker| self.status(worker))
                .collect::<Option<Vec<_>>>()
        };
        wait_until("all work to be claimed", || {
            statuses().is_some_and(|statuses| {
                statuses.iter().all(|status| {
                    let claims = status["claims"].as_array().unwrap();
                    status["mode"] == "drain"
                        && status["active_leases"] == 0
                        && status["unclaimed_intervals"] == 0
                        && status["unsent_reports"] == 0
                        && claims.iter().all(|claim| claim["stage"] != "drafted")
                })
            })
        })
        .await;
        self.pass(WINDOW_S).await;
        wait_until("all claims to be final", || {
            statuses().is_some_and(|statuses| {
                statuses.iter().all(|status| {
                    let claims = status["claims"].as_array().unwrap();
                    claims.iter().all(|claim| claim["stage"] == "final")
                })
            })
        })
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in self.children.keys() {
                let log = self.log_text(name);
                let lines: Vec<&str> = log.lines().collect();
                let last = &lines[lines.len().saturating_sub(25)..];
                println!("--- {name}\n{}", last.join("\n"));
            }
        }
        // The chain goes last, and in order, so that it ends its own process.
        let mut devnet = self.children.remove("devnet");
        for child in self.children.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(child) = &mut devnet {
            terminate(child);
            let _ = child.wait();
        }
    }
}

pub fn terminate(child: &Child) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// Asks again and again until a condition holds.
pub async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub fn wei(value: &Value) -> U256 {
    value.as_str().unwrap().parse().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|end| end == extension))
        .collect()
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
