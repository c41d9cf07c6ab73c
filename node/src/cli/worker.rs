//! `inferix worker`: execute tasks and be paid for them.

use std::sync::Arc;

use alloy::primitives::{Address, U256};
use clap::{Args, Subcommand};
use eyre::{Result, WrapErr};
use inferix_gpu::cpu::CpuExecutor;
use serde_json::json;

use super::{
    registration::{RegisterArgs, Role, WorkerTerms},
    session::{KeyArgs, Session, Table, ifx},
};
use crate::{
    chain::{Reader, Sender, calls},
    config::Config,
    engine::Engine,
    settlement::{DemandServer, Settlement},
    status::Status,
    supervisor::{Failure, Supervisor},
    worker::{Context, Control, Mode, Reporter, Upkeep, Worker, gauges},
};

/// Execute tasks and be paid for them.
#[derive(Args, Debug)]
pub(super) struct WorkerArgs {
    #[command(subcommand)]
    command: WorkerCommand,
}

#[derive(Debug, Subcommand)]
enum WorkerCommand {
    /// Register the account, its operator and its first device, with a stake.
    Register {
        #[command(flatten)]
        register: RegisterArgs,
        #[command(flatten)]
        terms: WorkerTerms,
    },
    /// Run: take tasks, execute them, claim.
    Run(RunArgs),
    /// Let a running worker finish its batch and wait.
    Pause,
    /// Let a paused or draining worker go on.
    Resume,
    /// Let a running worker finish what is leased, and claim it all.
    Drain,
    /// Show what a running worker is doing.
    Status,
    /// List the worker's claims.
    Claims,
    /// Pay what was earned out to the owner.
    Withdraw(KeyArgs),
    /// Ask to leave, and after the waiting time take the stake back.
    Exit(KeyArgs),
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Threads of the CPU device; 0 for one for each core.
    #[arg(long)]
    threads: Option<usize>,

    /// Index of the device in the registration.
    #[arg(long)]
    device: Option<u32>,

    /// Post dishonest claims, to see them refuted. Only in builds that have the feature `attack`.
    #[cfg(feature = "attack")]
    #[arg(long, value_name = "ATTACK", value_parser = parse_attack)]
    cheat: Option<inferix_prover::attack::Attack>,
}

impl WorkerArgs {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self.command {
            WorkerCommand::Register { register, terms } => {
                register.run(session, Role::Worker(terms)).await
            }
            WorkerCommand::Run(args) => args.run(session).await,
            WorkerCommand::Pause => set_mode(session, Mode::Pause),
            WorkerCommand::Resume => set_mode(session, Mode::Run),
            WorkerCommand::Drain => set_mode(session, Mode::Drain),
            WorkerCommand::Status => show_status(session),
            WorkerCommand::Claims => show_claims(session),
            WorkerCommand::Withdraw(keys) => withdraw(session, &keys).await,
            WorkerCommand::Exit(keys) => exit(session, &keys).await,
        }
    }
}

impl RunArgs {
    async fn run(self, session: &Session) -> Result<()> {
        let mut config = session.config()?;
        config.worker.threads = self.threads.unwrap_or(config.worker.threads);
        config.worker.device_index = self.device.unwrap_or(config.worker.device_index);
        let wallet = session.wallet(&config)?;
        let ctx = Arc::new(Context::open(config, wallet.clone()).await?);
        let chain_id = ctx.reader.deployment().chain_id;
        let sender = Arc::new(Sender::open(
            &ctx.config.chain,
            chain_id,
            wallet,
            &ctx.store,
        )?);
        let executor =
            CpuExecutor::new(ctx.config.worker.threads).wrap_err("starting the CPU device")?;
        let engine = Arc::new(Engine::start(Arc::new(executor)));

        crate::metrics::serve(ctx.config.metrics_listen)?;
        gauges::describe();
        let mut supervisor = Supervisor::default();
        let (worker_ctx, worker_engine) = (Arc::clone(&ctx), Arc::clone(&engine));
        supervisor.add("worker", move |cancel| {
            let worker = Worker::new(Arc::clone(&worker_ctx), Arc::clone(&worker_engine));
            async move { worker.run(cancel).await.map_err(Failure::from) }
        });
        let reporter_ctx = Arc::clone(&ctx);
        supervisor.add("reporter", move |cancel| {
            let reporter = Reporter::new(Arc::clone(&reporter_ctx));
            async move { reporter.run(cancel).await.map_err(Failure::from) }
        });
        let (server_ctx, server_sender) = (Arc::clone(&ctx), Arc::clone(&sender));
        supervisor.add("demands", move |cancel| {
            let server = DemandServer::new(Arc::clone(&server_ctx), Arc::clone(&server_sender));
            async move { server?.run(cancel).await.map_err(Failure::from) }
        });
        let upkeep_ctx = Arc::clone(&ctx);
        supervisor.add("upkeep", move |cancel| {
            let upkeep = Upkeep::new(Arc::clone(&upkeep_ctx));
            async move { upkeep.run(cancel).await.map_err(Failure::from) }
        });
        #[cfg(feature = "attack")]
        let cheat = self.cheat;
        supervisor.add("settlement", move |cancel| {
            let settlement = Settlement::new(Arc::clone(&ctx), Arc::clone(&sender));
            #[cfg(feature = "attack")]
            let settlement = settlement.map(|settlement| settlement.with_cheat(cheat));
            async move { settlement?.run(cancel).await.map_err(Failure::from) }
        });
        supervisor.run().await
    }
}

#[cfg(feature = "attack")]
fn parse_attack(name: &str) -> Result<inferix_prover::attack::Attack, String> {
    use inferix_prover::attack::Attack;
    Attack::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Attack::ALL.iter().map(|attack| attack.name()).collect();
        format!("{name} is no attack: choose from {}", names.join(", "))
    })
}

fn set_mode(session: &Session, mode: Mode) -> Result<()> {
    let config = session.config()?;
    Control::new(&config.data_dir)
        .set(mode)
        .wrap_err("telling the worker")?;
    println!(
        "{}",
        match mode {
            Mode::Run => "the worker goes on",
            Mode::Pause => "the worker finishes its batch and waits",
            Mode::Drain => "the worker finishes what is leased and claims it all",
        }
    );
    Ok(())
}

fn show_status(session: &Session) -> Result<()> {
    let status = Status::read(&session.config()?.data_dir)?;
    session.print(&status, || {
        let mut table = Table::new(&["", ""]);
        table.row(["account".to_owned(), format!("{:#x}", status.account)]);
        table.row([
            "mode".to_owned(),
            format!("{:?}", status.mode).to_lowercase(),
        ]);
        table.row(["leases".to_owned(), status.active_leases.to_string()]);
        table.row([
            "unclaimed intervals".to_owned(),
            status.unclaimed_intervals.to_string(),
        ]);
        table.row([
            "unclaimed work".to_owned(),
            format!("{} micro-IBM", status.unclaimed_ibm_micro),
        ]);
        table.row([
            "unsent reports".to_owned(),
            status.unsent_reports.to_string(),
        ]);
        table.row([
            "as of".to_owned(),
            format!("{} (Unix time)", status.written_at),
        ]);
        table
    })
}

fn show_claims(session: &Session) -> Result<()> {
    let status = Status::read(&session.config()?.data_dir)?;
    session.print(&status.claims, || {
        let mut table = Table::new(&["claim", "seq", "intervals", "IFX", "gas", "stage"]);
        for claim in &status.claims {
            table.row([
                format!("{}", claim.claim_id),
                claim.seq.to_string(),
                claim.interval_count.to_string(),
                ifx(claim.value_wei),
                claim.gas_used.to_string(),
                claim.stage.clone(),
            ]);
        }
        table
    })
}

/// The account that the configuration is about: the owner's, or the key's own.
fn account(config: &Config, key: Address) -> Address {
    config.wallet.owner.unwrap_or(key)
}

async fn withdraw(session: &Session, keys: &KeyArgs) -> Result<()> {
    let config = session.config()?;
    let wallet = session.owner(&config, keys)?;
    let (reader, sender) = session.chain(&config, &wallet).await?;
    let account = account(&config, wallet.address());
    let due_wei = due_wei(&reader, account).await?;
    if due_wei.is_zero() {
        println!("nothing to withdraw: claims pay when they are final");
        return Ok(());
    }
    let (earned_wei, _) = reader.credits(account).await?;
    let call = calls::withdraw(reader.deployment(), account);
    let receipt = sender
        .send(&format!("withdraw/{account:#x}/{earned_wei}"), call)
        .await?;
    if session.is_json() {
        println!(
            "{}",
            json!({ "withdrawn_wei": due_wei, "gas_used": receipt.gas_used })
        );
    } else {
        println!(
            "withdrew {} IFX to {account:#x}, {} gas",
            ifx(due_wei),
            receipt.gas_used
        );
    }
    Ok(())
}

async fn due_wei(reader: &Reader, account: Address) -> Result<U256> {
    let (earned_wei, withdrawn_wei) = reader.credits(account).await?;
    Ok(earned_wei.saturating_sub(withdrawn_wei))
}

async fn exit(session: &Session, keys: &KeyArgs) -> Result<()> {
    let config = session.config()?;
    let owner = session.owner(&config, keys)?;
    let (reader, sender) = session.chain(&config, &owner).await?;
    let node = reader.node(owner.address()).await?;
    eyre::ensure!(
        !node.operator.is_zero(),
        "{:#x} is no node's owner, and only the owner may leave: name its keystore with --owner-keystore",
        owner.address()
    );
    let deployment = reader.deployment();
    let now = reader.head().await?.time;
    if node.exit_at == 0 {
        sender
            .send(
                &format!("exit/{:#x}", owner.address()),
                calls::request_exit(deployment),
            )
            .await?;
        let exit_at = reader.node(owner.address()).await?.exit_at;
        println!(
            "exit asked for: run this again after {exit_at} (Unix time) to take the stake back"
        );
        return Ok(());
    }
    eyre::ensure!(
        now >= node.exit_at,
        "the stake is free at {} (Unix time), it is {now}",
        node.exit_at
    );
    let call = calls::withdraw_stake(deployment, owner.address());
    sender
        .send(
            &format!("stake/{:#x}/{}", owner.address(), node.exit_at),
            call,
        )
        .await?;
    println!(
        "{} IFX of stake paid out to {:#x}",
        ifx(node.stake_wei),
        owner.address()
    );
    Ok(())
}
