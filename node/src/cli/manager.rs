//! `inferix manager`: split jobs, lease their units, sign what workers may claim.

use std::{net::SocketAddr, sync::Arc};

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, bail};
use inferix_gpu::CpuExecutor;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
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
    manager::{
        Desk,
        clock::{ChainClock, Clock},
        demands::DemandServer,
        desk::DeskParts,
    },
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
    let Opened {
        state,
        store,
        chain_clock,
        reader,
    } = open(&config, wallet).await?;
    let poll_interval = config.chain.poll_interval;
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
    let demand_desk = Arc::clone(&state.desk);
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
    supervisor.add("clock", move |cancel| {
        let (chain_clock, reader) = (chain_clock.clone(), reader.clone());
        async move {
            chain_clock.follow(&reader, poll_interval, cancel).await;
            Ok(())
        }
    });
    let chain = ChainDuties::open(&config, session.wallet(&config)?, (demand_desk, &store)).await?;
    supervisor.add("chain", move |cancel| {
        let chain = chain.clone();
        async move { chain.run(cancel).await }
    });
    supervisor.run().await
}

/// What the manager sends: checkpoints, which its workers cite, and what answers demands. Both go through one
/// sender, since two of one key would take each other's nonces.
#[derive(Clone)]
struct ChainDuties {
    sender: Arc<Sender>,
    keeper: Keeper,
    server: Arc<DemandServer>,
}

impl ChainDuties {
    async fn open(
        config: &Config,
        wallet: Wallet,
        (desk, store): (Arc<Desk>, &Store),
    ) -> Result<Self> {
        let reader = Reader::connect(&config.chain).await?;
        let sent = Store::open(&config.data_dir.join("keeper"))?;
        let chain_id = reader.deployment().chain_id;
        let sender = Arc::new(Sender::open(&config.chain, chain_id, wallet, &sent)?);
        let chain = (reader.clone(), Arc::clone(&sender));
        Ok(Self {
            server: Arc::new(DemandServer::new(desk, chain, store, &config.chain)?),
            keeper: Keeper::new(reader, Arc::clone(&sender), config.chain.poll_interval),
            sender,
        })
    }

    async fn run(self, cancel: CancellationToken) -> Result<(), Failure> {
        if let Err(err) = self.sender.recover().await {
            return Err(Failure {
                is_retryable: err.is_retryable(),
                report: eyre::Report::new(err),
            });
        }
        tokio::join!(self.keeper.run(cancel.clone()), self.server.run(cancel));
        Ok(())
    }
}

/// A manager that is ready to run.
struct Opened {
    state: ApiState,
    store: Store,
    chain_clock: ChainClock,
    reader: Reader,
}

/// Opens the manager with all that it needs.
async fn open(config: &Config, wallet: Wallet) -> Result<Opened> {
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
    let chain_clock = ChainClock::start(&reader).await?;
    let desk = Desk::open(DeskParts {
        account,
        wallet,
        config: config.manager.clone(),
        chain_id: deployment.chain_id,
        work_claims: deployment.work_claims,
        store: store.clone(),
        queue,
        blobs: Blobs::open(&dir.join("blobs"))?,
        ledger: Arc::new(reader.clone()),
        keep_views: config.chain.poll_interval,
        executor: Arc::new(executor),
        clock: chain_clock.clock(),
    })?;
    let state = ApiState {
        desk,
        nonces: Arc::new(NonceBook::open(&store)?),
        rate: Arc::new(RateLimit::default()),
        clock: Clock::system(),
        metrics: None,
    };
    Ok(Opened {
        state,
        store,
        chain_clock,
        reader,
    })
}

fn fault(err: std::io::Error) -> Failure {
    Failure {
        report: eyre::Report::new(err),
        is_retryable: true,
    }
}
