//! The journal and the meter that it feeds, as one thing that several services may hold.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
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

    /// Whether an entry that could not be written could be now.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: the disk is still full, or what else was wrong is.
    pub fn probe(&self) -> Result<(), JournalError> {
        self.lock().journal.probe()
    }

    /// Looks at the meter.
    pub fn view<T>(&self, look: impl FnOnce(&Meter) -> T) -> T {
        look(&self.lock().meter)
    }

    /// The journal's size.
    pub fn size_bytes(&self) -> u64 {
        self.lock().journal.size_bytes()
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
        inner.remove(|seq| seq <= through_seq)?;
        inner.meter.apply(Entry::Claimed { through_seq });
        Ok(())
    }

    /// Drops intervals that can't be claimed any more from the journal. The others keep their numbers.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: then they are all still there.
    pub fn give_up(&self, seqs: BTreeSet<u32>) -> Result<(), JournalError> {
        let mut inner = self.lock();
        inner.remove(|seq| seqs.contains(&seq))?;
        inner.meter.apply(Entry::GivenUp { seqs });
        Ok(())
    }

    /// Moves intervals that must not be claimed to a journal beside this one, for people to look at. Returns its
    /// path.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: then they are all still there.
    pub fn set_aside(&self, seqs: BTreeSet<u32>) -> Result<PathBuf, JournalError> {
        let path = {
            let inner = self.lock();
            let path = inner.journal.path().with_extension("aside");
            let (mut aside, _) = Journal::open(&path)?;
            let mut last_seq = None;
            for (seq, entry) in &inner.kept {
                if !seqs.contains(seq) || matches!(entry, Entry::Numbered { .. }) {
                    continue;
                }
                if last_seq != Some(*seq) {
                    aside.append(&Entry::Numbered {
                        next_seq: *seq,
                        last_end_ms: 0,
                    })?;
                    last_seq = Some(*seq);
                }
                aside.append(entry)?;
            }
            path
        };
        // A crash before this leaves them in both, and they are set aside again.
        self.give_up(seqs)?;
        Ok(path)
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

    /// Writes the journal anew without the entries of some intervals that are closed.
    fn remove(&mut self, is_gone: impl Fn(u32) -> bool) -> Result<(), JournalError> {
        let closed = self.meter.closed().iter();
        if !closed.map(|closed| closed.interval.seq).any(&is_gone) {
            return Ok(());
        }
        let numbered = |next_seq| Entry::Numbered {
            next_seq,
            last_end_ms: self.meter.last_end_ms(),
        };
        let mut kept = Vec::new();
        // The number that the next interval has when what is kept is replayed.
        let mut next_seq = 1;
        for (seq, entry) in &self.kept {
            if is_gone(*seq) || matches!(entry, Entry::Numbered { .. }) {
                continue;
            }
            if *seq != next_seq {
                kept.push((*seq, numbered(*seq)));
                next_seq = *seq;
            }
            if matches!(entry, Entry::Closed(_)) {
                next_seq = next_seq.saturating_add(1);
            }
            kept.push((*seq, entry.clone()));
        }
        let last = self.meter.next_seq();
        if next_seq != last {
            kept.push((last, numbered(last)));
        }
        self.journal.rewrite(kept.iter().map(|(_, entry)| entry))?;
        self.kept = kept;
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
    fn intervals_that_are_set_aside_are_kept_in_a_journal_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let ledger = Ledger::open(&path, DeviceId::default()).unwrap();
        for i in 0..3 {
            work(&ledger, i * 10, i * 2);
        }
        let all = ledger.closed();
        ledger.set_aside(BTreeSet::from([2])).unwrap();
        let aside = ledger.set_aside(BTreeSet::from([3])).unwrap();
        assert_eq!(ledger.closed(), all[..1]);
        assert_eq!(aside, dir.path().join("0.aside"));
        let aside = Ledger::open(&aside, DeviceId::default()).unwrap();
        assert_eq!(aside.closed(), all[1..]);
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

    #[test]
    fn intervals_that_are_given_up_leave_a_gap_in_the_numbers_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.journal");
        let ledger = Ledger::open(&path, DeviceId::default()).unwrap();
        for i in 0..4 {
            work(&ledger, i * 10, i * 2);
        }
        let all = ledger.closed();
        ledger.give_up(BTreeSet::from([2, 4])).unwrap();
        let left = [all[0].clone(), all[2].clone()];
        assert_eq!(ledger.closed(), left);
        drop(ledger);

        let ledger = Ledger::open(&path, DeviceId::default()).unwrap();
        assert_eq!(ledger.closed(), left);
        ledger.claimed(1).unwrap();
        work(&ledger, 0, 8);
        drop(ledger);
        let closed = Ledger::open(&path, DeviceId::default()).unwrap().closed();
        assert_eq!(closed[0], left[1]);
        let next = &closed[1].interval;
        assert_eq!((next.seq, next.start_ms), (5, all[3].interval.end_ms));
    }
}
