//! Blobs that were sent and that nothing names yet: a job's input before the job, outputs before their report.
//!
//! They cost disk and nobody pays for them, so there is a bound for each account and one for all, and an age
//! after which they are swept. What is named is counted no more.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy::primitives::{Address, B256};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use super::{desk::Desk, error::ManagerError};
use crate::{blobs::BlobError, config::ManagerConfig};

/// Why a blob is not taken, although it could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The account has sent too much that nothing names.
    #[error(
        "{account} may have {max_bytes} bytes here that no job, result or claim names: send what names the blobs before further ones, or wait {keep_s} s until they are swept"
    )]
    Account {
        /// Who sent.
        account: Address,
        /// The most.
        max_bytes: u64,
        /// How long such blobs are kept, in seconds.
        keep_s: u64,
    },
    /// All accounts together have.
    #[error(
        "this manager keeps {max_bytes} bytes that no job, result or claim names: wait up to {keep_s} s until some are swept, and send again"
    )]
    Total {
        /// The most.
        max_bytes: u64,
        /// How long such blobs are kept, in seconds.
        keep_s: u64,
    },
}

/// A blob that nothing names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LooseBlob {
    /// Who sent it.
    pub account: Address,
    /// Its size.
    pub size_bytes: u64,
    /// When it was last sent or asked for, Unix time in seconds.
    pub sent_at: u64,
}

/// Blobs that nothing names, and what they and those that arrive take.
#[derive(Debug, Default)]
pub struct LooseBlobs {
    blobs: BTreeMap<B256, LooseBlob>,
    used_bytes: BTreeMap<Address, u64>,
}

impl LooseBlobs {
    /// Counts a blob that has arrived. One that was sent before stays its first sender's.
    pub fn insert(&mut self, hash: B256, blob: LooseBlob) {
        if let Some(held) = self.blobs.get_mut(&hash) {
            held.sent_at = held.sent_at.max(blob.sent_at);
            return;
        }
        self.blobs.insert(hash, blob);
        self.take(blob.account, blob.size_bytes);
    }

    /// Counts a blob no more, and returns whether it was counted.
    pub fn remove(&mut self, hash: B256) -> bool {
        let removed = self.blobs.remove(&hash);
        if let Some(blob) = removed {
            self.give_back(blob.account, blob.size_bytes);
        }
        removed.is_some()
    }

    /// Notes that a blob is about to be named.
    pub fn touch(&mut self, hash: B256, now: u64) {
        if let Some(blob) = self.blobs.get_mut(&hash) {
            blob.sent_at = blob.sent_at.max(now);
        }
    }

    /// Whether a blob is counted.
    pub fn holds(&self, hash: B256) -> bool {
        self.blobs.contains_key(&hash)
    }

    /// Counts bytes that arrive, if there is room for them.
    ///
    /// # Errors
    ///
    /// Every variant of [`QuotaError`].
    pub fn grow(
        &mut self,
        account: Address,
        len_bytes: u64,
        config: &ManagerConfig,
    ) -> Result<(), QuotaError> {
        let keep_s = config.keep_loose.as_secs();
        let own = self.used_bytes.get(&account).copied().unwrap_or(0);
        if own.saturating_add(len_bytes) > config.max_account_loose_bytes {
            return Err(QuotaError::Account {
                account,
                max_bytes: config.max_account_loose_bytes,
                keep_s,
            });
        }
        let all = self.used_bytes.values().copied().sum::<u64>();
        if all.saturating_add(len_bytes) > config.max_loose_bytes {
            let max_bytes = config.max_loose_bytes;
            return Err(QuotaError::Total { max_bytes, keep_s });
        }
        self.take(account, len_bytes);
        Ok(())
    }

    /// Takes the blobs out that were sent at a time or before.
    pub fn take_old(&mut self, sent_at: u64) -> Vec<B256> {
        let is_old = |(_, blob): &(&B256, &LooseBlob)| blob.sent_at <= sent_at;
        let old: Vec<B256> = self
            .blobs
            .iter()
            .filter(is_old)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in &old {
            self.remove(*hash);
        }
        old
    }

    fn take(&mut self, account: Address, len_bytes: u64) {
        let used = self.used_bytes.entry(account).or_default();
        *used = used.saturating_add(len_bytes);
    }

    fn give_back(&mut self, account: Address, len_bytes: u64) {
        if let Some(used) = self.used_bytes.get_mut(&account) {
            *used = used.saturating_sub(len_bytes);
            if *used == 0 {
                self.used_bytes.remove(&account);
            }
        }
    }
}

/// A blob that arrives: its bytes are counted until it is here, or broke off.
struct Upload<'a> {
    desk: &'a Desk,
    account: Address,
    grown_bytes: AtomicU64,
}

impl Upload<'_> {
    fn grow(&self, len: usize) -> Result<(), QuotaError> {
        let len_bytes = u64::try_from(len).unwrap_or(u64::MAX);
        let mut uses = self.desk.uses();
        uses.loose
            .grow(self.account, len_bytes, &self.desk.config)?;
        self.grown_bytes.fetch_add(len_bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        let grown_bytes = self.grown_bytes.load(Ordering::Relaxed);
        self.desk.uses().loose.give_back(self.account, grown_bytes);
    }
}

impl Desk {
    /// Stores a blob that an account sends, and returns its size.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Stranger`], [`ManagerError::Quota`], [`ManagerError::Blob`], and failures of the chain and
    /// the store.
    pub async fn receive_blob<E>(
        self: &Arc<Self>,
        account: Address,
        hash: B256,
        stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<u64, ManagerError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.check_may_send(account).await?;
        let upload = Upload {
            desk: self,
            account,
            grown_bytes: AtomicU64::new(0),
        };
        let counted = stream.map(|chunk| {
            let chunk = chunk.map_err(Into::into)?;
            upload.grow(chunk.len())?;
            Ok::<_, Box<dyn Error + Send + Sync>>(chunk)
        });
        let stored = self.blobs.put_stream(hash, self.max_blob_bytes(), counted);
        let size_bytes = stored.await.map_err(of_quota)?;

        let blob = LooseBlob {
            account,
            size_bytes,
            sent_at: self.now(),
        };
        let is_loose = self.uses().insert_loose(hash, blob);
        drop(upload);
        if is_loose {
            self.blocking(move |desk| Ok(desk.loose.put(hash, &blob)?))
                .await?;
        }
        Ok(size_bytes)
    }

    /// Keeps a blob from being swept while what names it is on its way.
    pub fn touch_blob(&self, hash: B256) {
        self.uses().loose.touch(hash, self.now());
    }

    /// Removes blobs that nothing has named for too long, and returns how many.
    pub(super) async fn sweep_loose(self: &Arc<Self>) -> Result<usize, ManagerError> {
        let keep_s = self.config.keep_loose.as_secs();
        let sent_at = self.now().saturating_sub(keep_s);
        let old = self.uses().loose.take_old(sent_at);
        for hash in &old {
            self.blobs.remove(*hash).await?;
        }
        self.blocking(|desk| {
            let kept = desk.loose.scan::<LooseBlob>(b"")?;
            let uses = desk.uses();
            let is_gone = |key: &Vec<u8>| {
                <[u8; 32]>::try_from(key.as_slice())
                    .is_ok_and(|hash| !uses.loose.holds(B256::from(hash)))
            };
            let gone: Vec<_> = kept
                .into_iter()
                .map(|(key, _)| key)
                .filter(is_gone)
                .collect();
            drop(uses);
            Ok(desk.loose.remove_all(gone)?)
        })
        .await?;
        Ok(old.len())
    }
}

/// Finds the quota's word in a stream that it broke off.
fn of_quota(err: BlobError) -> ManagerError {
    match err {
        BlobError::BrokenStream(source) => match source.downcast::<QuotaError>() {
            Ok(quota) => (*quota).into(),
            Err(source) => BlobError::BrokenStream(source).into(),
        },
        err @ (BlobError::Disk(_)
        | BlobError::Folder(_)
        | BlobError::File(_)
        | BlobError::Missing { .. }
        | BlobError::WrongHash { .. }
        | BlobError::TooLarge { .. }) => err.into(),
    }
}
