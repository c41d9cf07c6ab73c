//! The journal of measured work: one append a batch, synced before the work is reported.
//!
//! # Layout
//!
//! Records, one after the other: `length u32 ‖ crc32 u32 ‖ payload`, little-endian; the payload is an
//! [`Entry`] as JSON. It is a file of its own beside the store, because an append costs one write and
//! one sync whatever the journal's size, and because a torn end is told from damage by one rule: a last
//! record that is incomplete or fails its checksum was never acknowledged, and is cut off; one before it
//! was, and is an error.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::record::Entry;

/// A payload is a batch of units, at most some ten thousand of them.
const MAX_PAYLOAD_BYTES: usize = 64 << 20;
const HEAD_BYTES: usize = 8;

/// Why the journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file can't be opened, read or written: a full disk, perhaps.
    #[error("the journal {path} failed: check the free space and the folder's permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A record that was acknowledged can't be read back.
    #[error(
        "the journal {path} is damaged at byte {offset}: move it away to go on without what it holds"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: usize,
    },
    /// Another process writes this journal.
    #[error("the journal {path} is in use: another worker runs on this data folder")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A record can't be encoded.
    #[error("a record can't be written to the journal")]
    Encode(#[source] serde_json::Error),
    /// A record is too large to be read back.
    #[error("a record of {bytes} bytes is too large for the journal: make smaller batches")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    end: u64,
    /// Length of a record that could not be written; 0 if the last one was.
    missed_bytes: usize,
}

impl Journal {
    /// Opens a journal, cuts off a torn end, and returns what it holds.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], [`JournalError::Damaged`], [`JournalError::InUse`].
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let io = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(io)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(JournalError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(io(source)),
        }

        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let (entries, end) = parse(&bytes).map_err(|offset| JournalError::Damaged {
            path: path.to_owned(),
            offset,
        })?;
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        file.set_len(end).map_err(io)?;
        file.seek(SeekFrom::Start(end)).map_err(io)?;
        Ok((
            Self {
                path: path.to_owned(),
                file,
                end,
                missed_bytes: 0,
            },
            entries,
        ))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size.
    pub fn size_bytes(&self) -> u64 {
        self.end
    }

    /// Appends a record. When this returns, it is on disk; when it fails, it is as if never written.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], [`JournalError::Encode`], [`JournalError::TooLarge`].
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let record = encode(entry)?;
        let written = self
            .file
            .write_all(&record)
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // A part may have reached the disk: cut it off, so that the next append follows the last
            // good record. If that fails too, opening cuts it off.
            let _ = self.cut_back();
            self.missed_bytes = record.len();
            return Err(self.io(source));
        }
        self.missed_bytes = 0;
        self.end += u64::try_from(record.len()).unwrap_or(0);
        Ok(())
    }

    /// Tries whether a record that could not be written could be now. What it writes for that is zeros, which a
    /// crash leaves as a torn end, and is gone when this returns.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`].
    pub fn probe(&mut self) -> Result<(), JournalError> {
        if self.missed_bytes == 0 {
            return Ok(());
        }
        let zeros = vec![0; self.missed_bytes];
        let written = self
            .cut_back()
            .and_then(|()| self.file.write_all(&zeros))
            .and_then(|()| self.file.sync_data());
        let cut = self.cut_back();
        written.and(cut).map_err(|source| self.io(source))?;
        self.missed_bytes = 0;
        Ok(())
    }

    /// Ends the file with the last good record.
    fn cut_back(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end)).map(drop)
    }

    /// Replaces all records by these, at once: after a crash either the old or the new are there.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], [`JournalError::Encode`], [`JournalError::TooLarge`].
    pub fn rewrite<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<(), JournalError> {
        let next_path = self.path.with_extension("next");
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(encode(entry)?);
        }
        let mut next = File::create(&next_path).map_err(|source| self.io(source))?;
        next.try_lock().map_err(|_| JournalError::InUse {
            path: next_path.clone(),
        })?;
        let replaced = next
            .write_all(&bytes)
            .and_then(|()| next.sync_all())
            .and_then(|()| std::fs::rename(&next_path, &self.path))
            .and_then(|()| sync_folder(&self.path));
        replaced.map_err(|source| self.io(source))?;
        self.file = next;
        self.end = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.missed_bytes = 0;
        Ok(())
    }

    fn io(&self, source: std::io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// A rename is durable once its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent()
        .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn encode(entry: &Entry) -> Result<Vec<u8>, JournalError> {
    let payload = serde_json::to_vec(entry).map_err(JournalError::Encode)?;
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(JournalError::TooLarge {
            bytes: payload.len(),
        });
    }
    let length = u32::try_from(payload.len()).map_err(|_| JournalError::TooLarge {
        bytes: payload.len(),
    })?;
    let mut record = Vec::with_capacity(HEAD_BYTES + payload.len());
    record.extend(length.to_le_bytes());
    record.extend(crc32fast::hash(&payload).to_le_bytes());
    record.extend(payload);
    Ok(record)
}

/// Reads records up to a torn end. Returns them and where the last good one ends, or where a damaged
/// one begins.
fn parse(bytes: &[u8]) -> Result<(Vec<Entry>, usize), usize> {
    let mut entries = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let Some((entry, len)) = parse_record(&bytes[offset..]) else {
            return if is_torn_end(&bytes[offset..]) {
                Ok((entries, offset))
            } else {
                Err(offset)
            };
        };
        entries.push(entry);
        offset += len;
    }
    Ok((entries, offset))
}

fn parse_record(bytes: &[u8]) -> Option<(Entry, usize)> {
    let (length, crc) = (word(bytes, 0)?, word(bytes, 4)?);
    let end = HEAD_BYTES.checked_add(usize::try_from(length).ok()?)?;
    let payload = bytes.get(HEAD_BYTES..end)?;
    if payload.is_empty() || crc32fast::hash(payload) != crc {
        return None;
    }
    Some((serde_json::from_slice(payload).ok()?, end))
}

/// Whether no whole record follows: nothing was acknowledged after this point.
fn is_torn_end(bytes: &[u8]) -> bool {
    let Some(length) = word(bytes, 0).and_then(|length| usize::try_from(length).ok()) else {
        return true;
    };
    // A crash can leave zeros where the file had grown and its data had not arrived.
    length == 0 && bytes.iter().all(|&byte| byte == 0)
        || (length <= MAX_PAYLOAD_BYTES && bytes.len() <= HEAD_BYTES + length)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{super::record::tests::entry, *};

    #[test]
    fn a_journal_gives_back_what_it_took() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("device/0.journal");
        let (mut journal, entries) = Journal::open(&path).unwrap();
        assert!(entries.is_empty());
        journal.append(&entry(1)).unwrap();
        journal.append(&entry(2)).unwrap();
        drop(journal);

        let (mut journal, entries) = Journal::open(&path).unwrap();
        assert_eq!(entries, [entry(1), entry(2)]);
        journal.rewrite([&entry(2)]).unwrap();
        journal.append(&entry(3)).unwrap();
        drop(journal);
        assert_eq!(Journal::open(&path).unwrap().1, [entry(2), entry(3)]);
    }

    #[test]
    fn a_torn_end_is_cut_off_at_every_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let (first, second) = (encode(&entry(1)).unwrap(), encode(&entry(2)).unwrap());
        for kept in 0..second.len() {
            let mut bytes = first.clone();
            bytes.extend(&second[..kept]);
            std::fs::write(&path, &bytes).unwrap();
            let (mut journal, entries) = Journal::open(&path).unwrap();
            assert_eq!(entries, [entry(1)], "{kept} bytes of the second record");
            journal.append(&entry(3)).unwrap();
            drop(journal);
            assert_eq!(Journal::open(&path).unwrap().1, [entry(1), entry(3)]);
        }
    }

    #[test]
    fn damage_before_the_end_is_an_error_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let first = encode(&entry(1)).unwrap();
        let mut bytes = first.clone();
        bytes.extend(encode(&entry(2)).unwrap());
        bytes[HEAD_BYTES + 3] ^= 1;
        std::fs::write(&path, &bytes).unwrap();

        assert!(matches!(
            Journal::open(&path),
            Err(JournalError::Damaged { offset: 0, .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn two_workers_never_share_a_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let (mut held, _) = Journal::open(&path).unwrap();
        assert!(matches!(
            Journal::open(&path),
            Err(JournalError::InUse { .. })
        ));
        held.rewrite([]).unwrap();
        assert!(matches!(
            Journal::open(&path),
            Err(JournalError::InUse { .. })
        ));
    }
}
