//! The journal and the meter that it feeds, as one thing that several services may hold.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use inferix_prover::id::DeviceId;

use super::{ClosedInterval, Entry, Journal, JournalError, Meter};

/// A device's work, on disk and in memory.
#[derive(Debug)]
pub struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: Journal,
    meter: Meter,
    /// Entries of intervals that no confirmed claim holds, each with the number of its interval.
    kept: Vec<(u32, Entry)>,
}

impl Ledger {
    /// Opens a device's journal and replays it. An interval that was open when the node died is closed
    /// at its last batch.
    ///
    /// # Errors
    ///
    /// Every variant of [`JournalError`].
    pub fn open(path: &Path, device_id: DeviceId) -> Result<Self, JournalError> {
        let (journal, entries) = Journal::open(path)?;
        let mut inner = Inner {
            journal,
            meter: Meter::replay(device_id, []),
            kept: Vec::new(),
        };
        for entry in entries {
            inner.take(entry);
        }
        if let Some(closing) = inner.meter.close("recovered", 0) {
            inner.append(closing)?;
        }
        Ok(Self {
            inner: Mutex::new(inner),
        })
    }

    /// Asks the meter for an entry, writes that to the journal, then applies it. Nothing happens if the
    /// meter has none.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: then the meter stands where it stood.
    pub fn record(&self, entry: impl FnOnce(&Meter) -> Option<Entry>) -> Result<(), JournalError> {
        let mut inner = self.lock();
        match entry(&inner.meter) {
            Some(entry) => inner.append(entry),
            None => Ok(()),
        }
    }

    /// Looks at the meter.
    pub fn view<T>(&self, look: impl FnOnce(&Meter) -> T) -> T {
        look(&self.lock().meter)
    }

    /// Intervals that no confirmed claim holds.
    pub fn closed(&self) -> Vec<ClosedInterval> {
        self.view(|meter| meter.closed().to_vec())
    }

    /// Drops the intervals of a confirmed claim from the journal.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: then they are all still there.
    pub fn claimed(&self, through_seq: u32) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let last_end_ms = inner
            .meter
            .closed()
            .iter()
            .filter(|closed| closed.interval.seq <= through_seq)
            .map(|closed| closed.interval.end_ms)
            .max();
        let Some(last_end_ms) = last_end_ms else {
            return Ok(());
        };
        let numbered = Entry::Numbered {
            next_seq: through_seq.saturating_add(1),
            last_end_ms,
        };
        let mut kept = vec![(through_seq, numbered)];
        kept.extend(
            inner
                .kept
                .iter()
                .filter(|(seq, entry)| {
                    *seq > through_seq && !matches!(entry, Entry::Numbered { .. })
                })
                .cloned(),
        );
        inner.journal.rewrite(kept.iter().map(|(_, entry)| entry))?;
        inner.kept = kept;
        inner.meter.apply(Entry::Claimed { through_seq });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held can't have left half an entry: the meter applies whole ones.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn append(&mut self, entry: Entry) -> Result<(), JournalError> {
        self.journal.append(&entry)?;
        self.take(entry);
        Ok(())
    }

    fn take(&mut self, entry: Entry) {
        self.kept.push((self.meter.next_seq(), entry.clone()));
        self.meter.apply(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::record::tests::{batch, opened},
        *,
    };

    fn work(ledger: &Ledger, start_ms: u64, first_unit: u64) {
        ledger
            .record(|meter| Some(meter.open(opened(start_ms))))
            .unwrap();
        ledger
            .record(|_| Some(Entry::Batch(batch(first_unit, 9, start_ms + 1))))
            .unwrap();
        ledger.record(|meter| meter.close("cpu", 1)).unwrap();
    }

    #[test]
    fn a_restart_finds_the_same_intervals_and_closes_the_open_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let ledger = Ledger::open(&path, DeviceId::default()).unwrap();
        work(&ledger, 0, 0);
        ledger.record(|meter| Some(meter.open(opened(10)))).unwrap();
        ledger
            .record(|_| Some(Entry::Batch(batch(2, 9, 12))))
            .unwrap();
        let before = ledger.closed();
        drop(ledger);

        let closed = Ledger::open(&path, DeviceId::default()).unwrap().closed();
        assert_eq!(closed[..1], before);
        assert_eq!((closed[1].interval.seq, closed[1].interval.end_ms), (2, 12));
    }

    #[test]
    fn claimed_intervals_leave_the_journal_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let ledger = Ledger::open(&path, DeviceId::default()).unwrap();
        for i in 0..3 {
            work(&ledger, i * 10, i * 2);
        }
        let size = std::fs::metadata(&path).unwrap().len();
        let third = ledger.closed()[2].clone();
        ledger.claimed(2).unwrap();
        assert_eq!(ledger.closed(), std::slice::from_ref(&third));
        assert!(std::fs::metadata(&path).unwrap().len() < size);
        drop(ledger);

        let ledger = Ledger::open(&path, DeviceId::default()).unwrap();
        assert_eq!(ledger.closed(), [third]);
        work(&ledger, 0, 6);
        let fourth = &ledger.closed()[1].interval;
        assert_eq!(
            (fourth.seq, fourth.start_ms),
            (4, 21),
            "numbers and times go on"
        );
    }
}
