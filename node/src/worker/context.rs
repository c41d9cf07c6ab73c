//! What all services of one worker share.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use alloy::primitives::{Address, aliases::U96};
use inferix_prover::id::DeviceId;

use super::{Book, Control, Link, ReceiptBook, WorkerError};
use crate::{
    api::client::ClientOptions,
    blobs::Blobs,
    chain::{NodeView, Reader},
    config::Config,
    manager::clock::Clock as SystemClock,
    meter::{Clock, Ledger, Meter},
    roles,
    store::Store,
    wallet::Wallet,
};

/// What all services of one worker share.
#[derive(Debug)]
pub struct Context {
    /// The settings.
    pub config: Config,
    /// The node account that is paid.
    pub account: Address,
    /// The operator's key.
    pub wallet: Wallet,
    /// The device.
    pub device_id: DeviceId,
    /// Its speed, in micro-IB.
    pub ib_micro: u64,
    /// The account's record when the worker started.
    pub node: NodeView,
    /// What the chain says.
    pub reader: Reader,
    /// The managers to work for.
    pub managers: Vec<Link>,
    /// Leases, orders, reports.
    pub book: Book,
    /// What managers must show instead of the worker.
    pub receipts: ReceiptBook,
    /// Inputs, outputs, claim blobs.
    pub blobs: Blobs,
    /// Measured work.
    pub ledger: Ledger,
    /// The store, for the services' own trees.
    pub store: Store,
    /// What the operator wants.
    pub control: Control,
    clock: Mutex<Clock>,
}

impl Context {
    /// Opens the data folder, checks the registration and anchors the clock.
    ///
    /// # Errors
    ///
    /// Every variant of [`WorkerError`] save [`WorkerError::EngineEnded`].
    pub async fn open(config: Config, wallet: Wallet) -> Result<Self, WorkerError> {
        let account = config.wallet.owner.unwrap_or_else(|| wallet.address());
        let reader = Reader::connect(&config.chain).await?;
        let node = reader.node(account).await?;
        if !node.has_role(roles::WORKER) {
            return Err(WorkerError::NotRegistered { account });
        }
        if node.operator != wallet.address() {
            let (key, operator) = (wallet.address(), node.operator);
            return Err(WorkerError::NotOperator {
                key,
                account,
                operator,
            });
        }
        let device_index = config.worker.device_index;
        if device_index >= u32::from(node.device_count) {
            return Err(WorkerError::NoDevice {
                account,
                device_index,
            });
        }
        if config.worker.managers.is_empty() {
            return Err(WorkerError::NoManager);
        }

        let deployment = reader.deployment();
        let managers = config
            .worker
            .managers
            .iter()
            .map(|url| {
                Link::new(ClientOptions {
                    base: url.clone(),
                    account,
                    wallet: wallet.clone(),
                    chain_id: deployment.chain_id,
                    work_claims: deployment.work_claims,
                    clock: SystemClock::system(),
                })
            })
            .collect();
        let store = Store::open(&config.data_dir.join("store"))?;
        let device_id = DeviceId::from_parts(account, U96::from(device_index));
        let journal = format!("journal/device-{device_index}.journal");
        let ledger = Ledger::open(&config.data_dir.join(journal), device_id)?;
        let clock = Mutex::new(anchor(&reader, ledger.view(Meter::last_end_ms)).await?);
        Ok(Self {
            account,
            device_id,
            ib_micro: reader.device_ib_micro(account, device_index).await?,
            node,
            managers,
            book: Book::open(&store)?,
            receipts: ReceiptBook::open(&store)?,
            blobs: Blobs::open(&config.data_dir.join("blobs"))?,
            ledger,
            control: Control::new(&config.data_dir),
            store,
            clock,
            reader,
            wallet,
            config,
        })
    }

    /// The protocol's time now, in Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.lock_clock().now_ms(Instant::now())
    }

    /// The latest checkpoint that the worker knows; 0 for none.
    pub fn checkpoint_index(&self) -> u32 {
        self.lock_clock().checkpoint_index()
    }

    /// Anchors the clock to the chain's latest checkpoint and block.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Chain`].
    pub async fn anchor_clock(&self) -> Result<(), WorkerError> {
        let checkpoint = self.reader.latest_checkpoint().await?;
        let head = self.reader.head().await?;
        let mut clock = self.lock_clock();
        *clock = clock.anchor_again(
            checkpoint.index,
            Duration::from_secs(head.time),
            Instant::now(),
        );
        Ok(())
    }

    /// The manager of an API.
    pub fn manager(&self, url: &url::Url) -> Option<&Link> {
        self.managers.iter().find(|link| link.url() == url)
    }

    /// A folder of the worker's data.
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    fn lock_clock(&self) -> std::sync::MutexGuard<'_, Clock> {
        // The clock is replaced as a whole: a panic can't have left half of it.
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Anchors the clock at the chain's time, or where the journal ends if that is later: the latest block is
/// some seconds old, and a clock that runs between blocks was ahead of it when the node died.
async fn anchor(reader: &Reader, last_end_ms: u64) -> Result<Clock, WorkerError> {
    let checkpoint = reader.latest_checkpoint().await?;
    let head = reader.head().await?;
    Ok(Clock::anchor(
        checkpoint.index,
        Duration::from_secs(head.time).max(Duration::from_millis(last_end_ms)),
        Instant::now(),
    ))
}
