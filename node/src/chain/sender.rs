//! The only place that sends transactions.
//!
//! A transaction is sent under an *intent*, a name that says what it is for. It is signed, written down
//! and only then sent, so that after a crash at any line the same intent finds the same transaction and
//! not a second one. One transaction of an account is under way at a time: its nonce is the account's
//! next one, and a stuck transaction is replaced at a higher fee under the same nonce.

use std::{fmt, time::Duration};

use alloy::{
    eips::{BlockNumberOrTag, eip2718::Encodable2718},
    network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder},
    primitives::{Address, B256, Bytes, U256},
    providers::{Provider, RootProvider},
    rpc::types::{TransactionReceipt, TransactionRequest},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};
use tracing::{debug, info, warn};

use super::{ChainError, endpoint};
use crate::{
    config::ChainConfig,
    store::{Store, Tree},
    wallet::Wallet,
};

/// A replacement must raise both fees by an eighth at least; a quarter gets it through sooner.
const FEE_BUMP_PERCENT: u128 = 25;
/// Looks in a row at which a transaction must be missing although its nonce is taken, until it is taken for
/// lost: the count and the receipt may come from two endpoints, one of which lags.
const SUPERSEDED_LOOKS: u32 = 4;
/// Room above the estimate, since state may change before the transaction is mined.
const GAS_MARGIN_PERCENT: u64 = 20;

/// A call to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The contract, or nothing to create one.
    pub to: Option<Address>,
    /// Selector and arguments, or creation code.
    pub data: Bytes,
    /// Coin to send with it.
    pub value_wei: U256,
}

impl Call {
    /// A call of a contract that takes no coin.
    pub fn new(to: Address, data: impl Into<Bytes>) -> Self {
        Self {
            to: Some(to),
            data: data.into(),
            value_wei: U256::ZERO,
        }
    }

    /// The creation of a contract.
    pub fn create(code: impl Into<Bytes>) -> Self {
        Self {
            to: None,
            data: code.into(),
            value_wei: U256::ZERO,
        }
    }

    fn request(&self, from: Address) -> TransactionRequest {
        let request = TransactionRequest::default()
            .with_from(from)
            .with_input(self.data.clone())
            .with_value(self.value_wei);
        match self.to {
            Some(to) => request.with_to(to),
            None => request.into_create(),
        }
    }
}

/// What is written down before a transaction is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    call: Call,
    nonce: u64,
    gas_limit: u64,
    attempts: Vec<Attempt>,
    mined: Option<TransactionReceipt>,
}

/// One signed form of a transaction: a replacement is another.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Attempt {
    tx_hash: B256,
    raw: Bytes,
    max_fee_wei: u128,
    tip_wei: u128,
}

/// Sends one account's transactions.
pub struct Sender {
    provider: RootProvider,
    wallet: Wallet,
    chain_id: u64,
    records: Tree,
    confirmations_blocks: u64,
    poll_interval: Duration,
    replace_after: Duration,
    turn: Mutex<()>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("account", &self.wallet.address())
            .finish_non_exhaustive()
    }
}

impl Sender {
    /// Opens the sender of a key. The store remembers what it has sent.
    ///
    /// # Errors
    ///
    /// [`ChainError::Client`], [`ChainError::Store`].
    pub fn open(
        config: &ChainConfig,
        chain_id: u64,
        wallet: Wallet,
        store: &Store,
    ) -> Result<Self, ChainError> {
        Ok(Self {
            provider: endpoint::connect(config)?,
            wallet,
            chain_id,
            records: store.tree("transactions")?,
            confirmations_blocks: config.confirmations_blocks,
            poll_interval: config.poll_interval,
            replace_after: config.replace_after,
            turn: Mutex::new(()),
        })
    }

    /// The account that pays for gas.
    pub fn account(&self) -> Address {
        self.wallet.address()
    }

    /// The account's next nonce.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn nonce(&self) -> Result<u64, ChainError> {
        Ok(self
            .provider
            .get_transaction_count(self.wallet.address())
            .await?)
    }

    /// The number of the latest block.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn head_number(&self) -> Result<u64, ChainError> {
        Ok(self.provider.get_block_number().await?)
    }

    /// Brings what was under way when the node stopped to an end. To be called before anything is sent.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), save refusals: what was refused is forgotten.
    pub async fn recover(&self) -> Result<(), ChainError> {
        let _turn = self.turn.lock().await;
        let mut open: Vec<(String, Record)> = self
            .records
            .scan(self.key(""))?
            .into_iter()
            .filter(|(_, record): &(_, Record)| record.mined.is_none())
            .map(|(key, record)| (String::from_utf8_lossy(&key).into_owned(), record))
            .collect();
        open.sort_by_key(|(_, record)| record.nonce);
        for (key, record) in open {
            info!(
                intent = key,
                nonce = record.nonce,
                "transaction found under way"
            );
            if let Err(err) = self.finish(&key, record).await {
                if err.is_retryable() {
                    return Err(err);
                }
                warn!(intent = key, %err, "transaction came to nothing");
            }
        }
        Ok(())
    }

    /// Sends a call, once for each intent, and waits until it is confirmed. Called again with an intent
    /// that is done, it returns the receipt of then.
    ///
    /// # Errors
    ///
    /// [`ChainError::Refused`] and its kin if the call would revert now: nothing was sent.
    /// [`ChainError::Reverted`] if it was sent and reverted. [`ChainError::BalanceTooLow`].
    /// [`ChainError::Rpc`] if no endpoint answers: the intent stays open and is taken up by the next
    /// call or by [`recover`](Self::recover).
    pub async fn send(&self, intent: &str, call: Call) -> Result<TransactionReceipt, ChainError> {
        let _turn = self.turn.lock().await;
        let key = self.key(intent);
        let record = match self.records.get::<Record>(&key)? {
            Some(record) => record,
            None => self.plan(&key, call).await?,
        };
        self.finish(&key, record).await
    }

    /// Forgets an intent that is done, so that it can be sent again: after a deep reorganization the
    /// chain may not know it any more.
    ///
    /// # Errors
    ///
    /// [`ChainError::Store`].
    pub fn forget(&self, intent: &str) -> Result<(), ChainError> {
        Ok(self.records.remove(self.key(intent))?)
    }

    fn key(&self, intent: &str) -> String {
        format!("{:#x}/{intent}", self.wallet.address())
    }

    /// Checks that the call would succeed, signs it and writes it down.
    async fn plan(&self, key: &str, call: Call) -> Result<Record, ChainError> {
        let account = self.wallet.address();
        let request = call.request(account);
        let estimate = self.provider.estimate_gas(request).await;
        let gas_estimate = match estimate {
            Ok(gas) => gas,
            Err(err) => return Err(self.explain(err.into(), &call).await),
        };
        let gas_limit = gas_estimate.saturating_mul(100 + GAS_MARGIN_PERCENT) / 100;
        let fees = self.provider.estimate_eip1559_fees().await?;
        let nonce = self.provider.get_transaction_count(account).await?;

        let have_wei = self.provider.get_balance(account).await?;
        let need_wei = U256::from(gas_limit) * U256::from(fees.max_fee_per_gas) + call.value_wei;
        if have_wei < need_wei {
            return Err(ChainError::BalanceTooLow {
                account,
                have_wei,
                need_wei,
            });
        }

        let mut record = Record {
            call,
            nonce,
            gas_limit,
            attempts: Vec::new(),
            mined: None,
        };
        self.attempt(
            key,
            &mut record,
            fees.max_fee_per_gas,
            fees.max_priority_fee_per_gas,
        )
        .await?;
        Ok(record)
    }

    /// Some endpoints say «insufficient funds» where others say why the call fails.
    async fn explain(&self, err: ChainError, call: &Call) -> ChainError {
        let ChainError::Rpc(_) = &err else { return err };
        match self.provider.get_balance(self.wallet.address()).await {
            Ok(have_wei) if have_wei <= call.value_wei => ChainError::BalanceTooLow {
                account: self.wallet.address(),
                have_wei,
                need_wei: call.value_wei + U256::from(1),
            },
            Ok(_) | Err(_) => err,
        }
    }

    /// Signs the record's call at these fees, writes it down, then sends it.
    async fn attempt(
        &self,
        key: &str,
        record: &mut Record,
        max_fee_wei: u128,
        tip_wei: u128,
    ) -> Result<(), ChainError> {
        let request = record
            .call
            .request(self.wallet.address())
            .with_chain_id(self.chain_id)
            .with_nonce(record.nonce)
            .with_gas_limit(record.gas_limit)
            .with_max_fee_per_gas(max_fee_wei)
            .with_max_priority_fee_per_gas(tip_wei);
        let wallet = EthereumWallet::from(self.wallet.signer().clone());
        let envelope = request
            .build(&wallet)
            .await
            .map_err(|err| ChainError::RefusedPlain {
                message: err.to_string(),
            })?;

        let (tx_hash, raw) = (*envelope.tx_hash(), Bytes::from(envelope.encoded_2718()));
        record.attempts.push(Attempt {
            tx_hash,
            raw: raw.clone(),
            max_fee_wei,
            tip_wei,
        });
        self.records.put(key, record)?;
        debug!(intent = key, %tx_hash, nonce = record.nonce, "transaction sent");
        self.broadcast(&raw).await;
        Ok(())
    }

    /// Hands a signed transaction to the endpoints. A failure is not an error: it may be known already,
    /// and it is handed over again at each poll until it is mined.
    async fn broadcast(&self, raw: &Bytes) {
        if let Err(err) = self.provider.send_raw_transaction(raw).await {
            debug!(%err, "endpoint did not take the transaction");
        }
    }

    /// Waits until one of the record's attempts is confirmed; sends again, and replaces, as needed.
    async fn finish(
        &self,
        key: &str,
        mut record: Record,
    ) -> Result<TransactionReceipt, ChainError> {
        if let Some(receipt) = record.mined {
            return Ok(receipt);
        }
        let mut sent_at = Instant::now();
        let mut missing_looks = 0;
        loop {
            let fate = self.look(&record).await;
            if !matches!(fate, Ok(Fate::Superseded) | Err(_)) {
                missing_looks = 0;
            }
            match fate {
                Ok(Fate::Confirmed(receipt)) => return self.conclude(key, record, *receipt).await,
                Ok(Fate::Mined) => {}
                Ok(Fate::Superseded) if missing_looks + 1 < SUPERSEDED_LOOKS => missing_looks += 1,
                Ok(Fate::Superseded) => {
                    // The key was used elsewhere: this transaction can't be mined any more.
                    warn!(
                        intent = key,
                        nonce = record.nonce,
                        "nonce was used by another transaction"
                    );
                    self.records.remove(key)?;
                    record = self.plan(key, record.call).await?;
                    (sent_at, missing_looks) = (Instant::now(), 0);
                }
                Ok(Fate::Unmined) if sent_at.elapsed() >= self.replace_after => {
                    self.replace(key, &mut record).await?;
                    sent_at = Instant::now();
                }
                Ok(Fate::Unmined) => {
                    if let Some(last) = record.attempts.last() {
                        self.broadcast(&last.raw).await;
                    }
                }
                Err(err) if err.is_retryable() => debug!(%err, "no view of the transaction"),
                Err(err) => return Err(err),
            }
            tokio::time::sleep(self.poll_interval).await;
        }
    }

    async fn look(&self, record: &Record) -> Result<Fate, ChainError> {
        // The count is read first: a receipt that is missing afterwards was missing then, too.
        let mined_count = self
            .provider
            .get_transaction_count(self.wallet.address())
            .await?;
        for attempt in record.attempts.iter().rev() {
            let Some(receipt) = self
                .provider
                .get_transaction_receipt(attempt.tx_hash)
                .await?
            else {
                continue;
            };
            let head = self.provider.get_block_number().await?;
            let mined_at = receipt.block_number.unwrap_or(u64::MAX);
            let deep_enough =
                head.saturating_add(1) >= mined_at.saturating_add(self.confirmations_blocks);
            return Ok(if deep_enough {
                Fate::Confirmed(Box::new(receipt))
            } else {
                Fate::Mined
            });
        }
        Ok(if mined_count > record.nonce {
            Fate::Superseded
        } else {
            Fate::Unmined
        })
    }

    async fn replace(&self, key: &str, record: &mut Record) -> Result<(), ChainError> {
        let Some(last) = record.attempts.last() else {
            return Ok(());
        };
        let fees = self.provider.estimate_eip1559_fees().await?;
        let bump = |fee: u128| fee.saturating_mul(100 + FEE_BUMP_PERCENT).div_ceil(100);
        let max_fee_wei = bump(last.max_fee_wei).max(fees.max_fee_per_gas);
        let tip_wei = bump(last.tip_wei)
            .max(fees.max_priority_fee_per_gas)
            .min(max_fee_wei);
        warn!(
            intent = key,
            nonce = record.nonce,
            max_fee_wei,
            "stuck transaction replaced"
        );
        self.attempt(key, record, max_fee_wei, tip_wei).await
    }

    /// Writes the receipt down; a revert is explained by calling again on the state before it.
    async fn conclude(
        &self,
        key: &str,
        mut record: Record,
        receipt: TransactionReceipt,
    ) -> Result<TransactionReceipt, ChainError> {
        if receipt.status() {
            record.mined = Some(receipt.clone());
            record.attempts.clear();
            self.records.put(key, &record)?;
            return Ok(receipt);
        }
        self.records.remove(key)?;
        let before = receipt
            .block_number
            .map_or(BlockNumberOrTag::Latest, |number| {
                BlockNumberOrTag::Number(number.saturating_sub(1))
            });
        let request = record.call.request(self.wallet.address());
        match self
            .provider
            .call(request)
            .block(before.into())
            .await
            .map_err(ChainError::from)
        {
            Err(err @ (ChainError::Refused(_) | ChainError::RefusedUnknown { .. })) => Err(err),
            Ok(_) | Err(_) => Err(ChainError::Reverted {
                tx_hash: receipt.transaction_hash,
            }),
        }
    }
}

/// What became of a transaction.
enum Fate {
    /// No block holds it.
    Unmined,
    /// A block holds it that may still be reorganized.
    Mined,
    /// A block holds it that lies deep enough.
    Confirmed(Box<TransactionReceipt>),
    /// Another transaction took its nonce.
    Superseded,
}
