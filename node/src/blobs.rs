//! Content-addressed data on disk.
//!
//! A blob's name is the Keccak-256 of its bytes. Nothing is stored under a name that its bytes do not
//! have, and what is read back is hashed again, so a damaged disk is noticed and not believed.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use alloy::primitives::{B256, Keccak256, keccak256};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::{
    ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart, local::LocalFileSystem, path,
};

/// Why a blob was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk failed: it may be full.
    #[error("the blob folder failed: check the free space")]
    Disk(#[from] object_store::Error),
    /// The folder can't be made.
    #[error("can't make the blob folder")]
    Folder(#[source] std::io::Error),
    /// A file in it can't be marked or removed.
    #[error("a file in the blob folder failed: check its permissions")]
    File(#[source] std::io::Error),
    /// No blob has that name.
    #[error("blob {hash} is not stored here")]
    Missing {
        /// The blob.
        hash: B256,
    },
    /// The bytes have another hash than their name.
    #[error("blob {expected} has the hash {actual}: send it again")]
    WrongHash {
        /// The name that was given.
        expected: B256,
        /// What the bytes hash to.
        actual: B256,
    },
    /// The blob is larger than what is taken.
    #[error("blob is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The sender broke off.
    #[error("the blob's stream broke off: send it again")]
    BrokenStream(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<LocalFileSystem>,
    /// Held while a file is marked as used, or looked at a last time and removed: one comes before the other.
    marking: Arc<Mutex<()>>,
}

impl Blobs {
    /// Opens a folder, and creates it where there is none.
    ///
    /// # Errors
    ///
    /// [`BlobError::Folder`], [`BlobError::Disk`].
    pub fn open(dir: &Path) -> Result<Self, BlobError> {
        std::fs::create_dir_all(dir).map_err(BlobError::Folder)?;
        let store = LocalFileSystem::new_with_prefix(dir)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            marking: Arc::default(),
        })
    }

    /// Stores bytes and returns their name. What is stored already counts as fresh again.
    ///
    /// # Errors
    ///
    /// [`BlobError::Disk`], [`BlobError::File`].
    pub async fn put(&self, bytes: Bytes) -> Result<B256, BlobError> {
        let hash = keccak256(&bytes);
        if !self.touch(hash)? {
            self.store
                .put(&location(hash), PutPayload::from_bytes(bytes))
                .await?;
        }
        Ok(hash)
    }

    /// Stores a stream under the name that it must turn out to have. Memory stays bounded.
    ///
    /// # Errors
    ///
    /// [`BlobError::WrongHash`], [`BlobError::TooLarge`], [`BlobError::BrokenStream`],
    /// [`BlobError::Disk`]; then nothing is stored.
    pub async fn put_stream<E>(
        &self,
        expected: B256,
        max_bytes: u64,
        stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<u64, BlobError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let upload = self.store.put_multipart(&location(expected)).await?;
        let mut write = WriteMultipart::new(upload);
        match fill(&mut write, expected, max_bytes, stream).await {
            Ok(size_bytes) => {
                write.finish().await?;
                Ok(size_bytes)
            }
            Err(err) => {
                write.abort().await?;
                Err(err)
            }
        }
    }

    /// Reads a blob and checks its hash.
    ///
    /// # Errors
    ///
    /// [`BlobError::Missing`], [`BlobError::WrongHash`], [`BlobError::Disk`].
    pub async fn get(&self, hash: B256) -> Result<Bytes, BlobError> {
        let mut stream = Box::pin(self.stream(hash).await?);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        let actual = keccak256(&bytes);
        if actual != hash {
            return Err(BlobError::WrongHash {
                expected: hash,
                actual,
            });
        }
        Ok(bytes.freeze())
    }

    /// Reads a blob piece by piece, unchecked: whoever receives it hashes it.
    ///
    /// # Errors
    ///
    /// [`BlobError::Missing`], [`BlobError::Disk`].
    pub async fn stream(
        &self,
        hash: B256,
    ) -> Result<impl Stream<Item = Result<Bytes, BlobError>> + use<>, BlobError> {
        match self.store.get(&location(hash)).await {
            Ok(found) => Ok(found.into_stream().map_err(BlobError::from)),
            Err(object_store::Error::NotFound { .. }) => Err(BlobError::Missing { hash }),
            Err(err) => Err(err.into()),
        }
    }

    /// Whether a blob is stored.
    ///
    /// # Errors
    ///
    /// [`BlobError::Disk`].
    pub async fn has(&self, hash: B256) -> Result<bool, BlobError> {
        match self.store.head(&location(hash)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(err) => Err(err.into()),
        }
    }

    /// Makes a stored blob as fresh as one that is stored now, so that no sweep takes it before something names
    /// it. Returns whether it is stored.
    ///
    /// # Errors
    ///
    /// [`BlobError::File`].
    pub fn touch(&self, hash: B256) -> Result<bool, BlobError> {
        let path = self.store.path_to_filesystem(&location(hash))?;
        let _marking = self.marking.lock().unwrap_or_else(PoisonError::into_inner);
        match File::open(path).and_then(|file| file.set_modified(SystemTime::now())) {
            Ok(()) => Ok(true),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(err) => Err(BlobError::File(err)),
        }
    }

    /// Removes a blob. One that is not there is no failure.
    ///
    /// # Errors
    ///
    /// [`BlobError::Disk`].
    pub async fn remove(&self, hash: B256) -> Result<(), BlobError> {
        match self.store.delete(&location(hash)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(err) => Err(err.into()),
        }
    }

    /// Removes blobs that are older than `min_age` and that `is_kept` does not name. Returns how many.
    ///
    /// # Errors
    ///
    /// [`BlobError::Disk`], [`BlobError::File`].
    pub async fn sweep(
        &self,
        min_age: Duration,
        is_kept: impl Fn(B256) -> bool,
    ) -> Result<usize, BlobError> {
        let mut removed_count = 0;
        let mut listing = self.store.list(None);
        while let Some(meta) = listing.next().await {
            let meta = meta?;
            let Some(hash) = meta.location.filename().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if is_young(meta.last_modified.into(), min_age) || is_kept(hash) {
                continue;
            }
            let path = self.store.path_to_filesystem(&meta.location)?;
            if self.remove_old(&path, min_age).map_err(BlobError::File)? {
                removed_count += 1;
            }
        }
        Ok(removed_count)
    }

    /// Removes a file, unless it was put again since it was listed.
    fn remove_old(&self, path: &Path, min_age: Duration) -> io::Result<bool> {
        let _marking = self.marking.lock().unwrap_or_else(PoisonError::into_inner);
        if is_young(std::fs::metadata(path)?.modified()?, min_age) {
            return Ok(false);
        }
        std::fs::remove_file(path).map(|()| true)
    }
}

fn is_young(modified_at: SystemTime, min_age: Duration) -> bool {
    modified_at.elapsed().unwrap_or_default() < min_age
}

/// Two levels, so that no folder holds millions of files.
fn location(hash: B256) -> path::Path {
    let name = hex::encode(hash);
    path::Path::from(format!("{}/{name}", &name[..2]))
}

async fn fill<E>(
    write: &mut WriteMultipart,
    expected: B256,
    max_bytes: u64,
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<u64, BlobError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut hasher = Keccak256::new();
    let mut size_bytes = 0_u64;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|err| BlobError::BrokenStream(err.into()))?;
        size_bytes = size_bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if size_bytes > max_bytes {
            return Err(BlobError::TooLarge { max_bytes });
        }
        hasher.update(&chunk);
        write.wait_for_capacity(4).await?;
        write.write(&chunk);
    }
    let actual = hasher.finalize();
    if actual != expected {
        return Err(BlobError::WrongHash { expected, actual });
    }
    Ok(size_bytes)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn pieces(bytes: &'static [u8]) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin {
        futures::stream::iter(bytes.chunks(3).map(|piece| Ok(Bytes::from_static(piece))))
    }

    #[tokio::test]
    async fn a_stream_is_stored_under_its_own_hash_only() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let hash = keccak256(b"twelve bytes");

        assert_eq!(
            blobs
                .put_stream(hash, 12, pieces(b"twelve bytes"))
                .await
                .unwrap(),
            12
        );
        assert_eq!(blobs.get(hash).await.unwrap(), &b"twelve bytes"[..]);

        let other = keccak256(b"other");
        let err = blobs
            .put_stream(other, 12, pieces(b"twelve bytes"))
            .await
            .unwrap_err();
        assert!(matches!(err, BlobError::WrongHash { actual, .. } if actual == hash));
        let err = blobs
            .put_stream(hash, 11, pieces(b"twelve bytes"))
            .await
            .unwrap_err();
        assert!(matches!(err, BlobError::TooLarge { max_bytes: 11 }));
        assert!(!blobs.has(other).await.unwrap());
        assert_eq!(
            blobs.get(hash).await.unwrap(),
            &b"twelve bytes"[..],
            "a refused stream harms nothing"
        );
    }

    #[tokio::test]
    async fn a_sweep_takes_what_is_old_and_not_named_and_not_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let texts: [&[u8]; 4] = [b"named", b"put again", b"young", b"forgotten"];
        let age = Duration::from_secs(3600);
        for text in texts {
            let hash = blobs.put(Bytes::from_static(text)).await.unwrap();
            if text != b"young" {
                let file = File::open(dir.path().join(location(hash).as_ref())).unwrap();
                file.set_modified(SystemTime::now() - 2 * age).unwrap();
            }
        }
        blobs.put(Bytes::from_static(b"put again")).await.unwrap();

        let named = keccak256(b"named");
        assert_eq!(blobs.sweep(age, |hash| hash == named).await.unwrap(), 1);
        for text in texts {
            let is_stored = blobs.has(keccak256(text)).await.unwrap();
            assert_eq!(is_stored, text != b"forgotten");
        }
    }

    #[tokio::test]
    async fn a_damaged_blob_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let hash = blobs.put(Bytes::from_static(b"sound")).await.unwrap();
        std::fs::write(dir.path().join(location(hash).as_ref()), b"rotten").unwrap();
        let err = blobs.get(hash).await.unwrap_err();
        assert!(matches!(err, BlobError::WrongHash { expected, .. } if expected == hash));
    }
}
