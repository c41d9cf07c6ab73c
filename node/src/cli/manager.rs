//! `inferix manager`: split jobs, lease their units, sign what workers may claim.

use std::{net::SocketAddr, sync::Arc};

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, bail};
use inferix_gpu::CpuExecutor;
use tokio::net::TcpListener;
use tracing::info;
use url::Url;

use super::{
    registration::{RegisterArgs, Role},
    session::Session,
};
use crate::{
    api::{ApiState, auth::NonceBook, rate::RateLimit, serve},
    blobs::Blobs,
    chain::{Keeper, Reader, Sender},
    config::Config,
    manager::{Desk, clock::Clock, desk::DeskParts},
    queue::EmbeddedQueue,
    roles,
    store::Store,
    supervisor::{Failure, Supervisor},
    wallet::Wallet,
};

/// Split jobs, lease their units, sign what workers may claim.
#[derive(Args, Debug)]
pub(super) struct ManagerArgs {
    #[command(subcommand)]
    command: ManagerCommand,
}

#[derive(Debug, Subcommand)]
enum ManagerCommand {
    /// Register the account and its operator, with a stake and the address of its API.
    Register {
        #[command(flatten)]
        register: RegisterArgs,
        /// Where workers and builders reach the API.
        #[arg(long, value_name = "URL")]
        endpoint: Url,
    },
    /// Run: take jobs, lease their units, take results.
    Run {
        /// Address that the API listens on, instead of the configured one.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
}

impl ManagerArgs {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self.command {
            ManagerCommand::Register { register, endpoint } => {
                let endpoint = endpoint.to_string();
                register.run(session, Role::Manager { endpoint }).await
            }
            ManagerCommand::Run { listen } => run(session, listen).await,
        }
    }
}

async fn run(session: &Session, listen: Option<SocketAddr>) -> Result<()> {
    let config = session.config()?;
    let wallet = session.wallet(&config)?;
    // One recorder counts for the API's /metrics and for metrics_listen.
    let metrics = crate::metrics::install()?;
    let (state, poll_interval) = open(&config, wallet).await?;
    let state = ApiState {
        metrics: Some(metrics),
        ..state
    };
    let listen = listen.unwrap_or(config.manager.listen);
    let listener = TcpListener::bind(listen)
        .await
        .wrap_err_with(|| format!("listening on {listen}: set manager.listen to a free address"))?;
    let address = listener
        .local_addr()
        .wrap_err("reading the API's address")?;
    info!(%address, manager = %state.desk.account(), "manager runs");
    if session.is_json() {
        println!(
            "{}",
            serde_json::json!({ "listen": address, "manager": state.desk.account() })
        );
    }

    let listener = Arc::new(
        listener
            .into_std()
            .wrap_err("preparing the API's address")?,
    );
    let mut supervisor = Supervisor::default();
    let desk = Arc::clone(&state.desk);
    supervisor.add("api", move |cancel| {
        let (state, listener) = (state.clone(), Arc::clone(&listener));
        async move {
            let listener = listener
                .try_clone()
                .and_then(TcpListener::from_std)
                .map_err(fault)?;
            serve(listener, state, cancel).await.map_err(fault)
        }
    });
    supervisor.add("upkeep", move |cancel| {
        let desk = Arc::clone(&desk);
        async move {
            desk.run_upkeep(poll_interval, cancel).await;
            Ok(())
        }
    });
    let keeper = keeper(&config, session.wallet(&config)?).await?;
    supervisor.add("keeper", move |cancel| {
        let keeper = keeper.clone();
        async move {
            keeper.run(cancel).await;
            Ok(())
        }
    });
    supervisor.run().await
}

/// Records checkpoints: the manager's workers cite them.
async fn keeper(config: &Config, wallet: Wallet) -> Result<Keeper> {
    let reader = Reader::connect(&config.chain).await?;
    let store = Store::open(&config.data_dir.join("keeper"))?;
    let sender = Sender::open(&config.chain, reader.deployment().chain_id, wallet, &store)?;
    Ok(Keeper::new(
        reader,
        Arc::new(sender),
        config.chain.poll_interval,
    ))
}

/// Opens the manager with all that it needs.
async fn open(config: &Config, wallet: Wallet) -> Result<(ApiState, std::time::Duration)> {
    let reader = Reader::connect(&config.chain).await?;
    let account = config.wallet.owner.unwrap_or(wallet.address());
    let node = reader.node(account).await?;
    if !node.has_role(roles::MANAGER) {
        bail!(
            "account {account:#x} is not registered as a manager: run `inferix manager register`"
        );
    }
    if node.operator != wallet.address() {
        let (operator, key) = (node.operator, wallet.address());
        bail!(
            "account {account:#x} has the operator {operator:#x}, the configured key is {key:#x}"
        );
    }

    let dir = config.data_dir.join("manager");
    let store = Store::open(&dir.join("store"))?;
    let queue = Arc::new(EmbeddedQueue::open(&store)?);
    let executor = CpuExecutor::new(1).wrap_err("starting the device that validates inputs")?;
    let deployment = reader.deployment().clone();
    let desk = Desk::open(DeskParts {
        account,
        wallet,
        config: config.manager.clone(),
        chain_id: deployment.chain_id,
        work_claims: deployment.work_claims,
        store: store.clone(),
        queue,
        blobs: Blobs::open(&dir.join("blobs"))?,
        ledger: Arc::new(reader),
        keep_views: config.chain.poll_interval,
        executor: Arc::new(executor),
        clock: Clock::system(),
    })?;
    let state = ApiState {
        desk,
        nonces: Arc::new(NonceBook::open(&store)?),
        rate: Arc::new(RateLimit::default()),
        metrics: None,
    };
    Ok((state, config.chain.poll_interval))
}

fn fault(err: std::io::Error) -> Failure {
    Failure {
        report: eyre::Report::new(err),
        is_retryable: true,
    }
}
