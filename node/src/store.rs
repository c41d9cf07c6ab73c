//! What must outlive a crash, by key: the one seam to the embedded database.
//!
//! Values are JSON. A tree is a named set of keys; keys are bytes and sort as bytes. Every write is
//! flushed before it returns, because what is written here is either an intent that precedes an action
//! in the world or the receipt of one.
//!
//! A disk that takes no more bytes can leave the database waiting for a write that never ends, also when there is
//! room again. Such a process ends itself: started again, it finds all that was acknowledged.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use tracing::error;

/// Longer than a disk takes for one write.
const LONGEST_WRITE: Duration = Duration::from_secs(30);
/// How often writes are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be opened, read or written: a full disk, or another process holds it.
    #[error("the store failed: check the free space and that no other node uses this data folder")]
    Database(#[from] sled::Error),
    /// A stored value is not what this version writes.
    #[error("the value at {tree}/{key} can't be read: it was written by another version")]
    Malformed {
        /// The tree.
        tree: String,
        /// The key, in hex.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// An open database.
#[derive(Clone, Debug)]
pub struct Store {
    db: sled::Db,
    writes: Arc<Writes>,
}

/// A named set of keys.
#[derive(Clone, Debug)]
pub struct Tree {
    name: &'static str,
    db: sled::Db,
    tree: sled::Tree,
    writes: Arc<Writes>,
}

/// Writes under way, and when each began.
#[derive(Debug, Default)]
struct Writes {
    under_way: Mutex<BTreeMap<u64, Instant>>,
}

/// A write under way.
#[derive(Debug)]
struct Write<'a> {
    writes: &'a Writes,
    number: u64,
}

impl Store {
    /// Opens the database in a folder, and creates it where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let writes = Arc::<Writes>::default();
        let db = sled::Config::new()
            .path(dir)
            .cache_capacity(64 << 20)
            .open()?;
        let watched = Arc::downgrade(&writes);
        std::thread::spawn(move || watch(&watched));
        Ok(Self { db, writes })
    }

    /// Opens a tree.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn tree(&self, name: &'static str) -> Result<Tree, StoreError> {
        Ok(Tree {
            name,
            db: self.db.clone(),
            tree: self.db.open_tree(name)?,
            writes: Arc::clone(&self.writes),
        })
    }
}

impl Tree {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`].
    pub fn get<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, StoreError> {
        let key = key.as_ref();
        self.tree
            .get(key)?
            .map(|value| self.decode(key, &value))
            .transpose()
    }

    /// Writes a value, durably.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn put<T: Serialize>(&self, key: impl AsRef<[u8]>, value: &T) -> Result<(), StoreError> {
        self.put_all([(key, value)])
    }

    /// Writes several values at once: after a crash either all are there or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn put_all<'a, K: AsRef<[u8]>, T: Serialize + 'a>(
        &self,
        values: impl IntoIterator<Item = (K, &'a T)>,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in values {
            let bytes =
                serde_json::to_vec(value).map_err(|source| self.malformed(key.as_ref(), source))?;
            batch.insert(key.as_ref(), bytes);
        }
        let _write = self.writes.begin();
        self.tree.apply_batch(batch)?;
        self.db.flush()?;
        Ok(())
    }

    /// Removes a value, durably.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<(), StoreError> {
        let _write = self.writes.begin();
        self.tree.remove(key.as_ref())?;
        self.db.flush()?;
        Ok(())
    }

    /// Removes several values at once, durably: after a crash either all are there or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn remove_all<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for key in keys {
            batch.remove(key.as_ref());
        }
        let _write = self.writes.begin();
        self.tree.apply_batch(batch)?;
        self.db.flush()?;
        Ok(())
    }

    /// Reads all values whose key begins with a prefix, in the order of their keys.
    ///
    /// # Errors
    ///
    /// Every variant of [`StoreError`].
    pub fn scan<T: DeserializeOwned>(
        &self,
        prefix: impl AsRef<[u8]>,
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        self.tree
            .scan_prefix(prefix.as_ref())
            .map(|entry| {
                let (key, value) = entry?;
                let value = self.decode(&key, &value)?;
                Ok((key.to_vec(), value))
            })
            .collect()
    }

    fn decode<T: DeserializeOwned>(&self, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(value).map_err(|source| self.malformed(key, source))
    }

    fn malformed(&self, key: &[u8], source: serde_json::Error) -> StoreError {
        StoreError::Malformed {
            tree: self.name.to_owned(),
            key: hex::encode(key),
            source,
        }
    }
}

impl Writes {
    fn begin(&self) -> Write<'_> {
        let mut under_way = self.lock();
        let last = under_way.last_key_value().map_or(0, |(number, _)| *number);
        let number = last.saturating_add(1);
        under_way.insert(number, Instant::now());
        Write {
            writes: self,
            number,
        }
    }

    fn is_stuck(&self) -> bool {
        let under_way = self.lock();
        let mut begun = under_way.values();
        begun.any(|begun_at| begun_at.elapsed() > LONGEST_WRITE)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        // Each use of the lock is one change of the map.
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.writes.lock().remove(&self.number);
    }
}

/// Ends the process when a write hangs. The threads that wait for it can't be woken.
fn watch(watched: &Weak<Writes>) {
    while let Some(writes) = watched.upgrade() {
        if writes.is_stuck() {
            error!(
                longest_s = LONGEST_WRITE.as_secs(),
                "a write to the store does not end: check the free space and start the node again"
            );
            std::process::exit(1);
        }
        drop(writes);
        std::thread::sleep(WATCH_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outlive_the_process_and_sort_by_key() {
        let dir = tempfile::tempdir().unwrap();
        {
            let tree = Store::open(dir.path()).unwrap().tree("t").unwrap();
            tree.put_all([(b"a/2", &2_u64), (b"a/1", &1), (b"b/1", &9)])
                .unwrap();
            tree.remove(b"b/1").unwrap();
        }
        let tree = Store::open(dir.path()).unwrap().tree("t").unwrap();
        let values: Vec<u64> = tree
            .scan(b"")
            .unwrap()
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        assert_eq!(values, [1, 2]);
    }

    #[test]
    fn a_value_of_another_shape_is_refused_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Store::open(dir.path()).unwrap().tree("t").unwrap();
        tree.put(b"k", &"text").unwrap();
        let err = tree.get::<u64>(b"k").unwrap_err();
        assert!(
            matches!(err, StoreError::Malformed { ref tree, ref key, .. } if tree == "t" && key == "6b")
        );
    }
}
